"""The fictional Kota Contoh: one class of 25 people at every stage."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from flask import current_app

from lms.accounts import services as accounts
from lms.cohorts import officers, organisations
from lms.cohorts import services as cohorts
from lms.cohorts import speakers as guests
from lms.cohorts import timetable as two_days
from lms.cohorts.curricula import list_offers
from lms.cohorts.models import Cohort, Part
from lms.competency.rules import TRAINER_CURRICULUM
from lms.config import Config
from lms.core.db import unit_of_work
from lms.core.login import Viewer
from lms.credentials import register, signatures
from lms.credentials import services as credentials
from lms.credentials.models import Method
from lms.credentials.rules import Reason
from lms.demo import (
    after,
    classroom,
    companions,
    desk,
    judges,
    panels,
    people,
    place,
    readers,
    seats,
)
from lms.demo import agency as offices
from lms.demo.walk import K1, ONLINE, Walk, attend, keys
from lms.practice.attendance import services as attendance
from lms.privacy import consent

DAY = timedelta(days=1)
SPEAKERS = (("Ni Luh Puspita", "speaker"),)
HOUR = timedelta(hours=1)


@dataclass(slots=True)
class City:
    """What has been built so far."""

    config: Config
    now: datetime
    random: Random
    organisations: dict[str, int]
    passwords: dict[str, tuple[int, str, str]]
    """Name to person id, e-mail, password."""
    walks: dict[str, Walk]

    def id_of(self, name: str) -> int:
        """Return the person of this name."""
        return self.passwords[name][0]

    def viewer(self, name: str, role: str) -> Viewer:
        """Return somebody as services that check scope see them."""
        return Viewer(self.id_of(name), "", name, frozenset([role]), "id", "")


def build(base_url: str, folder: Path, *, now: datetime) -> dict[str, Any]:
    """Fill an empty, loaded database; papers go to `folder`. Returns what `demo.json` holds."""
    city = City(
        config=current_app.extensions["suluh"],
        now=now,
        random=Random(7),
        organisations={},
        passwords={},
        walks={},
    )
    _organisations(city)
    _accounts(city)
    _to_come(city)
    _trainers(city)
    old = _cohort(city, "Angkatan 1", now - 790 * DAY)
    new = _cohort(city, "Angkatan 2", now - 20 * DAY)
    issued = _past(city, old, base_url) | _present(city, new, base_url)
    _colleagues(city, base_url)
    quiet = [city.id_of(name) for name, _agency, stage in people.SEATS if stage == "quiet"]
    sender = city.id_of("Wati Suryani"), "Wati Suryani"
    desk.greet(new.id, quiet, sender, f"{base_url}/", now - 2 * DAY)
    _after(city, old.id, new.id)
    expert, admin = "Hasan Basri", city.id_of("Ayu Pratiwi")
    readers.review(city.viewer(expert, "reviewer"), city.passwords[expert][1], admin, now)
    desk.count(now)
    classroom.hold(
        classroom.Room(
            new.id,
            city.viewer("Wati Suryani", "trainer"),
            city.viewer("Lestari Widodo", "assessor"),
            now - 20 * DAY,
            now,
        ),
        [seat.person_id for seat in cohorts.list_seats(new.id)],
        Random(5),
    )
    panels.meet(
        city.viewer("Ayu Pratiwi", "admin"),
        [
            city.viewer(expert, "reviewer"),
            *(city.viewer(name, role) for name, role in people.STAFF if role == "trainer"),
        ],
        base_url,
        maker=accounts.hasher(city.config.argon2_memory_kib, city.config.argon2_rounds),
        random=Random(11),
        now=now,
    )
    _agency_day(city)
    return {
        "url": base_url,
        "accounts": _one_per_role(city),
        "certificates": [
            {"code": code, "status": status, "pdf": str(_write_paper(city, code, folder))}
            for code, status in issued.items()
        ],
    }


def _agency_day(city: City) -> None:
    """Let the officers of two agencies keep their lists, and one of them complain."""
    for officer, key in people.OFFICER_OF.items():
        order = ("certified", "ending")
        own = [(name, stage in order) for name, where, stage in people.SEATS if where == key]
        if key == "uptd":
            own += [(name, False) for name, _stage in people.COLLEAGUES]
        chosen = [name for name, _first in sorted(own, key=lambda one: not one[1])]
        offices.keep(
            city.id_of(officer),
            [(city.walks[name].public_id, name) for name in chosen],
            zone=city.config.zone,
            now=city.now,
        )
    [paper] = register.list_held([city.id_of("Rosmini Daeng Ngai")], city.now)[:1]
    offices.complain(
        city.id_of("Mei Lin Tanujaya"),
        {"code": paper.code, "name": paper.holder_name},
        now=city.now - HOUR,
    )


def _write_paper(city: City, code: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{code}.pdf"
    target.write_bytes(register.get_document(code, city.viewer("Ayu Pratiwi", "admin")).body)
    return target


def _organisations(city: City) -> None:
    with unit_of_work():
        for key, (name, kind) in {"host": people.HOST, **people.AGENCIES}.items():
            city.organisations[key] = organisations.create_organisation(
                name=name, kind=kind, city=people.CITY, actor_id=None, now=city.now - 800 * DAY
            ).id


def _accounts(city: City) -> None:
    maker = accounts.hasher(city.config.argon2_memory_kib, city.config.argon2_rounds)
    roles = {name: "trainee" for name, _agency, _stage in people.SEATS}
    roles |= dict.fromkeys(dict(people.COLLEAGUES), "trainee")
    roles |= dict(people.STAFF) | dict(people.OFFICE)
    known = keys(city.config.content_dir)
    with unit_of_work():
        for name, role in roles.items():
            email = f"{name.lower().replace(' ', '.')}@contoh.test"
            password = secrets.token_urlsafe(9)
            made = accounts.create_person(
                email=email,
                name=name,
                password=password,
                roles=[role],
                maker=maker,
                now=city.now - 60 * DAY,
            )
            city.passwords[name] = made.id, email, password
            city.walks[name] = Walk(made.id, made.public_id, known, city.random)
            consent.agree(made.id, "invitation", city.now - 60 * DAY)
        for name, agency in people.OFFICER_OF.items():
            cohorts.add_member(city.id_of(name), city.organisations[agency], Part.OFFICER)
            officers.vouch(
                city.id_of(name),
                city.organisations[agency],
                people.VOUCHED[agency],
                action="cohorts.officer",
                actor_id=city.id_of("Ayu Pratiwi"),
                now=city.now - 60 * DAY,
            )


def _cohort(
    city: City,
    title: str,
    starts: datetime,
    staff: Sequence[tuple[str, str]] = people.STAFF,
    *,
    trains: bool = False,
) -> Cohort:
    """Open a class on all a companion needs, and on training others if it `trains` trainers."""
    day = starts.date()
    speaker = city.id_of("Ni Luh Puspita")
    timetable = [
        replace(entry, speaker_id=speaker if entry.lesson_code == "K5.T" else None)
        for entry in two_days.load(city.config.content_dir)
    ]
    with unit_of_work():
        cohort = cohorts.create_cohort(
            cohorts.ClassData(
                title=f"{title} Kota Contoh",
                city=people.CITY,
                place="Aula Dinas Sosial Kota Contoh",
                address=place.ADDRESS,
                contact_name=place.CONTACT[0],
                contact_phone=place.CONTACT[1],
                contact_email=place.CONTACT[2],
                bring=place.BRING,
                zone="WITA",
                host_id=city.organisations["host"],
                starts_on=day,
                ends_on=day + DAY,
                letterhead=people.LETTERHEAD,
                signatory_title=people.SIGNATORY[0],
                signatory_name=people.SIGNATORY[1],
                signatory_number=people.SIGNATORY[2],
            ),
            slug=f"kota-contoh-{title.split()[-1].lower()}",
            timetable=timetable,
            curricula={
                one.code: one.version
                for one in list_offers()
                if one.version and (trains or one.code != TRAINER_CURRICULUM)
            },
            actor_id=city.id_of("Ayu Pratiwi"),
            now=starts - 30 * DAY,
        )
        cohort_id = cohort.id
        for name, role in staff:
            cohorts.add_staff(city.id_of(name), cohort_id, Part(role))
        guests.set_bio(cohort_id, speaker, place.BIO)
        sheet = BytesIO(place.handout())
        guests.add_file(cohort_id, speaker, "Peta layanan kota.pdf", sheet, now=starts - 30 * DAY)
    return cohorts.get_cohort_by_id(cohort_id)


def _to_come(city: City) -> None:
    """Open the class of next month and let agencies nominate for it."""
    cohort = _cohort(city, "Angkatan 3", city.now + 24 * DAY)
    seats.nominate(
        cohort.id,
        city.organisations,
        {agency: city.id_of(name) for name, agency in people.OFFICER_OF.items()},
        actor_id=city.id_of("Wati Suryani"),
        maker=accounts.hasher(city.config.argon2_memory_kib, city.config.argon2_rounds),
        now=city.now,
    )


def _trainers(city: City) -> None:
    """Hold the class in which the trainers of the city were trained."""
    starts = city.now - 900 * DAY
    cohort = _cohort(city, "Pelatihan TOT", starts, SPEAKERS, trains=True)
    trainers = [city.id_of(name) for name, role in people.STAFF if role == "trainer"]
    after.train_trainers(cohort, city.id_of("Ni Luh Puspita"), trainers, starts)


def _after(city: City, old_id: int, new_id: int) -> None:
    """Let people say what the classes were like, and promise what they will do."""
    seats = {cohort_id: cohorts.list_seats(cohort_id) for cohort_id in (old_id, new_id)}
    here = [seat.person_id for seat in seats[new_id]]
    ended = city.now - 18 * DAY
    after.tell(new_id, here[:17], city.random, ended)
    new, old = (cohorts.get_cohort_by_id(one) for one in (new_id, old_id))
    after.promise(new, here[:6], ended, city.now)
    before = city.now - 788 * DAY
    after.promise(old, [seat.person_id for seat in seats[old_id]], before, city.now)


def _seat(city: City, cohort: Cohort, name: str, agency: str, at: datetime) -> None:
    cohort_id = cohort.id
    with unit_of_work():
        cohorts.enrol(city.id_of(name), cohort_id, city.organisations[agency], now=at)


def _finish_all(city: City, name: str, start: datetime) -> None:
    """Let one companion do everything K1 asks for before the class, and have it marked."""
    walk = city.walks[name]
    walk.read(range(1, ONLINE + 1), start)
    walk.practise("S1", start + DAY)
    walk.graded("S1", start + DAY + HOUR)
    walk.graded("S2", start + DAY + 2 * HOUR)
    wrong = city.random.sample(
        ["02.1.2", "03.2.3", "04.2.2", "02.3.1"], k=city.random.randint(0, 2)
    )
    walk.sit(start + 2 * DAY, wrong=wrong)
    submission = walk.write(start + 3 * DAY)
    walk.mark(submission, city.viewer("Lestari Widodo", "assessor"), start + 5 * DAY)


def _past(city: City, cohort: Cohort, base_url: str) -> dict[str, str]:
    """Build the class of two years ago: its certificates have ended or are about to."""
    starts = city.now - 790 * DAY
    found: dict[str, str] = {}
    for name, agency, stage in people.SEATS:
        if stage not in {"ending", "expired"}:
            continue
        _seat(city, cohort, name, agency, starts - 25 * DAY)
        _finish_all(city, name, starts - 20 * DAY)
    attend(cohort, (), city.id_of("Wati Suryani"), starts + DAY)
    for name, _agency, stage in people.SEATS:
        if stage not in {"ending", "expired"}:
            continue
        walk = city.walks[name]
        walk.observe(cohort, city.id_of("Lestari Widodo"), starts + DAY + HOUR)
        decided = city.now - (680 if stage == "ending" else 760) * DAY
        code = walk.certify(cohort, _signers(city), decided, base_url, sample=True)
        found[code] = "expired" if stage == "expired" else "valid"
    return found


Stage = Callable[[City, str, datetime], None]


def _reading(city: City, name: str, _start: datetime) -> None:
    city.walks[name].read(range(1, 7), city.now - 2 * DAY)
    city.walks[name].practise("S1", city.now - DAY)


def _middle(city: City, name: str, start: datetime) -> None:
    """Two critical criteria are open in the quiz; the second simulation and the case come next."""
    walk = city.walks[name]
    walk.read(range(1, ONLINE + 1), start)
    walk.practise("S1", start + 3 * DAY)
    walk.graded("S1", start + 4 * DAY)
    walk.sit(city.now - 2 * DAY, wrong={"03.1.4", "03.2.1", "02.1.2"})


def _talk(city: City, name: str, _start: datetime) -> None:
    city.walks[name].read(range(1, 6), city.now - 3 * DAY, talk={5})


def _quiet(city: City, name: str, _start: datetime) -> None:
    city.walks[name].read(range(1, 4), city.now - 12 * DAY)


def _in_quiz(city: City, name: str, start: datetime) -> None:
    city.walks[name].read(range(1, ONLINE + 1), start)
    city.walks[name].sit(city.now - HOUR, answered=11)


def _quiz_waits(city: City, name: str, start: datetime) -> None:
    city.walks[name].read(range(1, ONLINE + 1), start)
    city.walks[name].sit(city.now - 5 * HOUR, wrong={"03.1.4", "02.2.1"})


def _tries_used(city: City, name: str, start: datetime) -> None:
    city.walks[name].read(range(1, ONLINE + 1), start)
    for n in (9, 7, 5):
        city.walks[name].sit(city.now - n * DAY, wrong={"03.1.1"})


def _case_waits(city: City, name: str, start: datetime) -> None:
    city.walks[name].read(range(1, ONLINE + 1), start)
    city.walks[name].sit(start + 3 * DAY)
    city.walks[name].write(city.now - city.random.randint(1, 4) * DAY)


def _case_redo(city: City, name: str, start: datetime) -> None:
    walk = city.walks[name]
    walk.read(range(1, ONLINE + 1), start)
    walk.sit(start + 3 * DAY)
    submission = walk.write(start + 5 * DAY)
    assessor = city.viewer("Lestari Widodo", "assessor")
    walk.mark(submission, assessor, city.now - 2 * DAY, weak={"03.1.1"})


def _harmful(city: City, name: str, start: datetime) -> None:
    city.walks[name].read(range(1, ONLINE + 1), start)
    city.walks[name].graded("S1", start + 2 * DAY)
    city.walks[name].graded("S2", city.now - 6 * HOUR, harm=True)


STAGES: dict[str, Stage] = {
    "reading": _reading,
    "middle": _middle,
    "talk": _talk,
    "quiet": _quiet,
    "in_quiz": _in_quiz,
    "quiz_waits": _quiz_waits,
    "tries_used": _tries_used,
    "case_waits": _case_waits,
    "case_redo": _case_redo,
    "harmful": _harmful,
}
UNSEEN = {"unstarted", "quiet", "unobserved", "ending", "expired"}
"""Stages of people no station of this class has seen."""
WHOLE = {"unobserved", "ready", "certified", "revoked"}
"""Stages of people who have done everything before the class."""


def _present(city: City, cohort: Cohort, base_url: str) -> dict[str, str]:
    """Build the class of this month: every stage from not started to revoked."""
    starts = city.now - 20 * DAY
    seats.quotas_of_past(cohort.id, starts, actor_id=city.id_of("Wati Suryani"))
    for name, agency, stage in people.SEATS:
        _seat(city, cohort, name, agency, starts - 12 * DAY)
        start = starts - 11 * DAY + city.random.randint(0, 30) * HOUR
        if name in companions.NAMES:
            companions.learn(city.walks[name], start, city.viewer("Lestari Widodo", "assessor"))
        elif stage in WHOLE:
            _finish_all(city, name, start)
        elif stage in STAGES:
            STAGES[stage](city, name, start)
    absent = {
        city.walks[name].public_id for name, _a, stage in people.SEATS if stage == "unstarted"
    }
    attend(cohort, absent, city.id_of("Wati Suryani"), starts + DAY)
    _vary(city, cohort, starts + DAY + HOUR)
    judge, at = city.id_of("Lestari Widodo"), starts + DAY + 2 * HOUR
    for name, _agency, stage in people.SEATS:
        seen = companions.curricula() if name in companions.NAMES else (K1,)
        if stage not in UNSEEN:
            city.walks[name].observe(cohort, judge, at, curricula=seen)
    found = _certify(city, cohort, starts + 6 * DAY, base_url)
    _meet(city, cohort)
    return found


def _certify(city: City, cohort: Cohort, at: datetime, base_url: str) -> dict[str, str]:
    """Issue what was decided after the class. Returns the codes on K1, and their status."""
    found: dict[str, str] = {}
    for name, _agency, stage in people.SEATS:
        if stage not in {"certified", "revoked"}:
            continue
        walk = city.walks[name]
        code = walk.certify(cohort, _signers(city), at, base_url, sample=True)
        found[code] = "valid" if stage == "certified" else "revoked"
        if name in companions.NAMES:
            companions.certify(walk, cohort, _signers(city), at + DAY, base_url)
        if stage == "revoked":
            _revoke(city, code)
        else:
            _look(city, code)
    return found


def _colleagues(city: City, base_url: str) -> None:
    """Hold a class for one agency: a report is about five people or more."""
    starts = city.now - 45 * DAY
    cohort = _cohort(city, "Kelas UPTD", starts)
    judge = city.id_of("Lestari Widodo")
    for name, stage in people.COLLEAGUES:
        _seat(city, cohort, name, "uptd", starts - 12 * DAY)
        if stage == "certified":
            _finish_all(city, name, starts - 11 * DAY)
        elif stage == "reading":
            city.walks[name].read(range(1, 5), starts - 3 * DAY)
    attend(cohort, (), city.id_of("Wati Suryani"), starts + DAY)
    for name, stage in people.COLLEAGUES:
        if stage == "certified":
            walk = city.walks[name]
            walk.observe(cohort, judge, starts + DAY + HOUR)
            walk.certify(cohort, _signers(city), starts + 6 * DAY, base_url, sample=True)
    two = city.viewer("Lestari Widodo", "assessor"), city.viewer("Fajar Nugroho", "trainer")
    agreed, differing = (city.walks[name] for name in people.MARKED_TWICE)
    judges.mark_twice(cohort, agreed, differing, two, city.now)
    judges.appeal(city.id_of("I Made Suardana"), base_url, city.now - HOUR)


def _vary(city: City, cohort: Cohort, at: datetime) -> None:
    """Correct a few lines of the attendance list: late, a part only, made up in another class."""
    there = attendance.Entry("present", "present")
    varied = {
        "1am": {
            "Andi Firmansyah": replace(there, chosen="late"),
            "Yohana Bere": replace(there, chosen="late"),
            "Siti Rahmawati": replace(there, chosen="partial", minutes=60, note="sesi pembukaan"),
        },
        "2pm": {
            "Agus Priyanto": replace(there, chosen="absent"),
            "Dewi Kartika": replace(
                there, chosen="made_up", note="Kelas Kota Sebelah, ada piket di hari kedua"
            ),
        },
    }
    cohort_id, recorder_id = cohort.id, city.id_of("Wati Suryani")
    for key, entries in varied.items():
        by_id = {city.walks[name].public_id: entry for name, entry in entries.items()}
        with unit_of_work():
            attendance.record(
                cohorts.get_cohort_by_id(cohort_id),
                key,
                by_id,
                fill=False,
                recorder_id=recorder_id,
                now=at,
            )


def _signers(city: City) -> tuple[int, int]:
    """Return who signs decisions: a trainer first, then the assessor."""
    return city.id_of("Wati Suryani"), city.id_of("Lestari Widodo")


def _meet(city: City, cohort: Cohort) -> None:
    """Leave the decision meeting half done: one decided, one signed once, one put off."""
    at = city.now - DAY
    city.walks["Tri Astuti"].propose(cohort, _signers(city), at)
    city.walks["Sri Wahyuni"].propose(cohort, _signers(city)[:1], at + HOUR)
    cohort_id = cohort.id
    with unit_of_work():
        signatures.put_off(
            city.id_of("Ratna Sari Dewi"),
            "K1",
            cohort_id=cohort_id,
            by_id=city.id_of("Lestari Widodo"),
            reason="Simulasi S2 berakhir dengan tindakan membahayakan.",
            todo="Baca umpan balik S2, ulangi setelah 24 jam, lalu bahas lagi di pleno.",
            now=at + 2 * HOUR,
        )


def _revoke(city: City, code: str) -> None:
    with unit_of_work():
        credentials.revoke(
            code,
            reason_public=Reason.ERROR,
            reason_internal="Contoh: kehadiran tercatat pada orang yang keliru.",
            by_id=city.id_of("Ayu Pratiwi"),
            now=city.now - 3 * DAY,
        )


def _look(city: City, code: str) -> None:
    """Let an officer check this certificate: its holder sees that."""
    found = register.find_by_code(code, city.now)
    if found is None:
        raise LookupError(code)
    with unit_of_work():
        register.record_looks(
            [found.entry.id],
            viewer_id=city.id_of("Gunawan Halim"),
            organisation_id=city.organisations["uptd"],
            method=Method.CODE,
            matched=True,
            now=city.now - 2 * DAY,
        )


def _one_per_role(city: City) -> list[dict[str, str]]:
    """Return one account for each role; the trainee is in the middle of the lessons."""
    chosen = {"trainee": "Rahma Yuliani"}
    for name, role in (*people.STAFF, *people.OFFICE):
        chosen.setdefault(role, name)
    return [
        {"role": role, "email": city.passwords[name][1], "password": city.passwords[name][2]}
        for role, name in chosen.items()
    ]
