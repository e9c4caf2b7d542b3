"""What stands between people and the server in the runs of the short and the long fault tests.

A run is made of: an installation, people who answer and write down each acknowledgement before
they go on, something that goes wrong meanwhile, and the comparison of both books.
"""

import http.client
import os
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random

from flask import Flask

from lms import release as content
from lms.app import create_app
from lms.config import Config
from lms.core import schema
from lms.core.db import db, unit_of_work
from lms.operations.reconcile import Problem, Report, reconcile
from tests.conftest import LOADED_AT, SqliteHome, _config
from tests.credentials.world import World
from tests.operations.faults import SECRET, Crowd, by_network, enrol, install, judge, serving
from tests.postgres import Server
from tests.test_server import Site, children

NAIVE = """
from functools import cache
from sqlalchemy import bindparam, insert, literal_column
from lms.core import schema
schema.check = lambda engine, seen=None: None
from lms.quizzes import services
from lms.quizzes.models import AnswerEvent
@cache
def add(names):
    values = {name: bindparam(name) for name in names}
    return insert(AnswerEvent.__table__).values(values).returning(literal_column("1"))
def naive(ref, *, position, client_key, seq, choice, flagged, now, execute, **more):
    place = services._place(ref, position, client_key, now, execute)
    event = dict(attempt_id=place.attempt_id, attempt_item_id=place.item_id,
        client_key=client_key, seq=seq, choice=choice, flagged=flagged, received_at=now)
    execute(add(tuple(event)), event)
    return services.Saved(now, True)
services.save_answer = naive
"""
"""The planted bug: each request is an answer, and the start looks at no table."""


@dataclass
class Run:
    """What a run came to."""

    report: Report
    crowd: Crowd
    faults: int
    seconds: float
    waits: list[float] = field(default_factory=list)
    """Seconds from each fault to the next acknowledgement, where somebody looked."""

    @property
    def died(self) -> int:
        """How many requests got no answer at all."""
        return self.crowd.statuses.count(0)

    def is_good(self, floor: int) -> bool:
        """Tell whether nothing is lost, twice, altered or falsely signed, with enough answers."""
        return self.report.agrees(floor=floor) and not self.crowd.unlike

    def row(self, name: str) -> str:
        """Return a line of a Markdown table."""
        book = self.report.ledger
        assert book is not None
        counts = (self.faults, book.acked, self.crowd.replayed, book.lost, book.duplicated,
                  book.altered, book.bad_receipts)  # fmt: skip
        longest = f"{max(self.waits):.1f} s" if self.waits else "–"
        cells = " | ".join(f"{count:,}" for count in counts)
        return f"| {name} | {cells} | {longest} | {self.seconds:.0f} s |"


HEAD = (
    "| Run | Faults | Acked | Replayed | Lost | Twice | Altered | Bad receipts | Longest wait "
    "| Took |\n|---|---|---|---|---|---|---|---|---|---|"
)


def make_template(folder: Path) -> Path:
    """Make a database with the content loaded, for runs outside the tests; return its file."""
    own, shared = folder / "own", folder / "shared"
    own.mkdir()
    shared.mkdir()
    return SqliteHome(own, shared).template


def begin(template: Path, folder: Path, people: int) -> Crowd:
    """Make an installation in which people have begun the quiz. Nobody answers yet."""
    return _begin(install(template, folder), folder, people)


def begin_elsewhere(server: Server, folder: Path, people: int) -> Crowd:
    """Make an installation whose tables lie in a PostgreSQL server; see `begin`."""
    server.create("suluh")
    instance = folder / "instance"
    instance.mkdir(mode=0o700)
    (instance / "secret-key").write_text(SECRET, encoding="ascii")
    app = create_app(_config(server.url("suluh"), secret_key=SECRET))
    app.config["WTF_CSRF_ENABLED"] = True
    with app.app_context():
        schema.upgrade(db.engine)
        with unit_of_work():
            content.load(app.extensions["suluh"].content_dir, now=LOADED_AT)
        db.session.remove()
    return _begin(app, folder, people)


def _begin(app: Flask, folder: Path, people: int) -> Crowd:
    trainees = enrol(app, people)
    release(app)
    return Crowd(trainees, by_network(lambda: 1), folder / "ledger.jsonl")


def release(app: Flask) -> None:
    """Let go of the database."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def settings(folder: Path, url: str | None = None) -> Config:
    """Return the settings of the installation in a folder; its tables may lie elsewhere."""
    instance = folder / "instance"
    url = url or f"sqlite:///{instance}/suluh.sqlite3"
    return Config(database_url=url, secret_key=SECRET, testing=True, folder=instance)


def certify(folder: Path, url: str | None = None) -> tuple[str, list[Problem]]:
    """Let somebody of the installation in a folder hold a certificate; return its code.

    The evidence behind it is made by hand: what does not agree from the start is returned too.
    """
    app = create_app(settings(folder, url))
    with app.app_context():
        code = World().certified().code
        known = reconcile().problems
    release(app)
    return code, known


def compare(crowd: Crowd, folder: Path, url: str | None = None) -> Report:
    """Compare what was acknowledged with what is stored."""
    return judge(settings(folder, url), crowd.ledger)


# Row 1: the process that answers is killed


def kill_workers(
    crowd: Crowd,
    folder: Path,
    times: int,
    *,
    every: int,
    seed: int,
    program: str = "",
    url: str | None = None,
) -> Run:
    """Kill one of two workers again and again, each after `every` more answers."""
    chance, began, waits = Random(seed), time.monotonic(), []
    # SQLAlchemy's name of the driver is ours to add, not the operator's.
    where = {"DATABASE_URL": url.replace("+psycopg", "")} if url else {}
    with serving(folder, "--workers", "2", program=program, **where) as site:
        crowd.send = by_network(lambda: site.port)
        crowd.start()
        dead: list[int] = []
        for _ in range(times):
            crowd.wait_for(every)
            victim = chance.choice(_wait_for_workers(site, dead[-2:]))
            time.sleep(chance.random() * 0.02)  # anywhere in a request
            os.kill(victim, signal.SIGKILL)
            dead.append(victim)
            crowd.mark()
            killed = time.monotonic()
            crowd.wait_for(1)
            waits.append((crowd.first_ack or time.monotonic()) - killed)
        crowd.wait_for(every)
        crowd.stop()
    return Run(compare(crowd, folder, url), crowd, times, time.monotonic() - began, waits)


def workers_of(site: Site, dead: Sequence[int] = ()) -> list[int]:
    """Return who answers; one that was killed before may still be listed for a moment."""
    return [one for one in children(site.process.pid) if one not in dead]


def _wait_for_workers(site: Site, dead: Sequence[int]) -> list[int]:
    found: list[int] = []
    end = time.monotonic() + 30
    while not found:
        found = workers_of(site, dead)
        assert time.monotonic() < end, site.printed
    return found


def kill_server(crowd: Crowd, folder: Path, times: int, *, every: int, program: str = "") -> Run:
    """Kill the only process again and again and start it anew."""
    began, waits, port = time.monotonic(), [], 0
    crowd.send = by_network(lambda: port)
    for number in range(times + 1):
        crowd.mark()
        started = time.monotonic()
        with serving(folder, program=program) as site:
            port = site.port
            if not number:
                crowd.start()
            crowd.wait_for(every)
            waits.append((crowd.first_ack or time.monotonic()) - started)
            if number < times:
                site.stop(signal.SIGKILL)
            else:
                crowd.stop()
    return Run(compare(crowd, folder), crowd, times, time.monotonic() - began, waits[1:])


# Row 12: the answer is lost on its way back


@dataclass
class Line:
    """A bad line to a server: some requests go through, and the answer never comes back."""

    port: int
    dropped: int = 0
    delivered: int = 0


@contextmanager
def dropping(server: Callable[[], int], share: float, seed: int) -> Iterator[Line]:
    """Listen on a port of its own; forward requests, and cut `share` of the answers.

    Half of those cut off lose the whole answer, the others all but its first bytes.
    """
    chance, lock = Random(seed), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            through = http.client.HTTPConnection("127.0.0.1", server(), timeout=20)
            try:
                through.request("POST", self.path, body, dict(self.headers))
                answer = through.getresponse()
                content = answer.read()
            finally:
                through.close()
            with lock:
                cut = answer.status == 200 and chance.random() < share
                half = chance.random() < 0.5
                line.dropped += cut
                line.delivered += not cut
            self.close_connection = True
            if cut and not half:
                return
            self.send_response(answer.status)
            for name in ("Content-Type", "Retry-After"):
                if value := answer.getheader(name):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2] if cut else content)

        def log_message(self, *_values: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_values: object) -> None:
            pass  # a line that dies is what this is for

    listener = Quiet(("127.0.0.1", 0), Handler)
    line = Line(listener.server_address[1])
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield line
    finally:
        listener.shutdown()
        thread.join()
        listener.server_close()


def drop_answers(
    crowd: Crowd, folder: Path, acked: int, *, share: float = 0.3, seed: int, program: str = ""
) -> Run:
    """Let people answer over a bad line until so many answers are acknowledged."""
    began = time.monotonic()
    with serving(folder, program=program) as site, dropping(lambda: site.port, share, seed) as line:
        crowd.send = by_network(lambda: line.port)
        crowd.start()
        crowd.wait_for(acked, 600)
        crowd.stop()
    return Run(compare(crowd, folder), crowd, line.dropped, time.monotonic() - began)


def forget_the_key(folder: Path) -> None:
    """Take the unique key of the answers away, as a careless migration would."""
    with closing(sqlite3.connect(folder / "instance" / "suluh.sqlite3")) as connection:
        (made,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'answer_event'"
        ).fetchone()
        without, found = re.subn(r",\s*CONSTRAINT \w+ UNIQUE \([^)]*\)", "", made)
        assert found == 1
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("ALTER TABLE answer_event RENAME TO with_key")
        connection.execute(without)
        connection.execute("INSERT INTO answer_event SELECT * FROM with_key")
        connection.execute("DROP TABLE with_key")
        connection.commit()
