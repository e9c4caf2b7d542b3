"""Where the pages of the reports hang."""

from flask import Blueprint

bp = Blueprint("reports", "lms.reports", template_folder="templates")
