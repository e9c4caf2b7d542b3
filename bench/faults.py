"""Long runs of the faults that hit people who answer. `python -m bench.faults [ROW…] [--long]`.

Rows are those of docs/faults.md: 1 kills workers, 2 kills the server, 12 drops answers on their
way back. Each run ends with the comparison of the people's own books with the database; the last
run has a planted bug and has to fail.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import SqliteHome
from tests.faults import ledger
from tests.faults.ledger import Run
from tests.operations.faults import Crowd

PEOPLE = 4
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


def main(arguments: list[str] | None = None) -> int:
    """Do the runs and print the table; return 0 when all held and the planted bug was found."""
    parser = argparse.ArgumentParser(prog="bench.faults", description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, metavar="ROW", help="1, 2 or 12; else all")
    parser.add_argument("--long", action="store_true", help="300 kills, 5,000 answers")
    asked = parser.parse_args(arguments)
    if not set(asked.rows) <= set(ROWS):
        parser.error(f"rows are {', '.join(map(str, ROWS))}")
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {PEOPLE} people\n\n{ledger.HEAD}")
    wrong = []
    with tempfile.TemporaryDirectory(prefix="suluh-faults-") as name:
        template = SqliteHome(Path(name)).template
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
