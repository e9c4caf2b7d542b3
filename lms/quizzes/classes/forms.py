"""Forms of quizzes of a class."""

from datetime import datetime, timezone
from typing import Any

from wtforms import BooleanField, DateTimeLocalField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import NumberRange, Optional

from lms.core.forms import (
    BoxesField,
    Filled,
    PageForm,
    at_most,
    choice_field,
    count_field,
    required,
)
from lms.core.i18n import lazy_gettext as _
from lms.quizzes.classes.models import Purpose
from lms.quizzes.classes.rules import LONGEST, MOST_QUESTIONS, MOST_TRIES

PURPOSES = {
    Purpose.PRACTICE: _("Latihan"),
    Purpose.BEFORE: _("Pra-uji, sebelum kelas"),
    Purpose.AFTER: _("Pasca-uji, sesudah kelas"),
}
MINUTE = "%Y-%m-%dT%H:%M"


def moment_field(label: str) -> DateTimeLocalField:
    """Return the field of a day and an hour on the clock of the class."""
    return DateTimeLocalField(
        label,
        format=[MINUTE, "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"],
        validators=[required()],
        invalid_value_message=_("Tulis tanggal dan jam, misalnya 2026-12-09T08:00."),
    )


class TimesForm(PageForm):
    """What a quiz is called and when it is open."""

    title = StringField(_("Judul kuis"), validators=[required(), at_most(120)])
    opens_at = moment_field(_("Dibuka"))
    closes_at = moment_field(_("Ditutup"))
    shows_answers = BooleanField(_("Tampilkan kunci dan alasan sesudah kuis ditutup"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Refuse a quiz that closes before it opens."""
        if not super().validate(extra_validators):
            return False
        if self.closes_at.data <= self.opens_at.data:
            self.closes_at.errors = [_("Kuis ditutup sesudah dibuka.")]
            return False
        return True

    def opens(self, zone: timezone) -> datetime:
        """Return when it opens."""
        found: datetime = self.opens_at.data.replace(tzinfo=zone)
        return found

    def closes(self, zone: timezone) -> datetime:
        """Return when it closes."""
        found: datetime = self.closes_at.data.replace(tzinfo=zone)
        return found


class QuizForm(TimesForm):
    """A quiz put together of a collection. Questions and labels are set by the page."""

    purpose = RadioField(
        _("Tujuan"),
        choices=[SelectChoice(one.value, label) for one, label in PURPOSES.items()],
        validators=[Filled(_("Pilih salah satu."))],
        invalid_choice_message=_("Pilih salah satu yang tersedia."),
    )
    tries = count_field(
        _("Berapa kali boleh dikerjakan"),
        default=1,
        validators=[
            required(),
            NumberRange(1, MOST_TRIES, message=_("Tulis 1 sampai %(max)s.")),
        ],
    )
    minutes = count_field(
        _("Batas waktu (menit)"),
        validators=[
            Optional(),
            NumberRange(1, LONGEST, message=_("Tulis 1 sampai %(max)s.")),
        ],
    )
    questions = BoxesField(_("Soal"), invalid_choice_message=_("Soal ini tidak ada lagi."))
    number = count_field(
        _("Tambah soal acak"),
        validators=[
            Optional(),
            NumberRange(1, MOST_QUESTIONS, message=_("Tulis 1 sampai %(max)s.")),
        ],
    )
    label = choice_field(_("Dari label"), default="")


class PairForm(PageForm):
    """Two quizzes that belong together. Choices are set by the page."""

    before = choice_field(_("Pra-uji"), validators=[Filled(_("Pilih pra-uji."))])
    after = choice_field(_("Pasca-uji"), validators=[Filled(_("Pilih pasca-uji."))])
