"""Long runs of the faults that hit people who answer. `python -m bench.faults [ROW…] [--long]`.

Rows are those of docs/faults.md: 1 kills workers, 2 kills the server, 12 drops answers on their
way back. `--kills N` kills workers N times while 50 people answer, on SQLite and on PostgreSQL,
at moments that follow from a seed that is printed. Each run ends with the comparison of the
people's own books with the database; the last run has a planted bug and has to fail.
"""

import argparse
import os
import secrets
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from tests.faults import ledger
from tests.faults.ledger import Run
from tests.operations.faults import Crowd
from tests.operations.test_faults_server import LAZY
from tests.postgres import start_server

PEOPLE = 4
CROWD = 50
"""People who answer while workers are killed many times."""
ENGINES = ("sqlite", "postgresql")
ROWS = (1, 2, 12)
Doing = Callable[[Crowd, Path], Run]


def plans(rows: Iterable[int], *, long: bool) -> list[tuple[str, int, Doing]]:
    """Return name, floor of acknowledged answers and work of each run."""
    kills, restarts, acked = (300, 40, 5_000) if long else (40, 6, 800)
    found: dict[int, tuple[str, int, Doing]] = {
        1: (
            f"1: kill -9 of one of two workers, {kills} times",
            kills * 4,
            lambda crowd, folder: ledger.kill_workers(crowd, folder, kills, every=4, seed=1),
        ),
        2: (
            f"2: kill -9 of the only process, {restarts} times",
            restarts * 25,
            lambda crowd, folder: ledger.kill_server(crowd, folder, restarts, every=25),
        ),
        12: (
            f"12: 30 % of answers dropped, until {acked:,} are acknowledged",
            acked,
            lambda crowd, folder: ledger.drop_answers(crowd, folder, acked, seed=12),
        ),
    }
    return [found[row] for row in rows]


def kill_many(template: Path, kills: int, seed: int, engines: Iterable[str]) -> list[str]:
    """Kill workers under a crowd, on each engine and then with a planted bug; print the table.

    Returns what went wrong.
    """
    wrong = []
    for engine in engines:
        title = f"kill -9 of one of two workers, {kills:,} times, {CROWD} people, {engine}"
        run = _under_a_crowd(template, engine, kills, seed)
        print(run.row(title), f"{run.died:,} requests died", flush=True)
        if not run.is_good(kills * 4) or not run.died:
            wrong.append(title)
        title = f"control: acknowledged before the commit, {engine} (has to fail)"
        control = _under_a_crowd(template, engine, 5, seed, LAZY)
        print(control.row(title), flush=True)
        if control.is_good(1):
            wrong.append(f"the planted bug was not found, {engine}")
    return wrong


def _under_a_crowd(template: Path, engine: str, kills: int, seed: int, program: str = "") -> Run:
    with tempfile.TemporaryDirectory(prefix="suluh-faults-") as name, ExitStack() as opened:
        folder, url = Path(name), None
        if engine == "postgresql":
            # As it must be set in an office: what is confirmed is on the disk.
            server = opened.enter_context(start_server(fsync="on", full_page_writes="on"))
            crowd, url = ledger.begin_elsewhere(server, folder, CROWD), server.url("suluh")
        else:
            crowd = ledger.begin(template, folder, CROWD)
        opened.callback(crowd.stop)
        return ledger.kill_workers(
            crowd, folder, kills, every=4, seed=seed, program=program, url=url
        )


def perform(template: Path, doing: Doing) -> Run:
    """Make an installation in a folder of its own and let one thing happen to it."""
    with tempfile.TemporaryDirectory(prefix="suluh-faults-") as name:
        crowd = ledger.begin(template, Path(name), PEOPLE)
        try:
            return doing(crowd, Path(name))
        finally:
            crowd.stop()


def planted(crowd: Crowd, folder: Path) -> Run:
    """Drop answers of a database without its key, behind a server that looks at nothing."""
    ledger.forget_the_key(folder)
    return ledger.drop_answers(crowd, folder, 100, seed=12, program=ledger.NAIVE)


def _kill_many(asked: argparse.Namespace) -> int:
    seed = asked.seed if asked.seed is not None else secrets.randbelow(10**6)
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {CROWD} people, seed {seed}, load average "
          f"{os.getloadavg()[0]:.1f}\n\n{ledger.HEAD}", flush=True)  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="suluh-faults-") as name:
        template = ledger.make_template(Path(name))
        wrong = kill_many(template, asked.kills, seed, [asked.engine] if asked.engine else ENGINES)
    for one in wrong:
        print(f"FAILED {one}", file=sys.stderr)
    return bool(wrong)


def main(arguments: list[str] | None = None) -> int:
    """Do the runs and print the table; return 0 when all held and the planted bug was found."""
    parser = argparse.ArgumentParser(prog="bench.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="1, 2 or 12; else all")
    parser.add_argument("--long", action="store_true", help="300 kills, 5,000 answers")
    parser.add_argument("--kills", type=int, metavar="N", help="kill N workers under a crowd")
    parser.add_argument("--seed", type=int, help="of the moments of --kills; else by chance")
    parser.add_argument("--engine", choices=ENGINES, help="only this one with --kills")
    asked = parser.parse_args(arguments)
    os.environ.setdefault("TMPDIR", tempfile.gettempdir())  # on the disk, not in memory
    if asked.kills:
        return _kill_many(asked)
    if not set(asked.rows) <= set(ROWS):
        parser.error(f"rows are {', '.join(map(str, ROWS))}")
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {PEOPLE} people\n\n{ledger.HEAD}")
    wrong = []
    with tempfile.TemporaryDirectory(prefix="suluh-faults-") as name:
        template = ledger.make_template(Path(name))
        for title, floor, doing in plans(asked.rows or ROWS, long=asked.long):
            run = perform(template, doing)
            print(run.row(title), flush=True)
            if not run.is_good(floor):
                wrong.append(title)
        control = perform(template, planted)
        print(control.row("control: no key in the database (has to fail)"))
    if control.is_good(1):
        wrong.append("the planted bug was not found")
    for one in wrong:
        print(f"FAILED {one}", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
