"""Issue, renewal, correction, revocation: what is refused, what is frozen, what is derived."""

import hashlib
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from sqlalchemy import func, select

from certificates.codes import normalise
from lms.accounts import services as accounts
from lms.competency import content as standard_content
from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.rules import Judgement, MissingKind
from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.jobs import Outdated
from lms.core.models import AuditEvent
from lms.credentials import content, paper, register, rules, schemes, services
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Decision,
    Document,
    EventKind,
    NumberCounter,
)
from lms.credentials.rules import Reason, Status
from tests import factories, ledgers
from tests.credentials.world import BASE, NOW, World, append, fulfil, refuses


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def entry_of(certificate: Certificate, at: datetime = NOW) -> register.Entry:
    return register.get_entry(certificate.code, at)


def revoke(certificate: Certificate, reason: Reason = Reason.ERROR, at: datetime = NOW) -> None:
    code, by_id = certificate.code, factories.person("admin").id
    with unit_of_work():
        services.revoke(code, reason_public=reason, reason_internal="catatan", by_id=by_id, now=at)


def reissue(certificate: Certificate, at: datetime = NOW) -> Certificate:
    code, by_id = certificate.code, factories.person("admin").id
    with unit_of_work():
        new = services.reissue(code, by_id=by_id, now=at, base_url=BASE).id
    return db.session.get_one(Certificate, new)


def rename(person_id: int, name: str) -> None:
    with unit_of_work():
        accounts.rename(person_id, name, now=NOW)


# Schemes


def judged(world: World, scheme: str, at: datetime) -> Judgement:
    """Judge the companion as the meeting does."""
    person_id = world.trainee.id
    asked, held = schemes.get_scheme(scheme), register.list_held([person_id], at)
    return services.judge_many([person_id], asked, competency.current(), held, at)[person_id]


def test_loading_twice_changes_nothing_and_a_change_is_counted(app: Flask):
    known, _problems = content.check(CONTENT, standard_content.check(CONTENT)[0])
    with unit_of_work():
        again = schemes.load(known, now=NOW)
    assert again == {"added": 0, "changed": 0, "unchanged": 7}
    renamed = known[0].model_copy(update={"title": "Judul lain"})
    with unit_of_work():
        changed = schemes.load([renamed, *known[1:]], now=NOW)
    assert changed == {"added": 0, "changed": 1, "unchanged": 6}
    assert schemes.get_scheme("K1").title == "Judul lain"


def test_a_scheme_taken_from_the_file_stays(app: Flask):
    with unit_of_work():
        schemes.load(content.check(CONTENT, standard_content.check(CONTENT)[0])[0][:1], now=NOW)
    assert schemes.get_scheme("PELATIH").holds == ("PENDAMPING",)


def test_an_unknown_scheme_is_not_found(app: Flask):
    refuses(NotFound, lambda: schemes.get_scheme("K9"))


def test_a_requirement_says_what_the_scheme_asks_for(app: Flask):
    found = schemes.requirement(schemes.get_scheme("PELATIH"))
    assert found == competency_rules.Requirement(
        scheme="PELATIH", curricula=("T",), in_person=("T.T",), holds=("PENDAMPING",)
    )


# Issue


def test_nobody_is_certified_from_nothing(world: World):
    error = refuses(services.NotReady, world.issue)
    kinds = {missing.kind for missing in error.missing}
    assert kinds == {
        MissingKind.KUK,
        MissingKind.ITEMS,
        MissingKind.CASE,
        MissingKind.ATTENDANCE,
    }
    assert (count(Certificate), count(Decision), count(NumberCounter)) == (0, 0, 0)


def test_a_certificate_says_what_was_decided(world: World):
    made = world.certified()
    assert made.number == "0001/SULUH-K1/2026"
    assert normalise(made.code) == made.code
    assert (made.term, made.revision, made.follows_id) == (1, 0, None)
    assert made.valid_until == date(2028, 4, 1)
    assert made.issuer_id == world.host.id
    written = paper.read(made.snapshot)
    assert written.holder_name == "Rahma Yuliani"
    assert written.verify_url == f"{BASE}/c/{made.code}"
    assert written.issuer_lines == ("PEMERINTAH KOTA CONTOH", "Dinas Contoh")
    assert written.trainers == ("Endang Lestari",)
    assert (written.jp, sum(line.jp or 0 for line in written.units)) == (12, 12)
    assert [(line.code[-6:-3], line.mark) for line in paper.units_on(written)] == [
        ("002", "8/8 KUK"),
        ("003", "9/9 KUK"),
        ("004", "4/4 KUK"),
    ]
    assert written.standard_is_draft
    assert not written.sample


def test_the_decision_keeps_the_evidence_it_rests_on(world: World):
    made = world.certified()
    decision = db.session.get_one(Decision, made.decision_id)
    assert (decision.signed_by, decision.decided_at) == (world.trainer.id, NOW)
    assert set(decision.trace["verdicts"].values()) == {"T"}
    assert len(decision.trace["verdicts"]) == 21
    rows = {row.id for row in competency.list_evidence(world.trainee.id)}
    used = {row for ids in decision.trace["evidence"].values() for row in ids}
    assert used
    assert used <= rows
    assert decision.trace["evidence"]["K1.T"]
    assert decision.trace["scheme"]["code"] == "K1"


def test_recomputing_a_past_decision_gives_the_same_answer(world: World):
    decision = db.session.get_one(Decision, world.certified().decision_id)
    later = ledgers.Maker().row(ledgers.OBS, "03.1.1", "o2", mark=0, at=NOW + timedelta(days=1))
    append(world.trainee.id, [later])
    again = judged(world, "K1", decision.decided_at)
    assert again.ready
    assert {k: list(ids) for k, ids in again.evidence.items()} == decision.trace["evidence"]
    assert not judged(world, "K1", NOW + timedelta(days=2)).ready


def test_day_and_year_are_those_of_the_class(world: World):
    east = factories.cohort(world.host, zone="WIT")
    factories.staff(world.trainer, east)
    factories.seat(world.trainee, east)
    fulfil(world.trainee, "K1", at=datetime(2026, 12, 1, tzinfo=UTC))
    midnight_in_jayapura = datetime(2026, 12, 31, 15, 0, tzinfo=UTC)
    made = world.issue(cohort_id=east.id, now=midnight_in_jayapura)
    assert made.number == "0001/SULUH-K1/2027"
    assert paper.read(made.snapshot).issued_on == date(2027, 1, 1)


def test_numbers_count_per_issuer_scheme_and_year(world: World):
    world.certified()
    second = world.certified(world.join("Maria Ulfah"))
    assert second.number == "0002/SULUH-K1/2026"
    elsewhere = factories.cohort()
    factories.staff(world.trainer, elsewhere)
    guest = world.join("Yulius Kambu")
    factories.seat(guest, elsewhere)
    assert world.certified(guest, cohort_id=elsewhere.id).number == "0001/SULUH-K1/2026"
    fulfil(guest, "K2")
    assert world.issue(guest, "K2").number == "0001/SULUH-K2/2026"
    next_year = NOW.replace(year=2027)
    last = world.certified(world.join("Lilis Suryani"), now=next_year)
    assert last.number == "0001/SULUH-K1/2027"


def test_a_refused_issue_takes_no_number(world: World):
    world.certified()
    refuses(rules.AlreadyIssued, world.issue)
    assert world.certified(world.join("Maria Ulfah")).number == "0002/SULUH-K1/2026"


def test_a_paper_that_cannot_be_printed_leaves_the_decision_and_nothing_else(world: World):
    fulfil(world.trainee, "K1")
    decision_id, by_id = world.decided(), world.trainer.id

    def issue(base_url: str) -> str:
        with unit_of_work():
            return services.issue(
                decision_id, by_id=by_id, now=NOW, base_url=base_url, sample=False
            ).number

    error = refuses(paper.DoesNotFitOnPaper, lambda: issue("https://contoh.id/" + "x" * 120))
    assert "verify_url" in str(error)
    assert (count(Certificate), count(Document), count(NumberCounter)) == (0, 0, 0)
    assert issue(BASE) == "0001/SULUH-K1/2026"


def test_a_void_after_the_decision_stops_the_issue(world: World):
    fulfil(world.trainee, "K1")
    decision_id, by_id = world.decided(), world.trainer.id
    row = judged(world, "K1", NOW).evidence["K1.T"][0]
    with unit_of_work():
        competency.void(row, reason="salah orang", by_id=by_id, now=NOW)

    def issue() -> None:
        with unit_of_work():
            services.issue(decision_id, by_id=by_id, now=NOW, base_url=BASE, sample=False)

    error = refuses(services.NotReady, issue)
    assert [(missing.kind, missing.code) for missing in error.missing] == [
        (MissingKind.ATTENDANCE, "K1.T")
    ]
    assert (count(Certificate), count(NumberCounter)) == (0, 0)


def test_what_comes_after_the_decision_is_for_the_next_one(world: World):
    fulfil(world.trainee, "K1")
    decision_id = world.decided()
    failed = ledgers.Maker().row(ledgers.OBS, "03.1.1", "o2", mark=0, at=NOW + timedelta(hours=1))
    append(world.trainee.id, [failed])
    with unit_of_work():
        services.issue(
            decision_id, by_id=None, now=NOW + timedelta(hours=2), base_url=BASE, sample=False
        )
    assert count(Certificate) == 1


def test_a_decision_without_two_signatures_is_not_issued(world: World):
    fulfil(world.trainee, "K1")
    world.sign()
    decision = Decision(
        person_id=world.trainee.id,
        scheme_code="K1",
        cohort_id=world.cohort.id,
        standard_version_id=competency.current().id,
        signed_by=world.trainer.id,
        decided_at=NOW,
        trace={},
    )
    with unit_of_work():
        db.session.add(decision)
        db.session.flush()
        decision_id = decision.id

    def issue() -> None:
        with unit_of_work():
            services.issue(decision_id, by_id=None, now=NOW, base_url=BASE, sample=False)

    refuses(services.NotDecided, issue)


def test_the_paper_is_drawn_before_and_only_stored_when_nothing_changed(world: World):
    fulfil(world.trainee, "K1")
    decision_id, person_id = world.decided(), world.trainee.id
    asked = {"now": NOW, "base_url": BASE, "sample": False}

    def issue(drawn: services.Drawn) -> str:
        with unit_of_work():
            return services.issue(decision_id, by_id=None, drawn=drawn, **asked).document_sha256

    early = services.draft(decision_id, **asked)
    assert early.paper.number == "0001/SULUH-K1/2026"
    other = world.certified(world.join("Maria Ulfah"))
    assert other.number == early.paper.number  # taken meanwhile
    refuses(Outdated, lambda: issue(early))
    named = services.draft(decision_id, **asked)
    rename(person_id, "Rahma Yuliani, S.Psi.")
    refuses(Outdated, lambda: issue(named))
    assert db.session.scalar(select(NumberCounter.last)) == 1, "a refused number is not lost"
    fresh = services.draft(decision_id, **asked)
    assert issue(fresh) == fresh.sha256
    assert fresh.paper.number == "0002/SULUH-K1/2026"


def test_pelatih_needs_a_valid_pendamping(world: World):
    fulfil(world.trainee, "T")
    error = refuses(services.NotReady, lambda: world.issue(scheme="PELATIH"))
    assert [(m.kind, m.code) for m in error.missing] == [(MissingKind.HOLDS, "PENDAMPING")]
    fulfil(world.trainee, "K1", "K2", "K3", "K4", "K5")
    pendamping = world.issue(scheme="PENDAMPING")
    assert paper.read(pendamping.snapshot).jp == 54
    assert len(paper.units_on(paper.read(pendamping.snapshot))) == 10
    pelatih = world.issue(scheme="PELATIH")
    decision = db.session.get_one(Decision, pelatih.decision_id)
    assert decision.trace["holds"] == [pendamping.code]
    revoke(pendamping)
    assert not judged(world, "PELATIH", NOW).ready


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(lost=st.sets(st.integers(0, 500), max_size=2))
def test_a_certificate_exists_only_if_nothing_required_is_missing(world: World, lost: set[int]):
    someone = world.join("Peserta Acak")
    rows = ledgers.full("K1", NOW - timedelta(days=9))
    kept = [row for n, row in enumerate(rows) if n not in {gone % len(rows) for gone in lost}]
    append(someone.id, kept, "acak-")
    judged = competency_rules.judge(ledgers.STANDARD, kept, ledgers.K1, NOW)
    if judged.missing:
        error = refuses(services.NotReady, lambda: world.issue(someone))
        assert {m.code for m in error.missing} == {m.code for m in judged.missing}
        assert register.list_held([someone.id], NOW) == []
    else:
        made = world.issue(someone)
        decision = db.session.get_one(Decision, made.decision_id)
        assert set(decision.trace["verdicts"].values()) <= {"T", "TK"}


# Papers


def test_the_bytes_are_stored_once_under_their_hash(world: World):
    made = world.certified()
    document = db.session.get_one(Document, made.document_sha256)
    assert document.media_type == "application/pdf"
    assert hashlib.sha256(document.body).hexdigest() == made.document_sha256
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(document.body)).pages]
    assert len(pages) == 2
    assert "Rahma Yuliani" in pages[0]
    assert made.number in pages[0]


def test_a_paper_in_english_has_english_words(world: World):
    made = world.certified(language="en")
    document = db.session.get_one(Document, made.document_sha256)
    page = PdfReader(io.BytesIO(document.body)).pages[0].extract_text()
    assert "Certificate of Training Completion" in page
    assert "Training in risk assessment" in page


def test_a_rename_and_a_closed_account_do_not_touch_the_paper(world: World):
    made = world.certified()
    digest, body = made.document_sha256, db.session.get_one(Document, made.document_sha256).body
    admin = factories.person("admin")
    person, viewer_id = world.trainee.public_id, admin.id
    rename(world.trainee.id, "Nama Baru")
    with unit_of_work():
        accounts.set_disabled(person, True, actor_id=viewer_id, now=NOW)
    db.session.expire_all()
    found = register.find_by_code(made.code, NOW)
    assert found is not None
    assert found.entry.holder_name == "Rahma Yuliani"
    assert found.paper.holder_name == "Rahma Yuliani"
    assert db.session.get_one(Document, digest).body == body


def test_who_may_have_the_paper(world: World):
    code = world.certified().code
    colleague = world.join("Maria Ulfah")
    admin, stranger = factories.person("admin"), factories.person("trainer")
    officer = factories.person("agency")
    for someone in (world.trainee, world.trainer, admin):
        with unit_of_work():
            viewer = accounts.begin_session(db.session.merge(someone), now=NOW)
        assert register.get_document(code, viewer).body.startswith(b"%PDF")
    for someone in (colleague, stranger, officer):
        with unit_of_work():
            viewer = accounts.begin_session(db.session.merge(someone), now=NOW)
        refuses(NotFound, lambda who=viewer: register.get_document(code, who))


# After the issue


def test_a_renewal_is_a_new_term_after_the_old(world: World):
    first = world.certified()
    near_end = datetime(2028, 2, 1, tzinfo=UTC)
    second = world.certified(now=near_end)
    assert (second.term, second.follows_id) == (2, first.id)
    assert second.number == "0001/SULUH-K1/2028"
    assert second.valid_until == date(2030, 2, 1)
    assert entry_of(first, near_end).status is Status.VALID
    assert entry_of(first, near_end + timedelta(days=90)).status is Status.EXPIRED
    assert entry_of(second, near_end).status is Status.VALID


def test_old_evidence_does_not_renew(world: World):
    world.certified()
    error = refuses(services.NotReady, lambda: world.issue(now=datetime(2028, 3, 1, tzinfo=UTC)))
    assert len(error.missing) > 20


def test_a_correction_keeps_the_number_and_replaces_the_paper(world: World):
    old = world.certified()
    refuses(services.NothingToCorrect, lambda: reissue(old))
    rename(world.trainee.id, "Rahma Yuliani, S.Psi.")
    later = NOW + timedelta(days=30)
    new = reissue(old, later)
    assert (new.number, new.term, new.revision) == (old.number, old.term, 1)
    assert (new.follows_id, new.decision_id) == (old.id, old.decision_id)
    assert new.code != old.code
    assert new.valid_until == old.valid_until
    written = paper.read(new.snapshot)
    assert written.holder_name == "Rahma Yuliani, S.Psi."
    assert written.verify_url.endswith(new.code)
    assert written.issued_on == paper.read(old.snapshot).issued_on
    assert entry_of(old, later).status is Status.REPLACED
    assert entry_of(old, NOW).status is Status.VALID
    assert entry_of(new, later).status is Status.VALID
    assert refuses(services.NotInForce, lambda: reissue(old, later)).status is Status.REPLACED
    assert refuses(services.NotInForce, lambda: revoke(old, at=later)).status is Status.REPLACED


def test_an_expired_certificate_is_not_corrected(world: World):
    made = world.certified()
    rename(world.trainee.id, "Nama Baru")
    error = refuses(services.NotInForce, lambda: reissue(made, datetime(2029, 1, 1, tzinfo=UTC)))
    assert error.status is Status.EXPIRED


def test_a_name_that_cannot_be_printed_is_refused(world: World):
    made = world.certified()
    rename(world.trainee.id, "x" * 301)
    refuses(paper.DoesNotFitOnPaper, lambda: reissue(made))
    assert count(CertificateEvent) == 0


def test_a_revocation_shows_at_once_and_once(world: World):
    made = world.certified()
    revoke(made, Reason.VIOLATION)
    found = entry_of(made)
    assert found.status is Status.REVOKED
    assert (found.life.reason, found.life.revoked_at) == (Reason.VIOLATION, NOW)
    assert refuses(services.NotInForce, lambda: revoke(made)).status is Status.REVOKED
    assert count(CertificateEvent) == 1
    actions = db.session.scalars(select(AuditEvent.action)).all()
    assert {"credentials.issue", "credentials.revoke"} <= set(actions)


def test_an_expired_certificate_may_still_be_revoked(world: World):
    made = world.certified()
    late = datetime(2029, 1, 1, tzinfo=UTC)
    revoke(made, at=late)
    assert entry_of(made, late).status is Status.REVOKED


def test_the_public_reason_never_holds_the_note(world: World):
    made = world.certified()
    revoke(made)
    row = db.session.scalars(select(CertificateEvent)).one()
    assert (row.kind, row.reason_public, row.reason_internal) == (
        EventKind.REVOKED,
        "error",
        "catatan",
    )


def test_after_a_violation_no_new_decision_until_the_term_is_over(world: World):
    made = world.certified()
    revoke(made, Reason.VIOLATION)
    refuses(rules.RevokedForViolation, world.issue)


def test_after_an_error_the_right_one_may_be_issued(world: World):
    made = world.certified()
    revoke(made, Reason.ERROR)
    again = world.issue(now=NOW + timedelta(hours=1))
    assert (again.term, again.follows_id, again.number) == (2, made.id, "0002/SULUH-K1/2026")


def test_an_unknown_code_is_not_found(app: Flask):
    for code in ("", "x", "7QK4M-9TXHC-2RWVB"):
        refuses(NotFound, lambda typed=code: register.get_entry(typed, NOW))
        refuses(NotFound, lambda typed=code: register.get_record(typed, NOW))
        assert register.find_by_code(code, NOW) is None


def test_a_code_is_found_however_it_is_typed(world: World):
    made = world.certified()
    typed = f" {made.code[:5].lower()} {made.code[5:10]}-{made.code[10:]} "
    found = register.find_by_code(typed, NOW)
    assert found is not None
    assert (found.entry.id, found.issuer) == (made.id, "Dinas Contoh")
    assert found.entry.masked_name == "R*** Y***"


def test_the_register_is_searched_by_code_number_or_name(world: World):
    first, second = world.certified(), world.certified(world.join("Maria 100% Ulfah"))

    def codes(**asked: object) -> list[str]:
        return [entry.code for entry in register.list_register(at=NOW, **asked)]

    assert codes() == [second.code, first.code]
    assert codes(search=first.code.lower()) == [first.code]
    assert codes(search="0002/SULUH") == [second.code]
    assert codes(search="rahma") == [first.code]
    assert codes(search="%") == [second.code]
    assert codes(search="tak ada") == []
    assert codes(before=second.id) == [first.code]
    assert codes(limit=1) == [second.code]


def test_a_record_tells_the_whole_history(world: World):
    made = world.certified()
    assert register.get_record(made.code, NOW).may_be_revoked
    rename(world.trainee.id, "Nama Baru")
    record = register.get_record(made.code, NOW)
    assert (record.signed_by, record.holder_now) == (
        ["Endang Lestari", "Lestari Widodo"],
        "Nama Baru",
    )
    assert record.may_be_corrected
    reissue(made)
    record = register.get_record(made.code, NOW)
    assert [(line.kind, line.reason) for line in record.history] == [(EventKind.REPLACED, None)]
    assert not record.may_be_corrected
    assert not record.may_be_revoked


def test_progress_says_how_far_and_what_is_held(world: World):
    world.certified()
    found = {p.scheme.code: p for p in services.get_outlook(world.trainee.id, NOW).progress}
    assert list(found) == ["K1", "K2", "K3", "K4", "K5", "PENDAMPING", "PELATIH"]
    assert (found["K1"].reached, found["K1"].is_ahead) == (21, False)
    assert found["K1"].judgement.ready
    assert found["PENDAMPING"].is_ahead
    assert found["PENDAMPING"].reached >= 21
    later = {
        p.scheme.code: p for p in services.get_outlook(world.trainee.id, NOW.replace(2029)).progress
    }
    assert later["K1"].is_ahead


def test_a_scheme_is_read_as_it_was_checked_and_written_as_it_is_stored(app: Flask):
    checked, problems = content.check(CONTENT, standard_content.check(CONTENT)[0])
    assert not problems
    assert [one.write() for one in schemes.list_schemes()] == [
        one.model_dump(mode="json") for one in checked
    ]
    assert list(schemes.list_schemes()[0].write()) == list(checked[0].model_dump())
    assert any(one.law_checked_on for one in schemes.list_schemes())


def test_the_rules_do_not_need_a_spec_to_have_every_unit(app: Flask):
    scheme = replace(schemes.get_scheme("K1"), unit_jp={}, in_person_jp=0)
    verdicts = dict.fromkeys(
        [k.code for k in ledgers.STANDARD.of("K1")], competency_rules.Verdict.NOT_YET
    )
    found = paper.unit_results(ledgers.STANDARD, scheme, verdicts)
    assert [(r.reached, r.total, r.jp) for r in found] == [(0, 8, 0), (0, 9, 0), (0, 4, 0)]
