"""When a quiz of a class may be begun, and when its answers are shown. Pure."""

from datetime import datetime, timedelta

from lms.core.errors import DomainError
from lms.quizzes.rules import Refusal

MOST_QUESTIONS = 200
"""Questions of one quiz."""
MOST_TRIES = 20
LONGEST = 24 * 60
"""Minutes of a time limit."""


class NotOpenYet(Refusal):
    """The quiz opens at `at`."""

    def __init__(self, at: datetime) -> None:
        super().__init__(at.isoformat())
        self.at = at


class Over(Refusal):
    """The quiz is closed, or was called off."""


class NoMoreTries(Refusal):
    """Every try is used."""


class BadPair(DomainError):
    """These two quizzes are no pair."""


class Paired(DomainError):
    """One of the quizzes belongs to a pair already."""


def check_begin(
    opens: datetime, closes: datetime, *, cancelled: bool, tries: int, used: int, now: datetime
) -> None:
    """Raise the Refusal that says why a sitting cannot begin now."""
    if cancelled or now >= closes:
        raise Over(closes.isoformat())
    if now < opens:
        raise NotOpenYet(opens)
    if used >= tries:
        raise NoMoreTries(str(tries))


def deadline(now: datetime, closes: datetime, allowed: timedelta | None) -> datetime:
    """Return when a sitting that begins now ends: with the quiz, or when its time is over."""
    return closes if allowed is None else min(closes, now + allowed)


def answers_from(closes: datetime, partner: datetime | None, *, shows: bool) -> datetime | None:
    """Return from when keys and reasons are shown; None: never.

    The two quizzes of a pair may ask the same questions, so neither shows them before both are
    closed. `partner` is when the other one closes.
    """
    if not shows:
        return None
    return closes if partner is None else max(closes, partner)


def check_pair(before_opens: datetime, after_opens: datetime, purposes: tuple[str, str]) -> None:
    """Raise BadPair unless a test before comes first and a test after follows."""
    if purposes != ("pra", "pasca") or before_opens >= after_opens:
        raise BadPair("-".join(purposes))
