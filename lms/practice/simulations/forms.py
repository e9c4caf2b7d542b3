"""Forms of simulations."""

from wtforms import IntegerField, RadioField
from wtforms.validators import InputRequired
from wtforms.widgets import HiddenInput

from lms.core.forms import PageForm, required
from lms.core.i18n import lazy_gettext as _
from lms.practice.simulations.rules import Node


class ChoiceForm(PageForm):
    """One choice, and the place in the run it is meant for: the same form sent twice is one."""

    position = IntegerField(widget=HiddenInput(), validators=[required()])
    choice = RadioField(
        _("Apa yang Anda lakukan?"),
        # The node decides what can be chosen, and only the service knows the node.
        validate_choice=False,
        choices=[],
        validators=[InputRequired(_("Pilih satu langkah dulu."))],
    )

    def offer(self, node: Node, position: int) -> None:
        """Show the choices of a node."""
        self.choice.choices = [(choice.id, choice.text) for choice in node.choices]
        self.position.process_data(position)
