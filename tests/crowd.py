"""A class of any size with believable evidence, made fast, for tests about cost.

Five companions go their way through the services, as people do; everybody else is a copy of one of
them. What surrounds a class (letters, invitations, the trail …) grows with it.
"""

import pickle
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import insert, select, update

from certificates import codes
from lms.accounts import services as accounts
from lms.accounts.models import AddressChange, LoginSession, PasswordReset, Person
from lms.agencies.models import Complaint, ComplaintKind, ComplaintStep, Village
from lms.agencies.rules import Outcome, Stage
from lms.cohorts import feeds
from lms.cohorts import services as cohorts
from lms.cohorts import speakers as guests
from lms.cohorts.models import (
    ClassSession,
    ClassState,
    Cohort,
    CohortStaff,
    Conflict,
    ConflictKind,
    Invitation,
    Organisation,
    OrganisationKind,
    Part,
)
from lms.cohorts.timetable import pattern
from lms.competency import services as competency
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind
from lms.config import CONTENT
from lms.core import clock, jobs
from lms.core.db import db, unit_of_work
from lms.core.ids import hash_token
from lms.core.login import Viewer
from lms.core.models import AuditEvent, Mail
from lms.credentials import issuing, rechecks, register
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Disclosure,
    EventKind,
    Method,
    Recheck,
)
from lms.credentials.rechecks import Shaken
from lms.credentials.rules import Reason
from lms.demo.walk import Walk, attend, coach, commit, keys
from lms.evaluations import plans
from lms.evaluations.models import PlanLetter
from lms.evaluations.plans import Said, Superior
from lms.evaluations.rules import Side
from lms.modules import laws
from lms.nominations.models import Nomination, NominationEvent, Seating, SeatQuota
from lms.nominations.rules import State, Step
from lms.panels.rules import Stage as PanelStage
from lms.practice.attendance import checkin
from lms.practice.attendance.checkin import Begin
from lms.practice.cases import services as cases
from lms.practice.cases.models import CaseSubmission
from lms.practice.exercises import content as material
from lms.practice.exercises import services as exercises
from lms.practice.simulations import services as simulations
from lms.practice.simulations.models import SimulationRun
from lms.privacy import incidents
from lms.privacy.models import Deletion
from lms.privacy.models import Way as DeletionWay
from lms.quizzes import corrections
from lms.quizzes.classes import services as class_quizzes
from lms.quizzes.classes.models import Purpose
from lms.quizzes.exchange import stored
from lms.quizzes.models import Attempt, AttemptItem, Item, ItemVersion
from lms.ratings import services as ratings
from lms.ratings.models import Appeal, AppealStep, Moderation
from lms.ratings.rules import Mark as RatingMark
from lms.ratings.rules import Settled
from lms.ratings.rules import Stage as AppealStage
from lms.reports import snapshots
from lms.roster import services as roster
from lms.roster.models import Way
from lms.statistics import services as statistics
from tests import factories
from tests.conftest import SqliteHome, made_once, open_copy
from tests.copies import STEP, copies
from tests.ledgers import SPEC
from tests.panels import rooms
from tests.practice.exercises import desk
from tests.quizzes.classes import helpers as class_quiz
from tests.quizzes.collections import helpers as questions
from tests.quizzes.essays import helpers as essays

DAY = timedelta(days=1)
BASE = "https://suluh.example"
WALKERS = ("learner", "waiter", "reader", "holder", "beginner")
"""The learner is in the middle of everything; the beginner has only a seat."""
STAFF = ("trainer", "assessor", "speaker", "agency", "author", "reviewer", "admin")
TOKEN = "undangan-terbuka"
PKM = OrganisationKind.PUSKESMAS
KEY = "kunci-terbuka"


@dataclass
class Crowd:
    """A class, those who work with it, and the names that stand in addresses."""

    app: Flask
    size: int = 0
    now: datetime = field(default_factory=clock.now)
    ids: dict[str, int] = field(default_factory=dict)
    """Person ids of WALKERS, STAFF and a `colleague`; ids of `class`, `host`, `sender`, `paper`."""
    names: dict[str, str] = field(default_factory=dict)
    """What is filled into the addresses of pages, for example `{slug}`."""

    def browser(self, who: str | None) -> FlaskClient:
        """Return a browser in which somebody is signed in, or nobody."""
        browser = self.app.test_client()
        if who is not None:
            with self.app.app_context(), unit_of_work():
                person = db.session.get_one(Person, self.ids[who])
                token = accounts.begin_session(person, now=clock.now()).token
            with browser.session_transaction() as session:
                session["_user_id"] = token
                session["_fresh"] = True
        return browser

    def companion(self, n: int) -> int:
        """Return the person id of the n-th companion, from 0."""
        return self.ids[WALKERS[n % len(WALKERS)]] + n // len(WALKERS) * STEP


def build(app: Flask, size: int) -> Crowd:
    """Fill a loaded database with a class of `size` people, a multiple of five."""
    crowd = Crowd(app)
    with app.app_context():
        _found(crowd)
        _walk(crowd)
        _name(crowd)
        _leave_questions(crowd)
    grow(crowd, size)
    with app.app_context(), unit_of_work():
        _revoke_copy(crowd)
        _leave_keys(crowd)
        _leave_sheets(crowd)
        _leave_material(crowd)
        _leave_plan(crowd)
        _leave_correction(crowd)
        _leave_dispute(crowd)
    with app.app_context():
        _leave_panels(crowd)
    return crowd


def kept(home: SqliteHome, factory: pytest.TempPathFactory, size: int) -> Path:
    """Return the database of a class that one worker builds and all of them copy; see `reopen`."""
    return made_once(
        factory,
        f"crowd-{size}.sqlite3",
        lambda path: keep(build(open_copy(home.template, path), size), path),
    )


def keep(crowd: Crowd, path: Path) -> None:
    """Note beside its database who and what a class has, and close it."""
    with crowd.app.app_context():
        db.session.remove()
        db.engine.dispose()
    facts = (crowd.size, crowd.now, crowd.ids, crowd.names)
    path.with_suffix(".facts").write_bytes(pickle.dumps(facts))


def reopen(file: Path, copy: Path) -> Crowd:
    """Copy a class that was kept, with an application of its own."""
    facts = pickle.loads(file.with_suffix(".facts").read_bytes())  # noqa: S301  # written above
    return Crowd(open_copy(file, copy), *facts)


def _leave_questions(crowd: Crowd) -> None:
    """Leave a collection of questions with a file that was confirmed, and one that waits."""
    someone = db.session.get_one(Person, crowd.ids["trainer"])
    where = questions.collection(someone)
    crowd.names["questions"] = where
    crowd.names["brought"] = questions.bring(someone, where)
    questions.bring(someone, where, questions.MOODLE, "moodle-xml")
    crowd.names["read"] = questions.preview(someone, where)
    crowd.names["image"] = stored.name_of(questions.PNG)
    _leave_quizzes(crowd, where)


def _leave_quizzes(crowd: Crowd, where: str) -> None:
    """Leave a pair of quizzes of the class that two people sat, and one sitting of the learner."""
    chosen = class_quiz.questions(where)
    codes = {}
    for name, purpose, hours in (("before", Purpose.BEFORE, 3), ("after", Purpose.AFTER, 2)):
        draft = replace(
            class_quiz.DRAFT,
            purpose=purpose,
            opens_at=crowd.now - timedelta(hours=hours),
            closes_at=crowd.now + DAY,
            questions=chosen,
        )
        with unit_of_work():
            codes[name] = class_quizzes.create(
                crowd.ids["class"], draft, actor_id=crowd.ids["trainer"], now=crowd.now
            )
        for who, right in (("learner", hours), ("holder", 1)):
            person = db.session.get_one(Person, crowd.ids[who])
            ref = class_quiz.sit(person, codes[name], right, now=crowd.now)
            if who == "learner":
                crowd.names[f"sat_{name}"] = ref.public_id
    crowd.names |= {name: code.lower() for name, code in codes.items()}
    people = [db.session.get_one(Person, crowd.ids["learner"])]
    trainer = db.session.get_one(Person, crowd.ids["trainer"])
    (written,) = essays.sit_class_quiz(trainer, crowd.ids["class"], people, crowd.now)
    crowd.names["written"] = written.public_id
    with unit_of_work():
        crowd.names["pair"] = class_quizzes.pair(
            codes["before"],
            codes["after"],
            crowd.ids["class"],
            actor_id=crowd.ids["trainer"],
            now=crowd.now,
        )


def _leave_correction(crowd: Crowd) -> None:
    """Leave an item whose key was corrected, and a certificate to be looked at."""
    drawn = select(AttemptItem.item_version_id)
    unseen = select(Item.slug).join(ItemVersion, ItemVersion.item_id == Item.id)
    slug = db.session.scalars(unseen.where(ItemVersion.id.not_in(drawn)).limit(1)).one()
    wording = corrections.get_wording(slug, 1)
    made = corrections.correct(
        wording, wording.choices[0], reason="Keliru.", by_id=crowd.ids["admin"], now=crowd.now
    )
    paper = db.session.scalars(select(Certificate).limit(1)).one()
    rechecks.open_recheck(
        Shaken(paper.id, paper.code, paper.number, paper.scheme_code, {}, ()),
        cause=f"correction:{made.public_id}",
        about=slug,
        now=crowd.now,
    )
    recheck = db.session.scalars(select(Recheck.public_id)).one()
    crowd.names |= {"corrected": slug, "correction": made.public_id, "recheck": recheck}


def _leave_dispute(crowd: Crowd) -> None:
    """Let two assessors differ about the learner's case, and the learner appeal."""
    learner = crowd.ids["learner"]
    row = db.session.scalars(
        select(Evidence).where(Evidence.person_id == learner, Evidence.kind == EvidenceKind.SK)
    ).first()
    assert row is not None
    about = ratings.About(
        kind=row.kind, subject=row.group_key, source=row.source, person_id=learner
    )
    for who, level in (("assessor", 2), ("author", 1)):
        pairs = ratings.rate(about, crowd.ids[who], {row.kuk: RatingMark(level)}, now=crowd.now)
    settled = Settled(counts=1, disputed=True)
    ratings.open_disputes({about: [replace(pairs[0], settled=settled)]}, now=crowd.now)
    crowd.names["dispute"] = db.session.scalars(select(Moderation.public_id)).one()
    appeal = Appeal(
        person_id=learner,
        evidence_id=row.id,
        kind=row.kind,
        source=row.source,
        kuk=row.kuk,
        text="Mohon dilihat lagi.",
        at=crowd.now,
    )
    db.session.add(appeal)
    db.session.flush()
    step = AppealStep(
        appeal_id=appeal.id, position=0, stage=AppealStage.ASKED, by_id=learner, at=crowd.now
    )
    db.session.add(step)
    crowd.names["appeal"] = appeal.public_id


def _leave_material(crowd: Crowd) -> None:
    """Load a drill, role cards and a recording exercise, whatever the content holds."""
    with TemporaryDirectory() as folder:
        exercises.load(material.check(desk.folder(Path(folder)), SPEC)[0], now=crowd.now)
    crowd.names["drill"] = "k1.t"


def grow(crowd: Crowd, size: int) -> None:
    """Let the class have `size` people, and everything around it grow with them."""
    walkers = [crowd.ids[who] for who in WALKERS]
    first = max(1, crowd.size // len(WALKERS))
    with crowd.app.app_context(), unit_of_work():
        for statement in copies(walkers, first, size // len(WALKERS)):
            db.session.execute(statement)
        renew_codes()
        _surround(crowd, range(crowd.size, size))
    crowd.size = size
    with crowd.app.app_context():
        settle(crowd)


def settle(crowd: Crowd) -> None:
    """Do what the rounds do every few seconds, until nothing is behind."""
    while snapshots.refresh(crowd.now) or statistics.refresh(crowd.now):
        pass
    snapshots.count(crowd.ids["class"], now=crowd.now)


def _found(crowd: Crowd) -> None:
    """Open the class with its staff and the seats of the walkers."""
    starts = (crowd.now - 3 * DAY).date()
    host = factories.organisation("Dinas Contoh")
    days = {
        "starts_on": starts,
        "ends_on": starts + DAY,
        "timetable": pattern(),
        "curricula": {"K1": ""},
    }
    crowd.ids = {
        "host": host.id,
        "sender": factories.organisation("Puskesmas Kenanga").id,
        "class": factories.cohort(host, slug="melati", **days).id,
        "colleague": factories.person("trainer", "assessor", name="Pak Kolega").id,
    }
    factories.cohort(host, slug="draf", state=ClassState.DRAFT, **days)
    crowd.ids |= {who: factories.person("trainee", name=f"Peserta {who}").id for who in WALKERS}
    crowd.ids |= {role: factories.person(role, name=f"Ibu {role}").id for role in STAFF}
    with unit_of_work():
        cohort_id, sender_id = crowd.ids["class"], crowd.ids["sender"]
        for who in WALKERS:
            cohorts.enrol(crowd.ids[who], cohort_id, sender_id, now=crowd.now - 30 * DAY)
        for part in (Part.TRAINER, Part.ASSESSOR, Part.SPEAKER):
            cohorts.add_staff(crowd.ids[part.value], cohort_id, part)
        cohorts.add_staff(crowd.ids["colleague"], cohort_id, Part.TRAINER)
        factories.appoint(crowd.ids["agency"], sender_id)
        cohorts.list_sessions(cohort_id)[2].speaker_id = crowd.ids["speaker"]
        guests.set_bio(cohort_id, crowd.ids["speaker"], "Pendamping rujukan.")
        handout = BytesIO(b"%PDF-1.7")
        crowd.names["file"] = guests.add_file(
            cohort_id, crowd.ids["speaker"], "materi.pdf", handout, now=crowd.now
        )
        for owner, subject in (("learner", None), ("trainer", cohort_id)):
            crowd.names[f"calendar_{owner}"] = feeds.make_feed(
                crowd.ids[owner], subject, now=crowd.now
            )


def _walk(crowd: Crowd) -> None:
    """Bring everybody to their stage."""
    known, start = keys(CONTENT), crowd.now - 20 * DAY
    public = {who: accounts.get_person_by_id(crowd.ids[who]).public_id for who in WALKERS}
    walks = {who: Walk(crowd.ids[who], public[who], known, Random(1)) for who in WALKERS}
    cohort = cohorts.get_cohort_by_id(crowd.ids["class"])
    judge = Viewer(crowd.ids["assessor"], "", "", frozenset(["assessor"]), "id", "")
    walks["reader"].read(range(1, 6), crowd.now - 12 * DAY, talk={5})
    for who in ("waiter", "learner", "holder"):
        walk, weak = walks[who], {"03.1.1"} if who == "learner" else set[str]()
        walk.read(range(1, 11), start)
        walk.sit(start + DAY, wrong=weak)
        submission = walk.write(start + 2 * DAY)
        if who != "waiter":
            walk.mark(submission, judge, start + 3 * DAY, weak=weak)
            walk.practise("S1", start + 4 * DAY)
            walk.graded("S1", start + 5 * DAY)
    walks["holder"].graded("S2", start + 6 * DAY)
    attend(cohort, {public["beginner"]}, crowd.ids["trainer"], crowd.now - 2 * DAY)
    with unit_of_work():
        here, begin = cohorts.get_cohort_by_id(crowd.ids["class"]), Begin(time(8), 15)
        checkin.open_half(here, "1am", begin, actor_id=crowd.ids["trainer"], now=crowd.now)
    for who, observer in (("learner", "colleague"), ("holder", "assessor")):
        walks[who].observe(cohort, crowd.ids[observer], crowd.now - DAY)
    _issue(crowd, walks["holder"])
    _leave_open(crowd, walks["learner"])


def _issue(crowd: Crowd, holder: Walk) -> None:
    """Let two people sign for the holder, and a job issue what waits."""
    at, class_id, by_id = crowd.now - DAY, crowd.ids["class"], crowd.ids["trainer"]
    cohort = cohorts.get_cohort_by_id(class_id)
    holder.propose(cohort, [crowd.ids["trainer"], crowd.ids["assessor"]], at)
    with unit_of_work():
        crowd.names["job"] = issuing.start(
            cohorts.get_cohort_by_id(class_id),
            "K1",
            by_id=by_id,
            base_url=BASE,
            sample=False,
            now=at,
        )
    jobs.work(at)
    crowd.names["code"] = register.list_held([holder.person_id], crowd.now)[0].code


def _leave_open(crowd: Crowd, learner: Walk) -> None:
    """Leave a quiz, two runs and an answer open, after guidance and with one row voided."""
    now, who = crowd.now - DAY, learner.person_id
    coach(who, crowd.ids["trainer"], "K1", now - 8 * DAY)
    learner.sit(now, answered=1)
    runs = {
        "graded": commit(lambda: simulations.start_graded("S2", who, now=now)),
        "practice": commit(lambda: simulations.start_practice("S1", who, now=now)),
    }
    for run in runs.values():
        choices = simulations.get_play(run, who).state.node.choices
        safe = next(choice.id for choice in choices if choice.verdict == "safe")
        with unit_of_work():
            simulations.choose(run, who, position=1, choice=safe, now=now)
    crowd.names |= runs
    with unit_of_work():
        for task in cases.open_parts(cases.case_state(who, "SK1", now)):
            cases.save_draft(
                who, "SK1", task.id, "Draf baru.", page="p", seq=1, seen="", now=now
            )  # fmt: skip
    rows = competency.rows_of_one(who, competency.current())
    marked = next(row.id for row in rows if row.kind is EvidenceKind.OBS)
    with unit_of_work():
        competency.void(marked, reason="keliru orang", by_id=crowd.ids["assessor"], now=now)


def _name(crowd: Crowd) -> None:
    """Look up what stands in addresses."""

    def public_id(table: Any, *where: Any) -> str:
        return str(db.session.scalars(select(table.public_id).where(*where)).one())

    learner, waiter = crowd.ids["learner"], crowd.ids["waiter"]
    sitting = Attempt.person_id == learner
    played = (SimulationRun.person_id == learner, SimulationRun.outcome.is_not(None))
    crowd.names |= {
        "slug": "melati",
        "token": TOKEN,
        "unknown": codes.new_code(),
        "running": public_id(Attempt, sitting, Attempt.closed_at.is_(None)),
        "closed": public_id(Attempt, sitting, Attempt.closed_at.is_not(None)),
        "finished": public_id(SimulationRun, *played, SimulationRun.graded),
        "waiting": public_id(CaseSubmission, CaseSubmission.person_id == waiter),
        "decided": public_id(CaseSubmission, CaseSubmission.person_id == learner),
        "learner": public_id(Person, Person.id == learner),
        "waiter": public_id(Person, Person.id == waiter),
        "sender": public_id(Organisation, Organisation.id == crowd.ids["sender"]),
    }
    crowd.ids["paper"] = db.session.scalars(
        select(Certificate.id).where(Certificate.code == crowd.names["code"])
    ).one()


def renew_codes() -> None:
    """Give copied certificates codes of their own that the register can read. Needs a unit."""
    for copied in db.session.scalars(select(Certificate.id).where(Certificate.code.contains("-"))):
        of_one = update(Certificate).where(Certificate.id == copied)
        db.session.execute(of_one.values(code=codes.new_code()))


def _revoke_copy(crowd: Crowd) -> None:
    copy = db.session.get_one(Certificate, crowd.ids["paper"] + STEP)
    crowd.names["revoked"] = copy.code
    db.session.add(
        CertificateEvent(
            certificate_id=copy.id,
            kind=EventKind.REVOKED,
            reason_public=Reason.ERROR,
            reason_internal="Contoh.",
            by_id=crowd.ids["admin"],
            at=crowd.now,
        )
    )


def _leave_keys(crowd: Crowd) -> None:
    """Leave the learner a link to a new password and one to a new address."""
    until = {"created_at": crowd.now, "expires_at": crowd.now + DAY}
    for table, column, more in (
        (PasswordReset, "key_hash", {}),
        (AddressChange, "token_hash", {"email": "baru@contoh.test"}),
    ):
        values = {"person_id": crowd.ids["learner"], column: hash_token(KEY)}
        db.session.add(table(**values, **until, **more))
    db.session.add(
        Deletion(
            person_id=crowd.ids["learner"],
            way=DeletionWay.ASKED,
            token_hash=hash_token(KEY),
            asked_by=crowd.ids["learner"],
            asked_at=crowd.now,
            due_at=crowd.now + 7 * DAY,
        )
    )
    crowd.names["key"] = KEY
    opened = incidents.open_incident(
        "Contoh.", crowd.now, actor_id=crowd.ids["admin"], now=crowd.now
    )
    crowd.names["incident"] = opened.public_id
    marked = laws.supersede(
        "UU 21/2007 ps 54",  # nothing of K1 stands on it
        since=crowd.now.date(),
        reason="Contoh.",
        delta=("Yang berubah", "Contoh."),
        actor_id=crowd.ids["admin"],
        now=crowd.now,
        today=crowd.now.date(),
    )
    crowd.names["delta"] = marked.public_id


def _leave_sheets(crowd: Crowd) -> None:
    """Leave a list of people that nobody has sent yet, and one that was, with all kinds of rows."""
    rows = [f"Calon {n}\tcalon{n}@contoh.test\tPuskesmas Kenanga" for n in range(60)]
    rows += ["Tanpa Alamat\t\tPKM Kenanga", "Entah\tentah@contoh.test\tRumah Entah"]
    reading = roster.read_people("\n".join(["Nama\tE-mail\tInstansi", *rows]), "")
    for name in ("sheet", "sent"):
        batch = roster.keep(
            reading, way=Way.INVITE, cohort_id=crowd.ids["class"], organisation_id=None,
            actor_id=crowd.ids["trainer"], now=clock.now(),
        )  # fmt: skip
        crowd.names[name] = batch.public_id
    trainer = Viewer(crowd.ids["trainer"], "", "Ibu trainer", frozenset(["trainer"]), "id", "")
    roster.confirm(batch.public_id, trainer, abbreviations=(), base_url=BASE, now=clock.now())


def _leave_plan(crowd: Crowd) -> None:
    """Leave a plan of the learner and a link for their superior."""
    said = [Said("Berbagi cara bertanya", crowd.now.date() + 40 * DAY, "rekan")]
    superior = Superior("Ibu Kepala", "kepala@contoh.test")
    plan = plans.write("melati", crowd.ids["learner"], said, superior, now=crowd.now)
    letter = {"plan_id": plan.id, "stage": 30, "side": Side.SUPERIOR, "number": 1}
    until = {"sent_at": crowd.now, "expires_at": crowd.now + DAY}
    db.session.add(PlanLetter(**letter, token_hash=hash_token(KEY), **until))
    crowd.names["look"] = KEY


def _leave_panels(crowd: Crowd) -> None:
    """Leave a panel in its second round, and one that waits for signatures."""
    names = {"panel": ("K4", PanelStage.SECOND), "panel_done": ("T", PanelStage.SIGNING)}
    for name, (curriculum, stage) in names.items():
        held = rooms.hold(
            2,
            curriculum=curriculum,
            training=0,
            stage=stage,
            chair=db.session.get_one(Person, crowd.ids["admin"]),
            panel=[db.session.get_one(Person, crowd.ids[who]) for who in ("reviewer", "trainer")],
        )
        crowd.names[name] = held.public_id


# What surrounds a class


def _surround(crowd: Crowd, numbers: range) -> None:
    """Add to every list beside the class one line for each companion, or for every fifth."""
    few = numbers[::5]
    made: dict[Any, list[dict[str, Any]]] = {
        Mail: [_mail(n, crowd) for n in numbers],
        Invitation: [_invitation(n, crowd) for n in numbers],
        AuditEvent: [_event(n, crowd) for n in numbers for _ in range(3)],
        LoginSession: [_session(n, crowd) for n in numbers],
        Disclosure: [_look(crowd) for _ in numbers],
        Conflict: [_conflict(n, crowd) for n in few],
        Organisation: [_organisation(n, crowd) for n in few],
        Cohort: [_cohort(n, crowd) for n in few],
        ClassSession: [_talk(n, crowd) for n in few],
        CohortStaff: [row for n in few for row in _staff(n, crowd)],
        Seating: [_seating(n, crowd) for n in few],
        SeatQuota: [{"cohort_id": STEP + n, "kind": PKM, "seats": 2, "free": 0} for n in few],
        Nomination: [_nomination(n, crowd) for n in numbers],
        NominationEvent: [_step(n, crowd) for n in numbers],
        Complaint: [_complaint(n, crowd) for n in numbers],
        ComplaintStep: [_complaint_step(n, crowd) for n in numbers],
        Village: [_village(n, crowd) for n in few],
    }
    for table, rows in made.items():
        db.session.execute(insert(table), rows)


def _complaint(n: int, crowd: Crowd) -> dict[str, Any]:
    """Return one about the same paper; only one of them may be open."""
    return {
        "id": STEP + n,
        "public_id": f"aduan{n}",
        "certificate_id": crowd.ids["paper"],
        "organisation_id": crowd.ids["sender"],
        "by_id": crowd.ids["agency"],
        "kind": ComplaintKind.DATA,
        "text": "Tanggal di kertas keliru.",
        "at": crowd.now,
        "closed_at": crowd.now if n else None,
    }


def _complaint_step(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "complaint_id": STEP + n,
        "position": 0,
        "stage": Stage.DECIDED if n else Stage.EXAMINED,
        "outcome": Outcome.REFUSED if n else None,
        "by_id": crowd.ids["agency"],
        "at": crowd.now,
        "note": "",
    }


def _village(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "public_id": f"kelurahan{n}",
        "city": "kota contoh",
        "name": f"Kelurahan {n}",
        "normal": f"kelurahan {n}",
        "created_at": crowd.now,
    }


def _mail(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "to": f"surat{n}@contoh.test",
        "subject": "Undangan",
        "body": f"{BASE}/undangan/abc",
        "created_at": crowd.now,
        "due_at": crowd.now,
        "sent_at": crowd.now if n % 3 else None,
        "tries": 8 if n % 6 == 0 else 1,
    }


def _invitation(n: int, crowd: Crowd) -> dict[str, Any]:
    """Return an open, accepted or withdrawn one, by three hands; the first has TOKEN."""
    return {
        "public_id": f"undangan{n}",
        "token_hash": hash_token(f"undangan{n}" if n else TOKEN),
        "email": f"undangan{n}@contoh.test",
        "name": f"Calon Peserta {n}",
        "roles": ["trainee"],
        "cohort_id": crowd.ids["class"],
        "organisation_id": crowd.ids["sender"],
        "created_by": crowd.ids[("trainer", "colleague", "admin")[n % 3]],
        "created_at": crowd.now,
        "expires_at": crowd.now + 3 * DAY,
        "accepted_at": crowd.now if n % 3 == 1 else None,
        "withdrawn_at": crowd.now if n % 3 == 2 else None,
    }


def _event(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "at": crowd.now,
        "actor_id": crowd.companion(n),
        "action": "cohorts.accept",
        "subject": f"person:{crowd.companion(n)}",
        "detail": {"nomor": n},
    }


def _session(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "person_id": crowd.companion(n),
        "token_hash": hash_token(f"sesi{n}"),
        "created_at": crowd.now,
        "expires_at": crowd.now + DAY,
    }


def _look(crowd: Crowd) -> dict[str, Any]:
    return {
        "certificate_id": crowd.ids["paper"],
        "viewer_id": crowd.ids["agency"],
        "organisation_id": crowd.ids["sender"],
        "method": Method.CODE,
        "matched": True,
        "at": crowd.now,
    }


def _conflict(n: int, crowd: Crowd) -> dict[str, Any]:
    """Return why the assessor, or the trainer, may not assess a copy of the beginner."""
    return {
        "assessor_id": crowd.ids["trainer" if n % 2 else "assessor"],
        "person_id": crowd.companion(n + 4),
        "kind": ConflictKind.RELATIVE,
        "declared_by": crowd.ids["admin"],
        "declared_at": crowd.now,
    }


def _organisation(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "public_id": f"instansi{n}",
        "name": f"Kelurahan Contoh {n:03}",
        "kind": OrganisationKind.VILLAGE,
        "city": "Kota Contoh",
        "created_at": crowd.now,
    }


def _cohort(n: int, crowd: Crowd) -> dict[str, Any]:
    on = (crowd.now + (30 + n) * DAY).date()
    return {
        "id": STEP + n,
        "slug": f"kelas-{n}",
        "title": f"Kelas {n}",
        "city": "Kota Contoh",
        "place": "Aula",
        "zone": "WITA",
        "host_id": crowd.ids["host"],
        "starts_on": on,
        "ends_on": on + DAY,
        "letterhead": ["PEMERINTAH KOTA CONTOH"],
        "signatory_title": "Kepala Dinas",
        "signatory_name": "Nama Contoh",
        "created_at": crowd.now,
    }


def _seating(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "cohort_id": STEP + n,
        "capacity": 25,
        "free": 23,
        "loose": 23,
        "nominate_until": crowd.now + 20 * DAY,
        "offer_hours": 72,
        "changed_by": crowd.ids["trainer"],
        "changed_at": crowd.now,
    }


def _nomination(n: int, crowd: Crowd) -> dict[str, Any]:
    """Return one for the first class to come, in each stored state."""
    return {
        "id": STEP + n,
        "public_id": f"usulan{n}",
        "cohort_id": STEP,
        "organisation_id": crowd.ids["sender"],
        "kind": PKM,
        "name": f"Calon {n}",
        "email": f"calon{n}@contoh.test",
        "letter_number": "",
        "letter_on": "",
        "nominated_by": crowd.ids["agency"],
        "nominated_at": crowd.now,
        "state": list(State)[n % 2 if n % 3 else 3],
    }


def _step(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "cohort_id": STEP,
        "nomination_id": STEP + n,
        "at": crowd.now,
        "actor_id": crowd.ids["agency"],
        "step": Step.NOMINATED,
        "note": "",
    }


def _talk(n: int, crowd: Crowd) -> dict[str, Any]:
    return {
        "cohort_id": STEP + n,
        "day": 1,
        "half": "am",
        "position": 1,
        "title": "Ceramah",
        "title_en": "Talk",
        "jp": 1,
        "speaker_id": crowd.ids["speaker"],
    }


def _staff(n: int, crowd: Crowd) -> list[dict[str, Any]]:
    """Let a companion help in the class, and the staff work in another one too."""
    helper = {"cohort_id": crowd.ids["class"], "person_id": crowd.companion(n + 4)}
    return [
        helper | {"part": Part.SPEAKER},
        {"cohort_id": STEP + n, "person_id": crowd.ids["trainer"], "part": Part.TRAINER},
        {"cohort_id": STEP + n, "person_id": crowd.ids["assessor"], "part": Part.ASSESSOR},
    ]
