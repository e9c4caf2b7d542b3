"""Pages of attendance, by who opens them: the trainer's list and papers, the screen, one's own."""

from lms.practice.attendance.views import listing, mine, papers, screen
from lms.practice.attendance.views.blueprint import bp

__all__ = ["bp", "listing", "mine", "papers", "screen"]
