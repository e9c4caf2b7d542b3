"""Where the pages of cohorts hang."""

from flask import Blueprint

bp = Blueprint("cohorts", "lms.cohorts", template_folder="templates")
