"""Forms of guest speakers, and of those who invite them."""

from flask_wtf.file import FileField
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import Optional

from lms.accounts.forms import email_field
from lms.cohorts.guests import rules
from lms.core.forms import Filled, PageForm, at_most, choice_field, day_field, required
from lms.core.i18n import lazy_gettext as _


class BioForm(PageForm):
    """What a guest says about themselves."""

    bio = TextAreaField(_("Tentang Anda"), validators=[at_most(rules.LONGEST_BIO)])


class FileForm(PageForm):
    """A file to hand out."""

    file = FileField(_("Berkas"))


class GuestForm(PageForm):
    """Whom to invite to speak in one session. Sessions are set by the page."""

    email = email_field()
    name = StringField(_("Nama"), validators=[required(), at_most(120)])
    session = choice_field(_("Sesi"), validators=[Filled(_("Pilih satu sesi."))])
    access_ends_on = day_field(_("Akses sampai"), validators=[Optional()])


class AccessForm(PageForm):
    """The last day a guest may look in; empty leaves it to the rule."""

    person = HiddenField(validators=[required(), at_most(40)])
    until = day_field(_("Akses sampai"), validators=[Optional()])
