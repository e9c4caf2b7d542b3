"""Pages of accounts, by subject."""

from lms.accounts.views import account, entering, factor, outside, people, renewal
from lms.accounts.views.blueprint import bp

__all__ = ["account", "bp", "entering", "factor", "outside", "people", "renewal"]
