"""What holds of every certificate and every ledger, on real databases: decision rules 10.

Each example starts from somebody who has reached K1 and takes something away, or shuffles it.
"""

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.rules import Ledger, MissingKind, Row
from lms.competency.trails import known_at, trail_of
from lms.core.db import db, unit_of_work
from lms.credentials import schemes, services
from lms.credentials.models import Decision
from lms.credentials.rules import digest
from lms.credentials.services import NotReady
from tests import ledgers
from tests.credentials.world import NOW, World, append
from tests.ledgers import AT, STANDARD, Q, full

pytestmark = pytest.mark.both
ROWS = full("K1", AT)
CRITICAL = sorted(kuk.code for kuk in STANDARD.of("K1") if kuk.critical)
OTHERS = [row for row in ROWS if row.kind is Q and not STANDARD.find(row.kuk).critical]
SHOWN = len(OTHERS)
examples = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    database=None,
)


def with_right(right: int) -> list[Row]:
    """Return the whole ledger with so many items of the others right."""
    wrong = {row.id for row in OTHERS[right:]}
    return [row._replace(passed=False) if row.id in wrong else row for row in ROWS]


def cut() -> int:
    """Return how few items of the others may be right."""
    return next(
        n for n in range(SHOWN + 1) if Ledger(STANDARD, with_right(n), AT).enough_items("K1")
    )


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def missing_of(world: World, rows: list[Row]) -> set[tuple[MissingKind, str]] | None:
    """Try to sign and issue; return what is named as missing, or None when there is a paper."""
    person = world.join("Orang Contoh")
    append(person.id, rows, f"{person.id}-")
    try:
        world.issue(person)
    except NotReady as error:
        db.session.rollback()
        return {(one.kind, one.code) for one in error.missing}
    return None


@examples
@given(st.sampled_from(CRITICAL))
def test_without_any_evidence_of_a_critical_criterion_there_is_no_certificate(
    world: World, code: str
):
    named = missing_of(world, [row for row in ROWS if row.kuk != code])
    assert named is not None
    assert (MissingKind.KUK, code) in named
    cases = {(MissingKind.CASE, case.code) for case in STANDARD.cases.values() if code in case.kuk}
    assert named <= {(MissingKind.KUK, code)} | cases


@examples
@given(st.integers(0, SHOWN))
def test_wrong_answers_stop_it_exactly_below_the_cut_and_name_the_curriculum(
    world: World, right: int
):
    named = missing_of(world, with_right(right))
    if right >= cut():
        assert named is None
    else:
        assert named is not None
        assert (MissingKind.ITEMS, "K1") in named
        assert {code for kind, code in named if kind is MissingKind.ITEMS} == {"K1"}


@examples
@given(st.sets(st.sampled_from([row.id for row in OTHERS]), min_size=1, max_size=4))
def test_removed_answers_stop_it_and_name_the_curriculum(world: World, removed: set[int]):
    """An answer that is not there is neither right nor wrong: it has to be given."""
    named = missing_of(world, [row for row in ROWS if row.id not in removed])
    assert named is not None
    assert (MissingKind.ITEMS, "K1") in named
    gone = {row.kuk for row in OTHERS if row.id in removed}
    assert {code for kind, code in named if kind is MissingKind.KUK} == gone


@examples
@given(st.randoms(use_true_random=False), st.integers(0, SHOWN))
def test_any_order_of_the_same_entries_gives_the_same_verdict(world: World, random, right: int):
    rows = with_right(right)
    shuffled = rows[:]
    random.shuffle(shuffled)
    found = []
    for some in (rows, shuffled):
        person = world.join("Orang Contoh")
        append(person.id, some, f"{person.id}-")
        current = competency.current()
        ledger = competency.rows_of_one(person.id, current)
        found.append(competency_rules.verdicts(current.standard, ledger, NOW))
    assert found[0] == found[1]


@examples
@given(st.data())
def test_a_past_decision_reads_the_same_from_its_rows_and_its_version(world: World, data):
    """Whatever is voided or added later: as it was known then, it comes out the same."""
    person = world.join("Orang Contoh")
    append(person.id, ROWS, f"{person.id}-")
    paper = world.issue(person)
    decision = db.session.get_one(Decision, paper.decision_id)
    trace, decided_at = decision.trace, decision.decided_at
    version = decision.standard_version_id
    ids = sorted({one for ids in trace["evidence"].values() for one in ids})
    later = NOW.replace(day=NOW.day + 1)
    with unit_of_work():
        for one in data.draw(st.sets(st.sampled_from(ids), max_size=5)):
            competency.void(one, reason="banding", by_id=None, now=later)
        worse = data.draw(st.lists(st.sampled_from(OTHERS), max_size=5, unique=True))
        facts = [
            competency.NewEvidence(
                person_id=person.id, kind=row.kind, kuk=row.kuk, source=row.source,
                group=f"{person.id}-later", ref=row.ref, passed=False, happened_at=AT,
            )
            for row in worse
        ]  # fmt: skip
        competency.append(facts, standard_id=version, now=later)
    found, kept = trail_of(person.id, version)
    asked = schemes.requirement(schemes.get_scheme("K1"))
    then = competency_rules.judge(found.standard, known_at(kept, decided_at), asked, decided_at)
    assert then.ready
    again = services.trace(schemes.get_scheme("K1"), found, then, [])
    assert digest(again) == digest(trace)


@examples
@given(st.sets(st.sampled_from([row.id for row in ROWS]), max_size=6))
def test_a_certificate_exists_only_if_nothing_required_is_missing(world: World, removed: set[int]):
    rows = [row for row in ROWS if row.id not in removed]
    ready = competency_rules.judge(STANDARD, rows, ledgers.K1, NOW).missing
    named = missing_of(world, rows)
    assert (named is None) == (ready == ())
    if named is not None:
        assert named == {(one.kind, one.code) for one in ready}


def test_nobody_without_anything_gets_one(world: World):
    """The control: with everything there is a paper, with nothing there is none."""
    assert missing_of(world, ROWS) is None
    named = missing_of(world, [])
    assert named is not None
    assert len(named) > len(CRITICAL)
