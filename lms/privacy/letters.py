"""Messages about one's own data. `{link}` stands where an address belongs."""

from collections.abc import Callable
from datetime import datetime

from lms.core.i18n import gettext as _
from lms.core.i18n import moment

Words = Callable[[], tuple[str, ...]]


def asked(due_at: datetime) -> Words:
    """Say that the account will be deleted, and how to undo it."""
    return lambda: (
        _("Akun Anda akan dihapus pada %(when)s.", when=moment(due_at)),
        _("Ingin tetap memakainya? Buka tautan ini sebelum waktu itu:") + "\n{link}",
        _not_you(),
    )


def closed(due_at: datetime) -> Words:
    """Say that the account is closed because consent was taken back, and will be deleted."""
    return lambda: (
        _("Persetujuan Anda sudah ditarik dan akun Anda ditutup. Data dihapus pada %(when)s.",
          when=moment(due_at)),
        _("Berubah pikiran? Buka tautan ini sebelum waktu itu:") + "\n{link}",
        _not_you(),
    )  # fmt: skip


def done() -> tuple[str, ...]:
    """Say that the account is deleted, and what stays."""
    return (
        _("Akun Anda sudah dihapus. Nama, alamat, sesi, draf, dan catatan sudah dikosongkan."),
        _("Sertifikat yang sudah terbit tetap dapat diperiksa dengan kodenya."),
        _("Surat ini ikut dikosongkan dari kotak keluar kami."),
    )


def exported() -> tuple[str, ...]:
    """Say that somebody fetched the data of the account."""
    return (_("Berkas berisi data akun Anda baru saja diunduh."), _not_you())


def _not_you() -> str:
    return _("Bila bukan Anda yang melakukannya, hubungi administrator sekarang.")
