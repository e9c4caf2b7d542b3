"""Forms of the register."""

from wtforms import BooleanField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from lms.core.forms import PageForm, at_most, one_of, required
from lms.core.i18n import lazy_gettext as _
from lms.credentials.rules import Reason


class SignForm(PageForm):
    """A trainer's signature under a decision."""

    language = SelectField(
        _("Bahasa sertifikat"),
        choices=[SelectChoice("id", _("Indonesia")), SelectChoice("en", _("Inggris"))],
        default="id",
    )
    confirm = BooleanField(_("Saya sudah memeriksa bukti"), validators=[required()])


class NameCheckForm(PageForm):
    """The name printed on a paper, to be compared."""

    name = StringField(_("Nama lengkap yang tercetak"), validators=[required(), at_most(200)])


class RevokeForm(PageForm):
    """Why a certificate is taken back: for everybody, and for the register."""

    reason = SelectField(
        _("Alasan yang boleh dibuka"),
        choices=[
            SelectChoice("", _("Pilih alasan")),
            SelectChoice(Reason.ERROR.value, _("Kesalahan penerbitan")),
            SelectChoice(Reason.VIOLATION.value, _("Pelanggaran kode etik")),
            SelectChoice(Reason.WITHDRAWN.value, _("Ditarik atas permintaan pemegang")),
        ],
        validators=[one_of(Reason)],
    )
    note = TextAreaField(_("Catatan untuk administrator"), validators=[required(), at_most(1000)])
    confirm = BooleanField(
        _("Saya mengerti bahwa pencabutan tidak dapat dibatalkan"), validators=[required()]
    )
