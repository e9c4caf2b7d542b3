"""Forms of collections."""

from flask_wtf.file import FileField
from wtforms import BooleanField, StringField
from wtforms.fields import SelectChoice

from lms.core.forms import PageForm, at_most, choice_field, required
from lms.core.i18n import lazy_gettext as _
from lms.quizzes.collections.labels import FORMATS
from lms.quizzes.exchange.formats import READABLE

GUESS = ""
"""Let the file say which format it has."""


class CollectionForm(PageForm):
    """What a collection is called and whose it is. Organisations are set by the page."""

    title = StringField(_("Judul koleksi"), validators=[required(), at_most(120)])
    organisation = choice_field(_("Milik"), default="")
    shared = BooleanField(_("Pelatih lain boleh melihat dan memakai soalnya"))


class UploadForm(PageForm):
    """A file of questions."""

    file = FileField(_("Berkas soal"))
    format = choice_field(
        _("Format"),
        default=GUESS,
        choices=[
            SelectChoice(GUESS, _("Kenali dari berkasnya")),
            *(SelectChoice(name, FORMATS[name]) for name in READABLE),
        ],
    )
