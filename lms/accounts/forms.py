"""Forms of accounts."""

from wtforms import EmailField, PasswordField, RadioField, SelectMultipleField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import EqualTo, Regexp

from lms.core.forms import PageForm, at_most, required
from lms.core.i18n import lazy_gettext as _
from lms.core.login import ROLES

EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def email_field() -> EmailField:
    """Return the field of an e-mail address."""
    return EmailField(
        _("Alamat e-mail"),
        validators=[
            required(),
            at_most(200),
            Regexp(EMAIL, message=_("Tulis alamat e-mail lengkap, misalnya nama@contoh.id.")),
        ],
    )


class SignInForm(PageForm):
    """Address and password."""

    email = email_field()
    password = PasswordField(_("Kata sandi"), validators=[required(), at_most(128)])


class PasswordForm(PageForm):
    """The old password and, twice, a new one."""

    old = PasswordField(_("Kata sandi sekarang"), validators=[required(), at_most(128)])
    new = PasswordField(_("Kata sandi baru"), validators=[required(), at_most(128)])
    again = PasswordField(
        _("Ulangi kata sandi baru"),
        validators=[required(), EqualTo("new", message=_("Kedua kata sandi belum sama."))],
    )


class NameForm(PageForm):
    """The name as it is to stand on a certificate."""

    name = StringField(_("Nama lengkap"), validators=[required(), at_most(120)])


class SetupForm(PageForm):
    """The first administrator, and the code from the terminal."""

    code = StringField(_("Kode dari terminal"), validators=[required(), at_most(40)])
    name = StringField(_("Nama lengkap"), validators=[required(), at_most(120)])
    email = email_field()
    password = PasswordField(_("Kata sandi"), validators=[required(), at_most(128)])


class RolesForm(PageForm):
    """The roles of one person."""

    roles = SelectMultipleField(_("Peran"), choices=[SelectChoice(role) for role in ROLES])


class DisabledForm(PageForm):
    """Whether an account is closed."""

    disabled = RadioField(
        _("Keadaan akun"),
        choices=[SelectChoice("no", _("Aktif")), SelectChoice("yes", _("Ditutup"))],
    )
