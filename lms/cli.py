"""The operator's command line: `suluh …` or `./run cli …`."""

import json
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from importlib import import_module
from pathlib import Path

import click
from flask import Flask

from lms import release, rounds, server
from lms.accounts import second_factor
from lms.accounts import services as accounts
from lms.app import create_app
from lms.cohorts import timetable
from lms.competency import services as competency
from lms.config import BadConfig, Config, content_dir, from_environment
from lms.core import clock, readonly, schema
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.releases import BrokenContent
from lms.corrections import services as corrections
from lms.credentials.rules import day_of
from lms.door import PORT, address, answer, instance, listen, main, prepare
from lms.modules import laws
from lms.modules.law.rules import DELTA_WORDS
from lms.modules.rules import count_words
from lms.operations import backups, doctor, heads, locks, reconcile, restores
from lms.panels import results as panels
from lms.quizzes import corrections as keys
from lms.quizzes import services as quizzes
from lms.quizzes.cli import questions
from lms.reports.coverage import services as coverage
from lms.server import INSTANCE
from lms.statistics import analysis

DELTA = "A Markdown file for those who learned it: a title, then at most 300 words."
LONGEST_REASON = 500
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@main.command()
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--build-only", is_flag=True, help="Build the demonstration, do not serve it.")
def demo(port: int, host: str, build_only: bool) -> None:
    """Serve the fictional Kota Contoh, made anew at every start."""
    from lms import demo as city

    if not server.is_loopback(host):
        raise click.ClickException("the demonstration is served on this machine only")
    if os.environ.get("DATABASE_URL"):
        raise click.ClickException("the demonstration keeps its own file: unset DATABASE_URL")
    base = address(host, port)
    opened = None if build_only else listen(host, port)
    for old in (*INSTANCE.glob("demo.sqlite3*"), *INSTANCE.glob("demo/*.pdf")):
        old.unlink()
    config = instance("demo.sqlite3", base_url=base, demo=True)
    app = create_app(config)
    prepare(app)
    with _opened(config):
        made = city.build(base, INSTANCE / "demo", now=clock.now())
    (INSTANCE / "demo.json").write_text(json.dumps(made, indent=2), encoding="utf-8")
    click.echo(f"Kota Contoh: {base}")
    for account in made["accounts"]:
        click.echo(f"  {account['role']:<10} {account['email']:<34} {account['password']}")
    if opened is not None:
        answer(app, opened, 1)


@contextmanager
def _opened(config: Config) -> Iterator[Flask]:
    """Work with the database of an installation, then let go of it."""
    app = create_app(config)
    with app.app_context():
        try:
            yield app
        except schema.WrongSchema as error:
            raise click.ClickException(str(error)) from error
        finally:
            db.session.remove()
            db.engine.dispose()


@main.group("db")
def database() -> None:
    """Look after the database."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Bring the tables to this version."""
    with _opened(instance()):
        schema.upgrade(db.engine)
    click.echo("The tables are up to date.")


@database.command("check")
def database_check() -> None:
    """Compare the live tables with the models; exit 1 when they differ."""
    with _opened(instance()):
        found = schema.differences(db.engine)
    for line in found:
        click.echo(line)
    if found:
        sys.exit(1)
    click.echo("The tables are as the models say.")


@main.group()
def content() -> None:
    """Check and load what is taught."""


@content.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print counts and problems as JSON.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=None)
def content_check(as_json: bool, folder: Path | None) -> None:
    """Check every content file; exit 1 when there is a problem. Needs no database."""
    found = release.check(folder or content_dir(os.environ))
    if as_json:
        problems = [{"file": p.file, "line": p.line, "message": p.message} for p in found.problems]
        days = timetable.count(found.days) if found.days else {}
        report = coverage.report(found.coverage) if found.coverage else {}
        said = {"counts": found.counts, "timetable": days, **report, "problems": problems}
        click.echo(json.dumps(said, indent=2))
    else:
        for problem in found.problems:
            click.echo(str(problem))
        total = ", ".join(f"{count} {name}" for name, count in found.counts.items())
        holes = len(found.coverage.holes) if found.coverage else 0
        click.echo(f"{len(found.problems)} problems. {total}; {holes} holes")
    if found.problems:
        sys.exit(1)


@content.command("load")
@click.option("--force", is_flag=True, help="Load even when no file changed.")
def content_load(force: bool) -> None:
    """Load the content in one transaction: all of it or nothing."""
    config = instance()
    with _opened(config):
        schema.check(db.engine)
        try:
            with unit_of_work():
                loaded = release.load(config.content_dir, now=clock.now(), force=force)
                counts = loaded.counts if loaded else None
                below = panels.list_below(competency.current().standard)
        except BrokenContent as error:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            raise click.ClickException("nothing was loaded") from error
        kept = bool(counts and counts["items"]["kept"])
        items = release.check(config.content_dir).parts["items"] if kept else []
        for one in quizzes.list_disagreeing(items):
            right = f"“{one.right_answer}” is right" if one.right_answer else "no option is right"
            click.echo(f"{one.slug}: the file holds a key that was corrected; {right}", err=True)
    click.echo(json.dumps(counts) if counts else "Nothing changed since the last load.")
    for asks_less in below:
        click.echo(str(asks_less), err=True)


@content.group()
def law() -> None:
    """Mark articles of law that changed."""


@law.command("list")
def law_list() -> None:
    """Print the articles that are marked here."""
    with _opened(instance()):
        schema.check(db.engine)
        marks = laws.list_marks()
        for article, mark in sorted(marks.items()):
            click.echo(f"{article}: superseded since {mark.since}. {mark.reason}")
    click.echo(f"{len(marks)} marked.")


@law.command("supersede")
@click.argument("article")
@click.option("--since", required=True, type=click.DateTime(["%Y-%m-%d"]), help="YYYY-MM-DD.")
@click.option("--reason", required=True, help="As readers of its lessons see it, in Indonesian.")
@click.option("--replaced-by", default="", help="For example `UU 1/2023 ps 299`.")
@click.option("--delta", type=click.Path(path_type=Path, exists=True, dir_okay=False), help=DELTA)
def law_supersede(
    article: str, since: datetime, reason: str, replaced_by: str, delta: Path | None
) -> None:
    """Mark an article superseded, as `UU 23/2004 ps 16`: its items are drawn no more."""
    reading = _reading(delta) if delta else ("", "")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise click.ClickException(f"--reason has 1 to {LONGEST_REASON} letters")
    now = clock.now()
    with _opened(instance()):
        schema.check(db.engine)
        try:
            with unit_of_work():
                laws.supersede(
                    article,
                    since=since.date(),
                    reason=reason.strip(),
                    replaced_by=replaced_by.strip(),
                    delta=reading,
                    actor_id=None,
                    now=now,
                    today=day_of(now),
                )
        except laws.UnknownArticle as error:
            raise click.ClickException(f"content/laws.yaml has no {article}") from error
        except laws.NotYet as error:
            raise click.ClickException(f"{error} lies ahead: mark it on that day") from error
    click.echo(f"{article} is marked. Its items are drawn no more; see /admin/hukum.")


def _reading(file: Path) -> tuple[str, str]:
    """Return title and text of a reading: the first line, and what follows."""
    title, _end, text = file.read_text(encoding="utf-8").partition("\n")
    title, words = title.strip("# \r"), count_words(text)
    if not title or not words or words > DELTA_WORDS:
        raise click.ClickException(
            f"{file}: a title in the first line, then 1 to {DELTA_WORDS} words; it has {words}"
        )
    return title, text.strip()


@law.command("reinstate")
@click.argument("article")
@click.option("--reason", required=True, help="Why the mark is taken back.")
def law_reinstate(article: str, reason: str) -> None:
    """Take a mark back: the article is in force again."""
    now = clock.now()
    with _opened(instance()):
        schema.check(db.engine)
        try:
            with unit_of_work():
                laws.reinstate(
                    article, reason=reason.strip(), actor_id=None, now=now, today=day_of(now)
                )
        except laws.UnknownArticle as error:
            raise click.ClickException(f"content/laws.yaml has no {article}") from error
        except laws.NotMarked as error:
            raise click.ClickException(f"{article} is not marked") from error
    click.echo(f"{article} is in force again.")


@main.group()
def people() -> None:
    """Help people with their accounts."""


@people.command("renew-password")
@click.argument("email")
def people_renew_password(email: str) -> None:
    """Print a new password for somebody who forgot theirs, and end their sessions."""
    config = instance()
    with _opened(config):
        schema.check(db.engine)
        maker = accounts.hasher(config.argon2_memory_kib, config.argon2_rounds)
        fresh = secrets.token_urlsafe(12)
        made = maker.hash(fresh)
        try:
            with unit_of_work():
                accounts.renew_password(email, made, now=clock.now())
        except NotFound as error:
            raise click.ClickException(f"nobody signs in with {email}") from error
    click.echo(f"New password: {fresh}")
    click.echo("Pass it on in person; it can be changed on the account page.")


@people.command("remove-second-factor")
@click.argument("email")
def people_remove_second_factor(email: str) -> None:
    """Take away the second factor of somebody who lost it, and end their sessions.

    For the administrator whom no other administrator can help, and after the secret key changed.
    """
    with _opened(instance()):
        schema.check(db.engine)
        person_id = accounts.find_person_id(email)
        if person_id is None:
            raise click.ClickException(f"nobody signs in with {email}")
        try:
            with unit_of_work():
                second_factor.remove(person_id, actor_id=None, now=clock.now())
        except NotFound as error:
            raise click.ClickException(f"{email} has no second factor") from error
    click.echo("The second factor is removed. Where one is required, the next sign-in sets it up.")


@main.group("mail")
def mail_group() -> None:
    """Look after the outbox."""


@mail_group.command("send")
def mail_send() -> None:
    """Send what is due, once."""
    config = instance()
    if config.smtp_url is None:
        raise click.ClickException("set SULUH_SMTP_URL, for example smtp://localhost:25")
    with _opened(config):
        schema.check(db.engine)
        sent = rounds.send_mail(clock.now())
    click.echo(f"{sent} sent.")


@main.command("rounds")
def rounds_once() -> None:
    """Do once what `serve` does by itself: mail, jobs, deadlines. For cron."""
    with _opened(instance()):
        schema.check(db.engine)
        done = rounds.run_all(clock.now())
    click.echo(json.dumps(done))


@main.command("backup")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Another folder.")
@click.option("--keep", type=click.IntRange(1), help="Remove all but the newest so many.")
@click.option("--portable", is_flag=True, help="An archive that goes into PostgreSQL as well.")
def backup(folder: Path | None, keep: int | None, portable: bool) -> None:
    """Copy the database while people work. The secret key is not in it: keep it elsewhere."""
    config, folder = instance(), folder or INSTANCE / "backups"
    if config.database_file is not None and not config.database_file.exists():
        raise click.ClickException(f"{config.database_file} is not there")
    made = backups.make(config, folder, now=clock.now(), portable=portable)
    rows = sum(one.rows for one in made.manifest.tables.values())
    click.echo(f"{made.path}: {rows} rows, {made.manifest.bytes} bytes")
    click.echo(f"audit trail: {made.manifest.audit.count} events, {made.manifest.audit.hash}")
    if keep is not None:
        for old in backups.forget_old(folder, keep):
            click.echo(f"removed {old}")


@main.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--into", help="A new file or an empty database (postgresql://…) instead.")
@click.option("--yes", is_flag=True, help="Give up what is newer than the backup.")
def restore(file: Path, into: str | None, yes: bool) -> None:
    """Put a backup back, after counting and hashing every table of it. The server must be off."""
    config = instance()
    if into is not None:
        manifest = restores.restore_into(file, _address_of(into))
        click.echo(f"{into} is as on {manifest.created_at}. Nothing else has changed.")
        return
    try:
        with locks.alone(INSTANCE):
            done = restores.restore(
                file, config.database_url, INSTANCE / "backups", yes=yes, now=clock.now()
            )
    except locks.InUse as error:
        raise click.ClickException("the server is running: stop it first") from error
    _tell_losses(done.losses)
    if not done.done:
        raise click.ClickException("nothing has changed. To give this up, add --yes")
    click.echo(f"The database is as on {done.manifest.created_at}.")
    if done.kept:
        click.echo(f"The one before is kept: {done.kept}")
    if done.losses.is_any:
        with _opened(config):
            given_up = heads.give_up(config, clock.now())
        click.echo(f"{given_up} heads of the audit trail are noted as given up.")


def _address_of(into: str) -> str:
    """Return the address of a database, as a setting would give it. Raises ClickException."""
    url = into if "://" in into else f"sqlite:///{into}"
    try:
        return from_environment({"DATABASE_URL": url, "SULUH_SECRET_KEY": "-" * 32}).database_url
    except BadConfig as error:
        raise click.ClickException(str(error)) from error


def _tell_losses(losses: restores.Losses) -> None:
    if not losses.is_any:
        return
    click.echo("The present database holds what this backup does not:")
    if losses.other_history:
        click.echo("  its audit trail is another one: this is not an earlier state of it")
    if losses.events:
        click.echo(f"  {losses.events} events of the audit trail")
    for number in losses.certificates:
        click.echo(f"  certificate {number}")


@main.command("doctor")
@click.option("--json", "as_json", is_flag=True)
def look(as_json: bool) -> None:
    """Look at everything that can be wrong; exit 1 when something is."""
    config = instance()
    with _opened(config):
        found = doctor.examine(config, now=clock.now())
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=2))
    else:
        for one in found:
            click.echo(f"{MARKS[one.state]} {one.about}: {one.says}")
            if one.do:
                click.echo(f"      {one.do}")
    if not doctor.is_healthy(found):
        sys.exit(1)


MARKS = {doctor.State.GOOD: "ok   ", doctor.State.NOTE: "note ", doctor.State.BAD: "BAD  "}


@main.command("reconcile")
@click.option("--json", "as_json", is_flag=True)
@click.option(
    "--ledger",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A client's acknowledged answers, one JSON object per line.",
)
@click.option("--floor", default=1, show_default=True, help="Fewer acknowledged answers fail.")
def compare(as_json: bool, ledger: Path | None, floor: int) -> None:
    """Compare what is stored twice; exit 1 when it does not agree. Changes nothing."""
    config = instance()
    with _opened(config):
        schema.check(db.engine)
        report = reconcile.reconcile()
        if ledger is not None:
            try:
                report.ledger = reconcile.compare_ledger(ledger, config.secret_key)
            except ValueError as error:
                raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(report.as_dict(floor), indent=2))
    else:
        _tell_report(report, floor)
    if not report.agrees(floor):
        sys.exit(1)


def _tell_report(report: reconcile.Report, floor: int) -> None:
    for one in report.problems:
        click.echo(f"BAD   {one.about} {one.subject}: {one.says}")
    for one in report.notes:
        click.echo(f"note  {one.about} {one.subject}: {one.says}")
    if report.ledger is not None:
        words = ", ".join(f"{name} {count}" for name, count in asdict(report.ledger).items())
        short = "" if report.ledger.acked >= floor else f" (fewer than {floor}: proves nothing)"
        click.echo(f"ledger: {words}{short}")
    counted = ", ".join(f"{count} {name}" for name, count in report.counts.items())
    click.echo(f"{len(report.problems)} problems, {len(report.notes)} notes. Compared: {counted}")


@main.command("read-only")
@click.argument("switch", type=click.Choice(["on", "off"]))
def read_only(switch: str) -> None:
    """Let people read but not write, or write again. Holds for all processes within 2 seconds."""
    config = instance()
    path = (config.folder or INSTANCE) / readonly.SWITCH
    if switch == "on":
        path.touch(mode=0o600)
        click.echo("Nothing is written any more. People are told that it is not saved.")
    else:
        path.unlink(missing_ok=True)
        click.echo("Writing goes on.")


@main.command("analyse")
@click.argument("responses", type=FILE)
@click.option("--key", type=FILE, help="Columns item,key: the cells are chosen options.")
@click.option("--group", metavar="COLUMN", help="Compare the groups this column names (DIF).")
@click.option("--cut", type=click.FloatRange(0), help="Score that is enough: how sure is it?")
@click.option("--skip", multiple=True, metavar="COLUMN", help="A column that is no item.")
@click.option("--json", "as_json", is_flag=True)
def analyse(
    responses: Path,
    key: Path | None,
    group: str | None,
    cut: float | None,
    skip: tuple[str, ...],
    as_json: bool,
) -> None:
    """Describe a table of answers: people are rows, items are columns. Needs no database.

    Cells are marks from 0 to 1, or chosen options with --key. A blank is missing.
    """
    try:
        found = analysis.analyse(responses, key=key, group=group, cut=cut, skip=skip)
    except analysis.BadTable as error:
        raise click.ClickException(str(error)) from error
    lines = [json.dumps(found, indent=2)] if as_json else analysis.table(found)
    click.echo("\n".join(lines))


@questions.command("correct")
@click.argument("slug")
@click.argument("number", type=int)
@click.option(
    "--key",
    "keys_given",
    required=True,
    multiple=True,
    help="Letter of the right option, or `none`. Of another type, once for each field of its page: "
    "places of options, a place for each item, accepted answers.",
)
@click.option("--reason", required=True, help="Read by those who sat the item.")
@click.option("--by", "email", required=True, help="Address of who answers for it.")
@click.option("--yes", is_flag=True, help="Correct it; without this only the preview is printed.")
def questions_correct(
    slug: str, number: int, keys_given: tuple[str, ...], reason: str, email: str, yes: bool
) -> None:
    """Correct a wrong key of one wording of an item, after a look at what it changes."""
    chosen: keys.NewKey = keys_given
    with _opened(instance()):
        schema.check(db.engine)
        try:
            wording = keys.get_wording(slug, number)
            if keys_given[0].lower() == "none":
                chosen = None
            elif wording.asked is None:
                chosen = keys_given[0].upper()
            seen = corrections.preview(wording, chosen, now=clock.now())
            counts = {
                "closed": seen.closed,
                "counted": seen.counted,
                "running": seen.running,
                "to_right": seen.to_right,
                "to_wrong": seen.to_wrong,
                "gone": seen.gone,
                "people": sum(one.changed for one in seen.effects),
                "certificates": len(seen.certificates),
                "cut": seen.is_cut,
            }
            click.echo(json.dumps(counts))
            if yes:
                by_id = accounts.find_person_id(email)
                if by_id is None:
                    raise NotFound(email)
                with unit_of_work():
                    again = keys.get_wording(slug, number)
                    made, _job = corrections.correct(
                        again, chosen, reason=reason.strip(), by_id=by_id, now=clock.now()
                    )
                click.echo(f"Corrected as {made}; the server marks the closed sittings again.")
        except (NotFound, keys.NotAnOption, keys.AlreadyCorrected, keys.OwnSitting) as error:
            raise click.ClickException(f"{type(error).__name__}: {error}") from error


main.add_command(questions)


@main.command("bench", context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Measure what pages cost on data of its own; `bench --help` says how."""
    try:
        door = import_module("bench.__main__")
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"the bench belongs to the source tree and its test tools ({error.name} is missing): "
            "run it there after `./run test --version`"
        ) from error
    door.main(list(arguments))
