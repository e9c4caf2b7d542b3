"""Form of notices."""

from wtforms import BooleanField
from wtforms.fields import SelectChoice

from lms.core.forms import BoxesField, PageForm
from lms.core.i18n import lazy_gettext as _
from lms.notices.letters import CHOICES


class ChoicesForm(PageForm):
    """Which notices come by mail."""

    kinds = BoxesField(
        _("Kirim e-mail bila"),
        choices=[SelectChoice(kind.value, words) for kind, words in CHOICES.items()],
    )
    no_mail = BooleanField(_("Jangan kirim e-mail sama sekali; orang lain mungkin membacanya"))
