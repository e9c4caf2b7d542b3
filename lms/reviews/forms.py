"""Forms of reviews."""

from collections.abc import Sequence

from wtforms import BooleanField, HiddenField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from lms.core.forms import Filled, PageForm, at_most, choice_field, one_of
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _
from lms.core.reviewing import Passage
from lms.reviews import rules
from lms.reviews.labels import FIELDS
from lms.reviews.rules import Expertise


class SignForm(PageForm):
    """An expert puts their name under the text they read."""

    digest = HiddenField(validators=[at_most(64)])
    confirm = BooleanField(
        _("Ya, itu yang saya nyatakan"),
        validators=[Filled(_("Centang bila Anda sudah membaca seluruhnya."))],
    )


class CommentForm(PageForm):
    """Something to say about one place of a text."""

    place = choice_field(_("Tentang bagian"), validate_choice=False)
    text = TextAreaField(
        _("Catatan"),
        validators=[
            Filled(_("Tulis catatannya, satu hal saja.")),
            at_most(rules.LONGEST_COMMENT),
        ],
    )

    def offer(self, passages: Sequence[Passage]) -> None:
        """Offer the whole text and each of its parts."""
        self.place.choices = [
            SelectChoice("", gettext("Seluruh teks")),
            *(SelectChoice(one.place, one.title[:90]) for one in passages),
        ]


class AppointForm(PageForm):
    """Who reviews, and as an expert of what."""

    email = StringField(
        _("Alamat e-mail"), validators=[Filled(_("Isi alamat akunnya.")), at_most(200)]
    )
    field = choice_field(
        _("Bidang keahlian"),
        choices=[
            SelectChoice("", _("Pilih bidang")),
            *(SelectChoice(one.value, label) for one, label in FIELDS.items()),
        ],
        validators=[one_of(Expertise)],
    )


class AdoptForm(PageForm):
    """The decision that makes a standard the installation's own."""

    standard = HiddenField(validators=[at_most(12)])
    basis = StringField(
        _("Dasar penetapan"),
        validators=[
            Filled(_("Tulis nomor dan tanggal keputusannya.")),
            at_most(rules.LONGEST_BASIS),
        ],
    )
    confirm = BooleanField(
        _("Saya sudah membaca standar ini dan berwenang menetapkannya"),
        validators=[Filled(_("Centang bila Anda sudah membaca dan berwenang."))],
    )


class StandardForm(PageForm):
    """Which standard a button is about."""

    standard = HiddenField(validators=[at_most(12)])
