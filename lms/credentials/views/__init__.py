"""Pages of the register, by subject."""

from lms.credentials.views import check, holder, issuing, meeting, register
from lms.credentials.views.blueprint import bp

__all__ = ["bp", "check", "holder", "issuing", "meeting", "register"]
