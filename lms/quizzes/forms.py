"""Forms of quizzes."""

from flask_babel import lazy_gettext as _
from wtforms import BooleanField, HiddenField, IntegerField, StringField
from wtforms.validators import InputRequired, NumberRange, Optional, Regexp

from lms.core.clock import ZONES
from lms.core.forms import PageForm, at_most, one_of
from lms.quizzes.rules import LARGEST_SEQ

LARGEST_QUIZ = 200
"""Questions of one sitting; today's largest shows 30."""


class SheetForm(PageForm):
    """What both ways of sending an answer have in common."""

    soal = IntegerField(validators=[InputRequired(), NumberRange(1, LARGEST_QUIZ)])
    """Position of the question."""
    seq = IntegerField(validators=[InputRequired(), NumberRange(0, LARGEST_SEQ)])
    choice = IntegerField(validators=[Optional(), NumberRange(1, 4)])
    """Position of the chosen option as shown."""
    flagged = BooleanField(_("Tandai untuk ditinjau"))


class PageAnswerForm(SheetForm):
    """One question page, sent by its buttons."""

    ke = StringField(validators=[at_most(20)])
    """Where to go after saving."""


class AutosaveForm(SheetForm):
    """One change, sent by save.js: `field` says which, the others are not looked at."""

    field = StringField(validators=[one_of(["choice", "flagged"])])
    client_key = StringField(validators=[Regexp(r"^[0-9A-Za-z-]{8,64}$")])
    zone = HiddenField(validators=[one_of(["", *ZONES])])

    @property
    def is_choice(self) -> bool:
        """Tell whether the change is an answer; otherwise it is a flag."""
        return bool(self.field.data == "choice")


class SubmitForm(PageForm):
    """Handing in. The box is asked for when questions are left without an answer."""

    confirm = BooleanField(_("Kirim walau masih ada soal yang belum dijawab"))
