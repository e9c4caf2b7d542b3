"""The message that carries an invitation: in the inviter's language first, then in the other."""

from dataclasses import dataclass
from datetime import date, datetime, time

from lms.accounts import labels
from lms.cohorts.labels import HALVES
from lms.cohorts.models import Cohort
from lms.core.i18n import LANGUAGES, day, language, moment, speaking
from lms.core.i18n import gettext as _

RULE = "\n\n" + "-" * 40 + "\n\n"


@dataclass(frozen=True, slots=True)
class Talk:
    """When a guest speaks. What about stands on the page only."""

    on: date
    half: str
    begins: time | None


def invitation(
    *,
    inviter: str,
    name: str,
    role: str,
    organisation: str | None,
    cohort: Cohort | None,
    expires_at: datetime,
    talk: Talk | None = None,
) -> tuple[str, str]:
    """Return subject and body; `{link}` stands where the personal address belongs.

    The subject is neutral: it may be read on a shared telephone. `talk` is when a guest speaks.
    """
    first = language()
    parts = []
    for locale in (first, *(other for other in LANGUAGES if other != first)):
        with speaking(locale):
            facts = _facts(organisation, cohort, talk)
            parts.append(_letter(inviter, name, role, facts, cohort, expires_at))
    return _("Undangan kelas"), RULE.join(parts) + "\n"


def _letter(
    inviter: str,
    name: str,
    role: str,
    facts: list[str],
    cohort: Cohort | None,
    expires_at: datetime,
) -> str:
    until = moment(expires_at, cohort.zone if cohort else None)
    paragraphs = [
        _("Salam, %(name)s.", name=name),
        _(
            "Anda diundang oleh %(inviter)s sebagai %(role)s.",
            inviter=inviter,
            role=str(labels.ROLES[role]).lower(),
        ),
        "\n".join(facts),
        _("Tautan pribadi Anda, berlaku satu kali sampai %(moment)s:", moment=until) + "\n{link}",
        _("Buka di perangkat yang aman bagi Anda. Jangan teruskan surat ini."),
        _("Bila Anda tidak mengenal pengundangnya, abaikan surat ini."),
    ]
    return "\n\n".join(part for part in paragraphs if part)


def _facts(organisation: str | None, cohort: Cohort | None, talk: Talk | None) -> list[str]:
    lines = []
    if cohort:
        lines = [
            _("Kelas: %(title)s", title=cohort.title),
            _(
                "Tatap muka: %(first)s sampai %(last)s",
                first=day(cohort.starts_on),
                last=day(cohort.ends_on),
            )
            if cohort.starts_on < cohort.ends_on
            else f"{_('Tatap muka')}: {day(cohort.starts_on)}",
            _("Tempat: %(place)s, %(city)s", place=cohort.place, city=cohort.city),
        ]
    if talk:
        hours = f", {talk.begins:%H.%M}" if talk.begins else ""
        lines.append(
            _("Sesi Anda: %(day)s, %(half)s", day=day(talk.on), half=HALVES[talk.half]) + hours
        )
    if organisation:
        lines.append(_("Instansi: %(name)s", name=organisation))
    return lines
