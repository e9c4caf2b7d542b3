"""Many people answer at once: `python -m bench.load [--seconds 60] [--people 500] [--rate 100]`.

Everybody sits a quiz and saves an answer now and then (think times are exponential), together
`rate` a second; one in twenty is sent again, as a nervous finger does. In the end everybody hands
in within five seconds. Each acknowledgement is written down, and both books are compared.
The load comes from the same machine: its share of the two cores is part of the figures.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

from bench import processes
from tests.faults import ledger
from tests.operations.faults import REPLAYED, Trainee, fields, serving
from tests.postgres import start_server

TIMEOUT = 20
AGAIN = 0.5
"""Seconds before what was not acknowledged is sent again."""
LAST = 5
"""Seconds within which everybody hands in."""
BARS = {"p95_ms": 150.0, "p99_ms": 500.0, "submit_p95_ms": 2000.0}


@dataclass
class Load:
    """What the people of a run have seen."""

    port: int
    book: Path
    lines: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    submits: list[float] = field(default_factory=list)
    reads: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    replayed: int = 0
    unlike: int = 0

    async def answer(self, one: Trainee, chance: Random, think: float, until: float) -> None:
        """Answer until the time is over; what is on its way is brought to its end."""
        number = 0
        await asyncio.sleep(chance.random() * think)
        while time.monotonic() < until:
            sent, number = fields(number), number + 1
            first = await self._save(one, sent)
            line = {"attempt": one.public_id, "flagged": None, "at": first["at"]}
            line |= {name: sent[name] for name in ("soal", "client_key", "choice")}
            self.lines.append(json.dumps(line | {"receipt": first["receipt"]}))
            if chance.random() < REPLAYED:
                again = await self._save(one, sent)
                self.replayed += 1
                self.unlike += again["receipt"] != first["receipt"]
            await asyncio.sleep(chance.expovariate(1 / think))

    async def _save(self, one: Trainee, sent: dict[str, object]) -> dict[str, Any]:
        """Send one answer until it is acknowledged; each try counts with its own time."""
        while True:
            began = time.perf_counter()
            status, body = await self.send("POST", f"/kuis/k1/{one.public_id}/simpan", one, sent)
            self.seconds.append(time.perf_counter() - began)
            self.statuses[status] += 1
            answer: dict[str, Any] = json.loads(body) if status == 200 else {}
            if answer.get("saved") is True:
                return answer
            await asyncio.sleep(AGAIN)

    async def hand_in(self, one: Trainee, chance: Random) -> None:
        """Hand in at some moment of the last seconds."""
        await asyncio.sleep(chance.random() * LAST)
        began = time.perf_counter()
        path = f"/kuis/k1/{one.public_id}/kirim"
        status, _body = await self.send("POST", path, one, {"confirm": "y"})
        self.submits.append(time.perf_counter() - began)
        self.statuses[status] += 1

    async def read(self, rate: float, chance: Random, until: float) -> None:
        """Look up certificates meanwhile, `rate` a second, without waiting for the answers."""
        going: set[asyncio.Task[None]] = set()

        async def once() -> None:
            began = time.perf_counter()
            await self.send("GET", "/c/0000-0000-0000", None, {})
            self.reads.append(time.perf_counter() - began)

        while time.monotonic() < until:
            task = asyncio.create_task(once())
            going.add(task)
            task.add_done_callback(going.discard)
            await asyncio.sleep(chance.expovariate(rate))
        await asyncio.gather(*going)

    async def send(
        self, method: str, path: str, one: Trainee | None, sent: dict[str, object]
    ) -> tuple[int, bytes]:
        """Send one request on a connection of its own; status 0 when nobody answers."""
        body = urlencode(sent).encode()
        head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: close",
                "Accept: application/json"]  # fmt: skip
        if one is not None:
            head += [f"Cookie: suluh={one.cookie}", f"X-CSRFToken: {one.token}"]
        if method == "POST":
            head += ["Content-Type: application/x-www-form-urlencoded",
                     f"Content-Length: {len(body)}"]  # fmt: skip
        try:
            async with asyncio.timeout(TIMEOUT):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write("\r\n".join([*head, "", ""]).encode() + body)
                    answer = await reader.read()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return 0, b""
        top, _, content = answer.partition(b"\r\n\r\n")
        return (int(top.split(b" ", 2)[1]) if top else 0), content


async def _run(load: Load, people: list[Trainee], asked: argparse.Namespace) -> None:
    chance, until = Random(asked.seed), time.monotonic() + asked.seconds
    think = len(people) / asked.rate
    jobs = [load.answer(one, Random(chance.random()), think, until) for one in people]
    if asked.verify:
        jobs.append(load.read(asked.verify, Random(chance.random()), until))
    await asyncio.gather(*jobs)
    await asyncio.gather(*(load.hand_in(one, Random(chance.random())) for one in people))


def measure(asked: argparse.Namespace) -> dict[str, Any]:
    """Make an installation, let people answer, compare both books; return the figures."""
    with tempfile.TemporaryDirectory(prefix="suluh-load-") as name, ExitStack() as opened:
        folder, url = Path(name) / "office", None
        folder.mkdir()
        environ = {"SULUH_VERIFY_LIMIT": "1000000/minute"}
        if asked.engine == "postgresql":
            server = opened.enter_context(start_server(fsync="on", full_page_writes="on"))
            crowd, url = ledger.begin_elsewhere(server, folder, asked.people), server.url("suluh")
            environ["DATABASE_URL"] = url.replace("+psycopg", "")
        else:
            template = ledger.make_template(Path(name))
            crowd = ledger.begin(template, folder, asked.people)
        before = os.getloadavg()[0]
        site = opened.enter_context(serving(folder, "--workers", str(asked.workers), **environ))
        load = Load(site.port, crowd.ledger)
        began, used = time.monotonic(), processes.cpu_ms([site.process.pid])
        asyncio.run(_run(load, crowd.trainees, asked))
        took = time.monotonic() - began
        used = processes.cpu_ms([site.process.pid]) - used
        memory = processes.pss_mib([site.process.pid])
        log = folder / "instance" / "suluh.sqlite3-wal"
        size = log.stat().st_size if log.exists() else 0
        site.process.terminate()
        site.process.wait(20)
        crowd.ledger.write_text("\n".join(load.lines) + "\n", encoding="utf-8")
        report = ledger.compare(crowd, folder, url)
    book = report.ledger
    assert book is not None  # noqa: S101 - a ledger was given
    return {
        "engine": asked.engine,
        "people": asked.people,
        "workers": asked.workers,
        "seconds": asked.seconds,
        "seed": asked.seed,
        "load_average_before": round(before, 2),
        "answers": len(load.seconds),
        "a_second": round(len(load.lines) / asked.seconds, 1),
        "p50_ms": _at(load.seconds, 0.5),
        "p95_ms": _at(load.seconds, 0.95),
        "p99_ms": _at(load.seconds, 0.99),
        "longest_ms": _at(load.seconds, 1),
        "submit_p95_ms": _at(load.submits, 0.95),
        "verify_p95_ms": _at(load.reads, 0.95) if load.reads else None,
        "verify_a_second": round(len(load.reads) / asked.seconds, 1),
        "statuses": dict(sorted(load.statuses.items())),
        "acked": book.acked,
        "replayed": load.replayed,
        "lost": book.lost,
        "twice": book.duplicated,
        "altered": book.altered,
        "bad_receipts": book.bad_receipts + load.unlike,
        "problems": len(report.problems),
        "cores_used": round(used / 1000 / took, 2),
        "pss_mib": round(memory, 1),
        "wal_mib": round(size / 1024 / 1024, 1),
    }


def _at(seconds: list[float], share: float) -> float:
    ordered = sorted(seconds)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 1)


def wrong_with(found: dict[str, Any]) -> list[str]:
    """Return what must never be, then which bars are missed."""
    never = ("lost", "twice", "altered", "bad_receipts", "problems")
    wrong = [f"{name}: {found[name]}" for name in never if found[name]]
    if found["acked"] < found["seconds"] * 10:
        wrong.append(f"only {found['acked']} answers: that proves nothing")
    missed = [f"{name}: {found[name]:g}, bar {bar:g}" for name, bar in BARS.items()
              if found[name] > bar]  # fmt: skip
    return wrong + missed


def main(arguments: list[str] | None = None) -> int:
    """Print the figures as JSON; return 1 when an answer was lost or a bar is missed."""
    parser = argparse.ArgumentParser(prog="bench.load", description=__doc__)
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--rate", type=float, default=100, help="answers a second, all together")
    parser.add_argument("--seconds", type=float, default=60, help="1200 is the long form")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--verify", type=float, default=0, help="checks a second meanwhile")
    parser.add_argument("--seed", type=int, default=2026)
    asked = parser.parse_args(arguments)
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
