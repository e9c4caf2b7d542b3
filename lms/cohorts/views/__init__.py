"""Pages of cohorts, by subject."""

from lms.cohorts.views import agenda, classes, codes, guests, invitations, organisations, wizard
from lms.cohorts.views.blueprint import bp

__all__ = ["agenda", "bp", "classes", "codes", "guests", "invitations", "organisations", "wizard"]
