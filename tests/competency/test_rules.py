"""The decision rules, without Flask or a database. Numbers in names are decision-rules sections."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.competency.rules import (
    EvidenceKind,
    Ledger,
    MissingKind,
    Requirement,
    Row,
    Standard,
    State,
    TryState,
    UnknownKuk,
    Verdict,
    build_standard,
    judge,
    months_before,
    next_try,
    quiz_scope,
    verdicts,
)
from tests.ledgers import AT, HDR, K1, OBS, REF, SIM, SK, SPEC, STANDARD, Maker, Q, full, kuk_with

LATER = AT + timedelta(days=1)
N_WITH_Q = [k.code for k in kuk_with(Q) if not k.critical]
K_WITH_Q = [k.code for k in kuk_with(Q) if k.critical]


def verdict(rows: list[Row], kuk: str, at: datetime = LATER) -> Verdict:
    return Ledger(STANDARD, rows, at).verdict(STANDARD.find(kuk))


def state(rows: list[Row], kuk: str, kind: EvidenceKind, at: datetime = LATER) -> State:
    return Ledger(STANDARD, rows, at).state(STANDARD.find(kuk), kind)


def test_the_standard_is_whole():
    assert len(STANDARD.units) == 11
    assert sum(len(u.elements) for u in STANDARD.units) == 31
    assert len(STANDARD.kuk) == 90
    assert sum(k.critical for k in STANDARD.kuk.values()) == 22
    assert (STANDARD.ratio, STANDARD.tries_before_coaching) == ((4, 5), 3)
    assert (STANDARD.evidence_months, STANDARD.certificate_months) == (12, 24)
    assert STANDARD.rubric == ("Belum aman", "Aman dengan bimbingan", "Aman mandiri")
    assert STANDARD.units[2].number == "03"
    assert STANDARD.find("03.1.1").unit == "03"
    with pytest.raises(UnknownKuk):
        STANDARD.find("99.9.9")


def test_the_blueprint_shows_26_items_in_k1():
    shown = {k.code: STANDARD.shown_for(k) for k in kuk_with(Q)}
    assert sum(shown.values()) == 26
    assert (len(N_WITH_Q), len(K_WITH_Q)) == (14, 6)


def test_the_full_ledger_is_ready():
    judgement = judge(STANDARD, full(), K1, LATER)
    assert judgement.missing == ()
    assert judgement.ready
    assert set(judgement.verdicts.values()) == {Verdict.REACHED}
    assert judgement.evidence["K1.T"] != ()


def test_nothing_is_not_ready_and_names_everything():
    judgement = judge(STANDARD, [], K1, LATER)
    kinds = [m.kind for m in judgement.missing]
    assert kinds.count(MissingKind.KUK) == 21
    assert {MissingKind.ITEMS, MissingKind.CASE, MissingKind.ATTENDANCE} < set(kinds)
    assert not judgement.ready


class TestWorkedExample:
    """Decision rules 9: participant A in K1."""

    def rows(self) -> tuple[Maker, list[Row]]:
        make = Maker()

        def on(day: int, hour: int = 8, month: int = 3) -> datetime:
            return datetime(2026, month, day, hour, tzinfo=UTC)

        right = {code: [code not in ("02.1.2", "03.2.3")] for code in N_WITH_Q}
        right |= {code: [True, True] for code in K_WITH_Q} | {"03.1.4": [True, False]}
        rows = make.sitting(right, "q1", on(2))
        self.after_quiz = list(rows)
        rows += make.sitting({"03.1.4": [True, True]}, "q2", on(4))
        self.after_resit = list(rows)
        case = STANDARD.cases["SK1"].kuk
        rows += [make.row(SK, k, "sk-1", at=on(5), mark=1 if k == "03.1.1" else 2) for k in case]
        self.after_case = list(rows)
        rows += [make.row(SK, "03.1.1", "sk-2", at=on(7), mark=2)]
        rows += make.run("S1", ["02.2.1", "04.2.4", "03.3.2"], "s1-1", on(8, 9))
        kuk = ["02.2.1", "03.1.1", "03.1.3", "03.2.1"]
        rows += make.run("S2", kuk, "s2-1", on(8, 10), passed=False, harmful=True)
        self.after_harm = list(rows)
        rows += make.run("S2", kuk, "s2-2", on(10))
        marks = {"02.2.1": 2, "03.1.1": 2, "03.1.3": 1}
        observed = [make.row(OBS, k, "o-1", at=on(20), mark=m) for k, m in marks.items()]
        rows += observed
        self.after_first_stations = list(rows)
        rows.append(make.row(OBS, "03.1.3", "o-1", at=on(20, 9), replaces=observed[2].id))
        rows.append(make.row(HDR, "", at=on(20)))
        return make, rows

    def test_day_by_day(self):
        _make, rows = self.rows()
        day = datetime(2026, 3, 21, tzinfo=UTC)
        quiz = Ledger(STANDARD, self.after_quiz, day)
        assert quiz.items("K1") == (14, 12, True)
        assert quiz.enough_items("K1")
        assert state(self.after_quiz, "03.1.4", Q, day) is State.FAIL
        assert quiz_scope(STANDARD, "K1", self.after_quiz, day) == ("03.1.4",)
        assert state(self.after_resit, "03.1.4", Q, day) is State.PASS
        assert quiz_scope(STANDARD, "K1", self.after_resit, day) == ()
        assert Ledger(STANDARD, self.after_resit, day).items("K1") == (14, 12, True)
        sk1 = STANDARD.cases["SK1"]
        assert not Ledger(STANDARD, self.after_case, day).case_met(sk1)
        assert Ledger(STANDARD, self.after_harm, day).case_met(sk1)
        for kuk in ("02.2.1", "03.1.1", "03.1.3", "03.2.1"):
            assert verdict(self.after_harm, kuk, day) is Verdict.NOT_YET
        assert state(self.after_harm, "04.2.4", SIM, day) is State.PASS
        assert verdict(self.after_first_stations, "03.1.3", day) is Verdict.NOT_YET
        judgement = judge(STANDARD, rows, K1, day)
        assert judgement.missing == ()
        compensated = {k for k, v in judgement.verdicts.items() if v is Verdict.COMPENSATED}
        assert compensated == {"02.1.2", "03.2.3"}

    def test_a_withdrawn_item_shuts_the_gate_until_its_replacement_is_answered(self):
        make, rows = self.rows()
        day = datetime(2026, 4, 2, tzinfo=UTC)
        rows = [r._replace(voided=True) if (r.kind, r.kuk) == (Q, "02.1.2") else r for r in rows]
        ledger = Ledger(STANDARD, rows, day)
        assert ledger.items("K1") == (13, 12, False)
        assert not ledger.enough_items("K1")
        judgement = judge(STANDARD, rows, K1, day)
        assert {(m.kind, m.code) for m in judgement.missing} == {
            (MissingKind.KUK, "02.1.2"),
            (MissingKind.KUK, "03.2.3"),
            (MissingKind.ITEMS, "K1"),
        }
        assert quiz_scope(STANDARD, "K1", rows, day) == ("02.1.2",)
        rows += make.sitting({"02.1.2": [False]}, "q3", datetime(2026, 4, 1, 9, tzinfo=UTC))
        again = judge(STANDARD, rows, K1, day)
        assert again.ready
        assert again.verdicts["02.1.2"] is Verdict.COMPENSATED


@given(st.data())
def test_removing_any_required_row_turns_the_decision_and_names_the_kuk(data: st.DataObject):
    """Property 2. A simulation of a non-critical KUK is recorded only, so it is not required."""
    rows = full()
    gone = data.draw(st.sampled_from([r for r in rows if (r.kind, r.kuk) != (SIM, "03.3.2")]))
    judgement = judge(STANDARD, [r for r in rows if r is not gone], K1, LATER)
    assert not judgement.ready
    named = {m.code for m in judgement.missing}
    assert (gone.kuk or gone.source) in named


@given(st.data())
def test_a_failed_critical_row_is_never_repaired_by_other_evidence(data: st.DataObject):
    """Property 1 and 4: evidence types are joined by AND."""
    rows = full()
    critical = [r for r in rows if r.kuk and STANDARD.find(r.kuk).critical]
    bad = data.draw(st.sampled_from(critical))
    failed = bad._replace(passed=False) if bad.passed is not None else bad._replace(mark=1)
    judgement = judge(STANDARD, [failed if r is bad else r for r in rows], K1, LATER)
    assert judgement.verdicts[bad.kuk] is Verdict.NOT_YET
    assert bad.kuk in {m.code for m in judgement.missing}


@given(st.sets(st.sampled_from(N_WITH_Q)))
def test_non_critical_answers_fail_the_curriculum_exactly_below_its_cut(wrong: set[str]):
    rows = [r._replace(passed=False) if r.kind is Q and r.kuk in wrong else r for r in full()]
    judgement = judge(STANDARD, rows, K1, LATER)
    assert judgement.ready is (14 - len(wrong) >= 12)
    if not judgement.ready:
        assert (MissingKind.ITEMS, "K1") in {(m.kind, m.code) for m in judgement.missing}
    else:
        assert {k for k, v in judgement.verdicts.items() if v is Verdict.COMPENSATED} == wrong


@given(st.permutations(full()))
def test_the_order_of_rows_does_not_matter(rows: list[Row]):
    """Property 3 (and 7: the answer is a function of rows and version alone)."""
    assert judge(STANDARD, rows, K1, LATER).verdicts == judge(STANDARD, full(), K1, LATER).verdicts


@given(st.data())
def test_adding_a_failed_row_never_makes_a_decision_positive(data: st.DataObject):
    """Property 2, first half, for what was tried before.

    A wrong answer where there was none at all may complete a sitting: the worked example does so.
    """
    rows = full()
    dropped = data.draw(st.sets(st.integers(0, len(rows) - 1), max_size=3))
    some = [r for n, r in enumerate(rows) if n not in dropped]
    template = data.draw(st.sampled_from([r for r in some if r.kind is not HDR]))
    bad = template._replace(
        id=10_000,
        group="later",
        at=AT + timedelta(hours=1),
        passed=None if template.passed is None else False,
        mark=None if template.mark is None else 0,
    )
    before, after = (judge(STANDARD, rows_, K1, LATER) for rows_ in (some, [*some, bad]))
    assert before.ready or not after.ready


def test_a_harmful_act_fails_exactly_the_kuk_of_its_run():
    """Property 5."""
    make = Maker()
    kuk = ["02.2.1", "03.1.1", "03.1.3", "03.2.1"]
    rows = full() + [
        r._replace(id=r.id + 900, at=AT + timedelta(hours=2))
        for r in make.run("S2", kuk, "bad", passed=False, harmful=True)
    ]
    found = verdicts(STANDARD, rows, LATER)
    in_k1 = {k.code for k in STANDARD.of("K1")}
    assert {code for code in in_k1 if not found[code].reached} == set(kuk)


def test_a_harmful_act_at_a_station_fails_it_whatever_the_mark():
    rows = [r._replace(harmful=True) if r.kind is OBS else r for r in full()]
    assert verdict(rows, "02.2.1") is Verdict.NOT_YET


def test_latest_counts_not_best():
    make = Maker()
    rows = full()
    worse = make.row(SK, "03.1.1", "sk-9", mark=1)._replace(id=901, at=AT + timedelta(hours=1))
    assert verdict([*rows, worse], "03.1.1") is Verdict.NOT_YET
    better = worse._replace(id=902, group="sk-10", mark=2)
    assert verdict([*rows, worse, better], "03.1.1") is Verdict.REACHED, "ties: the higher id"


def test_evidence_lives_twelve_months():
    rows = full()
    assert judge(STANDARD, rows, K1, datetime(2027, 3, 20, 8, 0, tzinfo=UTC)).ready
    over = judge(STANDARD, rows, K1, datetime(2027, 3, 20, 8, 1, tzinfo=UTC))
    assert {m.kind for m in over.missing} >= {MissingKind.KUK, MissingKind.ATTENDANCE}


def test_evidence_of_the_future_is_not_seen():
    assert judge(STANDARD, full(), K1, AT).ready, "evidence of this very moment is"
    assert not judge(STANDARD, full(), K1, AT - timedelta(seconds=1)).ready


def test_a_new_wording_reopens_only_its_kuk():
    rows = [r._replace(text="bunyi lama") if r.kuk == "03.1.2" else r for r in full()]
    assert {m.code for m in judge(STANDARD, rows, K1, LATER).missing} == {"03.1.2", "K1", "SK1"}
    same = [r._replace(text=STANDARD.find(r.kuk).text) if r.kuk else r for r in full()]
    assert judge(STANDARD, same, K1, LATER).ready
    assert judge(
        STANDARD, [r._replace(text="x") if not r.kuk else r for r in full()], K1, LATER
    ).ready


def test_simulations_are_all_needed():
    rows = [r for r in full() if not (r.kind is SIM and r.source == "S1")]
    assert state(rows, "02.2.1", SIM) is State.NONE
    assert verdict(rows, "02.2.1") is Verdict.NO_EVIDENCE
    assert verdict(rows, "03.1.1") is Verdict.REACHED, "S2 alone lists it"


def test_observation_of_a_non_critical_kuk_matters_only_when_unsafe():
    make = Maker()
    seen = make.row(OBS, "02.2.2", "o-5", mark=1)
    assert verdict(full(), "02.2.2") is Verdict.REACHED, "not observed is fine"
    assert verdict([*full(), seen], "02.2.2") is Verdict.REACHED
    assert verdict([*full(), seen._replace(mark=0)], "02.2.2") is Verdict.NOT_YET


def test_a_failed_simulation_of_a_non_critical_kuk_is_recorded_not_failed():
    rows = [r._replace(passed=False) if (r.kind, r.kuk) == (SIM, "03.3.2") else r for r in full()]
    assert verdict(rows, "03.3.2") is Verdict.COMPENSATED
    wrong = {*N_WITH_Q[:3]}
    below = [r._replace(passed=False) if r.kind is Q and r.kuk in wrong else r for r in rows]
    assert "03.3.2" not in wrong
    assert verdict(below, "03.3.2") is Verdict.REACHED
    assert verdict(below, N_WITH_Q[0]) is Verdict.NOT_YET


def test_reflection_and_attendance_are_needed_where_they_are_listed():
    make = Maker()
    ref = make.row(REF, "10.2.1")
    here = make.row(HDR, "", source="K4.T")
    assert verdict([ref, here], "10.2.1") is Verdict.REACHED
    assert verdict([ref], "10.2.1") is Verdict.NO_EVIDENCE
    assert verdict([here], "10.2.1") is Verdict.NO_EVIDENCE
    absent = here._replace(passed=False)
    assert verdict([ref, absent], "10.2.1") is Verdict.NO_EVIDENCE
    assert state([make.row(REF, "10.1.2", passed=False)], "10.1.2", REF) is State.FAIL


def test_the_trainer_unit_needs_observation_of_every_kuk():
    make = Maker()
    assert verdict([], "11.2.1") is Verdict.NO_EVIDENCE
    assert verdict([make.row(OBS, "11.2.1", source="T.T")], "11.2.1") is Verdict.REACHED


def test_a_certificate_may_be_required_first():
    requirement = Requirement(scheme="X", curricula=(), in_person=(), holds=("PENDAMPING",))
    assert [m.code for m in judge(STANDARD, [], requirement, AT).missing] == ["PENDAMPING"]
    assert judge(STANDARD, [], requirement, AT, holds=frozenset({"PENDAMPING"})).ready


def test_the_whole_scheme_of_companions():
    curricula = ("K1", "K2", "K3", "K4", "K5")
    requirement = Requirement(
        scheme="PENDAMPING", curricula=curricula, in_person=tuple(f"{c}.T" for c in curricula)
    )
    rows = [r._replace(id=n) for n, r in enumerate(r for c in curricula for r in full(c))]
    rows = [r._replace(source="K4.T") if r.kind is HDR and r.source == "K4.T" else r for r in rows]
    judgement = judge(STANDARD, rows, requirement, LATER)
    assert judgement.missing == ()
    assert len(judgement.verdicts) == 84


def test_a_first_sitting_shows_everything_and_a_weak_one_shows_the_rest_again():
    assert len(quiz_scope(STANDARD, "K1", [], AT)) == 20
    make = Maker()
    right = {code: [n > 3] for n, code in enumerate(N_WITH_Q)}
    right |= {code: [True, code != "02.2.1"] for code in K_WITH_Q}
    rows = make.sitting(right, "q1")
    scope = quiz_scope(STANDARD, "K1", rows, LATER)
    assert set(scope) == {*N_WITH_Q, "02.2.1"}


def test_exactly_four_of_five_is_enough():
    """K5 shows 20 others: 16 right is the cut itself, no percentage is rounded."""
    others = [k.code for k in kuk_with(Q, "K5") if not k.critical]
    assert len(others) == 20
    for wrong, enough in ((4, True), (5, False)):
        missed = set(others[:wrong])
        rows = [
            r._replace(passed=False) if r.kind is Q and r.kuk in missed else r for r in full("K5")
        ]
        assert Ledger(STANDARD, rows, LATER).enough_items("K5") is enough
        assert set(quiz_scope(STANDARD, "K5", rows, LATER)) == (set() if enough else set(others))


class TestNextTry:
    def test_the_first_is_open(self):
        assert next_try(STANDARD, Q, [], [], AT).state is TryState.OPEN

    def test_the_next_waits_a_day(self):
        found = next_try(STANDARD, Q, [AT], [], AT + timedelta(hours=23, minutes=59))
        assert (found.state, found.at) == (TryState.WAIT, AT + timedelta(hours=24))
        assert next_try(STANDARD, Q, [AT], [], AT + timedelta(hours=24)).state is TryState.OPEN

    def test_a_case_study_waits_for_nothing(self):
        assert next_try(STANDARD, SK, [AT], [], AT).state is TryState.OPEN
        assert next_try(STANDARD, REF, [AT], [], AT).state is TryState.OPEN

    def test_after_three_tries_guidance_opens_the_next(self):
        tries = [AT + timedelta(days=2 * n) for n in range(3)]
        now = tries[-1] + timedelta(days=3)
        assert next_try(STANDARD, Q, tries, [], now).state is TryState.COACHING
        opened = next_try(STANDARD, Q, tries, [now], now)
        assert (opened.state, opened.number) == (TryState.OPEN, 4)
        early = next_try(STANDARD, Q, tries, [tries[0]], now)
        assert early.state is TryState.OPEN, "guidance resets the count"


@pytest.mark.parametrize(
    ("moment", "months", "expected"),
    [
        (datetime(2026, 3, 20, tzinfo=UTC), 12, datetime(2025, 3, 20, tzinfo=UTC)),
        (datetime(2028, 2, 29, tzinfo=UTC), 12, datetime(2027, 2, 28, tzinfo=UTC)),
        (datetime(2026, 1, 31, tzinfo=UTC), 2, datetime(2025, 11, 30, tzinfo=UTC)),
        (datetime(2026, 1, 5, tzinfo=UTC), 1, datetime(2025, 12, 5, tzinfo=UTC)),
    ],
)
def test_months_are_calendar_months(moment: datetime, months: int, expected: datetime):
    assert months_before(moment, months) == expected


def test_the_content_of_the_standard_is_read_as_written():
    assert SPEC.version == "0.2-draft"
    assert STANDARD.case_of("03.1.1").code == "SK1"
    assert STANDARD.case_of("02.2.1") is None
    assert STANDARD.units[1].kuk[0].code == "02.1.1"


def with_cut(**cuts: list[int]) -> Standard:
    """Return the standard with cuts of their own for some curricula."""
    document = SPEC.model_dump(mode="json")
    document["rules"]["noncritical_pass_of"] = cuts
    return build_standard(document)


@given(
    cut=st.integers(1, 14).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))),
    wrong=st.sets(st.sampled_from(N_WITH_Q)),
)
def test_a_curriculum_with_a_cut_of_its_own_is_judged_by_it(cut: tuple[int, int], wrong: set[str]):
    standard = with_cut(K1=list(cut))
    rows = [r._replace(passed=False) if r.kind is Q and r.kuk in wrong else r for r in full()]
    right = len(N_WITH_Q) - len(wrong)
    enough = right >= -(-cut[0] * len(N_WITH_Q) // cut[1])
    assert Ledger(standard, rows, LATER).enough_items("K1") is enough
    assert set(quiz_scope(standard, "K1", rows, LATER)) == (set() if enough else set(N_WITH_Q))
    assert Ledger(STANDARD, rows, LATER).enough_items("K1") is (5 * right >= 4 * len(N_WITH_Q))


def test_a_cut_of_one_curriculum_is_not_that_of_another():
    standard = with_cut(K1=[1, 14])
    assert standard.ratio_of("K1") == (1, 14)
    assert standard.ratio_of("K5") == STANDARD.ratio_of("K1") == (4, 5)
