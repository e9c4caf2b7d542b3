"""Forms of the chain of trainers."""

from datetime import date
from typing import Any

from wtforms import EmailField, StringField, TextAreaField, ValidationError
from wtforms.validators import NumberRange, Optional, Regexp

from lms.accounts.forms import EMAIL
from lms.core.forms import Filled, PageForm, at_most, count_field, day_field, required
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _
from lms.modules.law.rules import DELTA_WORDS
from lms.modules.rules import count_words


class OutsideForm(PageForm):
    """Who trained somebody elsewhere, where, when, in what."""

    trainer_name = StringField(
        _("Nama pelatih atau narasumber"), [Filled(_("Tulis namanya.")), at_most(200)]
    )
    trainer_email = EmailField(
        _("Alamat e-mail pelatih, bila ia punya akun di sini"),
        [
            Optional(),
            at_most(200),
            Regexp(EMAIL, message=_("Tulis alamat e-mail lengkap, misalnya nama@contoh.id.")),
        ],
    )
    place = StringField(_("Di mana"), [at_most(200)])
    year = count_field(
        _("Tahun"),
        validators=[
            required(),
            NumberRange(1990, 2100, message=_("Tulis tahun empat angka, misalnya 2024.")),
        ],
    )
    curriculum = StringField(
        _("Kurikulum"),
        [
            required(),
            Regexp(r"^[A-Z][0-9A-Z]{0,11}$", message=_("Tulis kodenya, misalnya K1.")),
        ],
    )
    version = StringField(_("Versi"), [at_most(80)])


class DeltaForm(PageForm):
    """What changed, for those who learned it."""

    title = StringField(_("Judul bacaan"), [required(), at_most(120)])
    text = TextAreaField(_("Isi bacaan (paling banyak 300 kata)"), [required(), at_most(4000)])

    def validate_text(self, field: Any) -> None:
        """Keep it to what five minutes can hold."""
        words = count_words(field.data)
        if words > DELTA_WORDS:
            raise ValidationError(
                gettext(
                    "%(words)d kata. Ringkas menjadi paling banyak %(most)d.",
                    words=words,
                    most=DELTA_WORDS,
                )
            )


class SupersedeForm(PageForm):
    """Since when an article is not in force, and why."""

    today: date
    since = day_field(_("Tidak berlaku sejak"), validators=[required()])
    reason = TextAreaField(_("Alasan, seperti yang dibaca peserta"), [required(), at_most(500)])
    replaced_by = StringField(_("Digantikan oleh, bila ada"), [at_most(120)])

    def validate_since(self, field: Any) -> None:
        """Ask for a day that has come: items leave the draw at once."""
        if field.data and field.data > self.today:
            raise ValidationError(
                gettext("Tanggal itu belum tiba. Tandai pada harinya, atau tulis hari ini.")
            )


class ReinstateForm(PageForm):
    """Why a mark is taken back."""

    reason = TextAreaField(_("Mengapa tanda ini dicabut"), [required(), at_most(500)])
