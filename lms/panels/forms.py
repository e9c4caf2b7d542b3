"""Forms of standard-setting rooms."""

from wtforms import BooleanField, HiddenField, IntegerField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import NumberRange

from lms.core.forms import BoxesField, Filled, PageForm, at_most, choice_field, one_of
from lms.core.i18n import lazy_gettext as _
from lms.panels import rules
from lms.panels.rules import Choice, Stage

LARGEST_SEQ = 1_000_000_000


class OpenForm(PageForm):
    """What a room is about."""

    curriculum = choice_field(_("Kurikulum"), validate_choice=False)
    person = TextAreaField(
        _("Orang yang baru cukup aman"),
        validators=[
            Filled(_("Uraikan dulu orangnya: tanpa itu tiap anggota membayangkan orang lain.")),
            at_most(rules.LONGEST_PERSON),
        ],
    )
    training = choice_field(
        _("Butir latihan"),
        choices=[SelectChoice(str(n), str(n)) for n in range(rules.MOST_TRAINING + 1)],
        validators=[one_of([str(n) for n in range(rules.MOST_TRAINING + 1)])],
        default="2",
    )


class InviteForm(PageForm):
    """Who sits on the panel."""

    people = BoxesField(
        _("Orang"),
        validate_choice=False,
        validators=[Filled(_("Pilih sedikitnya satu orang."))],
    )


class MemberForm(PageForm):
    """Which panellist a button is about."""

    member = IntegerField(validators=[NumberRange(1, LARGEST_SEQ)])


class StageForm(PageForm):
    """The stage the chair saw when the button was pressed."""

    stage = HiddenField(validators=[one_of([stage.value for stage in Stage])])


class StopForm(PageForm):
    """Why a room is given up."""

    why = StringField(
        _("Alasan menghentikan"),
        validators=[Filled(_("Tulis alasannya.")), at_most(rules.LONGEST_REASON)],
    )


class RateForm(PageForm):
    """One rating, as a page sends it without a script."""

    percent = IntegerField(validators=[one_of(rules.CHOICES)])
    seq = IntegerField(validators=[NumberRange(0, LARGEST_SEQ)])
    ke = HiddenField()


class AutosaveForm(RateForm):
    """One rating, as save.js sends it."""

    field = StringField()
    client_key = StringField(validators=[at_most(64)])


class NoteForm(PageForm):
    """A remark about one item."""

    text = TextAreaField(
        _("Catatan untuk panel"),
        validators=[
            Filled(_("Tulis catatannya, satu hal saja.")),
            at_most(rules.LONGEST_NOTE),
        ],
    )


class SignForm(PageForm):
    """A panellist signs the result, or abstains."""

    digest = HiddenField(validators=[at_most(64)])
    choice = choice_field(
        _("Pernyataan"),
        choices=[
            SelectChoice(Choice.SIGNED.value, _("Saya menandatangani hasil ini")),
            SelectChoice(Choice.ABSTAINED.value, _("Saya tidak menandatangani")),
        ],
        validators=[one_of([Choice.SIGNED.value, Choice.ABSTAINED.value])],
    )
    reason = StringField(
        _("Alasan bila tidak menandatangani"), validators=[at_most(rules.LONGEST_REASON)]
    )
    confirm = BooleanField(
        _("Saya sudah membaca hasil ini"),
        validators=[Filled(_("Centang bila Anda sudah membacanya."))],
    )


class ExcuseForm(PageForm):
    """The chair writes down that somebody does not answer."""

    digest = HiddenField(validators=[at_most(64)])
    member = choice_field(_("Anggota"), coerce=int)
    absence = StringField(
        _("Mengapa tidak menjawab"),
        validators=[Filled(_("Tulis alasannya.")), at_most(rules.LONGEST_REASON)],
    )
