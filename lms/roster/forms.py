"""Forms of bringing people in."""

from typing import Any

from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    HiddenField,
    RadioField,
    StringField,
    TextAreaField,
    ValidationError,
)
from wtforms.fields import SelectChoice

from lms.accounts.forms import email_field
from lms.cohorts.labels import KINDS
from lms.cohorts.models import OrganisationKind
from lms.core.forms import Filled, PageForm, at_most, choice_field, one_of, required
from lms.core.i18n import lazy_gettext as _
from lms.practice.attendance.forms import LABELS
from lms.practice.attendance.models import Presence
from lms.roster.rules import (
    IDENTITY_IN_ADDRESS,
    LONGEST_EMAIL,
    LONGEST_NAME,
    LONGEST_TEXT,
    scrub,
)

EXISTING, NEW = "lain", "baru"
"""Choices beside the candidates: another organisation by name, and a new one."""


class SheetForm(PageForm):
    """A file, or rows pasted from a sheet."""

    file = FileField(_("Berkas XLSX atau CSV"))
    rows = TextAreaField(_("Atau tempel baris dari lembar kerja"))

    @property
    def pasted(self) -> str:
        """What was pasted, as it came: a line may begin with an empty cell."""
        return str(self.rows.raw_data[0]) if self.rows.raw_data else ""


class AgencySheetForm(SheetForm):
    """A sheet of an agency, for one class. Classes and agencies are set by the page."""

    cohort = choice_field(_("Kelas"), validators=[Filled(_("Pilih kelasnya."))])
    organisation = choice_field(_("Instansi"), validators=[Filled(_("Pilih instansinya."))])


class RowForm(PageForm):
    """One row, corrected."""

    name = StringField(_("Nama lengkap"), validators=[at_most(LONGEST_NAME)])
    email = StringField(_("Alamat e-mail"), validators=[at_most(LONGEST_EMAIL)])
    organisation = StringField(_("Instansi"), validators=[at_most(LONGEST_TEXT)])


class SkipForm(PageForm):
    """Whether a row is left out: hidden fields of a button."""

    number = HiddenField(validators=[required(), at_most(6)])
    skipped = HiddenField(validators=[one_of(["1", "0"])])


class ChoiceForm(PageForm):
    """Which organisation a name in the sheet means. Candidates are set by the page."""

    text = HiddenField(validators=[required(), at_most(LONGEST_TEXT)])
    choice = RadioField(
        _("Yang dimaksud"),
        validators=[Filled(_("Pilih salah satu."))],
        invalid_choice_message=_("Pilih salah satu yang tersedia."),
    )
    other = StringField(_("Nama instansi lain"), validators=[at_most(LONGEST_TEXT)])
    kind = choice_field(
        _("Jenis instansi baru"),
        default="",
        choices=[
            SelectChoice("", _("Pilih jenis")),
            *(SelectChoice(kind.value, label) for kind, label in KINDS.items()),
        ],
    )
    remember = BooleanField(_("Ingat tulisan ini sebagai nama lain instansi itu"))


class WalkInForm(PageForm):
    """Somebody at the door. Organisations are set by the page; the reason only counts when full."""

    bagian = HiddenField()
    email = email_field()
    name = StringField(_("Nama lengkap"), validators=[required(), at_most(LONGEST_NAME)])
    organisation = choice_field(_("Instansi yang mengutus"))
    other = StringField(_("Nama instansi yang belum ada"), validators=[at_most(LONGEST_TEXT)])
    kind = choice_field(
        _("Jenis instansi itu"),
        default="",
        choices=[
            SelectChoice("", _("Pilih jenis")),
            *(SelectChoice(kind.value, label) for kind, label in KINDS.items()),
        ],
    )
    hadir = RadioField(
        _("Kehadiran"),
        choices=[SelectChoice(one.value, LABELS[one]) for one in (Presence.PRESENT, Presence.LATE)],
        default=Presence.PRESENT.value,
        invalid_choice_message=_("Pilih salah satu yang tersedia."),
    )
    reason = StringField(_("Alasan menambah kursi"), validators=[at_most(300)])

    @property
    def chosen_kind(self) -> OrganisationKind | None:
        """The kind of a new organisation, if one was chosen."""
        return OrganisationKind(self.kind.data) if self.kind.data else None

    def validate_name(self, field: Any) -> None:
        """Keep numbers that name a person out."""
        if scrub(field.data or "")[1]:
            raise ValidationError(_("Tulis nama saja; NIK dan nomor lain tidak kami simpan."))

    def validate_email(self, field: Any) -> None:
        """Keep numbers that name a person out of the address too."""
        if IDENTITY_IN_ADDRESS.search(field.data or ""):
            raise ValidationError(_("Alamat ini memuat nomor panjang. Minta alamat lain."))

    def validate_organisation(self, field: Any) -> None:
        """Ask for an organisation, chosen or typed; and for one of them only."""
        if not field.data and not self.other.data:
            raise ValidationError(_("Pilih instansinya, atau tulis bila belum ada."))
        if field.data and self.other.data:
            raise ValidationError(_("Pilih dari daftar atau tulis yang baru, jangan keduanya."))


class WalkInUndoForm(PageForm):
    """Whose seat is taken back: the hidden field of a button."""

    bagian = HiddenField()
    undangan = HiddenField(validators=[required(), at_most(40)])
