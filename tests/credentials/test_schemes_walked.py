"""Every scheme with the real content: somebody goes the whole way and gets the certificate.

One piece is left out at first: signing then names it, and nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from flask import Flask

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Part
from lms.cohorts.services import Timetabled
from lms.cohorts.timetable import pattern
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk, Missing, MissingKind, Standard
from lms.config import CONTENT
from lms.core.login import Viewer
from lms.credentials import register, schemes
from lms.credentials.rules import SchemeText
from lms.credentials.services import NotReady
from lms.credentials.words import missing_in_words
from lms.demo.walk import Walk, attend, keys
from lms.modules import services as modules
from lms.modules.outlines import list_outlines
from tests import factories
from tests.credentials import world

pytestmark = pytest.mark.walk
DAY = timedelta(days=1)
START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
CLASS = datetime(2026, 3, 21, 4, 0, tzinfo=UTC)
"""The second day of the class."""
MEETING = CLASS + 3 * DAY
MICROTEACHING = Timetabled(
    day=1, half="am", position=1, jp=8, title="Praktik melatih", title_en="Practice",
    lesson_code="T.T",
)  # fmt: skip
Q, SK, SIM, OBS, REF, HDR = EvidenceKind
Names = set[tuple[MissingKind, str]]


@dataclass
class Way:
    """One person, the class they learn in, and every piece of one scheme by name."""

    code: str
    scheme: SchemeText = field(init=False)
    standard: Standard = field(init=False)
    person: Person = field(init=False)
    walk: Walk = field(init=False)
    cohort: Cohort = field(init=False)
    trainer: Person = field(init=False)
    assessor: Person = field(init=False)

    def __post_init__(self) -> None:
        self.scheme, self.standard = schemes.get_scheme(self.code), competency.current().standard
        self.person = factories.person("trainee", name="Rahma Yuliani")
        self.trainer, self.assessor = factories.person("trainer"), factories.person("assessor")
        self.walk = Walk(self.person.id, self.person.public_id, keys(CONTENT), Random(3))
        trains = self.scheme.curricula == ("T",)
        self.cohort = factories.cohort(
            timetable=[MICROTEACHING] if trains else pattern(),
            curricula=dict.fromkeys(self.scheme.curricula, ""),
        )
        factories.staff(self.trainer, self.cohort)
        factories.staff(self.assessor, self.cohort, Part.ASSESSOR)
        factories.seat(self.person, self.cohort)

    def pieces(self) -> dict[str, Callable[[], object]]:
        """Return every piece of the way in the order it is done."""
        done = self.lessons()
        for code in self.scheme.curricula:
            done[f"quiz {code}"] = lambda c=code: self.walk.sit(START + DAY, curriculum=c)
        for code in self.simulations():
            done[code] = lambda c=code: self.walk.graded(c, START + 2 * DAY)
        for code, case in self.standard.cases.items():
            if set(case.gates) & set(self.scheme.curricula):
                done[code] = lambda c=code: self.write(c)
        done["attendance"] = lambda: attend(self.cohort, (), self.trainer.id, CLASS)
        for code in self.scheme.curricula:
            done[f"stations {code}"] = lambda c=code: self.walk.observe(
                self.cohort, self.assessor.id, CLASS, curricula=[c], second_id=self.trainer.id
            )
        for code in self.scheme.holds:
            done[code] = lambda c=code: self.hold(c)
        return done

    def lessons(self) -> dict[str, Callable[[], object]]:
        """Return the online lessons, each to be read on its own."""
        return {
            line.code: lambda c=outline.code, n=line.number: self.walk.read(
                [n], START, curriculum=c
            )
            for code in self.scheme.curricula
            for outline in list_outlines(self.person.id, code)
            for line in outline.online
        }

    def simulations(self) -> list[str]:
        """Return the simulations that show something the scheme asks for."""
        return [code for code in self.standard.simulations if self.shown_in(code)]

    def shown_in(self, simulation: str) -> list[Kuk]:
        """Return the criteria of the scheme that need a safe run of one simulation."""
        listed = [self.standard.find(code) for code in self.standard.simulations[simulation]]
        return [kuk for kuk in listed if kuk in self.asked(SIM)]

    def asked(self, kind: EvidenceKind) -> list[Kuk]:
        """Return the criteria of the scheme with one kind of evidence."""
        own = (kuk for code in self.scheme.curricula for kuk in self.standard.of(code))
        return [kuk for kuk in own if kind in kuk.ev]

    def write(self, case: str) -> None:
        """Hand in a case study and have it marked."""
        submission = self.walk.write(START + 3 * DAY, case)
        judge = Viewer(self.assessor.id, "", "", frozenset(["assessor"]), "id", "")
        self.walk.mark(submission, judge, START + 4 * DAY)

    def hold(self, scheme: str) -> None:
        """Get a certificate that is asked for before; the ledger is filled in one go."""
        asked = schemes.get_scheme(scheme)
        world.fulfil(self.person, *asked.curricula, at=START)
        self.certify(scheme, MEETING - DAY)

    def certify(self, scheme: str, at: datetime) -> str:
        """Sign by two people and issue; returns the code."""
        signers = (self.trainer.id, self.assessor.id)
        return self.walk.certify(self.cohort, signers, at, world.BASE, sample=False, scheme=scheme)

    def behind(self, piece: str) -> Names:
        """Return what has to be named while this piece is missing, by the decision rules."""
        own = self.scheme.curricula
        kind, code = MissingKind.KUK, piece.split()[-1]
        if piece.startswith("quiz "):
            asked = [kuk for kuk in self.asked(Q) if kuk.curriculum == code]
            return {(kind, kuk.code) for kuk in asked} | {(MissingKind.ITEMS, code)}
        if piece.startswith("stations "):
            seen = [kuk for kuk in self.asked(OBS) if kuk.curriculum == code]
            return {(kind, kuk.code) for kuk in seen if kuk.critical or code == "T"}
        if piece == "attendance":
            lessons = {(MissingKind.ATTENDANCE, lesson) for lesson in self.scheme.in_person}
            return lessons | {(kind, kuk.code) for kuk in self.asked(HDR)}
        if piece in self.standard.cases:
            shown = self.standard.cases[piece].kuk
            named = {(kind, one) for one in shown if self.standard.find(one).curriculum in own}
            return named | {(MissingKind.CASE, piece)}
        if piece in self.standard.simulations:
            return {(kind, kuk.code) for kuk in self.shown_in(piece) if kuk.critical}
        if piece in self.scheme.holds:
            return {(MissingKind.HOLDS, piece)}
        taught = modules.kuk_lessons()
        return {(kind, kuk.code) for kuk in self.asked(REF) if piece in taught[kuk.code]}


def says(missing: Missing, standard: Standard) -> bool:
    """Tell whether the sentence people read names what is missing."""
    [sentence] = missing_in_words([missing], standard, {"PENDAMPING": "PENDAMPING"})
    return missing.code in sentence


@pytest.mark.parametrize(
    ("code", "left_out"),
    [
        ("K1", "SK1"),
        ("K2", "stations K2"),
        ("K3", "S3"),
        ("K4", "K4.1"),
        ("K5", "quiz K5"),
        ("PENDAMPING", "attendance"),
        ("PELATIH", "PENDAMPING"),
    ],
)
def test_a_scheme_is_reached_by_its_whole_way_and_by_nothing_less(
    app: Flask, code: str, left_out: str
):
    way = Way(code)
    pieces = way.pieces()
    assert left_out in pieces
    for name, do in pieces.items():
        if name != left_out:
            do()

    with pytest.raises(NotReady) as refused:
        way.certify(code, MEETING)
    missing = refused.value.missing
    assert {(one.kind, one.code) for one in missing} == way.behind(left_out)
    assert way.behind(left_out)
    assert all(says(one, way.standard) for one in missing)
    assert register.list_held([way.person.id], MEETING) == []

    pieces[left_out]()
    paper = way.certify(code, MEETING)
    held = {entry.scheme: entry for entry in register.list_held([way.person.id], MEETING)}
    assert held.keys() == {code, *way.scheme.holds}
    assert held[code].code == paper


def test_every_scheme_is_walked(app: Flask):
    [mark] = test_a_scheme_is_reached_by_its_whole_way_and_by_nothing_less.pytestmark
    walked = [code for code, _left_out in mark.args[1]]
    assert sorted(walked) == sorted(one.code for one in schemes.list_schemes())
