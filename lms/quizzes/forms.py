"""Forms of quizzes."""

import re
from dataclasses import dataclass
from typing import ClassVar

from flask import request
from flask_babel import lazy_gettext as _
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, HiddenField, IntegerField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, NumberRange, Optional

from lms.core.clock import ZONES
from lms.core.forms import PageForm, at_most, choice_field, count_field, day_field, required
from lms.quizzes.rules import EXTRA, LARGEST_SEQ, LONGEST
from lms.quizzes.types.model import MOST_OPTIONS

ANSWER = "jawab"
"""Name of every field of a question of another type than a single best answer."""
LARGEST_QUIZ = 200
"""Questions of one sitting; today's largest shows 30."""


class SheetForm(PageForm):
    """What both ways of sending an answer have in common."""

    soal = IntegerField(validators=[InputRequired(), NumberRange(1, LARGEST_QUIZ)])
    """Position of the question."""
    seq = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_SEQ)])
    choice = IntegerField(validators=[Optional(), NumberRange(1, MOST_OPTIONS)])
    """Position of the chosen option as shown."""
    flagged = BooleanField(_("Tandai untuk ditinjau"))


class PageAnswerForm(SheetForm):
    """One question page, sent by its buttons."""

    ke = StringField(validators=[at_most(20)])
    """Where to go after saving."""

    @property
    def values(self) -> tuple[str, ...]:
        """What the fields of a question of another type held, in their order."""
        return tuple(request.form.getlist(ANSWER))


@dataclass(frozen=True, slots=True)
class Change:
    """One change, sent by save.js: `field` says which, the others are not looked at."""

    FIELDS: ClassVar = ("soal", "seq", "field", "client_key", "zone", "choice", "flagged", ANSWER)

    soal: int
    """Position of the question."""
    seq: int
    client_key: str
    choice: int | None
    """Position of the chosen option as shown; None when only the flag changed."""
    flagged: bool | None
    """None when only the answer changed."""
    values: tuple[str, ...] | None
    """What the fields of a question of another type hold, in their order. Nothing is an answer."""
    zone: str | None


KEY = re.compile(r"[0-9A-Za-z-]{8,64}")
NOT_FLAGGED = {"", "false"}


def read_change(sent: MultiDict[str, str]) -> Change | None:
    """Read what a script sent; None when it makes no sense.

    Nobody types this, so there is nothing to explain, and it comes once for every answer: a form
    object would cost more than storing the answer does.
    """
    soal = _number(sent.get("soal"), 1, LARGEST_QUIZ)
    seq = _number(sent.get("seq"), 0, LARGEST_SEQ)
    field, key, zone = sent.get("field"), sent.get("client_key", ""), sent.get("zone", "")
    choice = _number(sent.get("choice"), 1, MOST_OPTIONS) if field == "choice" else None
    if soal is None or seq is None or not KEY.fullmatch(key) or zone not in {"", *ZONES}:
        return None
    if field not in ("flagged", ANSWER) and choice is None:
        return None
    flagged = sent.get("flagged", "") not in NOT_FLAGGED if field == "flagged" else None
    values = tuple(sent.getlist(ANSWER)) if field == ANSWER else None
    return Change(soal, seq, key, choice, flagged, values, zone or None)


def _number(text: str | None, least: int, most: int) -> int | None:
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 10:
        return None
    number = int(text)
    return number if least <= number <= most else None


class SubmitForm(PageForm):
    """Handing in. The box is asked for when questions are left without an answer."""

    confirm = BooleanField(_("Kirim walau masih ada soal yang belum dijawab"))


class LimitForm(PageForm):
    """The time of one quiz."""

    quiz = HiddenField(validators=[required()])
    """Its name in addresses."""
    minutes = count_field(
        _("Batas waktu (menit)"),
        validators=[
            Optional(),
            NumberRange(
                1,
                LONGEST,
                message=_("Tulis 1 sampai %(most)d menit, atau kosongkan.", most=LONGEST),
            ),
        ],
    )
    pausable = BooleanField(_("Jeda menghentikan waktu"))


NO_LIMIT = "bebas"


class ExtraForm(PageForm):
    """More time for one person."""

    percent = choice_field(
        _("Tambahan waktu"),
        choices=[
            SelectChoice("0", _("Tidak ada")),
            *(SelectChoice(str(one), _("%(num)d%% lebih lama", num=one)) for one in EXTRA),
            SelectChoice(NO_LIMIT, _("Tanpa batas waktu")),
        ],
    )
    until = day_field(_("Berlaku sampai tanggal"), validators=[Optional()])
    reason = StringField(_("Alasan singkat"), validators=[required(), at_most(120)])

    @property
    def chosen(self) -> int | None:
        """Per cent, None for no limit."""
        return None if self.percent.data == NO_LIMIT else int(self.percent.data)
