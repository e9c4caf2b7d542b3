"""Forms of modules."""

from wtforms import StringField

from lms.core.forms import PageForm, one_of
from lms.modules.models import Outcome


class FinishForm(PageForm):
    """How a lesson was finished: read, or left to talk over with the trainer."""

    outcome = StringField(validators=[one_of([outcome.value for outcome in Outcome])])
