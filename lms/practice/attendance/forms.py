"""Forms of attendance."""

import re
from typing import Any

from wtforms import HiddenField, IntegerField, RadioField, StringField, TimeField
from wtforms.fields import SelectChoice
from wtforms.validators import NumberRange, Optional, ValidationError

from lms.core.forms import PageForm, at_most, count_field, one_of, required
from lms.core.i18n import lazy_gettext as _
from lms.practice.attendance import rules
from lms.practice.attendance.models import Presence
from lms.practice.attendance.rules import BadMark, Mark
from lms.practice.attendance.services import Entry

LABELS = {
    Presence.PRESENT: _("Hadir"),
    Presence.LATE: _("Terlambat"),
    Presence.PARTIAL: _("Sebagian"),
    Presence.ABSENT: _("Tidak hadir"),
    Presence.MADE_UP: _("Di kelas lain"),
}
"""What can be chosen, in the order of the buttons."""
WORDS = {**LABELS, Presence.CLEARED: _("Dibatalkan")}
"""What can be read in a list."""
SAYS = {
    "minutes": _("Tulis berapa menit ikut (1–480), atau sesi mana."),
    "elsewhere": _("Pilih kelasnya, atau tulis nama kelas dan alasannya."),
    "letter": _("Tulis h, t, a, atau s dan menitnya, misalnya s45."),
}
STAMP = re.compile(r"(?:[a-z_]{1,20}(?::[0-9a-f]{8})?)?")


def _known_stamp(_form: object, field: Any) -> None:
    found = STAMP.fullmatch(field.data or "")
    word = (field.data or "").partition(":")[0]
    if found is None or word not in ("", *Presence):
        raise ValidationError(_("Pilih salah satu yang tersedia."))


class SheetForm(PageForm):
    """Which half day, and which button: `simpan`, or `semua` to note the rest as present."""

    bagian = HiddenField()
    hal = HiddenField(default="1")
    langkah = HiddenField(default="simpan", validators=[one_of(["simpan", "semua"])])


class RowForm(PageForm):
    """One person: the choice, and what stood there when the page was drawn."""

    class Meta(PageForm.Meta):
        """The page's form carries the token."""

        csrf = False

    hadir = RadioField(
        choices=[SelectChoice(presence.value, label) for presence, label in LABELS.items()],
        validate_choice=False,
        validators=[one_of(["", *LABELS])],
        filters=[lambda value: value or ""],
    )
    semula = HiddenField(validators=[_known_stamp])
    menit = IntegerField(validators=[Optional()])
    catatan = StringField(validators=[at_most(rules.LONGEST_NOTE)])
    kelas = StringField(validators=[at_most(60)])

    @property
    def entry(self) -> Entry:
        """Return what the row says."""
        return Entry(
            self.hadir.data,
            self.semula.data or "",
            self.menit.data,
            self.catatan.data or "",
            self.kelas.data or "",
        )

    def validate(self, extra_validators: Any = None) -> bool:
        """Ask for what a part and another class need, unless the row was not touched."""
        if not super().validate(extra_validators):
            return False
        try:
            self.entry.mark  # noqa: B018  # raises
        except BadMark as error:
            # What stood there already may say less, from before more was asked.
            if self.hadir.data == (self.semula.data or "").partition(":")[0]:
                self.hadir.data = ""
                return True
            field = self.menit if str(error) == "minutes" else self.catatan
            field.errors = [SAYS[str(error)]]
            return False
        return True


class KeyForm(PageForm):
    """Which half day is keyed in, and which button: save, or write `h` into what is empty."""

    bagian = HiddenField()
    hal = HiddenField(default="1")
    langkah = HiddenField(default="simpan", validators=[one_of(["simpan", "isi"])])


class KeyRowForm(PageForm):
    """One row of the paper: a letter, and what stood there when the page was drawn."""

    class Meta(PageForm.Meta):
        """The page's form carries the token."""

        csrf = False

    tanda = StringField(validators=[at_most(5)])
    semula = HiddenField(validators=[_known_stamp])

    @property
    def mark(self) -> Mark | None:
        """Return what was keyed in. Raises BadMark."""
        return rules.read_letter(self.tanda.data or "")

    @property
    def entry(self) -> Entry:
        """Return what the row says. Raises BadMark."""
        mark = self.mark
        if mark is None:
            return Entry("", self.semula.data or "")
        return Entry(mark.presence.value, self.semula.data or "", mark.minutes)

    def validate(self, extra_validators: Any = None) -> bool:
        """Say what a letter may be."""
        if not super().validate(extra_validators):
            return False
        try:
            self.mark  # noqa: B018  # raises
        except BadMark as error:
            self.tanda.errors = [SAYS[str(error)]]
            return False
        return True


class UndoForm(PageForm):
    """Whose note is taken back, in which half day, and where the trainer was."""

    bagian = HiddenField()
    peserta = HiddenField(validators=[required()])
    hal = HiddenField(default="1")
    asal = HiddenField(validators=[one_of(["", "langsung"])])


class OpenForm(PageForm):
    """When a half day begins, and until when somebody is on time."""

    bagian = HiddenField()
    mulai = TimeField(_("Mulai pukul"), validators=[required()])
    toleransi = count_field(
        _("Terlambat setelah (menit)"),
        validators=[
            required(),
            NumberRange(0, 120, message=_("Tulis 0 sampai 120 menit.")),
        ],
    )


class CloseForm(PageForm):
    """Which half day takes no codes any more."""

    bagian = HiddenField()


class CodeForm(PageForm):
    """The code somebody reads from the screen."""

    kode = StringField(_("Kode di layar"), validators=[required(), at_most(20)])


class ConfirmForm(PageForm):
    """The button under a scanned code."""
