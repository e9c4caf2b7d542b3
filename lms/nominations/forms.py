"""Forms of seats and nominations."""

from typing import Any

from wtforms import FieldList, Form, FormField, StringField, TimeField, ValidationError
from wtforms.validators import InputRequired, NumberRange, Optional

from lms.cohorts.labels import KINDS
from lms.core.forms import (
    BoxesField,
    PageForm,
    at_most,
    choice_field,
    count_field,
    day_field,
    required,
)
from lms.core.i18n import lazy_gettext as _
from lms.nominations.rules import LONGEST_OFFER, SHORTEST_OFFER
from lms.nominations.services import (
    LONGEST_EMAIL,
    LONGEST_LETTER,
    LONGEST_NAME,
    is_email,
)

MOST_SEATS = 5000
TYPED_ROWS = 5
"""Empty rows for people the agency has no account of."""


def _seats(least: int) -> NumberRange:
    message = _("Antara %(min)s dan %(max)s.")
    return NumberRange(min=least, max=MOST_SEATS, message=message)


class SeatsForm(PageForm):
    """Seats, deadline and time to answer; the quotas stand beside it, one a kind."""

    capacity = count_field(
        _("Kursi kelas"), validators=[InputRequired(_("Isi jumlah kursi.")), _seats(1)]
    )
    until_on = day_field(_("Tenggat pengusulan"), validators=[required()])
    until_at = TimeField(
        _("Jam"),
        invalid_value_message=_("Tulis jam, misalnya 16:00."),
        validators=[InputRequired(_("Isi jam tenggat."))],
    )
    offer_hours = count_field(
        _("Waktu menjawab tawaran, dalam jam"),
        validators=[
            InputRequired(_("Isi waktu menjawab.")),
            NumberRange(
                min=SHORTEST_OFFER, max=LONGEST_OFFER, message=_("Antara %(min)s dan %(max)s jam.")
            ),
        ],
    )


class QuotasForm(PageForm):
    """One number a kind of agency; empty or 0 means no quota."""

    class Meta(PageForm.Meta):
        """The page's other form carries the token."""

        csrf = False


for _kind, _label in KINDS.items():
    setattr(QuotasForm, _kind.value, count_field(_label, validators=[Optional(), _seats(0)]))


class ReasonForm(PageForm):
    """Why somebody gets a seat out of turn."""

    reason = StringField(_("Alasan"), validators=[required(), at_most(300)])


class WithdrawForm(PageForm):
    """Why a nomination is taken back; may be empty."""

    note = StringField(_("Alasan"), validators=[at_most(300)])


class NomineeRow(Form):
    """Somebody by name and address; an empty row is left out."""

    class Meta(PageForm.Meta):
        """The page's form carries the token."""

        csrf = False

    name = StringField(_("Nama lengkap"), validators=[at_most(LONGEST_NAME)])
    email = StringField(
        _("Alamat e-mail"),
        validators=[at_most(LONGEST_EMAIL)],
    )

    def validate_name(self, field: Any) -> None:
        """Ask for the name of an address."""
        if self.email.data and not field.data:
            raise ValidationError(_("Isi nama orangnya."))

    def validate_email(self, field: Any) -> None:
        """Ask for the address of a name, and for a whole one."""
        if self.name.data and not field.data:
            raise ValidationError(_("Isi alamat e-mailnya; undangan dikirim ke sana."))
        if field.data and not is_email(field.data):
            raise ValidationError(_("Tulis alamat e-mail lengkap, misalnya nama@contoh.id."))


class NominateForm(PageForm):
    """Own people, others by name and address, and the letter of assignment."""

    people = BoxesField(_("Pendamping kami"), validate_choice=False)
    organisation = choice_field(_("Diutus oleh"))
    others = FieldList(FormField(NomineeRow), min_entries=TYPED_ROWS, max_entries=50)
    letter_number = StringField(_("Nomor surat tugas"), validators=[at_most(LONGEST_LETTER)])
    letter_on = StringField(_("Tanggal surat tugas"), validators=[at_most(LONGEST_LETTER)])

    @property
    def typed(self) -> list[tuple[str, str]]:
        """The filled rows as name and address."""
        rows = (row.form for row in self.others)
        return [(row.name.data, row.email.data) for row in rows if row.email.data]
