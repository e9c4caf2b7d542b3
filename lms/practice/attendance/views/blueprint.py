"""Where the pages of attendance hang, and what they share."""

from flask import Blueprint

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.core import login
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.practice.attendance.forms import WORDS
from lms.practice.attendance.rules import Half, Mark, Presence
from lms.practice.attendance.services import Outcome

bp = Blueprint("attendance", "lms.practice.attendance", template_folder="templates")


@bp.app_template_global("half_name")
def half_name(half: Half) -> str:
    """Name a half day: `Hari 1, pagi`."""
    if half.half == "am":
        return _("Hari %(day)s, pagi", day=half.day)
    return _("Hari %(day)s, siang", day=half.day)


@bp.app_template_global("mark_words")
def mark_words(mark: Mark, elsewhere: str = "") -> str:
    """Say in a few words what is noted: `Sebagian, 45 menit (sesi 2)`."""
    words = str(WORDS[mark.presence])
    if mark.minutes:
        minutes = ngettext("%(num)d menit", "%(num)d menit", mark.minutes)
        words = f"{words}, {minutes}"
    if elsewhere:
        words = f"{words}: {elsewhere}"
    return f"{words} ({mark.note})" if mark.note else words


@bp.app_template_global("is_part")
def is_part(mark: Mark) -> bool:
    """Tell whether somebody was there for a part only, which does not count yet."""
    return mark.presence is Presence.PARTIAL


def get_cohort(slug: str) -> Cohort:
    """Return a class the viewer is a trainer of. Raises NotFound."""
    return cohorts.get_cohort(slug, login.require_viewer(), Part.TRAINER)


def page_number(text: str | None) -> int:
    """Read the number of a page. Raises NotFound."""
    if not text:
        return 1
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise NotFound(text)
    return int(text)


def say(outcome: Outcome) -> str:
    """Say how many were saved."""
    if not outcome.added:
        return _("Tidak ada yang berubah.")
    return ngettext(
        "Kehadiran %(num)d orang tersimpan.", "Kehadiran %(num)d orang tersimpan.", outcome.added
    )
