"""Where the pages of accounts hang."""

from flask import Blueprint

bp = Blueprint("accounts", "lms.accounts", template_folder="templates")
