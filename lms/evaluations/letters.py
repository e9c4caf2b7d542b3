"""Mails that ask people and their superiors to look at a plan. Subjects are neutral."""

from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext

SUBJECT = lazy_gettext("Tindak lanjut kelas")


def to_person(*, name: str, stage: int, link: str) -> str:
    """Return the mail to who made the promises."""
    return "\n\n".join(
        [
            _("Salam, %(name)s.", name=name),
            _(
                "%(days)d hari sudah lewat sejak kelas Anda. Lihat lagi rencana tindak lanjut Anda "
                "dan tulis sampai di mana. Belum pun tidak apa-apa.",
                days=stage,
            ),
            _("Selengkapnya setelah masuk:") + f"\n{link}",
            _("Buka di perangkat yang aman bagi Anda."),
        ]
    )


def to_superior(*, name: str, first_name: str, stage: int, link: str) -> str:
    """Return the mail to the superior: the first name of the person, nothing about the subject."""
    return "\n\n".join(
        [
            _("Salam, %(name)s.", name=name),
            _(
                "%(who)s mengikuti sebuah kelas %(days)d hari yang lalu dan meminta Anda ikut "
                "melihat rencana tindak lanjutnya. Perlu sekitar tiga menit, tanpa akun.",
                who=first_name,
                days=stage,
            ),
            _("Tautan pribadi Anda, berlaku 30 hari:") + f"\n{link}",
            _("Jangan teruskan surat ini. Bila Anda tidak mengenalnya, abaikan saja."),
        ]
    )
