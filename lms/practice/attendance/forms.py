"""Forms of attendance."""

from wtforms import HiddenField, RadioField
from wtforms.fields import SelectChoice

from lms.core.forms import PageForm, one_of
from lms.core.i18n import lazy_gettext as _
from lms.practice.attendance.models import Presence

LABELS = {
    Presence.PRESENT: _("Hadir"),
    Presence.LATE: _("Terlambat"),
    Presence.ABSENT: _("Tidak hadir"),
    Presence.MADE_UP: _("Di kelas lain"),
}


class SheetForm(PageForm):
    """Which half day, and which button: `simpan`, or `semua` to note the rest as present."""

    bagian = HiddenField()
    langkah = HiddenField(default="simpan", validators=[one_of(["simpan", "semua"])])


class RowForm(PageForm):
    """One person: the choice, and what stood there when the page was drawn."""

    class Meta(PageForm.Meta):
        """The page's form carries the token."""

        csrf = False

    hadir = RadioField(
        choices=[SelectChoice(presence.value, label) for presence, label in LABELS.items()],
        validate_choice=False,
        validators=[one_of(["", *Presence])],
        filters=[lambda value: value or ""],
    )
    semula = HiddenField(validators=[one_of(["", *Presence])])
