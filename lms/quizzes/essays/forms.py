"""The form that marks a written answer."""

from typing import Any

from wtforms import StringField, TextAreaField

from lms.core.forms import PageForm, at_most
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _
from lms.quizzes.essays import rules

LEVELS = {str(level): level for level in rules.LEVELS}


class MarkForm(PageForm):
    """The level and the note."""

    hasil = StringField(_("Tingkat"))
    catatan = TextAreaField(_("Catatan untuk peserta"), validators=[at_most(rules.LONGEST_NOTE)])

    @property
    def level(self) -> int:
        """The chosen level; -1 when none was chosen."""
        return LEVELS.get(self.hasil.data or "", -1)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check that a level is chosen and has the note it needs."""
        valid = bool(super().validate(extra_validators))
        try:
            rules.check_mark(self.level, self.catatan.data or "")
        except rules.NoLevel:
            self.hasil.errors = [gettext("Pilih satu tingkat.")]
            return False
        except rules.NoNote:
            self.catatan.errors = [gettext("Tulis apa yang perlu ditambah.")]
            return False
        return valid
