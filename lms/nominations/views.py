"""Pages of seats and nominations."""

from flask import Blueprint

bp = Blueprint("nominations", __name__, template_folder="templates")
