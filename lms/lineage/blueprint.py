"""Where the pages of the chain of trainers and of the registry of law hang."""

from flask import Blueprint

bp = Blueprint("lineage", "lms.lineage", template_folder="templates")
