"""Four ticks on a marking form: what an assessor says of the evidence."""

from typing import Any

from wtforms import BooleanField, HiddenField

from lms.competency.qualities import Stated
from lms.core.forms import PageForm, at_most
from lms.core.i18n import lazy_gettext as _


class QualityForm(PageForm):
    """The four qualities, each ticked at first; `mutu` tells that the page showed them."""

    mutu = HiddenField(validators=[at_most(1)])
    valid = BooleanField(_("Valid: menunjukkan kriterianya"), default=True)
    asli = BooleanField(_("Asli: karya atau tindakan orang itu sendiri"), default=True)
    terkini = BooleanField(_("Terkini: dibuat untuk penilaian ini"), default=True)
    memadai = BooleanField(_("Memadai: cukup untuk menilai"), default=True)

    @property
    def stated(self) -> Stated | None:
        """Return what was said; None from a page that did not ask."""
        if not self.mutu.data:
            return None
        return Stated(self.valid.data, self.asli.data, self.terkini.data, self.memadai.data)

    @property
    def ticks(self) -> list[Any]:
        """The four fields in the order of the assessor's form."""
        return [self.valid, self.asli, self.terkini, self.memadai]
