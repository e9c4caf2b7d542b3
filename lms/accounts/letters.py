"""Messages about accounts: in the reader's language first, then in the other.

Subjects are neutral, and no message names what the site is about: a mailbox may be shared.
"""

from collections.abc import Callable
from datetime import datetime

from lms.accounts.models import Person
from lms.core import mail
from lms.core.i18n import LANGUAGES, speaking
from lms.core.i18n import gettext as _

RULE = "\n\n" + "-" * 40 + "\n\n"
Words = Callable[[], tuple[str, ...]]
"""The paragraphs of a message, in the language spoken when it is called."""


def send(person: Person, words: Words, *, now: datetime, to: str = "", link: str = "") -> None:
    """Put a message to somebody into the outbox; `{link}` in it becomes `link`. Flushes."""
    locales = (person.locale, *(one for one in LANGUAGES if one != person.locale))
    parts = []
    for locale in locales:
        with speaking(locale):
            greeting = _("Salam, %(name)s.", name=person.name)
            parts.append("\n\n".join((greeting, *words())).replace("{link}", link))
    with speaking(person.locale):
        subject = _("Pemberitahuan akun")
    mail.put(to or person.email, subject, RULE.join(parts) + "\n", now=now)


def _not_you() -> str:
    return _("Bila bukan Anda yang melakukannya, hubungi administrator sekarang.")


def reset_link() -> tuple[str, ...]:
    """Say where to choose a new password."""
    return (
        _("Buka tautan ini untuk membuat kata sandi baru. Berlaku 15 menit, satu kali:")
        + "\n{link}",
        _("Buka di perangkat yang aman bagi Anda. Jangan teruskan surat ini."),
        _("Bila Anda tidak memintanya, abaikan surat ini. Kata sandi lama tetap berlaku."),
    )


def code_printed() -> tuple[str, ...]:
    """Say that somebody printed a code for the reader."""
    return (
        _("Sebuah kode masuk baru dicetak untuk akun Anda. Siapa yang mencetaknya tertulis di "
          "halaman akun."),
        _not_you(),
    )  # fmt: skip


def password_changed() -> tuple[str, ...]:
    """Say that the password is another one now."""
    return (_("Kata sandi akun Anda baru saja diganti. Semua sesi lain diakhiri."), _not_you())


def address_link() -> tuple[str, ...]:
    """Ask the owner of a new address to confirm it."""
    return (
        _("Buka tautan ini untuk memakai alamat ini pada akun Anda. Berlaku 15 menit, satu kali:")
        + "\n{link}",
        _("Bila Anda tidak memintanya, abaikan surat ini."),
    )


def address_changed() -> tuple[str, ...]:
    """Tell the old address that it opens the account no more."""
    return (
        _("Alamat e-mail akun Anda diganti. Surat berikutnya dikirim ke alamat baru."),
        _not_you(),
    )


def factor_set() -> tuple[str, ...]:
    """Say that a second factor stands."""
    return (_("Faktor kedua akun Anda dipasang. Mulai sekarang masuk memakai kode."), _not_you())


def factor_removed() -> tuple[str, ...]:
    """Say that the second factor is gone."""
    return (_("Faktor kedua akun Anda dilepas. Semua sesi diakhiri."), _not_you())


def recovery_used() -> tuple[str, ...]:
    """Say that a recovery code opened the account."""
    return (_("Satu kode cadangan baru saja dipakai untuk masuk ke akun Anda."), _not_you())


def identity_linked() -> tuple[str, ...]:
    """Say that the provider's sign-in opens the account from now on."""
    return (_("Akun Anda kini juga dapat dibuka dengan akun lembaga."), _not_you())


def name_granted() -> tuple[str, ...]:
    """Say that the new name stands."""
    return (_("Permintaan ganti nama Anda disetujui. Lihat halaman akun."),)


def name_declined() -> tuple[str, ...]:
    """Say that the name stays."""
    return (
        _("Permintaan ganti nama Anda belum disetujui. Tanyakan alasannya kepada administrator."),
    )
