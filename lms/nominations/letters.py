"""The message that offers a seat: in the reader's language first, then in the other."""

from datetime import datetime

from lms.cohorts.letters import RULE
from lms.cohorts.models import Cohort
from lms.core.i18n import LANGUAGES, day, language, moment, speaking
from lms.core.i18n import gettext as _


def offer(
    *, name: str, organisation: str, cohort: Cohort, letter: str, expires_at: datetime
) -> tuple[str, str]:
    """Return subject and body; `{link}` stands where the personal address belongs.

    `letter` is the number of the letter of assignment, or empty. The subject is neutral: it may
    be read on a shared telephone.
    """
    first = language()
    parts = []
    for locale in (first, *(other for other in LANGUAGES if other != first)):
        with speaking(locale):
            parts.append(_body(name, organisation, cohort, letter, expires_at))
    return _("Undangan kelas"), RULE.join(parts) + "\n"


def _body(name: str, organisation: str, cohort: Cohort, letter: str, expires_at: datetime) -> str:
    facts = [
        _("Kelas: %(title)s", title=cohort.title),
        _(
            "Tatap muka: %(first)s sampai %(last)s",
            first=day(cohort.starts_on),
            last=day(cohort.ends_on),
        ),
        _("Tempat: %(place)s, %(city)s", place=cohort.place, city=cohort.city),
    ]
    if letter:
        facts.append(_("Surat tugas: %(number)s", number=letter))
    until = moment(expires_at, cohort.zone)
    return "\n\n".join(
        [
            _("Salam, %(name)s.", name=name),
            _("%(organisation)s mengusulkan Anda untuk kelas ini.", organisation=organisation),
            "\n".join(facts),
            _("Satu kursi disimpan bagi Anda sampai %(moment)s.", moment=until),
            _("Tautan pribadi Anda untuk menerima atau menolaknya:") + "\n{link}",
            _("Bila tidak dapat ikut, tolaklah, supaya kursinya dapat dipakai orang lain."),
            _("Buka di perangkat yang aman bagi Anda. Jangan teruskan surat ini."),
        ]
    )
