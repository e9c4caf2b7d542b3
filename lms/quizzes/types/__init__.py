"""The types of questions: one folder each, with its rules and the parts of its pages.

`TYPES` is the registry. Everything here is pure but the templates.
"""

from lms.quizzes.types.base import (
    BadResponse,
    NotAKey,
    QuestionType,
    Response,
    SameKey,
    TooLong,
)
from lms.quizzes.types.codec import Unloadable
from lms.quizzes.types.model import Kind
from lms.quizzes.types.question import TYPES

__all__ = [
    "TYPES",
    "BadResponse",
    "Kind",
    "NotAKey",
    "QuestionType",
    "Response",
    "SameKey",
    "TooLong",
    "Unloadable",
]
