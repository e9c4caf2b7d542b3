"""Forms of evaluations and of plans after a class."""

from typing import Any

from wtforms import EmailField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import Optional, Regexp, StopValidation, ValidationError

from lms.accounts.forms import EMAIL
from lms.core.forms import PageForm, at_most, day_field, required
from lms.core.i18n import lazy_gettext as _
from lms.evaluations.rules import Rating, has_long_number

AGREE = {
    1: _("Tidak setuju"),
    2: _("Kurang setuju"),
    3: _("Setuju"),
    4: _("Sangat setuju"),
}
RATINGS = {
    Rating.DONE: _("Sudah"),
    Rating.PARTLY: _("Sebagian"),
    Rating.NOT_YET: _("Belum"),
}
OTHER = "lain"


def no_long_number(_form: object, field: Any) -> None:
    """Refuse what looks like a NIK or a telephone number."""
    if has_long_number(field.data or ""):
        raise ValidationError(
            _("Ada nomor panjang seperti NIK atau telepon. Hapus nomornya, lalu kirim lagi.")
        )


class StatementForm(PageForm):
    """How much somebody agrees with one statement. Has a prefix: the statement's id."""

    mark = RadioField(
        choices=[SelectChoice(str(mark), label) for mark, label in AGREE.items()],
        validators=[required()],
    )


class FeedbackForm(PageForm):
    """The two open questions."""

    good = TextAreaField(validators=[at_most(500), no_long_number])
    better = TextAreaField(validators=[at_most(500), no_long_number])


def _with_promise(form: Any, field: Any) -> None:
    """Ask for the day of what is promised, and for none where nothing is."""
    if "".join(field.raw_data or ()).strip() and form.what.data:
        return
    field.errors = []
    if form.what.data:
        raise StopValidation(_("Tulis tanggalnya: kapan ini paling lambat dilakukan."))
    raise StopValidation()


class PromiseForm(PageForm):
    """One promise; left empty it does not count. Has a prefix: `j1` … `j5`."""

    what = TextAreaField(_("Apa yang akan saya lakukan"), [at_most(300), no_long_number])
    by_on = day_field(_("Paling lambat"), validators=[_with_promise])
    with_whom = StringField(_("Bersama siapa"), [at_most(300), no_long_number])


class PlanForm(PageForm):
    """Who looks at the promises beside the person."""

    superior = RadioField(_("Siapa yang ikut melihat"), validators=[required()])
    superior_name = StringField(_("Nama atasan"), [at_most(200)])
    superior_email = EmailField(
        _("Alamat e-mail atasan"),
        [
            Optional(),
            at_most(200),
            Regexp(EMAIL, message=_("Tulis alamat e-mail lengkap, misalnya nama@contoh.id.")),
        ],
    )
    own_email = ""
    """Of who writes; set by the view: nobody looks at their own promises twice."""

    def validate_superior_name(self, field: Any) -> None:
        """Ask for the name where nobody of the agency is chosen."""
        if self.superior.data == OTHER and not field.data:
            raise ValidationError(_("Tulis nama atasan Anda."))

    def validate_superior(self, field: Any) -> None:
        """Ask for an address where nobody of the agency is chosen, and not for one's own."""
        email = (self.superior_email.data or "").strip().lower()
        if field.data == OTHER and not email:
            raise ValidationError(_("Tulis alamat e-mail atasan Anda."))
        if field.data == OTHER and email == self.own_email:
            raise ValidationError(_("Tulis alamat atasan Anda, bukan alamat Anda sendiri."))


class RatingForm(PageForm):
    """How far one promise is kept. Has a prefix: `j` and the promise's id."""

    rating = RadioField(
        choices=[SelectChoice(one.value, label) for one, label in RATINGS.items()],
        validators=[required()],
    )
    reason = TextAreaField(
        _("Mengapa, atau apa langkah berikutnya"), [at_most(300), no_long_number]
    )


class CheckForm(PageForm):
    """What one side says of the plan as a whole."""

    comment = TextAreaField(_("Catatan"), [at_most(500), no_long_number])
