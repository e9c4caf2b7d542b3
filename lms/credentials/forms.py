"""Forms of the meeting and the register."""

from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from lms.core.forms import Filled, PageForm, at_most, choice_field, one_of
from lms.core.i18n import lazy_gettext as _
from lms.credentials.rules import Reason


class SignForm(PageForm):
    """A signature under one or more decisions."""

    skema = HiddenField()
    language = choice_field(
        _("Bahasa sertifikat"),
        choices=[SelectChoice("id", _("Indonesia")), SelectChoice("en", _("Inggris"))],
        default="id",
    )
    confirm = BooleanField(
        _("Saya sudah memeriksa bukti"),
        validators=[Filled(_("Centang setelah Anda memeriksa bukti."))],
    )


class PutOffForm(PageForm):
    """Why the meeting puts somebody off, and what is to be done."""

    reason = TextAreaField(
        _("Alasan"), validators=[Filled(_("Tulis alasannya dalam satu kalimat.")), at_most(500)]
    )
    todo = TextAreaField(
        _("Yang perlu dilakukan"),
        validators=[Filled(_("Tulis apa yang perlu dilakukan, dan oleh siapa.")), at_most(500)],
    )


class IssueForm(PageForm):
    """The order to issue everything that waits."""

    skema = HiddenField()
    confirm = BooleanField(
        _("Nama-nama di atas sudah benar"),
        validators=[Filled(_("Centang setelah Anda memeriksa nama-namanya."))],
    )


class NameCheckForm(PageForm):
    """The name printed on a paper, to be compared."""

    name = StringField(
        _("Nama lengkap yang tercetak"),
        validators=[Filled(_("Isi nama seperti tercetak di kertas.")), at_most(200)],
    )


class RevokeForm(PageForm):
    """Why a certificate is taken back: for everybody, and for the register."""

    reason = choice_field(
        _("Alasan yang boleh dibuka"),
        choices=[
            SelectChoice("", _("Pilih alasan")),
            SelectChoice(Reason.ERROR.value, _("Kesalahan penerbitan")),
            SelectChoice(Reason.VIOLATION.value, _("Pelanggaran kode etik")),
            SelectChoice(Reason.WITHDRAWN.value, _("Ditarik atas permintaan pemegang")),
        ],
        validators=[one_of(Reason)],
    )
    note = TextAreaField(
        _("Catatan untuk administrator"),
        validators=[Filled(_("Tulis catatan singkat untuk administrator.")), at_most(1000)],
    )
    confirm = BooleanField(
        _("Saya mengerti bahwa pencabutan tidak dapat dibatalkan"),
        validators=[Filled(_("Centang bila Anda yakin; pencabutan tidak dapat dibatalkan."))],
    )


class DeclineForm(PageForm):
    """Why a request to revoke is declined, or taken back."""

    note = TextAreaField(
        _("Catatan penolakan"),
        validators=[Filled(_("Tulis mengapa sertifikat ini tetap berlaku.")), at_most(1000)],
    )
