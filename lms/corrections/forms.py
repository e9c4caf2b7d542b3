"""Forms of corrections."""

from collections.abc import Sequence

from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from lms.core.forms import Filled, PageForm, at_most, one_of
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _
from lms.core.ids import digest_of_text
from lms.credentials.models import RecheckStep
from lms.quizzes.corrections import NewKey, Wording
from lms.quizzes.types import Kind
from lms.quizzes.types.true_false.rules import WORDS

NONE = "tidak-ada"
"""The answer "nothing is right"."""
FILLED = "isian"
"""The answer "what stands in the fields of its type"."""


class CorrectForm(PageForm):
    """What is right instead, and why; looked at first, then confirmed."""

    kunci = RadioField(
        _("Kunci yang benar"),
        validate_choice=False,
        filters=[lambda value: value or ""],
    )
    alasan = TextAreaField(
        _("Alasan"),
        validators=[
            Filled(_("Tulis alasannya: apa yang keliru, dan menurut sumber mana.")),
            at_most(1000),
        ],
    )
    langkah = StringField(validators=[at_most(20)])
    dilihat = HiddenField(validators=[at_most(64)])
    """Which key the effects were shown of."""
    yakin = BooleanField(_("Saya sudah membaca akibatnya dan menerapkan perbaikan ini"))

    values: Sequence[str] = ()
    """What stands in the fields of the type."""
    fills = False
    """Whether the type has fields for its key."""

    def offer(self, wording: Wording, values: Sequence[str] | None = None) -> None:
        """Offer what is not the key now, and that nothing is right; `values` were sent."""
        choices, none = self._choices(wording)
        self.kunci.choices = [*choices, SelectChoice(NONE, none)]
        self.kunci.validators = [one_of([*(one.value for one in choices), NONE])]
        asked = wording.asked
        if wording.is_marked_by_hand:
            self.kunci.label.text = gettext("Keputusan")
        self.fills = any(one.value == FILLED for one in choices)
        if values is not None:
            self.values = values
            return
        if asked is not None:
            self.values = asked.type.key_of(asked.body)
        if len(choices) == 1:
            self.kunci.data = choices[0].value

    @staticmethod
    def _choices(wording: Wording) -> tuple[list[SelectChoice], str]:
        if wording.asked is None:
            choices = [
                SelectChoice(letter, f"{letter}. {text}")
                for letter, text, _why in wording.options
                if letter != wording.key
            ]
            return choices, gettext("Tidak ada pilihan yang benar: butir ditarik")
        if wording.is_marked_by_hand:
            return [], gettext("Soalnya keliru: butir ditarik")
        none = gettext("Tidak ada jawaban yang benar: butir ditarik")
        if wording.kind == Kind.TRUE_FALSE:
            other = not wording.asked.body.answer
            return [SelectChoice(str(other).lower(), WORDS[other])], none
        return [SelectChoice(FILLED, gettext("Kunci lain, seperti diisi di bawah ini"))], none

    @property
    def key(self) -> NewKey:
        """Return the new key, or None where nothing is right."""
        match self.kunci.data:
            case "tidak-ada":
                return None
            case "isian":
                return tuple(self.values)
            case "true" | "false" as answer:
                return (str(answer),)
            case letter:
                return str(letter)

    @property
    def seen(self) -> str:
        """Return the name of the key that stands in the form."""
        return digest_of_text(repr(self.key))

    @property
    def is_another(self) -> bool:
        """Tell whether the key was changed after its effects were shown."""
        return bool(self.dilihat.data) and self.dilihat.data != self.seen

    @property
    def applies(self) -> bool:
        """Tell whether it was sent to be done, not to be looked at."""
        return bool(self.langkah.data == "terapkan")


class RecheckForm(PageForm):
    """What an administrator decides about a certificate, and why."""

    langkah = RadioField(
        _("Keputusan"),
        choices=[
            SelectChoice(RecheckStep.KEEP.value, _("Tetap berlaku seperti diterbitkan")),
            SelectChoice(RecheckStep.REVOKE.value, _("Minta pencabutan (kesalahan penerbitan)")),
            SelectChoice(RecheckStep.NOTE.value, _("Catatan saja, keputusan menyusul")),
        ],
        validate_choice=False,
        validators=[one_of([one.value for one in RecheckStep])],
        filters=[lambda value: value or ""],
    )
    catatan = TextAreaField(
        _("Alasan atau catatan"),
        validators=[Filled(_("Tulis alasannya; dibaca administrator lain.")), at_most(1000)],
    )
