"""Forms of a timetable."""

from typing import Any

from wtforms import StringField, TextAreaField, TimeField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import NumberRange, Optional, Regexp

from lms.cohorts import labels
from lms.cohorts.models import ClassSession
from lms.cohorts.planning import EntryData
from lms.core.forms import PageForm, at_most, choice_field, count_field, required
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _

MOST_JP = 12
"""Training hours of one entry: more than a long day."""


def hour_field(label: str) -> TimeField:
    """Return the field of an hour; `08.30` and `08:30` are the same."""
    message = _("Tulis jam dan menit, misalnya 08.30.")
    return TimeField(
        label,
        format=["%H:%M", "%H.%M"],
        invalid_value_message=message,
        validators=[Optional()],
    )


class ReasonForm(PageForm):
    """Why a timetable changes. It is asked for once the class has begun."""

    needed = False
    reason = TextAreaField(_("Alasan perubahan"), validators=[at_most(200)])

    def validate_reason(self, field: Any) -> None:
        """Ask for a reason where one is needed."""
        if self.needed and not field.data:
            raise ValidationError(_("Kelas sudah mulai: tulis alasan perubahan jadwal."))


class EntryForm(ReasonForm):
    """One entry of a timetable. Days and speakers are set by the page."""

    title = StringField(_("Acara"), validators=[required(), at_most(90)])
    title_en = StringField(_("Acara dalam bahasa Inggris"), validators=[at_most(90)])
    day = choice_field(_("Hari"))
    half = choice_field(
        _("Waktu"), choices=[SelectChoice(key, label) for key, label in labels.HALVES.items()]
    )
    begins = hour_field(_("Mulai"))
    ends = hour_field(_("Selesai"))
    jp = count_field(
        _("JP"),
        default=0,
        validators=[
            Optional(),
            NumberRange(min=0, max=MOST_JP, message=_("Antara %(min)s dan %(max)s JP.")),
        ],
    )
    lesson_code = StringField(
        _("Kode pelajaran"),
        validators=[
            Optional(),
            Regexp(r"^(K[1-5]|T)\.T$", message=_("Tulis seperti K1.T, atau kosongkan.")),
        ],
    )
    speaker = choice_field(_("Narasumber"))

    def offer_days(self, days: int, entry: ClassSession | None = None) -> None:
        """Let one choose among the days of the class; an entry beyond them may stay there."""
        numbers = sorted({*range(1, days + 1), *([entry.day] if entry else [])})
        self.day.choices = [
            SelectChoice(str(number), gettext("Hari %(day)s", day=number)) for number in numbers
        ]

    def validate_begins(self, _field: Any) -> None:
        """Ask for both hours or none."""
        if not any(self.ends.raw_data or ()):
            raise ValidationError(_("Isi juga jam selesai, atau kosongkan keduanya."))

    def validate_ends(self, field: Any) -> None:
        """Ask for both hours or none, in order."""
        if not any(self.begins.raw_data or ()):
            raise ValidationError(_("Isi juga jam mulai, atau kosongkan keduanya."))
        if self.begins.data is not None and field.data <= self.begins.data:
            raise ValidationError(_("Jam selesai perlu setelah jam mulai."))

    def read(self, speaker_id: int | None) -> EntryData:
        """Return what was typed."""
        return EntryData(
            day=int(self.day.data),
            half=self.half.data,
            title=self.title.data,
            title_en=self.title_en.data or self.title.data,
            jp=self.jp.data or 0,
            lesson_code=self.lesson_code.data or None,
            begins=self.begins.data,
            ends=self.ends.data,
            speaker_id=speaker_id,
        )


class ArrangeForm(ReasonForm):
    """Which button of a timetable was pressed: `naik-12`, `turun-12`, `hapus-12`, `pulihkan-12`."""

    act = StringField(validators=[Regexp(r"^(naik|turun|hapus|pulihkan)-[0-9]{1,9}$")])

    @property
    def pressed(self) -> tuple[str, int]:
        """Return what is to be done, and to which entry."""
        word, _dash, number = self.act.data.partition("-")
        return word, int(number)
