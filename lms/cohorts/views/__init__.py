"""Pages of cohorts, by subject."""

from lms.cohorts.views import classes, invitations, organisations
from lms.cohorts.views.blueprint import bp

__all__ = ["bp", "classes", "invitations", "organisations"]
