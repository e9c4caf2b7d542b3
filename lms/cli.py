"""The operator's command line: `suluh …` or `./run cli …`."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from lms import release, rounds, server
from lms.accounts import services as accounts
from lms.app import create_app
from lms.config import BadConfig, Config, content_dir
from lms.core import clock, schema
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound

INSTANCE = Path("instance")
"""Where the embedded database, its backups and the secret key lie."""


class Door(click.Group):
    """The command group; a database that cannot be reached is a sentence, not a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Raises click.ClickException."""
        try:
            return super().invoke(ctx)
        except OperationalError as error:
            raise click.ClickException(f"the database does not answer: {error.orig}") from error
        except ModuleNotFoundError as error:
            if error.name != "psycopg":
                raise
            raise click.ClickException(
                "PostgreSQL needs its driver, see docs/operate.md: "
                '.venv/bin/python -m pip install "psycopg[binary,pool]>=3.3,<4"'
            ) from error


@click.group(cls=Door)
def main() -> None:
    """Operate an installation of Suluh."""


PORT = click.IntRange(1, 65535)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Processes; one is right for SQLite.",
)
@click.option("--insecure-lan", is_flag=True, help="Serve plain http beyond this machine.")
def serve(host: str, port: int, workers: int, insecure_lan: bool) -> None:
    """Set up, back up, migrate, load the content and serve."""
    base = os.environ.get("SULUH_BASE_URL") or _address(host, port)
    config = _instance(base_url=base)
    if not config.https and not server.is_loopback(host):
        if not insecure_lan:
            raise click.ClickException(
                "plain http beyond this machine lets others on the network read passwords and "
                "answers. Put TLS in front and set SULUH_BASE_URL=https://…, or pass "
                "--insecure-lan for a closed training network"
            )
        click.echo("Warning: plain http. Everybody on this network can read what is sent.")
    with _listen(host, port) as opened:
        code = _prepare(config)
        click.echo(f"Suluh: {config.base_url}")
        if code:
            click.echo(f"Open {config.base_url}/mulai and enter this code once: {code}")
        server.serve(config, opened, workers)


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
    base = _address(host, port)
    opened = None if build_only else _listen(host, port)
    for old in (*INSTANCE.glob("demo.sqlite3*"), *INSTANCE.glob("demo/*.pdf")):
        old.unlink()
    config = _instance("demo.sqlite3", base_url=base, demo=True)
    _prepare(config)
    with _opened(config):
        made = city.build(base, INSTANCE / "demo", now=clock.now())
    (INSTANCE / "demo.json").write_text(json.dumps(made, indent=2), encoding="utf-8")
    click.echo(f"Kota Contoh: {base}")
    for account in made["accounts"]:
        click.echo(f"  {account['role']:<10} {account['email']:<34} {account['password']}")
    if opened is not None:
        server.serve(config, opened, 1)


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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


def _instance(database: str = "suluh.sqlite3", **overrides: object) -> Config:
    try:
        return server.instance_config(os.environ, INSTANCE, database=database, **overrides)
    except BadConfig as error:
        raise click.ClickException(str(error)) from error


def _listen(host: str, port: int) -> socket.socket:
    try:
        return server.listen(host, port)
    except BadConfig as error:
        raise click.ClickException(str(error)) from error


def _prepare(config: Config) -> str | None:
    try:
        return server.prepare(create_app(config), INSTANCE, now=clock.now())
    except release.BrokenContent as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise click.ClickException("the content has problems; nothing was loaded") from error
    except schema.WrongSchema as error:
        raise click.ClickException(str(error)) from error


@main.group("db")
def database() -> None:
    """Look after the database."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Bring the tables to this version."""
    with _opened(_instance()):
        schema.upgrade(db.engine)
    click.echo("The tables are up to date.")


@database.command("check")
def database_check() -> None:
    """Compare the live tables with the models; exit 1 when they differ."""
    with _opened(_instance()):
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
        click.echo(json.dumps({"counts": found.counts, "problems": problems}, indent=2))
    else:
        for problem in found.problems:
            click.echo(str(problem))
        total = ", ".join(f"{count} {name}" for name, count in found.counts.items())
        click.echo(f"{len(found.problems)} problems. {total}")
    if found.problems:
        sys.exit(1)


@content.command("load")
@click.option("--force", is_flag=True, help="Load even when no file changed.")
def content_load(force: bool) -> None:
    """Load the content in one transaction: all of it or nothing."""
    config = _instance()
    with _opened(config):
        schema.check(db.engine)
        try:
            with unit_of_work():
                loaded = release.load(config.content_dir, now=clock.now(), force=force)
                counts = loaded.counts if loaded else None
        except release.BrokenContent as error:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            raise click.ClickException("nothing was loaded") from error
    click.echo(json.dumps(counts) if counts else "Nothing changed since the last load.")


@main.group()
def people() -> None:
    """Help people with their accounts."""


@people.command("renew-password")
@click.argument("email")
def people_renew_password(email: str) -> None:
    """Print a new password for somebody who forgot theirs, and end their sessions."""
    config = _instance()
    with _opened(config):
        schema.check(db.engine)
        maker = accounts.hasher(config.argon2_memory_kib, config.argon2_rounds)
        try:
            with unit_of_work():
                fresh = accounts.renew_password(email, maker=maker, now=clock.now())
        except NotFound as error:
            raise click.ClickException(f"nobody signs in with {email}") from error
    click.echo(f"New password: {fresh}")
    click.echo("Pass it on in person; it can be changed on the account page.")


@main.group("mail")
def mail_group() -> None:
    """Look after the outbox."""


@mail_group.command("send")
def mail_send() -> None:
    """Send what is due, once."""
    config = _instance()
    if config.smtp_url is None:
        raise click.ClickException("set SULUH_SMTP_URL, for example smtp://localhost:25")
    with _opened(config):
        schema.check(db.engine)
        sent = rounds.send_mail(clock.now())
    click.echo(f"{sent} sent.")


@main.command("rounds")
def rounds_once() -> None:
    """Do once what `serve` does by itself: mail, jobs, deadlines. For cron."""
    with _opened(_instance()):
        schema.check(db.engine)
        done = rounds.run_all(clock.now())
    click.echo(json.dumps(done))
