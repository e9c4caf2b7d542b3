"""The operator's commands about questions: read, look, write elsewhere. Needs no database."""

import json
import sys
from pathlib import Path

import click

from lms.quizzes.exchange import formats
from lms.quizzes.exchange.batch import Batch, Written
from lms.quizzes.exchange.texts import LARGEST

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
NEW = click.Path(path_type=Path, dir_okay=False, writable=True)


@click.group("questions")
def questions() -> None:
    """Bring questions from one format into another."""


@questions.command("convert")
@click.option("--from", "source", required=True, type=click.Choice(formats.READABLE))
@click.option("--to", "target", required=True, type=click.Choice(formats.WRITABLE))
@click.argument("file", type=FILE)
@click.option("--out", type=NEW, help="Where to write; otherwise standard output.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print the preview as JSON; the file needs --out."
)
def convert(source: str, target: str, file: Path, out: Path | None, as_json: bool) -> None:
    """Convert a file of questions; say what is in it and what is lost. Exit 1 when any is refused.

    What is refused is left out, the rest is written. A file refused as a whole writes nothing.
    """
    with file.open("rb") as opened:
        data = opened.read(LARGEST + 1)  # one more than is read, so that it is seen
    batch = formats.read(source, data)
    written = formats.write(target, batch.questions) if batch.questions else None
    if as_json:
        click.echo(json.dumps(_preview(source, target, file, batch, written), indent=2))
    else:
        _tell(target, batch, written)
    if written is not None and out is not None:
        out.write_bytes(written.data)
    elif written is not None and not as_json:
        _print(written.data, target)
    if batch.refused or (written is not None and written.refused):
        sys.exit(1)


@questions.command("template")
@click.argument("target", metavar="FORMAT", type=click.Choice(formats.TEMPLATES))
@click.option("--out", type=NEW, help="Where to write; otherwise standard output.")
def template(target: str, out: Path | None) -> None:
    """Write a table with the headings and an example of each type, to be filled in."""
    make = formats.FORMATS[target].template
    data = make() if make else b""
    if out is not None:
        out.write_bytes(data)
    else:
        _print(data, target)


def _print(data: bytes, target: str) -> None:
    """Print a file. A workbook is no text for a terminal. Raises click.ClickException."""
    if target == "xlsx" and sys.stdout.isatty():
        raise click.ClickException("a workbook needs a file: add --out")
    click.echo(data, nl=False)


def _counted(batch: Batch) -> str:
    parts = ", ".join(f"{count} {kind}" for kind, count in batch.counts.items())
    return f"{len(batch.questions)} questions" + (f": {parts}" if parts else "")


def _tell(target: str, batch: Batch, written: Written | None) -> None:
    """Print the preview for people, beside the file."""
    click.echo(f"Read {_counted(batch)}; {batch.refused} refused", err=True)
    for problem in batch.problems:
        click.echo(f"  {problem}", err=True)
    if written is None:
        click.echo("Nothing was written.", err=True)
        return
    click.echo(f"Written as {target}: {written.count}; {written.refused} refused", err=True)
    for problem in written.problems:
        click.echo(f"  {problem}", err=True)


def _preview(
    source: str, target: str, file: Path, batch: Batch, written: Written | None
) -> dict[str, object]:
    """Return the preview for programs."""
    problems = [("read", one) for one in batch.problems]
    problems += [("write", one) for one in written.problems] if written else []
    return {
        "file": str(file),
        "from": source,
        "to": target,
        "questions": len(batch.questions),
        "counts": batch.counts,
        "written": written.count if written else 0,
        "refused": batch.refused + (written.refused if written else 0),
        "problems": [{"stage": stage, **one.as_dict()} for stage, one in problems],
    }
