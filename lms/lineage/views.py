"""Pages of the chain of trainers."""

from flask import Blueprint

bp = Blueprint("lineage", __name__, template_folder="templates")
