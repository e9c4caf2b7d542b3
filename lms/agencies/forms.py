"""Forms of agencies."""

from wtforms import StringField

from lms.core.forms import Filled, PageForm, at_most
from lms.core.i18n import lazy_gettext as _


class CheckForm(PageForm):
    """What stands on a paper: its code or number, and the full name."""

    asked = StringField(
        _("Kode atau nomor sertifikat"),
        validators=[Filled(_("Isi kode atau nomor sertifikat.")), at_most(100)],
    )
    name = StringField(
        _("Nama lengkap yang tercetak"),
        validators=[Filled(_("Isi nama seperti tercetak di kertas.")), at_most(200)],
    )
