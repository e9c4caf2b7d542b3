"""Two assessors mark blind; the third person decides; the ledger follows. Cases and stations."""

from datetime import timedelta

import pytest
from flask import Flask

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, ConflictKind, Part
from lms.cohorts.services import MayNotAssess
from lms.competency import rules as verdicts
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Ledger, Missing, MissingKind, Requirement, State
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.practice.cases import services as cases
from lms.practice.cases.rules import Mark, Stage
from lms.practice.observations import services as observations
from lms.practice.observations import sheets
from lms.practice.observations.services import Entry, Outcome, Refusal
from lms.practice.observations.texts import get_station
from lms.ratings import rules
from lms.ratings import services as ratings
from tests import factories
from tests.factories import NOW
from tests.practice.cases import scene as scenes
from tests.practice.cases.scene import CODE, Scene, hand_in
from tests.races import race

LATER = NOW + timedelta(days=1)
REASON = "Tanda bahaya ditanyakan satu per satu."


def double(cohort_id: int, kind: EvidenceKind, code: str, by_id: int) -> None:
    with unit_of_work():
        ratings.set_plan(cohort_id, {(kind, code): 2}, by_id=by_id, now=NOW)


def two_assessors() -> Scene:
    here = scenes.scene()
    double(here.cohort, EvidenceKind.SK, CODE, here.trainer.id)
    return here


def third(here: Scene) -> Viewer:
    someone = factories.person("assessor", name="Tiga Penengah")
    factories.staff(someone, cohorts.get_cohort_by_id(here.cohort), Part.ASSESSOR)
    return scenes.viewer_of(someone)


def rows(person_id: int) -> dict[str, tuple[int | None, int, int | None]]:
    """Return mark, number of raters and assessor of what counts, by criterion."""
    found = competency.current()
    ledger = Ledger(found.standard, competency.rows_of_one(person_id, found), LATER)
    by_id = {row.id: row for row in competency.list_evidence(person_id)}
    return {
        code: (by_id[row.id].mark, row.raters, by_id[row.id].assessor_id)
        for code in scenes.kuk()
        for row in ledger.latest(EvidenceKind.SK, code)
    }


def test_one_assessor_is_enough_unless_the_class_wants_two(app: Flask):
    here = scenes.scene()
    scenes.decide(hand_in(here.trainee), here.assessor)
    assert {raters for _mark, raters, _by in rows(here.trainee).values()} == {1}


def test_the_first_of_two_marks_says_nothing_to_anybody(app: Flask):
    here = two_assessors()
    public_id = hand_in(here.trainee)
    scenes.decide(public_id, here.assessor, {"03.1.1": 0})
    assert competency.list_evidence(here.trainee) == []
    assert cases.case_state(here.trainee, CODE, LATER).stage is Stage.WAITING
    other = cases.get_marking(public_id, here.trainer)
    assert other.own is None
    assert other.decision is None
    assert not other.others
    assert all(one.mark is None and not one.both for part in other.parts for one in part.kuk)
    own = cases.get_marking(public_id, here.assessor)
    assert own.own is not None
    assert own.own.assessor == "Budi Penilai"
    assert [line.public_id for line in cases.queue(here.trainer)] == [public_id]
    assert cases.queue(here.assessor) == []
    with pytest.raises(cases.AlreadyDecided):
        scenes.decide(public_id, here.assessor)


def test_equal_marks_make_one_entry_and_different_ones_the_lower(app: Flask):
    here = two_assessors()
    public_id = hand_in(here.trainee)
    scenes.decide(public_id, here.assessor, {"03.1.1": 1, "02.1.1": 1})
    scenes.decide(public_id, here.trainer, {"02.1.3": 0})
    found = rows(here.trainee)
    assert found["03.1.1"] == (1, 2, here.assessor.id)
    assert found["02.1.1"] == (1, 2, here.assessor.id)
    assert found["02.1.3"] == (0, 2, here.trainer.id)
    assert found["03.2.1"] == (2, 2, here.assessor.id)
    assert len(competency.list_evidence(here.trainee)) == len(scenes.kuk())
    both = cases.get_marking(public_id, here.trainer)
    assert [one.assessor for one in both.others] == ["Budi Penilai", "Rini Pelatih"]
    feedback = cases.list_feedback(here.trainee, CODE)
    assert [one.assessor for one in feedback] == ["", ""]  # a third person has to decide


def disputed(here: Scene) -> tuple[str, str]:
    """Let the two differ on one critical criterion; return submission and dispute."""
    public_id = hand_in(here.trainee)
    scenes.decide(public_id, here.assessor, {"03.1.1": 1})
    scenes.decide(public_id, here.trainer)
    [line] = ratings.list_disputes(third(here).id)
    return public_id, line.public_id


def test_a_third_person_decides_without_names_and_the_new_entry_counts(app: Flask):
    here = two_assessors()
    judge = third(here)
    public_id, dispute = disputed(here)
    assert [one.kuk for one in ratings.list_disputes(judge.id)] == ["03.1.1"]
    assert ratings.list_disputes(here.assessor.id) == ratings.list_disputes(here.trainer.id) == []
    shown = ratings.get_dispute(dispute, judge)
    assert shown.names == ()
    assert [mark.level for mark in shown.marks] == [1, 2]
    seen = cases.get_marking(public_id, judge)
    assert seen.waits_for_third
    assert not any(one.assessor for one in seen.others)
    for one in (here.assessor, here.trainer):
        with pytest.raises(rules.NotThirdPerson):
            ratings.get_dispute(dispute, one)
        with pytest.raises(rules.NotThirdPerson), unit_of_work():
            ratings.moderate(dispute, one, level=2, act="", reason=REASON, now=LATER)
    before = competency.list_evidence(here.trainee)
    with unit_of_work():
        ratings.moderate(dispute, judge, level=2, act="", reason=REASON, now=LATER)
    assert rows(here.trainee)["03.1.1"] == (2, 3, judge.id)
    after = competency.list_evidence(here.trainee)
    assert after[: len(before)] == before
    assert len(after) == len(before) + 1
    assert after[-1].happened_at == before[0].happened_at
    assert ratings.get_dispute(dispute, judge).names == (
        "Budi Penilai",
        "Rini Pelatih",
        "Tiga Penengah",
    )
    state = cases.case_state(here.trainee, CODE, LATER)
    assert state.stage is Stage.DONE
    [result] = [
        one for part in cases.results(here.trainee, state) for one in part.results
        if one.kuk.code == "03.1.1"
    ]  # fmt: skip
    assert (result.level, result.note) == (2, REASON)
    with pytest.raises(rules.AlreadySettled), unit_of_work():
        ratings.moderate(dispute, judge, level=0, act="", reason=REASON, now=LATER)


def test_a_relative_and_a_stranger_do_not_decide(app: Flask):
    here = two_assessors()
    judge, stranger = third(here), scenes.viewer_of(factories.person("assessor"))
    _public_id, dispute = disputed(here)
    with unit_of_work():
        cohorts.declare_conflict(
            judge.id, here.trainee, ConflictKind.RELATIVE, declared_by=judge.id, now=NOW
        )
    assert ratings.list_disputes(judge.id) == []
    with pytest.raises(MayNotAssess), unit_of_work():
        ratings.moderate(dispute, judge, level=2, act="", reason=REASON, now=LATER)
    with pytest.raises(NotFound), unit_of_work():
        ratings.moderate(dispute, stranger, level=2, act="", reason=REASON, now=LATER)


@pytest.mark.both
def test_two_assessors_at_once_are_both_kept(bare_app: Flask):
    with bare_app.app_context():
        here = two_assessors()
        public_id = hand_in(here.trainee)
        codes = scenes.kuk()

    def mark(who: Viewer, level: int):  # type: ignore[no-untyped-def]  # a task of the race
        def work() -> None:
            with unit_of_work():
                cases.decide(
                    public_id,
                    who,
                    marks={code: Mark(level, "Catatan") for code in codes},
                    feedback="x",
                    now=NOW,
                )

        return work

    assert race(bare_app, [mark(here.assessor, 2), mark(here.trainer, 1)]) == [None, None]
    with bare_app.app_context():
        given = ratings.given_by_subject(EvidenceKind.SK, [public_id])[public_id]
        assert {one.rater_id for one in given} == {here.assessor.id, here.trainer.id}
        assert sorted(one.slot for one in given) == [1, 2]
        assert {found[:2] for found in rows(here.trainee).values()} == {(1, 2)}
        judge = third(here)
        critical = {"03.1.1", "03.1.4", "03.2.1"}
        assert {one.kuk for one in ratings.list_disputes(judge.id)} == critical


@pytest.mark.both
def test_one_of_two_third_persons_decides(bare_app: Flask):
    with bare_app.app_context():
        here = two_assessors()
        judges = [third(here), third(here)]
        _public_id, dispute = disputed(here)

    def decide(who: Viewer, level: int):  # type: ignore[no-untyped-def]  # a task of the race
        def work() -> None:
            with unit_of_work():
                ratings.moderate(dispute, who, level=level, act="", reason=REASON, now=LATER)

        return work

    found = race(bare_app, [decide(judges[0], 2), decide(judges[1], 0)])
    assert sorted(type(one).__name__ for one in found) == ["AlreadySettled", "NoneType"]


# Stations


class Hall:
    """A class that trains trainers, with three who may mark."""

    def __init__(self, people: int = 1) -> None:
        self.cohort = factories.cohort(curricula={"T": "", "K1": ""})
        self.judges = [factories.person("assessor", name=f"Penilai {n}") for n in range(3)]
        for each in self.judges:
            factories.staff(each, self.cohort, Part.ASSESSOR)
        self.people = [factories.person(name=f"Peserta {n}") for n in range(people)]
        for each in self.people:
            factories.seat(each, self.cohort)
        self.cohort_id = self.cohort.id
        self.keys = [each.public_id for each in self.people]
        self.ids = [each.id for each in self.people]
        self.by = [each.id for each in self.judges]

    def mark(
        self, judge: int, kuk: str, entry: Entry | int, code: str = "ST13", variant: str = "A"
    ) -> Outcome:
        said = Entry(entry, "Terlihat.", "") if isinstance(entry, int) else entry
        with unit_of_work():
            return observations.record(
                db.session.get_one(Cohort, self.cohort_id),
                code,
                kuk=kuk,
                variant=variant,
                entries=dict.fromkeys(self.keys, said),
                has_feedback=True,
                assessor_id=self.by[judge],
                now=NOW,
            )

    def line(self, judge: int, kuk: str, code: str = "ST13") -> sheets.Line:
        cohort = db.session.get_one(Cohort, self.cohort_id)
        found = sheets.get_sheet(
            cohort, code, kuk=kuk, variant=None, chosen=(), assessor_id=self.by[judge], now=NOW
        )
        return found.lines[0]

    def ledger(self) -> Ledger:
        found = competency.current()
        return Ledger(found.standard, competency.rows_of_one(self.ids[0], found), NOW)

    def state(self, kuk: str) -> State:
        return self.ledger().state(competency.current().standard.find(kuk), EvidenceKind.OBS)

    def missing(self) -> set[tuple[MissingKind, str]]:
        asked = Requirement(scheme="PELATIH", curricula=("T",), in_person=())
        found: tuple[Missing, ...] = verdicts.judge_by(self.ledger(), asked).missing
        return {(one.kind, one.code) for one in found}


K, N = "11.2.1", "11.1.2"


def test_microteaching_counts_once_two_have_marked_it(app: Flask):
    hall = Hall()
    assert hall.mark(0, K, 2).saved == frozenset(hall.ids)
    assert competency.list_evidence(hall.ids[0]) == []
    assert hall.state(K) is State.NONE
    assert (hall.line(0, K).saved is not None, hall.line(0, K).waits) == (True, True)
    other = hall.line(1, K)
    assert other.slot is not None
    assert other.saved is None
    assert not other.waits
    assert hall.mark(0, K, 2).saved == frozenset(hall.ids)  # sent twice: nothing is wrong
    assert hall.mark(0, K, 1).refused == {hall.ids[0]: Refusal.TAKEN}
    assert competency.list_evidence(hall.ids[0]) == []
    hall.mark(1, K, 2)
    assert hall.state(K) is State.PASS
    [row] = competency.list_evidence(hall.ids[0])
    assert (row.mark, row.raters) == (2, 2)
    assert hall.mark(2, N, 2).refused == {hall.ids[0]: Refusal.TWO}
    assert hall.line(2, N).why is sheets.Why.TWO


def test_microteaching_marked_by_one_is_no_evidence_and_is_named(app: Flask):
    """As it was before two were asked for: the row is there, its criterion is not reached."""
    hall = Hall()
    with unit_of_work():
        competency.append(
            [
                competency.NewEvidence(
                    person_id=hall.ids[0],
                    kind=EvidenceKind.OBS,
                    kuk=code,
                    source="ST13",
                    group="lama",
                    ref="ST13/A",
                    mark=2,
                    assessor_id=hall.by[0],
                    happened_at=NOW - timedelta(days=3),
                )
                for code in get_station("ST13").kuk
            ],
            standard_id=competency.current().id,
            now=NOW,
        )
    assert hall.state(K) is State.NONE
    assert {(MissingKind.RATERS, K), (MissingKind.KUK, K)} <= hall.missing()
    assert hall.line(0, K).slot is not None
    for judge in (0, 1):
        assert hall.mark(judge, K, 2, variant="B").saved == frozenset(hall.ids)
    assert hall.state(K) is State.PASS
    assert (MissingKind.RATERS, K) not in hall.missing()


def test_the_lower_mark_of_a_station_counts_until_the_third_person_decides(app: Flask):
    hall = Hall()
    hall.mark(0, K, 2)
    hall.mark(1, K, 0)
    critical = competency.current().standard.find(K).critical
    assert hall.state(K) is (State.FAIL)
    found = ratings.list_disputes(hall.by[2])
    assert [one.kuk for one in found] == ([K] if critical else [])


def test_a_harmful_act_that_one_of_two_saw_fails_the_station_and_is_looked_at(app: Flask):
    hall = Hall()
    hall.mark(0, K, Entry(None, "Memaksa cerita.", "H5"))
    assert competency.list_evidence(hall.ids[0]) == []
    hall.mark(1, K, 2)
    [row] = competency.list_evidence(hall.ids[0])
    assert (row.harmful, row.raters, hall.state(K)) == (True, 2, State.FAIL)
    [open_] = ratings.list_disputes(hall.by[2])
    judge = scenes.viewer_of(db.session.get_one(Person, hall.by[2]))
    with unit_of_work():
        ratings.moderate(open_.public_id, judge, level=2, act="", reason=REASON, now=LATER)
    assert hall.state(K) is State.PASS
    assert hall.line(0, K).stopped is not None  # what they gave stays what they gave


def test_a_class_may_want_two_at_an_ordinary_station_and_what_began_stays(app: Flask):
    hall = Hall()
    double(hall.cohort_id, EvidenceKind.OBS, "ST1", hall.by[0])
    kuk = "02.2.1"
    hall.mark(0, kuk, 2, code="ST1")
    with unit_of_work():
        ratings.set_plan(hall.cohort_id, {(EvidenceKind.OBS, "ST1"): 1}, by_id=hall.by[0], now=NOW)
    assert hall.state(kuk) is State.NONE
    hall.mark(1, kuk, 2, code="ST1")
    assert hall.state(kuk) is State.PASS
    assert [row.raters for row in competency.list_evidence(hall.ids[0])] == [2]


def test_what_two_have_begun_can_be_taken_back(app: Flask):
    hall = Hall()
    hall.mark(0, K, 0)

    def annul() -> None:
        with unit_of_work():
            observations.annul(
                db.session.get_one(Cohort, hall.cohort_id),
                "ST13",
                hall.keys[0],
                reason="Salah orang.",
                assessor_id=hall.by[0],
                now=NOW,
            )

    annul()
    with pytest.raises(observations.NothingToAnnul):
        annul()
    assert hall.line(0, K).slot is not None
    assert hall.line(0, K).saved is None
    hall.mark(1, K, 2)
    hall.mark(2, K, 2)
    assert hall.state(K) is State.PASS
    annul()
    assert hall.state(K) is State.NONE


@pytest.mark.both
def test_two_telephones_at_one_station_keep_both_marks(bare_app: Flask):
    with bare_app.app_context():
        hall = Hall(people=3)
    work = [lambda j=judge, m=mark: hall.mark(j, K, m) for judge, mark in ((0, 2), (1, 1))]
    for outcome in race(bare_app, work):
        assert isinstance(outcome, Outcome)
        assert outcome.saved == frozenset(hall.ids)
    with bare_app.app_context():
        for who in hall.ids:
            [row] = competency.list_evidence(who)
            assert (row.mark, row.raters, row.assessor_id) == (1, 2, hall.by[1])
