"""Forms of agencies."""

from flask_wtf.file import FileField
from wtforms import HiddenField, StringField, TextAreaField, ValidationError
from wtforms.fields import Field, SelectChoice
from wtforms.validators import InputRequired, NumberRange

from lms.agencies import labels, rules
from lms.agencies.coverage import LONGEST_NAME, MOST_VILLAGES, MOST_WANTED
from lms.agencies.models import ComplaintKind
from lms.agencies.rules import Outcome, Shift
from lms.core.forms import (
    BoxesField,
    Filled,
    LinesField,
    PageForm,
    at_most,
    choice_field,
    count_field,
    day_field,
    required,
)
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _

LONGEST_TEXT = 2000


class CheckForm(PageForm):
    """What stands on a paper: its code or number, and the full name."""

    asked = StringField(
        _("Kode atau nomor sertifikat"),
        validators=[Filled(_("Isi kode atau nomor sertifikat.")), at_most(100)],
    )
    name = StringField(
        _("Nama lengkap yang tercetak"),
        validators=[Filled(_("Isi nama seperti tercetak di kertas.")), at_most(200)],
    )


class ListForm(PageForm):
    """A list of papers: a file, or rows pasted from a sheet."""

    file = FileField(_("Atau berkas XLSX atau CSV"))
    rows = TextAreaField(_("Tempel barisnya"))

    @property
    def pasted(self) -> str:
        """What was pasted, as it came."""
        return str(self.rows.raw_data[0]) if self.rows.raw_data else ""


def _plain_words(_form: object, field: Field) -> None:
    if rules.has_private_number(field.data or ""):
        raise ValidationError(
            gettext("Hapus NIK dan nomor telepon. Tulis tanpa data korban atau keluarganya.")
        )


class ComplaintForm(PageForm):
    """A complaint about a certificate. Agencies to choose from are set by the page."""

    unit = choice_field(_("Atas nama"))
    asked = StringField(
        _("Kode atau nomor sertifikat"),
        validators=[Filled(_("Isi kode atau nomor sertifikat.")), at_most(100)],
    )
    name = StringField(
        _("Nama lengkap yang tercetak"),
        validators=[Filled(_("Isi nama seperti tercetak di kertas.")), at_most(200)],
    )
    kind = choice_field(
        _("Jenis"),
        choices=[SelectChoice(kind.value, labels.KINDS[kind]) for kind in ComplaintKind],
        validators=[required()],
    )
    text = TextAreaField(
        _("Yang terjadi"),
        validators=[
            Filled(_("Tulis apa yang terjadi, kapan, dan apa yang Anda minta.")),
            at_most(LONGEST_TEXT),
            _plain_words,
        ],
    )


class NoteForm(PageForm):
    """Words with a step."""

    note = TextAreaField(
        _("Catatan"),
        validators=[Filled(_("Tulis catatannya.")), at_most(LONGEST_TEXT), _plain_words],
    )


class OutcomeForm(NoteForm):
    """How a complaint is to end, and why."""

    outcome = choice_field(
        _("Usul keputusan"),
        choices=[
            SelectChoice("", _("Pilih")),
            *(SelectChoice(one.value, labels.OUTCOMES[one]) for one in Outcome),
        ],
        validators=[Filled(_("Pilih keputusannya."))],
    )


class WeekForm(PageForm):
    """Which week of which agency; the names of its shifts stand beside it."""

    unit = HiddenField(validators=[at_most(40)])
    week = day_field(_("Minggu"), validators=[required()])


SLOTS = [(n, shift, slot) for n in range(7) for shift in Shift for slot in range(2)]
SLOT_NAMES = [f"h{n}-{shift.value}-{slot}" for n, shift, slot in SLOTS]
"""Names of the inputs of a week: day, shift, place."""


class VillagesForm(PageForm):
    """Villages of a city, one a line."""

    unit = HiddenField(validators=[at_most(40)])
    names = LinesField(
        _("Nama kelurahan, satu per baris"),
        validators=[Filled(_("Tulis paling sedikit satu nama.")), at_most(30_000)],
    )

    def validate_names(self, field: LinesField) -> None:
        """Refuse more lines than a city has villages, and names that are none."""
        if len(field.lines) > MOST_VILLAGES:
            raise ValidationError(gettext("Paling banyak %(max)d baris.", max=MOST_VILLAGES))
        if any(len(line) > LONGEST_NAME for line in field.lines):
            raise ValidationError(
                gettext("Paling banyak %(max)d huruf tiap nama.", max=LONGEST_NAME)
            )


class TargetForm(PageForm):
    """How many are wanted. Levels and villages are set by the page."""

    unit = HiddenField(validators=[at_most(40)])
    level = choice_field(_("Tingkat"), validators=[required()])
    village = choice_field(_("Kelurahan"))
    wanted = count_field(
        _("Jumlah yang diinginkan"),
        validators=[
            InputRequired(_("Isi jumlahnya; 0 menghapus target.")),
            NumberRange(min=0, max=MOST_WANTED, message=_("Antara %(min)s dan %(max)s.")),
        ],
    )


class AreasForm(PageForm):
    """Which villages somebody serves. Villages are set by the page."""

    villages = BoxesField(_("Kelurahan yang dilayani"))
