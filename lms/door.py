"""The first thing a command meets: the group of all commands, and the one that serves.

The other commands load every feature; a server loads one when it is asked for.
"""

import os
import socket
from contextlib import ExitStack

import click
from flask import Flask
from sqlalchemy.exc import OperationalError

from lms import server
from lms.config import BadConfig, Config
from lms.core import clock, readonly, schema
from lms.core.releases import BrokenContent
from lms.operations import backups, locks, preflight, restores
from lms.server import INSTANCE

PORT = click.IntRange(1, 65535)
REFUSALS = (backups.NoRoom, preflight.Unsafe, restores.CannotRestore)
"""Errors whose message is for the operator as it is."""


class Door(click.Group):
    """The command group; a database that cannot be reached is a sentence, not a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Raises click.ClickException."""
        try:
            return super().invoke(ctx)
        except REFUSALS as error:
            raise click.ClickException(str(error)) from error
        except readonly.ReadOnly as error:
            raise click.ClickException(
                "nothing is written now: the disk is nearly full, or read-only is on. "
                "`./run cli doctor` says which"
            ) from error
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
    base = os.environ.get("SULUH_BASE_URL") or address(host, port)
    config = instance(base_url=base)
    if not config.https and not server.is_loopback(host):
        if not insecure_lan:
            raise click.ClickException(
                "plain http beyond this machine lets others on the network read passwords and "
                "answers. Put TLS in front and set SULUH_BASE_URL=https://…, or pass "
                "--insecure-lan for a closed training network"
            )
        click.echo("Warning: plain http. Everybody on this network can read what is sent.")
    with ExitStack() as stack:
        opened = stack.enter_context(listen(host, port))
        app = server.create(config, workers)
        code = prepare(app)
        click.echo(f"Suluh: {config.base_url}")
        if code:
            click.echo(f"Open {config.base_url}/mulai and enter this code once: {code}")
        answer(app, opened, workers)


def answer(app: Flask, opened: socket.socket, workers: int) -> None:
    """Serve until somebody ends it. Raises click.ClickException."""
    try:
        server.serve(app, opened, workers)
    except locks.InUse as error:
        raise click.ClickException("a backup is being put back: wait until it is done") from error


def address(host: str, port: int) -> str:
    """Return where a browser finds the server."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def instance(database: str = "suluh.sqlite3", **overrides: object) -> Config:
    """Return the settings of the installation here. Raises click.ClickException."""
    try:
        return server.instance_config(os.environ, INSTANCE, database=database, **overrides)
    except BadConfig as error:
        raise click.ClickException(str(error)) from error


def listen(host: str, port: int) -> socket.socket:
    """Open the socket. Raises click.ClickException when the address is taken."""
    try:
        return server.listen(host, port)
    except BadConfig as error:
        raise click.ClickException(str(error)) from error


def prepare(app: Flask) -> str | None:
    """Bring tables and content up to date; returns the setup code of an empty installation.

    Raises click.ClickException.
    """
    try:
        return server.prepare(app, INSTANCE, now=clock.now())
    except BrokenContent as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise click.ClickException("the content has problems; nothing was loaded") from error
    except schema.WrongSchema as error:
        raise click.ClickException(str(error)) from error
