"""The home page of every role."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts.models import Person
from lms.cohorts.models import Part
from lms.cohorts.services import Timetabled
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from lms.core.i18n import day
from lms.credentials.models import CertificateEvent, EventKind, Scheme
from lms.credentials.rules import Reason, day_of, end_of
from lms.modules import services as modules
from lms.modules.models import Lesson, Outcome
from lms.notices import due
from lms.notices import rules as notices
from lms.pages import services
from lms.pages.rules import Next, Standing, Step, What
from lms.quizzes.models import Item
from tests import factories, ledgers
from tests.credentials import world
from tests.practice.cases import scene as cases
from tests.practice.simulations import scene as simulations
from tests.queries import counted
from tests.quizzes import helpers as quizzes

Enter = Callable[[Person], FlaskClient]
NOW = factories.NOW
DAY = timedelta(days=1)


def learn(person_id: int, *numbers: int) -> None:
    for number in numbers or range(1, 11):
        with unit_of_work():
            modules.finish("k1", number, person_id=person_id, outcome=Outcome.DONE, now=NOW)


def brief(person_id: int, now: datetime = NOW) -> tuple[str, str, str]:
    """Return what is next; it costs five queries at every stage."""
    with counted() as statements:
        found = services.read_learner(person_id, now=now)
    assert len(statements) <= 5
    assert found.next is not None
    return found.next.step.what.value, found.next.step.code, found.next.step.standing.value


def waiting(person_id: int, now: datetime = NOW) -> list[tuple[str, str, str]]:
    found = services.read_learner(person_id, now=now).next
    assert found is not None
    return [(step.what.value, step.code, step.standing.value) for step in found.waiting]


def seat_in(person_id: int, *curricula: str) -> None:
    """Give somebody a seat in a class that covers these curricula."""
    where = factories.cohort(curricula=dict.fromkeys(curricula, ""))
    factories.seat(db.session.get_one(Person, person_id), where)


@pytest.fixture
def someone(app: Flask) -> int:
    """A companion in a class on K1."""
    competency.current()  # the standard is parsed once per process
    person_id = factories.person("trainee").id
    seat_in(person_id, "K1")
    return person_id


def append(person_id: int, rows: list[ledgers.Row], prefix: str = "x-") -> None:
    world.append(person_id, rows, prefix)


def only(*kinds: EvidenceKind) -> list[ledgers.Row]:
    return [row for row in ledgers.full("K1", NOW) if row.kind in kinds]


@pytest.mark.both
def test_from_nothing_to_the_certificate(app: Flask):
    """The whole way, as the features themselves write it."""
    competency.current()
    here = cases.scene()
    person_id = here.trainee
    seat_in(person_id, "K1")
    assert brief(person_id) == ("lesson", "K1.1", "ready")
    learn(person_id, 1, 2, 3)
    assert brief(person_id) == ("practice", "S1", "ready")
    simulations.practise(person_id, "S1")
    assert brief(person_id) == ("lesson", "K1.4", "ready")
    learn(person_id, *range(4, 11))
    assert brief(person_id) == ("simulation", "S1", "ready")
    simulations.grade(person_id, "S1")
    assert brief(person_id) == ("simulation", "S2", "ready")
    simulations.grade(person_id, "S2")
    assert brief(person_id) == ("quiz", "K1", "ready")
    ref = quizzes.begin(person_id)
    assert brief(person_id) == ("quiz", "K1", "running")
    with unit_of_work():
        for position, _kuk, _item, _version, right in quizzes.drawn(ref):
            quizzes.services.save_answer(
                ref,
                position=position,
                client_key=f"jalan-{position:04}",
                seq=1,
                choice=right,
                flagged=None,
                now=NOW,
            )
    quizzes.hand_in(ref)
    assert brief(person_id) == ("case", "SK1", "ready")
    cases.write(person_id)
    assert brief(person_id) == ("case", "SK1", "running")
    public_id = cases.hand_in(person_id)
    assert brief(person_id) == ("case", "SK1", "marking")
    cases.decide(public_id, here.assessor)
    later = NOW + DAY
    assert brief(person_id, later) == ("meeting", "K1.T", "people")
    append(person_id, [row for row in ledgers.full("K1", NOW) if row.kind is EvidenceKind.HDR])
    assert brief(person_id, later) == ("observation", "K1", "people")
    append(person_id, only(EvidenceKind.OBS))
    make = ledgers.Maker()
    others = [k for k in ledgers.kuk_with(EvidenceKind.OBS) if not k.critical]
    append(person_id, [make.row(EvidenceKind.OBS, kuk.code, "o2", at=NOW) for kuk in others], "y-")
    assert brief(person_id, later) == ("decision", "K1", "people")


def test_a_certificate_ends_the_way_until_it_is_revoked(app: Flask):
    competency.current()
    here = world.World()
    now = world.NOW + DAY
    person_id, code = here.trainee.id, here.certified().code
    seat_in(person_id, "K1")
    assert brief(person_id, now) == ("certificate", "K1", "done")
    ended = world.NOW + 366 * 2 * DAY
    assert brief(person_id, ended)[0] == "lesson"
    signer = here.trainer.id
    with unit_of_work():
        world.services.revoke(
            code, reason_public=Reason.ERROR, reason_internal="salah", by_id=signer, now=now
        )
    assert brief(person_id, now - timedelta(hours=1)) == ("certificate", "K1", "done")
    assert brief(person_id, now) == ("decision", "K1", "people")


def test_a_running_quiz_comes_first_even_between_lessons(someone: int):
    learn(someone, 1)
    quizzes.begin(someone)
    assert brief(someone) == ("quiz", "K1", "running")


def test_a_running_graded_simulation_comes_first(someone: int):
    learn(someone)
    with unit_of_work():
        simulations.services.start_graded("S2", someone, now=NOW)
    assert brief(someone) == ("simulation", "S2", "running")


def test_a_quiz_waits_a_day_and_then_opens_again(someone: int):
    learn(someone)
    append(someone, only(EvidenceKind.SIM, EvidenceKind.SK))
    quizzes.sit(someone, wrong=lambda kuk: kuk == "03.1.1")
    assert brief(someone, NOW) == ("quiz", "K1", "wait")
    found = services.read_learner(someone, now=NOW).next
    assert found is not None
    assert found.step.at == NOW + DAY
    assert brief(someone, NOW + DAY) == ("quiz", "K1", "again")


def test_after_three_tries_a_trainer_opens_the_next(someone: int):
    learn(someone)
    append(someone, only(EvidenceKind.SIM, EvidenceKind.SK))
    for n in range(3):
        quizzes.sit(someone, NOW + n * DAY, wrong=lambda kuk: kuk == "03.1.1")
    late = NOW + 5 * DAY
    assert brief(someone, late) == ("quiz", "K1", "coaching")
    trainer = factories.person("trainer").id
    with unit_of_work():
        competency.coach(
            someone,
            kind=EvidenceKind.Q,
            source="K1",
            note="Sudah dibahas.",
            trainer_id=trainer,
            now=NOW + 4 * DAY,
        )
    assert brief(someone, late) == ("quiz", "K1", "again")


def test_an_unsafe_simulation_opens_the_way_back_while_it_waits(someone: int):
    learn(someone)
    append(someone, only(EvidenceKind.Q, EvidenceKind.SK))
    simulations.practise(someone, "S1")
    simulations.grade(someone, "S1")
    simulations.practise(someone, "S2")

    def harmful(node: simulations.Node) -> simulations.Choice:
        bad = [c for c in node.choices if c.verdict is simulations.HARMFUL]
        return bad[0] if bad else simulations.safely(node)

    simulations.grade(someone, "S2", harmful, now=NOW + timedelta(hours=1))
    then = NOW + timedelta(hours=2)
    assert brief(someone, then) == ("practice", "S2", "again")
    assert waiting(someone, then) == [("simulation", "S2", "wait")]
    simulations.practise(someone, "S2", now=then)
    after = then + timedelta(hours=1)
    assert brief(someone, after) == ("simulation", "S2", "wait")
    assert brief(someone, NOW + 2 * DAY) == ("simulation", "S2", "again")


def test_a_case_study_comes_back_with_the_parts_that_are_open(app: Flask):
    competency.current()
    here = cases.scene()
    seat_in(here.trainee, "K1")
    learn(here.trainee)
    append(here.trainee, only(EvidenceKind.SIM, EvidenceKind.Q))
    public_id = cases.hand_in(here.trainee)
    cases.decide(public_id, here.assessor, {"03.1.1": 1})
    assert brief(here.trainee, NOW + 2 * DAY) == ("case", "SK1", "again")
    cases.write(here.trainee, "lagi", now=NOW + 2 * DAY)
    assert brief(here.trainee, NOW + 3 * DAY) == ("case", "SK1", "running")


def test_without_a_class_there_is_what_every_companion_needs(app: Flask):
    person_id = factories.person("trainee").id
    found = services.read_learner(person_id, now=NOW)
    assert [line.code for line in found.curricula] == ["K1", "K2", "K3", "K4", "K5"]
    assert brief(person_id) == ("lesson", "K1.1", "ready")


@pytest.mark.both
def test_the_newest_class_says_which_curricula(app: Flask):
    person_id = factories.person("trainee").id
    seat_in(person_id, "K5", "K2", "K3")
    found = services.read_learner(person_id, now=NOW)
    assert [line.code for line in found.curricula] == ["K2", "K3", "K5"]
    assert brief(person_id) == ("lesson", "K2.1", "ready")
    newer = factories.cohort(
        curricula={"T": ""}, starts_on=date(2026, 4, 1), ends_on=date(2026, 4, 2)
    )
    factories.seat(db.session.get_one(Person, person_id), newer)
    assert brief(person_id) == ("lesson", "T.1", "ready")


def test_a_curriculum_behind_leads_to_the_lessons_of_the_next(app: Flask):
    """Simulations of both come after the lessons of both, and stand there once."""
    person_id = factories.person("trainee").id
    seat_in(person_id, "K1", "K2")
    learn(person_id)
    append(person_id, [one for one in ledgers.full("K1", NOW) if one.kind is not EvidenceKind.SIM])
    later = NOW + DAY
    assert brief(person_id, later) == ("practice", "S1", "ready")
    simulations.practise(person_id, "S1")
    assert brief(person_id, later) == ("simulation", "S1", "ready")  # K2 has none of it
    simulations.grade(person_id, "S1")
    assert brief(person_id, later) == ("lesson", "K2.1", "ready")
    with unit_of_work():
        simulations.services.start_graded("S2", person_id, now=NOW)
    assert brief(person_id, later) == ("simulation", "S2", "running")


def test_a_certificate_covers_every_curriculum_of_its_scheme(app: Flask):
    here = world.World()
    person_id = here.trainee.id
    seat_in(person_id, "K1", "K2")
    here.certified()
    now = world.NOW + DAY
    assert brief(person_id, now)[:2] == ("lesson", "K2.1")
    with unit_of_work():
        scheme = db.session.scalars(select(Scheme).where(Scheme.code == "K1")).one()
        scheme.document = scheme.document | {"curricula": ["K1", "K2"]}
    assert brief(person_id, now) == ("certificate", "K1", "done")


def test_the_ring_counts_what_is_reached(someone: int):
    append(someone, ledgers.full("K1", NOW))
    found = services.read_learner(someone, now=NOW)
    assert (found.reached, found.total) == (21, 84)
    assert (found.critical_reached, found.critical_total) == (6, 21)
    assert [(one.code, one.reached, one.total) for one in found.curricula] == [("K1", 21, 21)]
    assert len(found.units) == 10
    assert sum(line.reached for line in found.units) == 21


def text_of(browser: FlaskClient) -> str:
    answer = browser.get("/")
    assert answer.status_code == 200
    return " ".join(answer.get_data(as_text=True).split())


def test_a_companion_sees_one_thing_to_do(app: Flask, sign_in: Enter):
    person = factories.person("trainee", name="Rahma Yuliani")
    where = factories.cohort(
        title="Angkatan 3", starts_on=date(2027, 3, 20), ends_on=date(2027, 3, 21)
    )
    factories.seat(person, where)
    text = text_of(sign_in(person))
    assert re.search(r"<h1>Selamat (pagi|siang|sore|malam), Rahma</h1>", text)
    assert text.count('class="card card-main') == 1
    assert "K1.1 Empat bentuk KDRT" in text
    assert 'href="/modul/k1/1">Buka pelajaran' in text
    assert "Angkatan 3, Kota Contoh" in text
    assert "20–21 Maret 2027" in text
    assert "0 dari 10 pelajaran" in text
    assert "0 dari 21 kriteria tercapai" in text
    assert text.count("kriteria tercapai.") == 5
    assert "<title>Beranda – Suluh</title>" in text
    assert "Perlu jeda?" in text


def test_a_companion_without_a_class(sign_in: Enter):
    assert "Anda belum masuk angkatan" in text_of(sign_in(factories.person("trainee")))


def test_without_lessons_the_page_says_so(app: Flask, sign_in: Enter):
    with unit_of_work():
        modules.load([], now=NOW)
    text = text_of(sign_in(factories.person("trainee")))
    assert "Pelajaran sedang disiapkan" in text


def test_a_trainer_to_be_hears_that_another_certificate_comes_first(app: Flask, sign_in: Enter):
    place = world.World()
    learner = place.trainee
    day = world.NOW.date() + 9 * DAY
    cohort = factories.cohort(curricula={"T": ""}, starts_on=day, ends_on=day)
    factories.seat(learner, cohort)
    world.fulfil(learner, "T")
    with time_machine.travel(world.NOW, tick=False):
        ledger = text_of(sign_in(learner))
    assert "Sertifikat PENDAMPING lebih dulu" in ledger
    assert "Semua bukti T sudah lengkap." in ledger
    assert "Semua syaratnya terpenuhi" not in ledger


def test_what_comes_before_is_asked_of_that_scheme_only(app: Flask):
    place = world.World()
    learner = place.trainee

    def lacks(curriculum: str) -> str:
        return services._History.of(learner.id, world.NOW).lacking(curriculum)

    assert [lacks(code) for code in ("T", "K1", "K9")] == ["PENDAMPING", "", ""]
    world.fulfil(learner, "K1", "K2", "K3", "K4", "K5")
    place.issue(learner, "PENDAMPING")
    assert lacks("T") == ""


def test_every_step_has_its_words(app: Flask, sign_in: Enter, monkeypatch: pytest.MonkeyPatch):
    """Each kind of step in each standing is drawn, with an address and without a gap."""
    person = factories.person("trainee")
    factories.seat(person, factories.cohort())
    browser = sign_in(person)
    real = services.read_learner
    codes = {
        What.LESSON: "K1.6", What.PRACTICE: "S1", What.SIMULATION: "S2", What.QUIZ: "K1",
        What.CASE: "SK1", What.MEETING: "K1.T", What.OBSERVATION: "K1", What.DECISION: "K1",
        What.CERTIFICATE: "K1", What.BEFORE: "PENDAMPING",
    }  # fmt: skip
    seen = set()
    for what, code in codes.items():
        for standing in Standing:
            step = Step(what=what, curriculum="K1", code=code, standing=standing, at=NOW + DAY)

            def read(person_id: int, *, now: datetime, step: Step = step) -> services.Learner:
                return replace(real(person_id, now=now), next=Next(step, (step,)))

            monkeypatch.setattr(services, "read_learner", read)
            text = text_of(browser)
            card = text[text.index('class="card card-main') :]
            card = card[: card.index("</section>")]
            [address] = re.findall(r'href="([^"]+)"', card)
            assert address.startswith("/")
            words = re.sub(r"<[^>]+>", " ", card)
            assert len(words.split()) > 8
            seen.add(words)
            if standing is Standing.WAIT:
                assert "3 Maret 2026, 15.00 WIB" in card
    assert len(seen) > 25


def test_a_class_that_is_over_says_whom_to_ask(app: Flask, sign_in: Enter):
    person = factories.person("trainee")
    factories.seat(person, factories.cohort(curricula={"K1": ""}))
    learn(person.id)
    append(person.id, only(EvidenceKind.SIM, EvidenceKind.Q, EvidenceKind.SK))
    with time_machine.travel(datetime(2026, 3, 5, tzinfo=UTC), tick=False):
        text = text_of(sign_in(person))
    assert "Dilakukan pada tatap muka, 20–21 Maret 2026, di Aula Dinas." in text
    with time_machine.travel(datetime(2026, 3, 25, tzinfo=UTC), tick=False):
        assert "Tatap muka sudah lewat" in text_of(sign_in(person))


@pytest.mark.parametrize("finished", [0, 10])
def test_home_costs_six_queries(app: Flask, sign_in: Enter, finished: int):
    person = factories.person("trainee")
    factories.seat(person, factories.cohort())
    if finished:
        learn(person.id)
        append(person.id, ledgers.full("K1", NOW))
    browser = sign_in(person)
    browser.get("/")
    with counted() as statements:
        browser.get("/")
    assert len(statements) <= 6


def test_a_trainer_sees_classes_and_what_waits(app: Flask, sign_in: Enter):
    here = cases.scene()
    cases.hand_in(here.trainee)
    assessor = db.session.get_one(Person, here.assessor.id)
    text = text_of(sign_in(assessor))
    assert "1 studi kasus menunggu penilaian Anda." in text
    assert f'href="/angkatan/{here.slug}"' in text
    assert f'href="/angkatan/{here.slug}/observasi"' in text
    assert f'href="/angkatan/{here.slug}/hadir"' not in text
    trainer = db.session.get_one(Person, here.trainer.id)
    assert f'href="/angkatan/{here.slug}/hadir"' in text_of(sign_in(trainer))


def test_a_trainer_without_a_class(sign_in: Enter):
    text = text_of(sign_in(factories.person("trainer")))
    assert "Belum ada angkatan" in text
    assert "Tidak ada yang menunggu." in text


def test_classes_to_come_have_no_lists_yet(sign_in: Enter):
    person = factories.person("trainer")
    where = factories.cohort(starts_on=date(2099, 1, 2), ends_on=date(2099, 1, 2))
    factories.staff(person, where, Part.TRAINER)
    text = text_of(sign_in(person))
    assert "2 Januari 2099" in text
    assert "/hadir" not in text


def test_a_speaker_sees_the_sessions(sign_in: Enter):
    person = factories.person("speaker")
    assert "Belum ada sesi" in text_of(sign_in(person))
    talk = Timetabled(
        day=2, half="pm", position=1, title="Hukum acara", title_en="Procedure", jp=2,
        speaker_id=person.id,
    )  # fmt: skip
    factories.cohort(timetable=[talk])
    with time_machine.travel(factories.NOW, tick=False):
        text = text_of(sign_in(person))
    assert "Hukum acara" in text
    assert "21 Maret 2026, siang" in text
    assert "2 JP" in text
    assert "Hukum acara" not in text_of(sign_in(person))  # the access has ended since


# A certificate that ends


def endings(person_id: int, now: datetime) -> list[tuple[str, int]]:
    with counted() as statements:
        found = services.read_learner(person_id, now=now)
    assert len(statements) <= 5
    return [(one.scheme, one.stage) for one in found.endings]


@pytest.mark.both
def test_the_home_tells_of_an_end_on_the_days_the_notices_do(app: Flask):
    held = world.World()
    paper, who = held.certified(held.trainee), held.trainee.id
    ends, issued = paper.valid_until, paper.issued_at
    assert endings(who, issued) == []
    for left in (91, 90, 31, 30, 8, 7, 1, 0, -1, -30, -31):
        at = end_of(ends) - timedelta(days=left + 1)  # the first moment of a day of western time
        stage = notices.paper_stage(ends, ends - timedelta(days=left))
        for moment in (at, at + timedelta(hours=23, minutes=59)):
            told = [] if stage is None else [("K1", stage)]
            assert endings(who, moment) == told, left
    stranger = factories.person("trainee").id
    assert endings(stranger, end_of(ends) - DAY) == []


@pytest.mark.both
def test_who_was_told_by_a_notice_reads_it_at_home(app: Flask):
    """The same days on both sides, counted from what is really sent."""
    held = world.World()
    paper, who = held.certified(held.trainee), held.trainee.id
    ends = paper.valid_until
    for left in (92, 91, 90, 45, 0, -1, -29, -30, -31, -32):
        now = end_of(ends) - timedelta(days=left + 1) + timedelta(hours=5)
        due_now = [
            one.stage
            for span in notices.paper_spans(day_of(now))
            for one in due._papers_ending(span, "WIB")
        ]
        assert [stage for _scheme, stage in endings(who, now)] == due_now, left


@pytest.mark.both
@pytest.mark.parametrize("kind", list(EventKind))
def test_what_was_taken_back_or_renewed_ends_silently(app: Flask, kind: EventKind):
    held = world.World()
    paper, who = held.certified(held.trainee), held.trainee.id
    near = end_of(paper.valid_until) - 20 * DAY
    assert endings(who, near) == [("K1", 30)]
    ids = paper.id, held.trainer.id
    with unit_of_work():
        db.session.add(
            CertificateEvent(
                certificate_id=ids[0], kind=kind, reason_public="error", reason_internal="",
                by_id=ids[1], at=near,
            )
        )  # fmt: skip
    assert endings(who, near) == []


def test_a_renewed_certificate_ends_silently(app: Flask):
    held = world.World()
    paper, who = held.certified(held.trainee), held.trainee
    near = end_of(paper.valid_until) - 20 * DAY
    world.fulfil(who, "K1", at=near - 9 * DAY)
    held.issue(who, now=near)
    assert endings(who.id, near + DAY) == []
    assert endings(who.id, near + 25 * DAY) == []  # also once the old one is over


def test_the_words_of_an_end(app: Flask, sign_in: Enter):
    held = world.World()
    paper = held.certified(held.trainee)
    for left, words in (
        (20, "Sertifikat Asesmen Risiko segera berakhir."),
        (-3, "Sertifikat Asesmen Risiko sudah berakhir."),
    ):
        with time_machine.travel(end_of(paper.valid_until) - left * DAY, tick=False):
            text = text_of(sign_in(held.trainee))
        assert words in text
        assert f"Berlaku sampai {day(paper.valid_until)}" in text
        assert 'href="/sertifikat#menuju"' in text
    assert "berakhir" not in text_of(sign_in(factories.person("trainee")))


def test_an_officer_sees_the_two_ways(sign_in: Enter):
    text = text_of(sign_in(factories.officer()))
    assert 'href="/instansi"' in text
    assert 'href="/instansi/periksa"' in text


def test_authors_and_reviewers_see_what_no_expert_has_read(sign_in: Enter):
    text = text_of(sign_in(factories.person("reviewer")))
    lessons = db.session.scalar(select(func.count()).select_from(Lesson))
    items = db.session.scalar(select(func.count()).select_from(Item))
    counts = re.findall(r"0 dari (\d+) ditelaah ahli", text)
    assert counts[:2] == [str(lessons), str(items)]
    assert len(counts) == 8  # and cases, simulations, stations, and three kinds of exercise
    assert "Dimuat 2 Januari 2026" in text


def test_an_administrator_sees_what_to_do_first(sign_in: Enter):
    person = factories.person("admin")
    text = text_of(sign_in(person))
    assert "0 dari 5 langkah selesai." in text
    assert text.count('class="button"') == 1
    where = factories.cohort()
    factories.seat(factories.person("trainee"), where)
    factories.person("trainer", "assessor")
    text = text_of(sign_in(person))
    assert "4 dari 5 langkah selesai." in text
    assert "SULUH_SMTP_URL" in text


def test_somebody_with_many_roles_sees_a_part_for_each(sign_in: Enter):
    roles = ("trainee", "trainer", "assessor", "speaker", "agency", "author", "reviewer", "admin")
    text = text_of(sign_in(factories.person(*roles)))
    for heading in (
        "Capaian saya", "Angkatan saya", "Sesi saya", "Instansi Anda", "Keadaan materi",
        "Menyiapkan pelatihan",
    ):  # fmt: skip
        assert heading in text


def test_strangers_are_sent_to_the_door(client: FlaskClient):
    factories.person("admin")
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    ("role", "most"),
    [
        ("trainer", 9),
        ("assessor", 8),
        ("speaker", 8),
        ("agency", 8),
        ("author", 10),  # one for each kind of text
        ("reviewer", 10),
        ("admin", 8),
    ],
)
def test_other_homes_cost_few_queries(app: Flask, sign_in: Enter, role: str, most: int):
    here = cases.scene()
    cases.hand_in(here.trainee)
    person = factories.person(role)
    if role in ("trainer", "assessor"):
        for _n in range(3):
            factories.staff(person, factories.cohort(), Part(role))
    browser = sign_in(person)
    browser.get("/")
    with counted() as statements:
        browser.get("/")
    assert len(statements) <= most
