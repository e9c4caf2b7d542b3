"""Forms of the chain of trainers."""

from wtforms import EmailField, StringField
from wtforms.validators import NumberRange, Optional, Regexp

from lms.accounts.forms import EMAIL
from lms.core.forms import Filled, PageForm, at_most, count_field, required
from lms.core.i18n import lazy_gettext as _


class OutsideForm(PageForm):
    """Who trained somebody elsewhere, where, when, in what."""

    trainer_name = StringField(
        _("Nama pelatih atau narasumber"), [Filled(_("Tulis namanya.")), at_most(200)]
    )
    trainer_email = EmailField(
        _("Alamat e-mail pelatih, bila ia punya akun di sini"),
        [
            Optional(),
            at_most(200),
            Regexp(EMAIL, message=_("Tulis alamat e-mail lengkap, misalnya nama@contoh.id.")),
        ],
    )
    place = StringField(_("Di mana"), [at_most(200)])
    year = count_field(
        _("Tahun"),
        validators=[
            required(),
            NumberRange(1990, 2100, message=_("Tulis tahun empat angka, misalnya 2024.")),
        ],
    )
    curriculum = StringField(
        _("Kurikulum"),
        [
            required(),
            Regexp(r"^[A-Z][0-9A-Z]{0,11}$", message=_("Tulis kodenya, misalnya K1.")),
        ],
    )
    version = StringField(_("Versi"), [at_most(80)])
