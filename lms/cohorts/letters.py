"""The message that carries an invitation: in the inviter's language first, then in the other."""

from datetime import datetime

from lms.accounts import labels
from lms.cohorts.models import Cohort
from lms.core.i18n import LANGUAGES, day, language, moment, speaking
from lms.core.i18n import gettext as _

RULE = "\n\n" + "-" * 40 + "\n\n"


def invitation(
    *,
    inviter: str,
    name: str,
    role: str,
    organisation: str | None,
    cohort: Cohort | None,
    expires_at: datetime,
) -> tuple[str, str]:
    """Return subject and body; `{link}` stands where the personal address belongs.

    The subject is neutral: it may be read on a shared telephone.
    """
    first = language()
    parts = []
    for locale in (first, *(other for other in LANGUAGES if other != first)):
        with speaking(locale):
            parts.append(_letter(inviter, name, role, organisation, cohort, expires_at))
    return _("Undangan kelas"), RULE.join(parts) + "\n"


def _letter(
    inviter: str,
    name: str,
    role: str,
    organisation: str | None,
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
        "\n".join(_facts(organisation, cohort)),
        _("Tautan pribadi Anda, berlaku satu kali sampai %(moment)s:", moment=until) + "\n{link}",
        _("Buka di perangkat yang aman bagi Anda. Jangan teruskan surat ini."),
        _("Bila Anda tidak mengenal pengundangnya, abaikan surat ini."),
    ]
    return "\n\n".join(part for part in paragraphs if part)


def _facts(organisation: str | None, cohort: Cohort | None) -> list[str]:
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
    if organisation:
        lines.append(_("Instansi: %(name)s", name=organisation))
    return lines
