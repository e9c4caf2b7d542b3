"""Forms of accounts."""

from typing import Any

from wtforms import EmailField, PasswordField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import EqualTo, Regexp

from lms.accounts import labels
from lms.core.forms import BoxesField, PageForm, at_most, required
from lms.core.i18n import lazy_gettext as _

EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"


def email_field(**options: Any) -> EmailField:
    """Return the field of an e-mail address."""
    return EmailField(
        _("Alamat e-mail"),
        **options,
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
    device = RadioField(
        _("Perangkat ini"),
        choices=[
            SelectChoice("shared", _("Dipakai bersama")),
            SelectChoice("own", _("Hanya saya yang memakai")),
        ],
        default="shared",
        invalid_choice_message=_("Pilih salah satu yang tersedia."),
    )


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

    roles = BoxesField(
        _("Peran"),
        choices=[SelectChoice(role, label) for role, label in labels.ROLES.items()],
        invalid_choice_message=_("Pilih salah satu yang tersedia."),
    )


class DisabledForm(PageForm):
    """Whether an account is closed."""

    disabled = RadioField(
        _("Keadaan akun"),
        choices=[SelectChoice("no", _("Aktif")), SelectChoice("yes", _("Ditutup"))],
        invalid_choice_message=_("Pilih salah satu yang tersedia."),
    )
