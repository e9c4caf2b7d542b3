"""Forms of observations."""

from collections.abc import Mapping

from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from lms.competency.quality_forms import QualityForm
from lms.core.forms import PageForm, at_most, one_of, required
from lms.core.i18n import lazy_gettext as _
from lms.practice.observations.services import Entry, Refusal
from lms.practice.observations.sheets import Sheet

LABELS = (_("Belum aman"), _("Dengan bimbingan"), _("Aman mandiri"))
EXCUSES = {
    Refusal.MAY_NOT: _("Anda tidak dapat menilai orang ini."),
    Refusal.NOTE: _("Tulis apa yang Anda lihat: tanda ini perlu catatan."),
    Refusal.QUALITY: _("Bukti yang kurang mutunya hanya dapat ditandai “Belum aman”."),
    Refusal.EMPTY: _("Pilih salah satu tanda, atau hapus catatannya."),
    Refusal.FEEDBACK: _("Beri umpan balik dulu, lalu centang di atas daftar."),
    Refusal.TAKEN: _("Sudah dinilai sebelumnya. Yang Anda pilih di sini belum tersimpan."),
    Refusal.TWO: _("Dua penilai lain sudah menandai orang ini di stasiun ini."),
    Refusal.CLOSED: _("Kriteria ini tidak dapat dinilai dengan cerita ini sekarang."),
}


class MarksForm(PageForm):
    """Which criterion and story, for which group, and where to go after saving."""

    kuk = HiddenField()
    varian = HiddenField()
    siapa = HiddenField()
    ke = StringField(validators=[at_most(40)])
    umpan_balik = BooleanField(
        _("Umpan balik sudah saya berikan kepada setiap orang yang mengulang.")
    )


class RowForm(QualityForm):
    """What was seen of one person, and its quality; nothing chosen means not seen."""

    class Meta(QualityForm.Meta):
        """The page's form carries the token."""

        csrf = False

    hasil = RadioField(
        choices=[SelectChoice(str(mark), label) for mark, label in enumerate(LABELS)],
        validate_choice=False,
        validators=[one_of(["", "0", "1", "2"])],
        filters=[lambda value: value or ""],
    )
    catatan = TextAreaField(_("Catatan"), validators=[at_most(1000)])
    tindakan = SelectField(_("Tindakan membahayakan"), default="", filters=[lambda v: v or ""])

    @property
    def entry(self) -> Entry:
        """Return what was said, as the service reads it."""
        mark = int(self.hasil.data) if self.hasil.data else None
        return Entry(mark, self.catatan.data, self.tindakan.data, self.stated)

    @property
    def lacks_quality(self) -> bool:
        """Tell whether the page asked, and one of the four was not ticked."""
        return self.stated is not None and not self.stated.is_whole

    def refuse(self, why: Refusal) -> None:
        """Put the reason beside the field it is about."""
        field = self.catatan if why is Refusal.NOTE else self.hasil
        field.errors = [EXCUSES[why]]


def row_forms(sheet: Sheet) -> dict[str, RowForm]:
    """Return a form for each person of the page, by public id."""
    return {line.seat.public_id: _row_form(line.seat.public_id, sheet.acts) for line in sheet.lines}


def _row_form(public_id: str, acts: Mapping[str, str]) -> RowForm:
    form = RowForm(prefix=public_id)
    form.tindakan.choices = [
        SelectChoice("", _("Tidak ada")),
        *(SelectChoice(code, f"{code}: {text}") for code, text in acts.items()),
    ]
    return form


def valid_entries(rows: Mapping[str, RowForm]) -> dict[str, Entry]:
    """Return the entries of the rows that can be read; the others keep their errors."""
    checked = {key: row.validate() for key, row in rows.items()}
    return {key: rows[key].entry for key, is_valid in checked.items() if is_valid}


class AnnulForm(PageForm):
    """Why a try is taken back."""

    alasan = TextAreaField(_("Alasan"), validators=[required(), at_most(500)])
