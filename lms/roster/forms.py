"""Forms of bringing people in."""

from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from lms.cohorts.labels import KINDS
from lms.core.forms import Filled, PageForm, at_most, choice_field, one_of, required
from lms.core.i18n import lazy_gettext as _
from lms.roster.rules import LONGEST_EMAIL, LONGEST_NAME, LONGEST_TEXT

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
