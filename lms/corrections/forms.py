"""Forms of corrections."""

from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from lms.core.forms import Filled, PageForm, at_most, one_of
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _
from lms.credentials.models import RecheckStep
from lms.quizzes.corrections import Wording

NONE = "tidak-ada"
"""The answer "no option is right"."""


class CorrectForm(PageForm):
    """Which option is right instead, and why; looked at first, then confirmed."""

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
    yakin = BooleanField(_("Saya sudah membaca akibatnya dan menerapkan perbaikan ini"))

    def offer(self, wording: Wording) -> None:
        """Offer every option that is not the key now, and that none is right."""
        choices = [
            SelectChoice(letter, f"{letter}. {text}")
            for letter, text, _why in wording.options
            if letter != wording.key
        ]
        none = gettext("Tidak ada pilihan yang benar: butir ditarik")
        self.kunci.choices = [*choices, SelectChoice(NONE, none)]
        self.kunci.validators = [one_of([*wording.choices, NONE])]

    @property
    def key(self) -> str | None:
        """Return the new key, or None where no option is right."""
        return None if self.kunci.data == NONE else self.kunci.data

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
