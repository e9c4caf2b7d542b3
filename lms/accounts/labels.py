"""What the roles are called on screen."""

from lms.core.i18n import lazy_gettext as _

ROLES: dict[str, str] = {
    "trainee": _("Peserta pelatihan"),
    "trainer": _("Pelatih"),
    "assessor": _("Penilai"),
    "speaker": _("Narasumber"),
    "agency": _("Petugas instansi"),
    "author": _("Penulis isi"),
    "reviewer": _("Penelaah isi"),
    "admin": _("Administrator"),
}
"""Every role of core.login.ROLES, in its order."""
