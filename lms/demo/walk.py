"""Walks one companion through the curricula by calling the services people's pages call.

Each step takes the moment it happens at, so a class can have a past. Every step commits, once.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from lms import release
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.qualities import Stated
from lms.competency.rules import EvidenceKind
from lms.core.db import unit_of_work
from lms.core.login import Viewer
from lms.credentials import meeting, signatures
from lms.credentials import services as credentials
from lms.modules import services as modules
from lms.modules.models import Outcome
from lms.practice.attendance import services as attendance
from lms.practice.cases import services as cases
from lms.practice.cases.rules import Mark
from lms.practice.observations import services as observations
from lms.practice.observations.texts import list_stations
from lms.practice.simulations import services as simulations
from lms.quizzes import services as quizzes
from lms.quizzes import sheets
from lms.quizzes.content import AnySpec, ItemSpec
from lms.quizzes.types import TYPES

T = TypeVar("T")
K1 = "K1"
ONLINE = 10
"""Online lessons of K1."""
NOTES = (
    "Tenang, runtut, memberi pilihan.",
    "Keamanan dipastikan lebih dulu.",
    "Alasan ditulis jelas.",
)


def commit(step: Callable[[], T]) -> T:
    """Run one step in a unit of work of its own."""
    with unit_of_work():
        return step()


def as_typed(answer: str) -> str:
    """Return a model answer as somebody types it: no tables, quotes or bold letters."""
    lines = []
    for line in answer.replace("**", "").splitlines():
        if line.startswith("|"):
            first, *others = (cell.strip() for cell in line.strip("| ").split("|"))
            if not first.strip("-: "):
                continue  # the rule below the heading
            line = f"{first}: {', '.join(others)}"
        lines.append(line.removeprefix("> "))
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Keys:
    """What the files know: the right option of each item, a good answer to each task."""

    items: dict[str, AnySpec]
    """Stem to the item with its key."""
    answers: dict[str, dict[str, str]]
    """Case to task to model answer."""


@cache
def keys(folder: Path) -> Keys:
    """Read the keys from the content files: attempts never give them away."""
    parts = release.check(folder).parts
    return Keys(
        items={" ".join(item.spec.stem.split()): item.spec for item in parts["items"]},
        answers={
            case.code: {task.id: task.model_answer.replace("**", "") for task in case.tasks}
            for case in parts["cases"]
        },
    )


def _say(item: AnySpec, question: sheets.Question, order: str, *, knows: bool) -> dict[str, Any]:
    """Return what a page sends: the right answer, or one that is wrong or none."""
    if isinstance(item, ItemSpec):
        right = 1 + list(question.options).index(item.answer)
        return {"choice": right if knows else right % 4 + 1}
    found = TYPES[item.kind].solve(item.question().body, order) or {"text": item.stem}
    given = next(iter(found.values()))
    values = given if isinstance(given, list) else [*found.values()]
    return {"choice": None, "values": list(map(_field, values)) if knows else []}


def _field(value: object) -> str:
    """Return what the field of a page holds."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True, slots=True)
class Walk:
    """One companion on the way, with a source of believable chance."""

    person_id: int
    public_id: str
    known: Keys
    random: Random = field(default_factory=Random)

    def read(
        self,
        lessons: Iterable[int],
        start: datetime,
        *,
        talk: Collection[int] = (),
        curriculum: str = K1,
    ) -> None:
        """Finish online lessons, one after the other; `talk` asks for the trainer instead."""
        at = start
        with unit_of_work():
            for number in lessons:
                outcome = Outcome.WITH_TRAINER if number in talk else Outcome.DONE
                modules.finish(
                    curriculum, number, person_id=self.person_id, outcome=outcome, now=at
                )
                at += timedelta(minutes=self.random.randint(18, 40))

    def practise(self, code: str, at: datetime) -> None:
        """Play a practice run to a safe end."""
        with unit_of_work():
            run = simulations.start_practice(code, self.person_id, now=at)
            self._play(run, at, harm=False)

    def graded(self, code: str, at: datetime, *, harm: bool = False) -> None:
        """Play a graded run: safe throughout, or up to the first harmful act."""
        with unit_of_work():
            run = simulations.start_graded(code, self.person_id, now=at)
            self._play(run, at, harm=harm)

    def _play(self, run: str, at: datetime, *, harm: bool) -> None:
        position = 1
        while True:
            play = simulations.get_play(run, self.person_id)
            if play.state.over:
                return
            choices = play.state.node.choices
            harmful = [c for c in choices if c.verdict == "harmful"] if harm else []
            chosen = (harmful or [c for c in choices if c.verdict == "safe"])[0]
            at += timedelta(seconds=40)
            simulations.choose(run, self.person_id, position=position, choice=chosen.id, now=at)
            position += 1

    def sit(
        self,
        at: datetime,
        *,
        wrong: Collection[str] = (),
        answered: int | None = None,
        curriculum: str = K1,
    ) -> None:
        """Sit a quiz: right but for the KUK in `wrong`.

        With `answered` the sitting stays open after so many answers.
        """
        with unit_of_work():
            ref = quizzes.open_attempt(self.person_id, curriculum, now=at, random=self.random)
            sheet = sheets.get_sheet(ref)
            for line in sheet.lines[:answered]:
                question = sheets.get_question(sheet, line.position)
                item = self.known.items[" ".join(question.stem.value.split())]
                said = _say(item, question, line.order, knows=item.kuk not in wrong)
                at += timedelta(seconds=self.random.randint(25, 70))
                quizzes.save_page(ref, position=line.position, seq=0, flagged=False, now=at, **said)
            if answered is None:
                quizzes.submit(ref, now=at)

    def write(self, at: datetime, code: str = "SK1") -> str:
        """Hand in the open parts of a case study. Returns the submission's public id."""
        state = cases.case_state(self.person_id, code, at)
        for task in cases.open_parts(state):
            text = as_typed(self.known.answers[code][task.id])
            if state.number > 1:
                text += " Diperbaiki setelah umpan balik."  # an unchanged part is not taken again
            commit(
                lambda name=task.id, words=text: cases.save_draft(  # type: ignore[misc]  # bound now
                    self.person_id,
                    code,
                    name,
                    words,
                    page="demo",
                    seq=state.number,
                    seen="",
                    now=at,
                )
            )
        return commit(lambda: cases.submit(self.person_id, code, reviewed=None, now=at).public_id)

    def mark(
        self, submission: str, assessor: Viewer, at: datetime, *, weak: Collection[str] = ()
    ) -> None:
        """Decide a submission: everything "Aman mandiri" but the KUK in `weak`."""
        kuk = cases.get_marking(submission, assessor).kuk
        marks = {
            code: Mark(1, "Tanda bahaya belum ditanyakan satu per satu.")
            if code in weak
            else Mark(2, self.random.choice(NOTES))
            for code in kuk
        }
        commit(
            lambda: cases.decide(
                submission,
                assessor,
                marks=marks,
                feedback="Terima kasih, teliti.",
                stated=Stated(),
                now=at,
            )
        )

    def observe(
        self,
        cohort: Cohort,
        assessor_id: int,
        at: datetime,
        *,
        curricula: Collection[str] = (K1,),
        second_id: int | None = None,
    ) -> None:
        """Pass every station of these curricula in the observation test.

        Where two assessors mark, `second_id` is the other one.
        """
        slug_id = cohort.id
        own = [station for station in list_stations() if station.curriculum in curricula]
        with unit_of_work():
            for station in own:
                needed = competency_rules.raters_needed(station.curriculum)
                for who, kuk in product([assessor_id, second_id][:needed], station.kuk):
                    entry = observations.Entry(2, self.random.choice(NOTES), "", Stated())
                    observations.record(
                        cohorts.get_cohort_by_id(slug_id),
                        station.code,
                        kuk=kuk,
                        variant=next(iter(station.variants)),
                        entries={self.public_id: entry},
                        has_feedback=False,
                        assessor_id=who or assessor_id,
                        now=at,
                    )

    def propose(
        self, cohort: Cohort, signers: Collection[int], at: datetime, scheme: str = K1
    ) -> None:
        """Let these people sign that a scheme is reached, one after the other."""
        cohort_id = cohort.id
        for signer_id in signers:
            seen = commit(lambda who=signer_id: self._seen(cohort_id, who, at, scheme))  # type: ignore[misc]  # bound now
            commit(
                lambda who=signer_id, what=seen: signatures.sign(  # type: ignore[misc]  # bound now
                    self.person_id, scheme, cohort_id=cohort_id, signer_id=who, seen=what, now=at
                )
            )

    def _seen(self, cohort_id: int, signer_id: int, at: datetime, scheme: str) -> str:
        """Return the fingerprint of the evidence a signer has before them."""
        cohort = cohorts.get_cohort_by_id(cohort_id)
        found = meeting.get_meeting(cohort, scheme, signer_id, only=[self.public_id], now=at)
        return found.lines[0].digest

    def certify(
        self,
        cohort: Cohort,
        signers: Collection[int],
        at: datetime,
        base_url: str,
        *,
        sample: bool,
        scheme: str = K1,
    ) -> str:
        """Sign the decision on a scheme and issue the certificate. Returns its code."""
        self.propose(cohort, signers, at, scheme)
        decision_id = commit(lambda: signatures.find_decided(self.person_id, scheme))
        if decision_id is None:
            raise LookupError(self.public_id)
        return commit(
            lambda: (
                credentials.issue(
                    decision_id, by_id=None, now=at, base_url=base_url, sample=sample
                ).code
            )
        )


def attend(cohort: Cohort, absent: Collection[str], recorder_id: int, at: datetime) -> None:
    """Note everybody as present in every half day but those whose public id is in `absent`."""
    cohort_id = cohort.id
    entries = {public_id: attendance.Entry("absent", "") for public_id in absent}
    for half in attendance.halves_of(cohort):
        commit(
            lambda key=half.key: attendance.record(  # type: ignore[misc]  # bound now
                cohorts.get_cohort_by_id(cohort_id),
                key,
                entries,
                fill=True,
                recorder_id=recorder_id,
                now=at,
            )
        )


def coach(person_id: int, trainer_id: int, source: str, at: datetime) -> None:
    """Record guidance on a quiz."""
    kind = EvidenceKind.Q
    commit(
        lambda: competency.coach(
            person_id, kind=kind, source=source, note="Dibahas bersama.", trainer_id=trainer_id,
            now=at,
        )
    )  # fmt: skip
