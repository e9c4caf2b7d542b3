"""What the pages of moderation read together, and whom an appeal is told to. Services flush."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk, raters_needed
from lms.core.login import Viewer
from lms.notices import services as notices
from lms.notices.due import Due
from lms.notices.rules import Kind as NoticeKind
from lms.practice.cases import services as cases
from lms.practice.observations.texts import get_station, list_stations_of
from lms.quizzes.essays import services as essays
from lms.quizzes.types.model import Text
from lms.ratings import appeals
from lms.ratings import services as ratings
from lms.ratings.appeals import Case
from lms.ratings.services import Dispute, Half, Open


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What waits for a third person, for an answer, or for a second assessor."""

    disputes: Sequence[Open]
    asked: Sequence[Case]
    halves: Sequence[Half]
    essays: Mapping[str, tuple[str, int]]
    """Where the page of a half-marked essay is, by its subject: sitting and position."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What two assessors saw of one criterion: the answer or the scene, and the rubric."""

    title: tuple[str, str]
    kuk: Kuk
    levels: Sequence[Sequence[str]]
    acts: Mapping[str, str]
    """Harmful acts to choose from; empty for what is written."""
    answer: str = ""
    model_html: Markup | None = None
    scenario: str = ""
    stem: Text | None = None
    """The question of an essay."""
    guidance: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLine:
    """One case, station or quiz with essays of a class, and how many mark it."""

    kind: EvidenceKind
    code: str
    title: tuple[str, str]
    raters: int
    fixed: bool
    """Whether the standard asks for two, whatever the class wants."""

    @property
    def field(self) -> str:
        """Name of its field."""
        return f"dua-{self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many assessors mark what in a class, and how many there are to do it."""

    lines: Sequence[PlanLine]
    assessors: int

    @property
    def has_essays(self) -> bool:
        """Tell whether a quiz asks an essay."""
        return any(line.kind is EvidenceKind.Q for line in self.lines)


def desk(viewer: Viewer) -> Desk:
    """Return what waits in the viewer's classes. Twelve queries at most, at any size."""
    halves = ratings.list_halves(viewer.id)
    return Desk(
        disputes=ratings.list_disputes(viewer.id),
        asked=appeals.list_queue(viewer.id),
        halves=halves,
        essays=essays.places_of([one.subject for one in halves if one.kind is EvidenceKind.Q]),
    )


def piece_of(dispute: Dispute) -> Piece:
    """Return what a dispute is about. Raises NotFound."""
    row = dispute.row
    return _piece(row.kind, row.subject, row.source, row.kuk)


def piece_of_appeal(case: Case) -> Piece | None:
    """Return what an appealed mark is about; None for what nobody marked."""
    if not case.is_marked:
        return None
    row = case.row
    place = "/".join(row.ref.split("/")[:2])
    subject = f"{row.group_key}/{place}" if row.kind is EvidenceKind.OBS else row.group_key
    return _piece(row.kind, subject, row.source, row.kuk)


def _piece(kind: EvidenceKind, subject: str, source: str, code: str) -> Piece:
    standard = competency.current().standard
    kuk = standard.find(code)
    if kind is EvidenceKind.SK:
        found = cases.get_disputed(subject, code)
        return Piece(
            title=(found.case.spec.title, found.case.spec.title_en),
            kuk=kuk,
            levels=found.levels,
            acts={},
            answer=found.answer,
            model_html=found.model_html,
        )
    if kind is EvidenceKind.Q:
        essay = essays.get_disputed(subject)
        return Piece(
            title=standard.curricula.get(source, (source, source)),
            kuk=kuk,
            levels=(),
            acts={},
            answer=essay.text,
            stem=essay.stem,
            guidance=essay.guidance,
        )
    station = get_station(source)
    levels = station.indicators[code]
    return Piece(
        title=(station.title, station.title_en),
        kuk=kuk,
        levels=[levels[level] for level in sorted(levels)],
        acts={act: standard.harmful_acts.get(act, act) for act in station.harmful_acts},
        scenario=station.variants[subject.split("/")[2]].scenario,
    )


def get_plan(cohort: Cohort) -> Plan:
    """Return how many assessors mark each case, station and essay of a class. Eight queries."""
    wanted = ratings.plan_of(cohort.id)
    taught = set(cohorts.list_curricula(cohort.id))
    standard = competency.current().standard
    lines = [
        PlanLine(
            kind=EvidenceKind.SK,
            code=case.code,
            title=(case.title, case.title_en),
            raters=wanted.get((EvidenceKind.SK, case.code), 1),
            fixed=False,
        )
        for case in standard.cases.values()
        if not taught or taught & set(case.gates)
    ]
    lines += [
        PlanLine(
            kind=EvidenceKind.OBS,
            code=station.code,
            title=(station.title, station.title_en),
            raters=max(
                raters_needed(station.curriculum),
                wanted.get((EvidenceKind.OBS, station.code), 1),
            ),
            fixed=raters_needed(station.curriculum) > 1,
        )
        for station in list_stations_of(cohort)
    ]
    asking = essays.asking_curricula()
    lines += [
        PlanLine(
            kind=EvidenceKind.Q,
            code=code,
            title=title,
            raters=wanted.get((EvidenceKind.Q, code), 1),
            fixed=False,
        )
        for code, title in standard.curricula.items()
        if code in asking and (not taught or code in taught)
    ]
    staff = {
        line.person_id
        for line in cohorts.list_staff(cohort.id)
        if line.part in (Part.ASSESSOR, Part.TRAINER)
    }
    return Plan(lines=lines, assessors=len(staff))


# Telling people


def tell_asker(case: Case, stage: int, base_url: str, *, now: datetime) -> None:
    """Tell who appealed that something happened; `stage` counts the steps. Flushes."""
    _tell([case.appeal.person_id], NoticeKind.APPEAL_MOVED, case, stage, "/banding", base_url, now)


def tell_staff(person_id: int, public_id: str, base_url: str, *, now: datetime) -> None:
    """Tell those of the class who may answer that somebody appealed. Flushes."""
    case = appeals.get_own(person_id, public_id)
    cohort = cohorts.find_cohort_of(person_id)
    staff = {
        line.person_id
        for line in (cohorts.list_staff(cohort.id) if cohort else ())
        if line.part in (Part.ASSESSOR, Part.TRAINER)
        and line.person_id not in case.marked_by
        and person_id not in cohorts.conflicted_people(line.person_id)
    }
    _tell(sorted(staff), NoticeKind.APPEAL_ASKED, case, 0, "/moderasi", base_url, now)


def _tell(
    people: Iterable[int],
    kind: NoticeKind,
    case: Case,
    stage: int,
    path: str,
    base_url: str,
    now: datetime,
) -> None:
    zone = cohorts.find_zone_of(case.appeal.person_id) or "WIB"
    batch = []
    for person_id in people:
        person = accounts.get_person_by_id(person_id)
        batch.append(
            Due(
                person_id=person.id,
                email=person.email,
                name=person.name,
                locale=person.locale,
                kind=kind,
                subject=f"appeal:{case.appeal.id}",
                stage=stage,
                about=case.appeal.kuk,
                path=path,
                zone=zone,
            )
        )
    notices.tell(batch, base_url, now=now)
