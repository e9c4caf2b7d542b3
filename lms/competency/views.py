"""Pages of competency: what one has reached, and why."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from lms.competency import services
from lms.core import clock, login

bp = Blueprint("competency", __name__, template_folder="templates")


@bp.get("/kompetensi")
@login.role("trainee")
def mine() -> ResponseReturnValue:
    """Show the reader's own competency tree with the evidence behind it."""
    tree = services.tree_of(login.require_viewer().id, now=clock.now())
    show = request.args.get("tampil", "")
    keep = {
        "belum": [line.kuk.code for line in tree.lines if not line.verdict.reached],
        "kritis": [line.kuk.code for line in tree.lines if line.kuk.critical],
    }.get(show)
    return render_template(
        "competency/mine.html",
        tree=tree,
        show=show,
        keep=keep,
        opened=services.first_open_unit(tree) if keep is None else "all",
    )
