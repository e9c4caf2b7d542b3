"""What a file with data of people says of itself: who took it, when, for what, until when.

A file that lies where it should not leads back to its taking by the reference. See
lms.accounts.exports, which draws it and writes it down.
"""

from dataclasses import dataclass
from datetime import date, datetime

from lms.core.i18n import day, moment
from lms.core.i18n import gettext as _


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark of one file."""

    reference: str
    by: str
    at: datetime
    zone: str | None
    """The clock of the class; None: the installation's."""
    about: str
    """The class or agency; empty when it is about none in particular."""
    until: date
    """The last day on which this copy should exist."""

    def name(self, name: str) -> str:
        """Return the file's name, without ending, with the reference behind it."""
        return f"{name}-{self.reference}"

    @property
    def lines(self) -> tuple[str, str]:
        """Return what stands at the foot of each page: the line that may not be cut comes first."""
        last = f" · {self.about}" if self.about else ""
        return (
            _(
                "Rujukan %(reference)s · musnahkan salinan ini paling lambat %(day)s",
                reference=self.reference,
                day=day(self.until),
            ),
            _("Diambil oleh %(name)s, %(moment)s", name=self.by, moment=self._at) + last,
        )

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Return the same as names and values."""
        return [
            (_("Rujukan"), self.reference),
            (_("Diambil oleh"), self.by),
            (_("Waktu"), self._at),
            (_("Untuk"), self.about or "–"),
            (_("Musnahkan paling lambat"), day(self.until)),
        ]

    @property
    def text(self) -> str:
        """Return all of it as a text of its own."""
        lines = (f"{name}: {value}" for name, value in self.facts)
        return "\n".join([*lines, "", self.advice, ""])

    @property
    def advice(self) -> str:
        """Say what is expected of whoever holds the file."""
        return _(
            "Berkas ini memuat data orang. Pengambilannya tercatat. Jangan diteruskan kepada yang "
            "tidak berwenang; bila perlu lagi, ambil yang baru dari Suluh. Yang disimpan sebagai "
            "arsip dinas mengikuti jadwal retensi arsip dinas."
        )

    @property
    def _at(self) -> str:
        return moment(self.at, self.zone)
