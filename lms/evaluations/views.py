"""Pages of evaluations and follow-up plans."""

from flask import Blueprint

bp = Blueprint("evaluations", __name__, template_folder="templates")
