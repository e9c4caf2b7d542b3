"""Says what a question holds that a format may have no place for."""

from collections.abc import Callable, Collection
from enum import StrEnum

from lms.quizzes.exchange import model
from lms.quizzes.exchange.model import Format, Kind, Question
from lms.quizzes.exchange.problems import Key, Refused, Report


class Feature(StrEnum):
    """What can be lost; the value is how the list of losses calls it."""

    NAME = "the name beside the id"
    ID = "the id"
    TAGS = "tags (KUK, law, level, source)"
    FORMAT = "the format of a text"
    IMAGES = "images"
    OPTION_FEEDBACK = "feedback on an answer"
    ITEM_FEEDBACK = "the general feedback"
    OUTCOMES = "feedback on the whole answer (right, partly, wrong)"
    HINTS = "hints"
    MARK = "a mark other than 1"
    ORDER = "the fixed order of the options"
    PARTS = "parts of the mark for an option"
    SEVERAL_RIGHT = "several right options"
    ALL_OR_NOTHING = "“all or nothing”: it is marked in parts there"
    CASE = "capital letters that matter"
    UNITS = "units"
    WORD_LIMITS = "limits of words"
    GUIDANCE = "guidance for whoever marks"
    START = "the text an essay starts with"
    INFO = "the text of a category"


def _any_feedback(question: Question) -> bool:
    body = question.body
    match body:
        case model.Single() | model.Multiple():
            return any(one.feedback for one in body.options)
        case model.TrueFalse():
            return bool(body.when_true or body.when_false)
        case model.ShortAnswer() | model.Numeric():
            return any(one.feedback for one in body.answers)
        case _:
            return False


def _parts(question: Question) -> bool:
    body = question.body
    return isinstance(body, model.Single) and any(
        one.weight not in (0, 100) for one in body.options
    )


PRESENT: dict[Feature, Callable[[Question], bool]] = {
    Feature.NAME: lambda one: bool(one.name) and one.name != one.id,
    Feature.ID: lambda one: bool(one.id),
    Feature.TAGS: lambda one: bool(one.tags.labels()),
    Feature.FORMAT: lambda one: any(text.format is not Format.PLAIN for text in one.texts()),
    Feature.IMAGES: lambda one: any(text.images for text in one.texts()),
    Feature.OPTION_FEEDBACK: _any_feedback,
    Feature.ITEM_FEEDBACK: lambda one: bool(one.feedback),
    Feature.OUTCOMES: lambda one: one.outcomes != model.SILENT,
    Feature.HINTS: lambda one: bool(one.hints),
    Feature.MARK: lambda one: one.mark != 1,
    Feature.ORDER: lambda one: not getattr(one.body, "shuffle", True),
    Feature.PARTS: _parts,
    Feature.SEVERAL_RIGHT: lambda one: (
        isinstance(one.body, model.Single) and len(one.body.right) > 1
    ),
    Feature.ALL_OR_NOTHING: lambda one: getattr(one.body, "all_or_nothing", False),
    Feature.CASE: lambda one: getattr(one.body, "case_matters", False),
    Feature.UNITS: lambda one: bool(getattr(one.body, "units", ())),
    Feature.WORD_LIMITS: lambda one: (
        isinstance(one.body, model.Essay)
        and (one.body.least_words, one.body.most_words) != (None, None)
    ),
    Feature.GUIDANCE: lambda one: isinstance(one.body, model.Essay) and bool(one.body.guidance),
    Feature.START: lambda one: isinstance(one.body, model.Essay) and bool(one.body.start),
    Feature.INFO: lambda one: one.kind is Kind.CATEGORY and bool(one.stem),
}


def tell_losses(
    question: Question,
    report: Report,
    *,
    kinds: Collection[Kind],
    cannot: Collection[Feature],
    name: str,
) -> None:
    """Report what a format of that name drops of a question. Raises Refused when it is all."""
    if question.kind not in kinds:
        raise Refused(Key.KIND_LOST, format=name, what=question.kind)
    for feature in Feature:
        if feature in cannot and PRESENT[feature](question):
            report.warn(Key.LOST, format=name, what=feature)
