"""Pages of agencies: own people, checks of papers, duty, coverage, complaints."""

from lms.agencies.views import checks, complaints, coverage, duty, people
from lms.agencies.views.blueprint import bp

__all__ = ["bp", "checks", "complaints", "coverage", "duty", "people"]
