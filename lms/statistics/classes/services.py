"""What the quizzes of a class say. Reads only; counted anew each time, from one class."""

from collections.abc import Sequence
from dataclasses import dataclass

from lms.cohorts import services as cohorts
from lms.cohorts.services import Seat
from lms.quizzes.classes import services as quizzes
from lms.quizzes.classes.models import ClassQuiz
from lms.quizzes.classes.services import Paper
from lms.statistics.classes import rules
from lms.statistics.classes.rules import Difficulty, Gain, Marks


@dataclass(frozen=True, slots=True)
class PersonLine:
    """What one person of the class earned; no paper where they handed nothing in."""

    seat: Seat
    paper: Paper | None
    tries: int


@dataclass(frozen=True, slots=True)
class QuestionLine:
    """One question as the class answered it."""

    number: int
    kind: str
    stem: str
    found: Difficulty


@dataclass(frozen=True, slots=True)
class QuizReport:
    """A quiz as the class did it: the newest sitting of each person."""

    quiz: ClassQuiz
    people: tuple[PersonLine, ...]
    questions: tuple[QuestionLine, ...]
    mean: float | None
    alpha: float | None
    error: float | None
    """Standard error of measurement, as a share of the full mark."""
    waiting: int
    """People with an answer nobody has read yet: no figure counts them."""
    lost: int
    """People whose answer was erased before anybody had read it: no figure counts them either."""

    @property
    def done(self) -> int:
        """How many handed it in."""
        return sum(line.paper is not None for line in self.people)

    @property
    def counted(self) -> int:
        """How many of them the figures are about."""
        return self.done - self.waiting - self.lost


@dataclass(frozen=True, slots=True)
class PairLine:
    """One person in both quizzes."""

    seat: Seat
    before: float | None
    after: float | None

    @property
    def gain(self) -> float | None:
        """The difference, where there are both."""
        if self.before is None or self.after is None:
            return None
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class PairReport:
    """What a class gained between two quizzes."""

    public_id: str
    before: ClassQuiz
    after: ClassQuiz
    people: tuple[PairLine, ...]
    gain: Gain | None
    only_before: int
    only_after: int
    neither: int
    waiting: int
    """Who has an answer in one of them that nobody has read yet; not counted above."""
    lost: int
    """Whose answer in one of them was erased before anybody had read it; not counted above."""
    same_questions: int
    """How many questions both quizzes ask."""
    questions: tuple[int, int]
    alpha: tuple[float | None, float | None]
    half: float | None
    """Half the 95 % interval of one person's difference."""

    @property
    def beyond(self) -> int | None:
        """How many people changed by more than the error of measurement explains."""
        if self.half is None:
            return None
        changed = [line.gain for line in self.people if line.gain is not None]
        return sum(abs(one) > self.half for one in changed)


def marks_of(papers: Sequence[Paper]) -> Marks:
    """Return the marks of papers of one quiz as a matrix."""
    return [[float(earned) for _item, earned in paper.marks] for paper in papers]


def quiz_report(cohort_id: int, code: str) -> QuizReport:
    """Return how a class did a quiz. Six queries whatever its size. Raises NotFound."""
    quiz = quizzes.get(code, cohort_id)
    seats = cohorts.list_seats(cohort_id)
    every = quizzes.papers([quiz.quiz_id]).get(quiz.quiz_id, [])
    seated = {seat.person_id for seat in seats}
    newest = {
        person: paper for person, paper in quizzes.latest_of_each(every).items() if person in seated
    }
    read = [paper for paper in newest.values() if paper.is_whole]
    marks = marks_of(read)
    texts = quizzes.list_questions(quiz.quiz_id)
    described = rules.difficulties(marks) if marks else []
    return QuizReport(
        quiz=quiz,
        people=tuple(
            PersonLine(
                seat,
                newest.get(seat.person_id),
                sum(paper.person_id == seat.person_id for paper in every),
            )
            for seat in seats
        ),
        questions=tuple(
            QuestionLine(number, kind, stem, found)
            for number, ((_item, kind, stem), found) in enumerate(
                zip(texts, described, strict=False), 1
            )
        ),
        mean=sum(float(one.share) for one in read) / len(read) if read else None,
        alpha=rules.alpha(marks),
        error=rules.error_of_measurement(marks),
        waiting=sum(bool(paper.waiting) for paper in newest.values()),
        lost=sum(bool(paper.lost) for paper in newest.values()),
    )


def pair_report(cohort_id: int, public_id: str) -> PairReport:
    """Return what a class gained between two quizzes. Raises NotFound."""
    pair = quizzes.get_pair(public_id, cohort_id)
    before, after = quizzes.get_by_ids(pair.before_id, pair.after_id)
    found = quizzes.papers([pair.before_id, pair.after_id])
    seats = cohorts.list_seats(cohort_id)
    seated = {seat.person_id for seat in seats}
    first, second = (
        {
            person: paper
            for person, paper in quizzes.latest_of_each(found.get(quiz_id, [])).items()
            if person in seated
        }
        for quiz_id in (pair.before_id, pair.after_id)
    )
    every = first.keys() | second.keys()
    both = [(person, paper) for some in (first, second) for person, paper in some.items()]
    waiting = {person for person, paper in both if paper.waiting}
    lost = {person for person, paper in both if paper.lost}
    for some in (first, second):
        for person in (waiting | lost) & some.keys():
            del some[person]
    one = {person: float(paper.share) for person, paper in first.items()}
    two = {person: float(paper.share) for person, paper in second.items()}
    matched = rules.match(one, two)
    matrices = marks_of(list(first.values())), marks_of(list(second.values()))
    asked = [set(quizzes.asked_questions(quiz_id)) for quiz_id in (pair.before_id, pair.after_id)]
    return PairReport(
        public_id=public_id,
        before=before,
        after=after,
        people=tuple(
            PairLine(seat, one.get(seat.person_id), two.get(seat.person_id)) for seat in seats
        ),
        gain=rules.gain([(one[person], two[person]) for person in matched.both]),
        only_before=len(matched.only_before),
        only_after=len(matched.only_after),
        neither=len(seated - every),
        waiting=len(waiting),
        lost=len(lost),
        same_questions=len(asked[0] & asked[1]),
        questions=(len(asked[0]), len(asked[1])),
        alpha=(rules.alpha(matrices[0]), rules.alpha(matrices[1])),
        half=rules.half_width(
            rules.error_of_measurement(matrices[0]), rules.error_of_measurement(matrices[1])
        ),
    )
