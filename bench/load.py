"""Many people answer at once: `python -m bench.load [--seconds 60] [--people 500] [--rate 100]`.

Everybody sits a quiz and saves an answer now and then (think times are exponential), together
`rate` a second; one in twenty is sent again, as a nervous finger does. In the end everybody hands
in within five seconds. Each acknowledgement is written down, and both books are compared.

`--verify 200` lets strangers check certificates meanwhile, `--kill-every 0.8` kills one of two
workers again and again, `--soak` goes on for half an hour and looks at memory, open files and the
write-ahead log. The time of an answer and of a check counts from the moment it was due, so that
a program that comes too late with asking cannot hide it. The load comes from the same machine: its
share of the cores is among the figures.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from bench import checks, processes, watch
from bench.bars import wrong_with
from bench.checks import Checks
from bench.wire import Wire
from lms.operations.reconcile import Problem
from tests.faults import ledger
from tests.operations.faults import REPLAYED, Crowd, Trainee, fields, serving
from tests.postgres import Server, start_server
from tests.test_server import Site

AGAIN = 0.5
"""Seconds before what was not acknowledged is sent again."""
LAST = 5
"""Seconds within which everybody hands in."""
LOOKS = 180
"""How often a soak looks at the server."""
UNKNOWN = "/c/0000-0000-0000", "Kode ini tidak ditemukan"
"""A check of a code that nobody issued, and what its page says."""


@dataclass
class Load:
    """What the people of a run have seen."""

    wire: Wire
    since: float
    """Times count from here on, by the monotonic clock; answers count from the beginning."""
    lines: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    """From the moment an answer was due to its acknowledgement, whatever lay between."""
    submits: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    replayed: int = 0
    unlike: int = 0

    async def answer(self, one: Trainee, chance: Random, think: float, until: float) -> None:
        """Answer until the time is over; what is on its way is brought to its end."""
        number = 0
        due = time.monotonic() + chance.random() * think
        while due < until:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            sent, number = fields(number), number + 1
            first = await self._save(one, sent, due)
            line = {"attempt": one.public_id, "flagged": None, "at": first["at"]}
            line |= {name: sent[name] for name in ("soal", "client_key", "choice")}
            self.lines.append(json.dumps(line | {"receipt": first["receipt"]}))
            if chance.random() < REPLAYED:
                again = await self._save(one, sent, time.monotonic())
                self.replayed += 1
                self.unlike += again["receipt"] != first["receipt"]
            due = time.monotonic() + chance.expovariate(1 / think)

    async def _save(self, one: Trainee, sent: dict[str, object], due: float) -> dict[str, Any]:
        """Send one answer until it is acknowledged."""
        while True:
            status, body = await self._post(one, "simpan", sent)
            answer: dict[str, Any] = json.loads(body) if status == 200 else {}
            if answer.get("saved") is True:
                if due >= self.since:
                    self.seconds.append(time.monotonic() - due)
                return answer
            await asyncio.sleep(AGAIN)

    async def hand_in(self, one: Trainee, chance: Random) -> None:
        """Hand in at some moment of the last seconds, again until that is confirmed."""
        due = time.monotonic() + chance.random() * LAST
        await asyncio.sleep(due - time.monotonic())
        while (await self._post(one, "kirim", {"confirm": "y"}))[0] in {0, 503}:
            await asyncio.sleep(AGAIN)
        self.submits.append(time.monotonic() - due)

    async def _post(self, one: Trainee, what: str, sent: dict[str, object]) -> tuple[int, bytes]:
        headers = ("Accept: application/json", "Content-Type: application/x-www-form-urlencoded",
                   f"Cookie: suluh={one.cookie}", f"X-CSRFToken: {one.token}")  # fmt: skip
        path = f"/kuis/k1/{one.public_id}/{what}"
        status, body = await self.wire.send("POST", path, headers, urlencode(sent).encode())
        self.statuses[status] += 1
        return status, body


@dataclass
class Spent:
    """Cores that somebody kept busy while people answered."""

    server: float = 0.0
    database: float = 0.0
    load: float = 0.0
    others: float = 0.0


@dataclass
class Office:
    """An installation with people who have begun a quiz, and the server in front of it."""

    site: Site
    crowd: Crowd
    folder: Path
    url: str | None
    database: Server | None
    certificate: str
    known: list[Problem]
    """What did not agree before anybody answered: a certificate made by hand."""

    def used(self) -> Spent:
        """Return the seconds of a core used so far, by whom."""
        found = Spent(
            server=processes.cpu_ms([self.site.process.pid]) / 1000, load=time.process_time()
        )
        if self.database is not None:
            found.database = processes.cpu_ms([self.database.process.pid]) / 1000
        found.others = processes.busy_ms() / 1000 - found.server - found.database - found.load
        return found


async def _kill(site: Site, every: float, chance: Random, until: float) -> int:
    """Kill one of the workers again and again; return how often."""
    dead: list[int] = []
    while (now := time.monotonic()) < until:
        await asyncio.sleep(min(chance.uniform(0.5, 1.5) * every, until - now))
        workers = ledger.workers_of(site, dead)
        if workers:  # else the first process is about to start them again
            dead.append(chance.choice(workers))
            os.kill(dead[-1], signal.SIGKILL)
    return len(dead)


async def _run(
    load: Load, office: Office, watching: watch.Watch, asked: argparse.Namespace
) -> tuple[int, Spent]:
    """Let everybody answer, then hand in; return kills and cores used while they answered."""
    chance, began, kills = Random(asked.seed), time.monotonic(), 0
    until, think = began + asked.seconds, len(office.crowd.trainees) / asked.rate
    before = office.used()
    # Looking costs the server a moment each time.
    with watching.running() if asked.soak else nullcontext():
        async with asyncio.TaskGroup() as group:
            for one in office.crowd.trainees:
                group.create_task(load.answer(one, Random(chance.random()), think, until))
            if asked.kill_every:
                killing = _kill(office.site, asked.kill_every, Random(chance.random()), until)
                kills = await group.create_task(killing)
    after, took = office.used(), time.monotonic() - began
    shares = {name: (asdict(after)[name] - used) / took for name, used in asdict(before).items()}
    handing = (load.hand_in(one, Random(chance.random())) for one in office.crowd.trainees)
    await asyncio.gather(*handing)
    load.wire.close()
    return kills, Spent(**shares)


def _open(opened: ExitStack, name: str, asked: argparse.Namespace) -> Office:
    """Make an installation and serve it."""
    folder, url, server = Path(name) / "office", None, None
    folder.mkdir()
    environ = {"SULUH_VERIFY_LIMIT": "1000000/minute"}
    if asked.engine == "postgresql":
        server = opened.enter_context(start_server(fsync="on", full_page_writes="on"))
        crowd, url = ledger.begin_elsewhere(server, folder, asked.people), server.url("suluh")
        environ["DATABASE_URL"] = url.replace("+psycopg", "")
    else:
        crowd = ledger.begin(ledger.make_template(Path(name)), folder, asked.people)
    code, known = ledger.certify(folder, url)
    site = opened.enter_context(serving(folder, "--workers", str(asked.workers), **environ))
    return Office(site, crowd, folder, url, server, code, known)


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Make an installation, let people answer, compare both books; return the figures."""
    with tempfile.TemporaryDirectory(prefix="suluh-load-") as name, ExitStack() as opened:
        before = os.getloadavg()[0]
        office = _open(opened, name, asked)
        root, port = office.site.process.pid, office.site.port
        strangers: Future[Checks] | None = None
        if asked.verify:
            others = opened.enter_context(ProcessPoolExecutor(1, get_context("spawn")))
            paths = [(f"/c/{office.certificate}", "Sertifikat ini berlaku")] * 3 + [UNKNOWN]
            strangers = others.submit(
                checks.check, port, asked.verify, asked.seconds, asked.seed, paths
            )
        load = Load(Wire(port), time.monotonic() + asked.seconds * checks.WARM)
        log = office.folder / "instance" / "suluh.sqlite3-wal"
        watching = watch.Watch(root, port, log, asked.seconds / LOOKS)
        kills, cores = asyncio.run(_run(load, office, watching, asked))
        seen = strangers.result() if strangers else Checks()
        last = watching.look(0)
        office.site.process.terminate()
        office.site.process.wait(20)
        office.crowd.ledger.write_text("\n".join(load.lines) + "\n", encoding="utf-8")
        report = ledger.compare(office.crowd, office.folder, office.url)
    book = report.ledger
    assert book is not None  # noqa: S101 - a ledger was given
    statuses = load.statuses + seen.statuses
    cores.load += seen.cpu / asked.seconds
    cores.others -= seen.cpu / asked.seconds
    return {
        **{name: getattr(asked, name) for name in
           ("engine", "people", "workers", "seconds", "rate", "verify", "kill_every", "seed")},
        "load_average_before": round(before, 2),
        "answers": len(load.lines) + load.replayed,
        "a_second": round(len(load.lines) / asked.seconds, 1),
        "p50_ms": _at(load.seconds, 0.5),
        "p95_ms": _at(load.seconds, 0.95),
        "p99_ms": _at(load.seconds, 0.99),
        "longest_ms": _at(load.seconds, 1),
        "submit_p95_ms": _at(load.submits, 0.95),
        "checks": seen.statuses.total(),
        "verify_p50_ms": _at(seen.seconds, 0.5) if seen.seconds else None,
        "verify_p95_ms": _at(seen.seconds, 0.95) if seen.seconds else None,
        "statuses": dict(sorted(statuses.items())),
        "errors": statuses.total() - statuses[200] - statuses[302] + seen.unlike,
        "kills": kills,
        "acked": book.acked,
        "replayed": load.replayed,
        "lost": book.lost,
        "twice": book.duplicated,
        "altered": book.altered,
        "bad_receipts": book.bad_receipts + load.unlike,
        "problems": sum(one not in office.known for one in report.problems),
        "cores": {name: round(share, 2) for name, share in asdict(cores).items()},
        "pss_mib": round(last.pss_mib, 1),
        "wal_mib": round(last.wal_mib, 1),
        "soak": asdict(watch.growth(watching.samples)) if asked.soak else None,
    }  # fmt: skip


def _at(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="bench.load", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--rate", type=float, default=100, help="answers a second, all together")
    parser.add_argument("--seconds", type=float, help="60, or 1800 with --soak")
    parser.add_argument("--workers", type=int, help="1, or 2 with --kill-every")
    parser.add_argument("--verify", type=float, default=0, help="checks a second meanwhile")
    parser.add_argument("--kill-every", type=float, default=0, help="seconds between two kills")
    parser.add_argument("--soak", action="store_true", help="bars for what the server holds")
    parser.add_argument("--seed", type=int, default=2026)
    asked = parser.parse_args(arguments)
    asked.seconds = asked.seconds or (1800 if asked.soak else 60)
    asked.workers = asked.workers or (2 if asked.kill_every else 1)
    if asked.kill_every and asked.workers < 2:
        parser.error("only a worker of several is started again by itself")
    return asked


def main(arguments: list[str] | None = None) -> int:
    """Print the figures as JSON; return 1 when an answer was lost or a bar is missed."""
    asked = parse(arguments)
    os.environ.setdefault("TMPDIR", tempfile.gettempdir())  # on the disk, not in memory
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", file=sys.stderr)
    found = measure(asked)
    print(json.dumps(found, indent=2))
    wrong = wrong_with(found)
    for one in wrong:
        print(f"MISSED {one}", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
