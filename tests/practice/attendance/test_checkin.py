"""People note themselves by the code on the screen."""

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Part
from lms.competency.models import Evidence
from lms.core import throttle
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent
from lms.practice.attendance import checkin, rules, services, tickets
from lms.practice.attendance.checkin import Begin, CheckIn, OwnClass, Result, WrongCode
from lms.practice.attendance.models import Attendance, Presence, Way
from lms.practice.attendance.rules import Half
from tests import factories
from tests.practice.attendance.test_services import AT, Room, lessons_of

SignIn = Callable[[Person], FlaskClient]
SECRET = b"rahasia untuk uji"
NINE = Begin(datetime(2026, 3, 20, 9, 0).time(), 15)  # noqa: DTZ001  # a time of day
STEP = timedelta(seconds=rules.STEP)
MORNING, REST = Half(1, "am"), Half(2, "am")


def open_half(room: Room, key: str, now: datetime = AT, begin: Begin = NINE) -> None:
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort.id)
        checkin.open_half(cohort, key, begin, actor_id=room.trainer.id, now=now)


def code(room: Room, half: Half, moment: datetime = AT, secret: bytes = SECRET) -> str:
    return rules.code_at(secret, room.cohort.id, half, rules.step_of(moment))


def show(
    room: Room,
    shown: str,
    n: int = 0,
    *,
    now: datetime = AT,
    at: datetime | None = None,
    slug: str | None = None,
    device: str = "gawai",
) -> CheckIn:
    with unit_of_work():
        return checkin.check_in(
            shown,
            slug=slug,
            person_id=room.people[n].id,
            shown_at=at or now,
            device=device,
            secret=SECRET,
            now=now,
        )


def test_who_shows_the_code_is_noted_once_with_the_trainer_as_witness(app: Flask):
    room = Room()
    open_half(room, "2am")
    found = show(room, code(room, REST))
    assert (found.result, found.half, found.mark.presence) == (
        Result.RECORDED, REST, Presence.LATE,
    )  # fmt: skip
    again = show(room, code(room, REST, AT + STEP), now=AT + STEP)
    assert again.result is Result.ALREADY
    [row] = db.session.scalars(select(Attendance)).all()
    assert (row.way, row.recorded_by) == (Way.CODE, room.people[0].id)
    assert db.session.scalars(select(Evidence.assessor_id)).all() == [room.trainer.id]
    assert lessons_of(room.people[0], AT) == ["K4.T"]


@pytest.mark.parametrize(
    ("minute", "presence"),
    [(-30, "present"), (15, "present"), (16, "late")],
)
def test_late_is_by_the_hour_the_trainer_set(app: Flask, minute: int, presence: str):
    room = Room(1)
    begins = datetime(2026, 3, 20, 2, 0, tzinfo=UTC)
    now = begins + timedelta(minutes=minute)
    open_half(room, "1am", begins - timedelta(hours=1))
    assert show(room, code(room, MORNING, now), now=now).mark.presence.value == presence


def test_a_code_lives_for_its_step_and_the_next_one(app: Flask):
    room = Room(3)
    start = datetime.fromtimestamp(rules.step_of(AT) * rules.STEP, UTC)
    open_half(room, "1am", start - STEP)
    seen = code(room, MORNING, start)
    assert show(room, seen, 0, now=start + 2 * STEP - timedelta(seconds=1)).result
    with pytest.raises(WrongCode):
        show(room, seen, 1, now=start + 2 * STEP)
    with pytest.raises(WrongCode):  # a code of the time to come is none either
        show(room, code(room, MORNING, start + 2 * STEP), 2, now=start + STEP)


def test_a_code_is_for_its_own_half_day_class_and_installation(app: Flask):
    room, other = Room(), Room()
    open_half(room, "1am")
    for wrong in (
        code(room, REST),
        code(other, MORNING),
        code(room, MORNING, secret=b"lain"),
        "",
        "ABCDEF",
        "é" * 6,
    ):
        with pytest.raises(WrongCode):
            show(room, wrong)
    assert show(room, code(room, MORNING)).result is Result.RECORDED  # the positive control


def test_only_people_with_a_seat_are_noted_and_only_where_they_sit(app: Flask):
    room, other = Room(), Room()
    open_half(room, "1am")
    shown = code(room, MORNING)
    with pytest.raises(WrongCode), unit_of_work():
        checkin.check_in(
            shown, slug=None, person_id=other.people[0].id, shown_at=AT, device="", secret=SECRET,
            now=AT,
        )  # fmt: skip
    with pytest.raises(WrongCode):
        show(room, shown, slug=other.cohort.slug)
    assert db.session.scalar(select(func.count()).select_from(Attendance)) == 0


def test_nothing_is_taken_before_it_is_opened_after_it_is_closed_or_the_day_after(app: Flask):
    room = Room()
    with pytest.raises(WrongCode):
        show(room, code(room, MORNING))
    open_half(room, "1am")
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort.id)
        for _twice in range(2):
            checkin.close_half(cohort, "1am", actor_id=room.trainer.id, now=AT + STEP)
    later = AT + 2 * STEP
    with pytest.raises(WrongCode):
        show(room, code(room, MORNING, later), now=later)
    # Who showed it while it was open, and then had to sign in, is not too late.
    assert show(room, code(room, MORNING), at=AT, now=later).result is Result.RECORDED
    open_half(room, "1am", later)
    tomorrow = AT + timedelta(days=1)
    with pytest.raises(WrongCode):
        show(room, code(room, MORNING, tomorrow), 1, now=tomorrow)
    actions = db.session.scalars(select(AuditEvent.action)).all()
    assert [one for one in actions if one.startswith("attendance.")] == [
        "attendance.open", "attendance.close", "attendance.open",
    ]  # fmt: skip


@pytest.mark.parametrize("mark", ["present", "late", "absent"])
def test_a_code_never_changes_what_a_trainer_noted(app: Flask, mark: str):
    room = Room(1)
    room.note("1am", mark)
    open_half(room, "1am")
    found = show(room, code(room, MORNING))
    assert found.result is (Result.BY_TRAINER if mark == "absent" else Result.ALREADY)
    assert found.mark.presence.value == mark
    note = room.noted(0)
    assert note is not None
    assert (note.presence.value, note.way) == (mark, Way.LIST)


def test_who_was_taken_back_may_show_a_new_code(app: Flask):
    room = Room(1)
    open_half(room, "1am")
    show(room, code(room, MORNING))
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort.id)
        person = room.people[0].public_id
        services.undo(cohort, "1am", person, recorder_id=room.trainer.id, now=AT)
    assert room.noted(0) is None
    assert show(room, code(room, MORNING)).result is Result.RECORDED


def test_who_opened_the_half_day_cannot_note_themselves(app: Flask):
    room = Room(1)
    factories.seat(room.trainer, room.cohort)
    open_half(room, "1am")
    room.people.append(room.trainer)
    with pytest.raises(OwnClass):
        show(room, code(room, MORNING), 1)
    assert room.noted(0) is None


def test_ten_wrong_codes_then_a_pause_of_ten_minutes(app: Flask):
    room = Room()
    open_half(room, "1am")
    person = room.people[0].id
    for n in range(checkin.TRIES):
        with pytest.raises(WrongCode):
            show(room, "AAAAAA", now=AT + timedelta(seconds=n))
        with unit_of_work():
            checkin.count_wrong(person, now=AT + timedelta(seconds=n))
    now = AT + timedelta(seconds=30)
    with pytest.raises(throttle.TooSoon) as waits:
        show(room, code(room, MORNING, now), now=now)
    assert 560 < waits.value.seconds <= 600
    assert show(room, code(room, MORNING, now), 1, now=now).result  # a neighbour does not wait
    later = AT + timedelta(minutes=11)
    assert show(room, code(room, MORNING, later), now=later).result is Result.RECORDED
    with unit_of_work():
        checkin.count_wrong(person, now=later)
    assert show(room, code(room, MORNING, later), now=later).result is Result.ALREADY


def test_one_browser_for_many_is_told_to_the_trainer(app: Flask):
    room = Room(3)
    open_half(room, "1am")
    for n, device in enumerate(["satu", "satu", "dua"]):
        show(room, code(room, MORNING), n, device=device)
    lines = services.get_sheet(room.cohort, "1am", now=AT).lines
    assert [line.shares for line in lines] == [("Peserta 001",), ("Peserta 000",), ()]
    arrivals = checkin.list_arrivals(room.cohort, MORNING)
    assert [one.name for one in arrivals] == ["Peserta 002", "Peserta 001", "Peserta 000"]
    assert [one.shares for one in arrivals] == [(), ("Peserta 000",), ("Peserta 001",)]


@pytest.mark.both
def test_the_same_code_twice_at_once_is_one_note(bare_app: Flask):
    with bare_app.app_context():
        room = Room(1)
        open_half(room, "2am")
        shown, person_id = code(room, REST), room.people[0].id
    barrier, results, failures = threading.Barrier(2), [], []

    def scan() -> None:
        try:
            with bare_app.app_context():
                barrier.wait(5)
                with unit_of_work():
                    found = checkin.check_in(
                        shown, slug=None, person_id=person_id, shown_at=AT, device="", now=AT,
                        secret=SECRET,
                    )  # fmt: skip
                results.append(found.result)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=scan) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(results) == [Result.ALREADY, Result.RECORDED]
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Attendance)) == 1
        assert db.session.scalar(select(func.count()).select_from(Evidence)) == 1


@pytest.mark.both
def test_opening_again_changes_the_hour(app: Flask):
    room = Room(0)
    open_half(room, "1am")
    open_half(room, "1am", AT + STEP, Begin(NINE.at.replace(hour=10), 5))
    screen = checkin.get_screen(room.cohort, "1am", secret=SECRET, now=AT + STEP)
    assert screen.is_open
    assert (screen.begin.at.hour, screen.begin.late_after) == (10, 5)
    assert screen.code == code(room, MORNING, AT + STEP)
    assert checkin.get_code(room.cohort, "1am", secret=SECRET, now=AT + STEP) == screen.code
    with pytest.raises(NotFound):
        open_half(room, "9am")


def test_a_closed_screen_shows_no_code_and_proposes_the_usual_hour(app: Flask):
    room = Room(0)
    screen = checkin.get_screen(room.cohort, "1pm", secret=SECRET, now=AT)
    assert (screen.code, screen.is_open, screen.begin.at.hour) == ("", False, 13)
    assert checkin.get_code(room.cohort, "1pm", secret=SECRET, now=AT) is None


# Through the browser's door


def enter(app: Flask, room: Room, sign_in: SignIn, n: int = 0) -> FlaskClient:
    return sign_in(room.people[n])


def shown_code(app: Flask, room: Room, half: Half, moment: datetime) -> str:
    with app.test_request_context():
        return code(room, half, moment, tickets.secret())


def where(room: Room) -> str:
    return f"/angkatan/{room.cohort.slug}/hadir"


@time_machine.travel(AT, tick=False)
def test_the_screen_opens_shows_a_code_and_closes(app: Flask, sign_in: SignIn):
    room = Room()
    browser = sign_in(room.trainer)
    assert browser.get(f"{where(room)}/kode.svg?bagian=1am").status_code == 404
    page = browser.get(f"{where(room)}/kode?bagian=1am").text
    assert 'value="08:00"' in page
    sent = {"bagian": "1am", "mulai": "09:00", "toleransi": "10"}
    response = browser.post(f"{where(room)}/buka", data=sent)
    page = browser.get(response.location).text
    letters = shown_code(app, room, MORNING, AT)
    assert f"{letters[:3]} {letters[3:]}" in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "Mulai 09.00; setelah 10 menit dicatat terlambat." in page
    picture = browser.get(f"{where(room)}/kode.svg?bagian=1am")
    assert picture.mimetype == "image/svg+xml"
    assert picture.headers["Cache-Control"] == "no-store"
    browser.post(f"{where(room)}/tutup", data={"bagian": "1am"})
    assert letters not in browser.get(f"{where(room)}/kode?bagian=1am").text.replace(" ", "")


@time_machine.travel(AT, tick=False)
@pytest.mark.parametrize(
    "sent", [{"mulai": "25:00"}, {"mulai": ""}, {"toleransi": "121"}, {"toleransi": "banyak"}]
)
def test_an_hour_that_cannot_be_is_refused(app: Flask, sign_in: SignIn, sent: dict[str, str]):
    room = Room(0)
    whole = {"bagian": "1am", "mulai": "09:00", "toleransi": "10"} | sent
    assert sign_in(room.trainer).post(f"{where(room)}/buka", data=whole).status_code == 422


def test_the_qr_code_holds_the_address_of_the_code(app: Flask):
    """Read back from the drawing: the modules are those of the text."""
    import segno

    from lms.practice.attendance import pictures

    with app.test_request_context():
        text = pictures.address("kelas-a", "ABC234")
        drawn = pictures.qr(text)
    assert text == "http://127.0.0.1:8000/hadir/kelas-a/ABC234"
    wanted = [list(row) for row in segno.make_qr(text, error="m", boost_error=False).matrix]
    found = [[0] * len(wanted) for _ in wanted]
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1", drawn):
        for n in range(int(width)):
            found[int(y) - pictures.QUIET][int(x) - pictures.QUIET + n] = 1
    assert found == [[int(cell) for cell in row] for row in wanted]


def test_scanning_shows_a_button_and_writes_nothing(app: Flask, sign_in: SignIn):
    room = Room()
    with time_machine.travel(AT, tick=False):
        open_half(room, "1am")
        scanned = f"/hadir/{room.cohort.slug}/{shown_code(app, room, MORNING, AT)}"
        browser = enter(app, room, sign_in)
        page = browser.get(scanned)
        assert "Catat kehadiran saya" in page.text
        assert room.noted(0) is None
        response = browser.post(scanned)
        assert response.location == "/hadir"
        assert "Tercatat: Hari 1, pagi, Terlambat." in browser.get("/hadir").text
        assert "Anda sudah tercatat" in browser.get(browser.post(scanned).location).text
    note = room.noted(0)
    assert note is not None
    assert note.way is Way.CODE


def test_signing_in_does_not_lose_the_code(app: Flask, sign_in: SignIn):
    room = Room()
    scanned = f"/hadir/{room.cohort.slug}/{shown_code(app, room, MORNING, AT)}"
    stranger = app.test_client()
    with time_machine.travel(AT, tick=False):
        open_half(room, "1am")
        page = stranger.get(scanned)
        assert page.status_code == 200
        assert f"/masuk?next={scanned}" in page.text
    ticket = stranger.get_cookie(tickets.COOKIE, path="/hadir")
    assert ticket is not None

    def back(n: int, minutes: float, value: str) -> int:
        with time_machine.travel(AT + timedelta(minutes=minutes), tick=False):
            browser = enter(app, room, sign_in, n)
            browser.set_cookie(tickets.COOKIE, value, path="/hadir")
            browser.get(scanned)
            return browser.post(scanned).status_code

    assert back(0, 9.9, "tanpa tiket") == 422  # nobody else may use the code that late
    assert back(0, 9.9, ticket.value) == 302
    assert back(1, 10.1, ticket.value) == 422  # nor anybody with a ticket that is too old
    note = room.noted(0)
    assert note is not None
    assert note.presence is Presence.LATE
    assert room.noted(1) is None


def test_a_ticket_of_somebody_signed_in_is_theirs(app: Flask, sign_in: SignIn):
    room = Room()
    scanned = f"/hadir/{room.cohort.slug}/{shown_code(app, room, MORNING, AT)}"
    with time_machine.travel(AT, tick=False):
        open_half(room, "1am")
        first = enter(app, room, sign_in)
        first.get(scanned)
        ticket = first.get_cookie(tickets.COOKIE, path="/hadir")
    assert ticket is not None
    with time_machine.travel(AT + timedelta(minutes=5), tick=False):
        second = enter(app, room, sign_in, 1)
        second.set_cookie(tickets.COOKIE, ticket.value, path="/hadir")
        assert second.post(scanned).status_code == 422
        assert first.post(scanned).status_code == 302


@time_machine.travel(AT, tick=False)
def test_a_wrong_code_tells_what_to_do_and_the_tenth_makes_wait(app: Flask, sign_in: SignIn):
    room = Room()
    open_half(room, "1am")
    browser = enter(app, room, sign_in)
    for _try in range(checkin.TRIES):
        answer = browser.post("/hadir", data={"kode": "AAA AAA"})
        assert answer.status_code == 422
        assert "Lihat kode yang sedang tampil di layar" in answer.text
    right = shown_code(app, room, MORNING, AT)
    answer = browser.post("/hadir", data={"kode": right})
    assert answer.status_code == 422
    assert "Terlalu banyak percobaan." in answer.text
    other = enter(app, room, sign_in, 1)
    answer = other.post("/hadir", data={"kode": f" {right[:3].lower()}-{right[3:].lower()} "})
    assert answer.status_code == 302
    assert room.noted(0) is None
    assert room.noted(1) is not None


@time_machine.travel(AT, tick=False)
def test_the_same_browser_for_two_people_is_seen(app: Flask, sign_in: SignIn):
    room = Room()
    open_half(room, "1am")
    right = shown_code(app, room, MORNING, AT)
    first = enter(app, room, sign_in)
    first.post("/hadir", data={"kode": right})
    cookie = first.get_cookie(tickets.COOKIE, path="/hadir")
    assert cookie is not None
    second = enter(app, room, sign_in, 1)
    second.set_cookie(tickets.COOKIE, cookie.value, path="/hadir")
    second.post("/hadir", data={"kode": right})
    page = sign_in(room.trainer).get(f"{where(room)}/langsung?bagian=1am").text
    assert page.count("Dicatat dari perangkat yang sama dengan") == 2
    assert page.index("Peserta 001") < page.index("Peserta 000")


@time_machine.travel(AT, tick=False)
def test_a_forged_or_broken_cookie_is_a_new_browser(app: Flask, sign_in: SignIn):
    room = Room()
    open_half(room, "1am")
    browser = enter(app, room, sign_in)
    scanned = f"/hadir/{room.cohort.slug}/{shown_code(app, room, MORNING, AT)}"
    browser.set_cookie(tickets.COOKIE, "ini.bukan.tiket", path="/hadir")
    assert browser.get(scanned).status_code == 200
    assert browser.post(scanned).status_code == 302


def test_somebody_without_a_seat_finds_nothing(app: Flask, sign_in: SignIn):
    room = Room()
    outsider = sign_in(factories.person())
    for method in (outsider.get, outsider.post):
        assert method(f"/hadir/{room.cohort.slug}/ABCDEF").status_code == 404
        assert method("/hadir/tidak-ada/ABCDEF").status_code == 404
    page = outsider.get("/hadir").text
    assert "Belum ada kelas" in page


@time_machine.travel(AT, tick=False)
def test_ones_own_page_shows_every_half_day(app: Flask, sign_in: SignIn):
    room = Room(1)
    room.note("1am", rules.Mark(Presence.PARTIAL, 45))
    open_half(room, "1pm")
    page = enter(app, room, sign_in).get("/hadir").text
    assert "Sebagian, 45 menit" in page
    assert "belum dihitung hadir" in page
    assert "Kode sedang dibuka" in page
    assert page.count("Belum dicatat") == 1


@pytest.mark.parametrize("part", [Part.ASSESSOR, Part.SPEAKER, None])
def test_only_a_trainer_of_the_class_sees_the_code(app: Flask, sign_in: SignIn, part: Part | None):
    room = Room()
    open_half(room, "1am")
    other = factories.person("trainer")
    if part:
        factories.staff(other, room.cohort, part)
    browser = sign_in(other)
    for page in ("kode", "kode.svg?bagian=1am", "langsung", "lembar", "lembar.pdf"):
        assert browser.get(f"{where(room)}/{page}").status_code == 404
        assert enter(app, room, sign_in).get(f"{where(room)}/{page}").status_code == 403
    for action in ("buka", "tutup", "lembar"):
        sent = {"bagian": "1am", "mulai": "09:00", "toleransi": "5"}
        assert browser.post(f"{where(room)}/{action}", data=sent).status_code == 404


@time_machine.travel(AT, tick=False)
def test_the_screen_names_hours_where_no_script_counts(app: Flask, sign_in: SignIn):
    room = Room()
    browser = sign_in(room.trainer)
    screen = f"{where(room)}/kode?bagian=1am"
    page = browser.get(screen).text
    assert 'data-offset="420"' in page
    assert 'value="09:45"' in page  # a break of a quarter of an hour is proposed
    for sent, until in (("latihan=20&menit=", "09:50"), ("latihan=20&menit=7", "09:37")):
        response = browser.get(f"{screen}&{sent}")
        assert response.status_code == 302
        assert response.location.endswith(f"{where(room)}/kode?bagian=1am&sampai={until}")
    assert "Latihan sampai pukul 09.50." in browser.get(f"{screen}&sampai=09:50").text
    assert "Jeda. Kembali pukul 10.15." in browser.get(f"{screen}&jeda=10:15").text
    # What is no hour is not drawn, and not repeated.
    for sent in ("jeda=<b>besok", "sampai=25:00", "latihan=999", "menit=x"):
        page = browser.get(f"{screen}&{sent}").text
        assert "data-stage " in page
        assert "besok" not in page


@time_machine.travel(AT, tick=False)
def test_no_companion_s_name_stands_on_the_screen(app: Flask, sign_in: SignIn):
    room = Room()
    room.note("1am", "present", "late")
    open_half(room, "1am")
    page = sign_in(room.trainer).get(f"{where(room)}/kode?bagian=1am").text
    assert "2 dari 2" in page
    assert not any(person.name in page for person in room.people)
    assert room.people[0].name in sign_in(room.trainer).get(where(room)).text
