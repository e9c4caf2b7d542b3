"""What people do, one operation each, with what has to stand on every page."""

import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, cycle
from random import Random

from bench.client import Client, Wrong
from bench.seed import PASSWORD, Seeded

ANSWERS = 10
QUIZ = "quiz flow, 10 answers saved one by one"
SAVE = "save an answer"
SIGN_IN = "sign-in: page, post, landing"
Operation = Callable[[], None]


class Visit:
    """A browser and the people it may be. No two visits of a round share a person."""

    def __init__(self, fresh: Callable[[], Client], seeded: Seeded, people: "People") -> None:
        self.fresh, self.seeded, self.people = fresh, seeded, people
        self.client = fresh()

    def enter(self, email: str) -> None:
        """Sign in as this person in place of the one before."""
        self.client.cookies.clear()
        self.client.sign_in(email, PASSWORD)


class People:
    """Hands out people; those who sit a quiz only once."""

    def __init__(self, seeded: Seeded) -> None:
        self.learners = cycle(seeded.learners)
        self.holders = cycle(seeded.holders)
        self.beginners = iter(seeded.beginners)
        self.lock = threading.Lock()

    def learner(self) -> str:
        """Return somebody in the middle of their way."""
        with self.lock:
            return next(self.learners)

    def holder(self) -> tuple[str, str]:
        """Return address and code of somebody with a certificate."""
        with self.lock:
            return next(self.holders)

    def beginner(self) -> str:
        """Return somebody who has not sat the quiz. Raises Wrong when nobody is left."""
        with self.lock:
            found = next(self.beginners, None)
        if found is None:
            raise Wrong("everybody has sat the quiz: seed more people or ask for less")
        return found


@dataclass(frozen=True, slots=True)
class Scenario:
    """One line of the table. `begin` makes a browser ready to do `count` operations, unmeasured."""

    name: str
    bar: float | None
    """CPU milliseconds on SQLite it may cost; None where only the figure counts."""
    count: int
    """Operations of one round: enough CPU that the kernel's ticks do not matter."""
    begin: Callable[[Visit, int], Operation]


def _lesson(visit: Visit, _count: int) -> Operation:
    visit.enter(visit.people.learner())
    return lambda: _get(visit, "/modul/k1/6", "<h1", "Pelajaran")


def _home(visit: Visit, _count: int) -> Operation:
    visit.enter(visit.people.learner())
    return lambda: _get(visit, "/", "<h1")


def _quiz(visit: Visit, count: int) -> Operation:
    ready = []
    for _ in range(count):
        client = visit.fresh()
        client.sign_in(visit.people.beginner(), PASSWORD)
        client.close()
        ready.append(client)

    def flow() -> None:
        client = ready.pop()
        page = client.get("/kuis/k1", "Mulai kuis")
        token = page.token
        place = client.post("/kuis/k1", {"csrf_token": token}).location
        client.get(place, "</fieldset>")
        for position in range(1, ANSWERS + 1):
            saved = client.post(
                f"{place.partition('?')[0]}/simpan",
                {
                    "csrf_token": token,
                    "soal": str(position),
                    "field": "choice",
                    "choice": "1",
                    "seq": "1",
                    "client_key": str(uuid.uuid4()),
                    "zone": "WIB",
                },
                status=200,
            )
            if json.loads(saved.body).get("saved") is not True:
                raise Wrong("an answer was not saved")
        closed = client.post(
            f"{place.partition('?')[0]}/kirim", {"csrf_token": token, "confirm": "y"}
        )
        client.get(closed.location, "Hasil")
        client.close()

    return flow


def _save(visit: Visit, _count: int) -> Operation:
    """Save one answer after the other in one sitting, all its questions round and round."""
    visit.enter(visit.people.beginner())
    client = visit.client
    token = client.get("/kuis/k1", "Mulai kuis").token
    place = client.post("/kuis/k1", {"csrf_token": token}).location.partition("?")[0]
    numbers = count(1)

    def save() -> None:
        number = next(numbers)
        fields = {
            "csrf_token": token,
            "soal": str(number % 26 + 1),
            "field": "choice",
            "choice": str(number % 4 + 1),
            "seq": str(number),
            "client_key": str(uuid.uuid4()),
            "zone": "WIB",
        }
        client.post(f"{place}/simpan", fields, '"saved":true', status=200)

    return save


def _verify(visit: Visit, _count: int) -> Operation:
    return lambda: _get(visit, f"/c/{visit.people.holder()[1]}", "berlaku")


def _download(visit: Visit, _count: int) -> Operation:
    email, code = visit.people.holder()
    visit.enter(email)
    return lambda: _get(visit, f"/sertifikat/{code}/berkas", "%PDF-1.")


def _sign_in(visit: Visit, _count: int) -> Operation:
    return lambda: visit.enter(visit.people.learner())


def _same_person(visit: Visit, _count: int) -> Operation:
    return lambda: visit.enter(visit.seeded.learners[0])


def _mixed(visit: Visit, count: int) -> Operation:
    """70 % lessons, 15 % quiz flows, 10 % home, 5 % checks, in an order that is always the same."""
    kinds = Random(7).choices("lqhv", (70, 15, 10, 5), k=count)
    do = {
        "l": _lesson(visit, count),
        "q": _quiz(visit, kinds.count("q")),
        "h": lambda: _get(visit, "/", "<h1"),
        "v": _verify(visit, count),
    }
    left = iter(kinds)
    return lambda: do[next(left)]()


def _class(size: int) -> Callable[[Visit, int], Operation]:
    def begin(visit: Visit, _count: int) -> Operation:
        visit.enter(visit.seeded.trainer)
        return lambda: _get(visit, f"/angkatan/{visit.seeded.slugs[size]}", "<table", "matrix")

    return begin


def _file(size: int, ending: str, *contains: str) -> Callable[[Visit, int], Operation]:
    def begin(visit: Visit, _count: int) -> Operation:
        visit.enter(visit.seeded.trainer)
        slug = visit.seeded.slugs[size]
        return lambda: _get(visit, f"/angkatan/{slug}/capaian.{ending}", *contains)

    return begin


def _get(visit: Visit, path: str, *contains: str) -> None:
    visit.client.get(path, *contains)


def scenarios(sizes: tuple[int, ...]) -> list[Scenario]:
    """Return the operations, with classes of these sizes."""
    largest = sizes[-1]
    return [
        Scenario("lesson", 5, 200, _lesson),
        Scenario("home", 6, 200, _home),
        Scenario(QUIZ, 35, 12, _quiz),
        Scenario(SAVE, None, 150, _save),
        Scenario("verify a certificate", 3, 300, _verify),
        Scenario("download a certificate", 10, 150, _download),
        Scenario(SIGN_IN, 35, 24, _sign_in),
        *(
            Scenario(f"class page, {size:,}", 25 if size == largest else None, 40, _class(size))
            for size in sizes
        ),
        Scenario(f"class as CSV, {largest:,}", 150, 8, _file(largest, "csv", "\r\n")),
        Scenario(f"class as XLSX, {largest:,}", 600, 4, _file(largest, "xlsx", "PK")),
    ]


WRITE = "ceiling: smallest durable write"
SAME = Scenario("one person signing in four times at once", None, 16, _same_person)
MIXED = Scenario("mixed: 70 % lesson, 15 % quiz, 10 % home, 5 % verify", None, 80, _mixed)


def _ceiling_page(visit: Visit, _count: int) -> Operation:
    return lambda: _get(visit, "/page?n=7", "</html>")


def _ceiling_write(visit: Visit, _count: int) -> Operation:
    return lambda: (visit.client.post("/write", {"n": "7"}, "true", status=200), None)[1]


CEILING = (
    Scenario("ceiling: smallest page", None, 400, _ceiling_page),
    Scenario(WRITE, None, 400, _ceiling_write),
)
