"""The operator's command line: `suluh …` or `./run cli …`."""

import json
import os
import sys
from pathlib import Path

import click
from flask import Flask

from lms import release
from lms.app import create_app
from lms.config import CONTENT, BadConfig, Config, from_environment
from lms.core import clock, mail, schema
from lms.core.db import db, unit_of_work


@click.group()
def main() -> None:
    """Operate an installation of Suluh."""


def _config() -> Config:
    try:
        return from_environment(os.environ)
    except BadConfig as error:
        raise click.ClickException(str(error)) from error


def _app() -> Flask:
    return create_app(_config())


@main.group("db")
def database() -> None:
    """Look after the database."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Bring the tables to this version."""
    with _app().app_context():
        schema.upgrade(db.engine)
    click.echo("The tables are up to date.")


@database.command("check")
def database_check() -> None:
    """Compare the live tables with the models; exit 1 when they differ."""
    with _app().app_context():
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
    found = release.check(folder or CONTENT)
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
    app = _app()
    with app.app_context():
        try:
            with unit_of_work():
                loaded = release.load(_config().content_dir, now=clock.now(), force=force)
                counts = loaded.counts if loaded else None
        except release.BrokenContent as error:
            for problem in error.problems:
                click.echo(str(problem), err=True)
            raise click.ClickException("nothing was loaded") from error
    click.echo(json.dumps(counts) if counts else "Nothing changed since the last load.")


@main.group("mail")
def mail_group() -> None:
    """Look after the outbox."""


@mail_group.command("send")
def mail_send() -> None:
    """Send what is due, once."""
    app, config = _app(), _config()
    if config.smtp_url is None:
        raise click.ClickException("set SULUH_SMTP_URL, for example smtp://localhost:25")
    with app.app_context():
        sent = send_due(config)
    click.echo(f"{sent} sent.")


def send_due(config: Config) -> int:
    """Send every message that is due; each in its own unit of work. Returns how many went out."""
    sent = 0
    for mail_id in mail.list_due(clock.now()):
        with unit_of_work():
            sent += mail.send(mail_id, config.smtp_url or "", config.mail_from, now=clock.now())
    return sent


if __name__ == "__main__":
    main()
