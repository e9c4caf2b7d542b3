"""What is wrong with a file of questions; the words stand with the types of questions."""

from lms.quizzes.types.problems import (
    MOST_PROBLEMS,
    SHOWN,
    WORDS,
    Key,
    Place,
    Problem,
    Refused,
    Report,
    Severity,
    shown,
)

__all__ = [
    "MOST_PROBLEMS",
    "SHOWN",
    "WORDS",
    "Key",
    "Place",
    "Problem",
    "Refused",
    "Report",
    "Severity",
    "shown",
]
