"""No page, file or export says who gave which of two marks before that may be known.

Each assessor writes a word of their own into every note. The words and names are looked for in
everything a second assessor, or the third person, can open; afterwards they have to be there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Part
from lms.competency.rules import EvidenceKind
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.login import Viewer
from lms.practice.cases import services as cases
from lms.practice.cases.rules import Mark
from lms.practice.observations import services as observations
from lms.practice.observations.services import Entry
from lms.privacy import export
from lms.ratings import services as ratings
from tests import factories
from tests.practice.cases import scene as scenes
from tests.practice.cases.scene import hand_in

SignIn = Callable[[Person], FlaskClient]
STATION = "ST1"
STORY, SECOND = "02.2.1", "02.2.2"
NAMES = ("Zulkarnaen Pertama", "Yosefina Kedua")
WORDS = ("kenari", "merpati")
CRITICAL = "03.1.1"


@dataclass
class Place:
    """A class that two assessors mark, with a third person and a trainer."""

    cohort: Cohort
    trainee: Person
    two: list[Person]
    judge: Person

    def viewer(self, number: int) -> Viewer:
        return scenes.viewer_of(db.session.get_one(Person, self.two[number].id))

    def case(self, public_id: str, number: int, level: int) -> None:
        """Let one of the two mark the case; all is safe alone but one criterion."""
        word = WORDS[number]
        marks = {code: Mark(2, f"catatan {word}") for code in scenes.kuk()}
        marks[CRITICAL] = Mark(level, f"catatan {word}")
        with unit_of_work():
            cases.decide(
                public_id,
                self.viewer(number),
                marks=marks,
                feedback=f"umpan {word}",
                now=clock.now() - timedelta(hours=2),
            )

    def station(self, number: int, kuk: str, level: int) -> None:
        """Let one of the two mark a criterion of the station."""
        with unit_of_work():
            observations.record(
                db.session.get_one(Cohort, self.cohort.id),
                STATION,
                kuk=kuk,
                variant="A",
                entries={self.trainee.public_id: Entry(level, f"catatan {WORDS[number]}", "")},
                has_feedback=True,
                assessor_id=self.two[number].id,
                now=clock.now() - timedelta(hours=2),
            )


@pytest.fixture
def place(app: Flask) -> Place:
    cohort = factories.cohort(curricula={"K1": ""})
    two = [factories.person("assessor", name=name) for name in NAMES]
    judge = factories.person("trainer", "assessor", name="Tiga Penengah")
    trainee = factories.person(name="Siti Peserta")
    factories.seat(trainee, cohort)
    for one in two:
        factories.staff(one, cohort, Part.ASSESSOR)
    factories.staff(judge, cohort, Part.TRAINER)
    with unit_of_work():
        wanted = {(EvidenceKind.SK, "SK1"): 2, (EvidenceKind.OBS, STATION): 2}
        ratings.set_plan(cohort.id, wanted, by_id=judge.id, now=clock.now())
    return Place(cohort, trainee, two, judge)


def pages(place: Place, submission: str, viewer_id: int) -> list[str]:
    """Return every address that shows something of the trainee's marks."""
    base = f"/angkatan/{place.cohort.slug}"
    person = f"{base}/peserta/{place.trainee.public_id}"
    return [
        "/",
        "/menilai",
        f"/menilai/{submission}",
        "/moderasi",
        *(f"/moderasi/beda/{one.public_id}" for one in ratings.list_disputes(viewer_id)),
        base,
        person,
        f"{base}/observasi",
        f"{base}/observasi/{STATION}?kuk={STORY}",
        f"{base}/observasi/{STATION}/peserta/{place.trainee.public_id}",
        f"{base}/pleno",
        f"{base}/pleno/{place.trainee.public_id}/K1",
        f"{base}/pleno/{place.trainee.public_id}/PENDAMPING",
        f"{base}/capaian.csv",
        "/laporan/kesepakatan",
        "/laporan/kesepakatan.csv",
        "/pemberitahuan",
    ]


def said(browser: FlaskClient, addresses: list[str], looked_for: tuple[str, ...]) -> dict[str, str]:
    """Return address to the first of these words found there. Every page must answer."""
    found, answered = {}, 0
    for address in addresses:
        answer = browser.get(address)
        assert answer.status_code in (200, 403, 404), address
        answered += answer.status_code == 200
        text = answer.get_data(as_text=True).lower()
        hit = next((word for word in looked_for if word.lower() in text), None)
        if hit:
            found[address] = hit
    assert answered >= 10
    return found


def exported(person_id: int) -> str:
    """Return everything a copy of one's own data holds, as text."""
    return " ".join(str(row) for piece in export.collect(person_id) for row in piece.rows).lower()


def test_the_second_assessor_learns_nothing_of_the_first(place: Place, sign_in: SignIn):
    submission = hand_in(place.trainee.id, now=clock.now() - timedelta(hours=3))
    place.case(submission, 0, 1)
    place.station(0, STORY, 1)
    first = (NAMES[0], WORDS[0])
    for who in (place.two[1], place.judge):
        addresses = pages(place, submission, who.id)
        assert said(sign_in(who), addresses, WORDS) == {}
        assert said_names(sign_in(who), marks_of(addresses), NAMES[:1]) == []
        copy = exported(who.id)
        assert not any(word.lower() in copy for word in first)
    assert WORDS[0] in sign_in(place.two[0]).get(f"/menilai/{submission}").text


def test_half_a_station_names_nobody(place: Place, sign_in: SignIn):
    place.station(0, STORY, 2)
    place.station(0, SECOND, 2)
    place.station(1, STORY, 2)  # equal: it is in the ledger, in the first one's name
    base = f"/angkatan/{place.cohort.slug}"
    shown = [
        f"{base}/peserta/{place.trainee.public_id}",
        f"{base}/observasi/{STATION}/peserta/{place.trainee.public_id}",
        f"{base}/pleno/{place.trainee.public_id}/K1",
    ]
    other = sign_in(place.two[1])
    for address in shown:
        text = other.get(address).text
        assert "menunggu penilai berikutnya" in text or "Menunggu penilai kedua" in text, address
        assert WORDS[0] not in text
    place.station(1, SECOND, 2)
    assert all(WORDS[0] in other.get(address).text for address in shown)


def test_the_third_person_sees_marks_and_no_names_until_it_is_decided(
    place: Place, sign_in: SignIn
):
    submission = hand_in(place.trainee.id, now=clock.now() - timedelta(hours=3))
    place.case(submission, 0, 1)
    place.case(submission, 1, 2)
    place.station(0, STORY, 0)
    place.station(1, STORY, 2)
    judge = sign_in(place.judge)
    addresses = pages(place, submission, place.judge.id)
    disputes = [one for one in addresses if "/moderasi/beda/" in one]
    assert disputes
    ledger = [one for one in addresses if one not in (*disputes, f"/menilai/{submission}")]
    # The class page and the observations say who works in the class; never beside a mark.
    assert said(judge, ledger, WORDS) == {}
    rows = [one for one in marks_of(addresses) if one not in disputes and one != "/moderasi"]
    assert said_names(judge, marks_of(addresses)) == []
    for one in disputes:
        text = judge.get(one).text
        assert WORDS[0] in text
        assert WORDS[1] in text
        answer = judge.post(
            one, data={"hasil": "2", "alasan": "Semuanya ditanyakan dengan tenang."}
        )
        assert answer.status_code == 302
    # The control: decided, the same pages name both.
    assert set(said_names(judge, rows)) == set(rows)
    assert all(name in judge.get(disputes[0]).text for name in NAMES)


def marks_of(addresses: list[str]) -> list[str]:
    """Return the pages about one person's marks; others say who works in the class."""
    parts = ("/peserta/", "/menilai/", "/moderasi", "/pleno/")
    return [one for one in addresses if any(part in one for part in parts)]


def said_names(
    browser: FlaskClient, addresses: list[str], names: tuple[str, ...] = NAMES
) -> list[str]:
    """Return the addresses that name one of the two."""
    return [
        one
        for one in addresses
        if any(name in browser.get(one).get_data(as_text=True) for name in names)
    ]
