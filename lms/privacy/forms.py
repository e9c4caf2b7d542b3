"""Forms of privacy."""

from wtforms import BooleanField, HiddenField, PasswordField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import NumberRange

from lms.core.forms import PageForm, at_most, choice_field, count_field, one_of, required
from lms.core.i18n import lazy_gettext as _
from lms.privacy import labels, rules


class ConsentForm(PageForm):
    """The tick under the notice. Never ticked beforehand."""

    agree = BooleanField(_("Saya sudah membaca dan menyetujui pemakaian data ini"))
    next = HiddenField(validators=[at_most(400)])

    def validate_agree(self, field: BooleanField) -> None:
        """Ask for the tick."""
        if not field.data:
            raise ValidationError(_("Beri tanda bila Anda setuju."))


class ProofForm(PageForm):
    """The password, once more, for one of the things that can be done with one's data."""

    password = PasswordField(_("Kata sandi sekarang"), validators=[required(), at_most(128)])
    do = HiddenField(validators=[one_of(("export", "delete", "withdraw"))])


class TimerForm(PageForm):
    """How many days a timer counts."""

    name = HiddenField(validators=[one_of(rules.TIMERS)])
    days = count_field(
        _("Hari"),
        validators=[
            required(),
            NumberRange(0, 3650, message=_("Tulis bilangan dari %(min)d sampai %(max)d.")),
        ],
    )


class IncidentForm(PageForm):
    """What went wrong, and how many hours ago it became known."""

    what = TextAreaField(_("Apa yang terjadi"), validators=[required(), at_most(1000)])
    hours = count_field(
        _("Diketahui berapa jam yang lalu"),
        default=0,
        validators=[NumberRange(0, 720, message=_("Tulis bilangan dari %(min)d sampai %(max)d."))],
    )


class StepForm(PageForm):
    """One step that was done."""

    step = choice_field(
        _("Langkah"),
        choices=[SelectChoice(key, words[0]) for key, words in labels.STEPS.items()],
    )
    note = TextAreaField(_("Catatan, tanpa data korban"), validators=[at_most(1000)])
