"""Forms of reports."""

from wtforms import SelectField, TextAreaField
from wtforms.fields import SelectChoice

from lms.competency.rules import EvidenceKind
from lms.core.forms import PageForm, at_most, required
from lms.core.i18n import lazy_gettext as _


class CoachingForm(PageForm):
    """What a trainer talked about, and which tries it opens."""

    about = SelectField(_("Tentang"), validators=[required()])
    note = TextAreaField(_("Catatan bimbingan"), validators=[required(), at_most(1000)])

    def offer(self, choices: list[tuple[EvidenceKind, str, str]]) -> None:
        """Offer (kind, source, words) to choose from."""
        self.about.choices = [
            SelectChoice(f"{kind}:{source}", words) for kind, source, words in choices
        ]

    @property
    def chosen(self) -> tuple[EvidenceKind, str]:
        """Return the kind of evidence and the source that was chosen."""
        kind, _colon, source = self.about.data.partition(":")
        return EvidenceKind(kind), source
