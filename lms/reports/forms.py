"""Forms of reports."""

from collections.abc import Iterable

from wtforms import BooleanField, HiddenField, SelectField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice

from lms.cohorts.messages import LONGEST
from lms.competency.rules import EvidenceKind
from lms.core.forms import BoxesField, PageForm, at_most, required
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _
from lms.reports.messages import Addressee

MOST_PEOPLE = 50
"""People that can be ticked one by one."""


class CoachingForm(PageForm):
    """What a trainer talked about, and which tries it opens."""

    about = SelectField(_("Tentang"), validators=[required()])
    note = TextAreaField(_("Catatan bimbingan"), validators=[required(), at_most(1000)])

    def offer(self, choices: list[tuple[EvidenceKind, str, str]]) -> None:
        """Offer (kind, source, words) to choose from, grouped by kind."""
        groups = {
            EvidenceKind.Q: gettext("Kuis"),
            EvidenceKind.SIM: gettext("Simulasi"),
            EvidenceKind.SK: gettext("Studi kasus"),
            EvidenceKind.OBS: gettext("Observasi"),
            EvidenceKind.REF: gettext("Pelajaran"),
        }
        self.about.choices = [
            SelectChoice(f"{kind}:{source}", words, optgroup=groups[kind])
            for kind, source, words in choices
        ]

    @property
    def chosen(self) -> tuple[EvidenceKind, str]:
        """Return the kind of evidence and the source that was chosen."""
        kind, _colon, source = self.about.data.partition(":")
        return EvidenceKind(kind), source


class MessageForm(PageForm):
    """A few words to people of a class."""

    reason = HiddenField()
    people = BoxesField(_("Kepada"), validate_choice=False)
    """Public ids. Who is no longer held up since the page was opened may still be written to."""
    everybody = BooleanField(_("Kirim ke semua orang dengan alasan ini"))
    text = TextAreaField(_("Isi pesan"), validators=[required(), at_most(LONGEST)])
    anyway = BooleanField(_("Tetap kirim kepada yang sudah disapa dalam 24 jam terakhir"))

    def offer(self, people: Iterable[Addressee]) -> None:
        """Offer people to tick."""
        lately = gettext("disapa dalam 24 jam terakhir")
        self.people.choices = [
            (
                one.public_id,
                " · ".join([one.name, one.organisation, *([lately] if one.lately else [])]),
            )
            for one in people
        ]

    def validate_people(self, field: BoxesField) -> None:
        """Ask for somebody, and bound the list."""
        if not self.everybody.data and not field.data:
            raise ValidationError(_("Pilih paling sedikit satu orang."))
        if len(field.data or ()) > MOST_PEOPLE:
            raise ValidationError(_("Pilih paling banyak %(max)d orang.", max=MOST_PEOPLE))
