"""Forms of the third person, of appeals, and of how many assessors a class wants."""

from collections.abc import Iterable

from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from lms.core.forms import PageForm, at_most, required
from lms.core.i18n import lazy_gettext as _
from lms.moderation.labels import LEVELS
from lms.ratings.rules import LONGEST, SHORTEST

AGAIN = "ulang"
"""The answer to an appeal that has the result done anew."""


def _reason(label: str) -> TextAreaField:
    return TextAreaField(
        label,
        validators=[
            required(),
            Length(min=SHORTEST, message=_("Tulis alasan dalam sedikitnya 20 huruf.")),
            at_most(LONGEST),
        ],
    )


class DecideForm(PageForm):
    """The third person's mark, with the reason."""

    hasil = RadioField(
        _("Tanda Anda"),
        choices=[SelectChoice(str(n), label) for n, label in enumerate(LEVELS)],
        validators=[InputRequired(_("Pilih salah satu tanda."))],
    )
    tindakan = SelectField(_("Tindakan membahayakan"), default="")
    alasan = _reason(_("Alasan"))

    def offer(self, acts: Iterable[tuple[str, str]]) -> "DecideForm":
        """Set the harmful acts to choose from; returns itself."""
        self.tindakan.choices = [
            SelectChoice("", _("Tidak ada")),
            *(SelectChoice(code, text) for code, text in acts),
        ]
        return self


class AskForm(PageForm):
    """Which result, and why it should be looked at again."""

    hasil = RadioField(
        _("Hasil yang mana?"),
        validators=[InputRequired(_("Pilih hasil yang ingin dilihat lagi."))],
    )
    alasan = _reason(_("Mengapa?"))


class AnswerForm(PageForm):
    """How an appeal ends, with the reason."""

    putusan = RadioField(_("Putusan"), validators=[InputRequired(_("Pilih putusannya."))])
    alasan = _reason(_("Alasan; peserta membacanya"))


class PlanForm(PageForm):
    """Cases, stations and essays that two assessors mark."""


def plan_form(offered: Iterable[tuple[str, str, bool]]) -> type[PlanForm]:
    """Build the form of these fields: name, label, whether two are wanted now."""
    fields = {name: BooleanField(label, default=two) for name, label, two in offered}
    return type("ClassPlanForm", (PlanForm,), fields)
