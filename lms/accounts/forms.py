"""Forms of accounts."""

from typing import Any

from wtforms import EmailField, HiddenField, PasswordField, RadioField, StringField
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


def code_field(label: str, *, needed: bool = True) -> StringField:
    """Return the field of a code, as an authenticator or a sheet of paper shows it."""
    return StringField(label, validators=[*([required()] if needed else []), at_most(40)])


class NewPasswordForm(PageForm):
    """Twice a new password."""

    new = PasswordField(_("Kata sandi baru"), validators=[required(), at_most(128)])
    again = PasswordField(
        _("Ulangi kata sandi baru"),
        validators=[required(), EqualTo("new", message=_("Kedua kata sandi belum sama."))],
    )


class ForgotForm(PageForm):
    """The address of somebody who forgot their password."""

    email = email_field()


class CodeForm(NewPasswordForm):
    """An address, a printed code and twice a new password."""

    email = email_field()
    code = code_field(_("Kode dari lembar"))


class SecondStepForm(PageForm):
    """The code of an authenticator, or one of those kept on paper."""

    code = code_field(_("Kode"))


class EnrolForm(PageForm):
    """The first code of a new secret."""

    code = code_field(_("Kode dari aplikasi"))


class StepUpForm(PageForm):
    """Who changes the second factor proves again who they are."""

    password = PasswordField(_("Kata sandi sekarang"), validators=[required(), at_most(128)])
    code = code_field(_("Kode dari aplikasi, atau kode cadangan"), needed=False)
    do = HiddenField()


class AddressForm(PageForm):
    """Another sign-in address."""

    email = email_field()
    password = PasswordField(_("Kata sandi sekarang"), validators=[required(), at_most(128)])


class NewAddressForm(PageForm):
    """The sign-in address an administrator gives somebody."""

    email = email_field()


class SessionForm(PageForm):
    """One of the viewer's own sessions."""

    session = HiddenField(validators=[required(), at_most(9)])


class WantedNameForm(PageForm):
    """The name somebody asked for, as the administrator read it, and the decision."""

    name = HiddenField(validators=[required(), at_most(120)])
    do = HiddenField()


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
