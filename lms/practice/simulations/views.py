"""Pages of simulations: the start page, a run node by node, looking back."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.practice.simulations import rules, services
from lms.practice.simulations.forms import ChoiceForm
from lms.practice.simulations.services import Play

bp = Blueprint("simulations", __name__, template_folder="templates")

PLAYERS = ("trainee", "trainer", "assessor", "author", "reviewer")
"""Who may practise. Graded runs are for trainees."""


@bp.get("/latihan/<code>")
@login.role(*PLAYERS)
def intro(code: str) -> ResponseReturnValue:
    """Show what a simulation is about and what may be begun."""
    viewer = login.require_viewer()
    overview = services.get_overview(code.upper(), viewer.id, now=clock.now())
    return render_template("simulations/intro.html", overview=overview, state=overview.state)


@bp.post("/latihan/<code>/latihan")
@login.role(*PLAYERS)
@login.accepts("fresh")
def practise(code: str) -> ResponseReturnValue:
    """Begin a practice run, or go on with the open one."""
    with unit_of_work():
        run_id = services.start_practice(
            code.upper(),
            login.require_viewer().id,
            fresh=request.form.get("fresh") == "1",
            now=clock.now(),
        )
    return redirect(url_for(".play", run_id=run_id))


@bp.post("/latihan/<code>/nilai")
@login.role("trainee")
@login.accepts()
def begin_graded(code: str) -> ResponseReturnValue:
    """Begin a graded run, or go on with the open one."""
    try:
        with unit_of_work():
            run_id = services.start_graded(code.upper(), login.require_viewer().id, now=clock.now())
    except services.NotOpen:
        flash(_("Putaran nilai belum dapat dimulai. Sebabnya tertulis di halaman ini."), "info")
        return redirect(url_for(".intro", code=code))
    return redirect(url_for(".play", run_id=run_id))


@bp.get("/latihan/putaran/<run_id>")
@login.role(*PLAYERS)
def play(run_id: str) -> ResponseReturnValue:
    """Show the node to choose at, or look back at a run that is over."""
    viewer = login.require_viewer()
    found = services.get_play(run_id, viewer.id)
    if found.finished_at is None:
        return _node_page(found, ChoiceForm(formdata=None))
    debrief = services.get_debrief(found, viewer.id, now=clock.now())
    return render_template(
        "simulations/debrief.html", play=found, debrief=debrief, state=debrief.state
    )


@bp.post("/latihan/putaran/<run_id>")
@login.role(*PLAYERS)
@login.accepts(ChoiceForm)
def choose(run_id: str) -> ResponseReturnValue:
    """Make one choice."""
    viewer, form = login.require_viewer(), ChoiceForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                position = services.choose(
                    run_id,
                    viewer.id,
                    position=form.position.data,
                    choice=form.choice.data,
                    now=clock.now(),
                )
        except rules.UnknownChoice:
            form.choice.errors = [_("Pilih satu langkah dulu.")]
        else:
            return redirect(url_for(".consequence", run_id=run_id, position=position))
    found = services.get_play(run_id, viewer.id)
    if found.finished_at is not None:
        return redirect(url_for(".play", run_id=run_id))
    return _node_page(found, form), 422


def _node_page(found: Play, form: ChoiceForm) -> str:
    node = found.state.node
    form.offer(node, len(found.state.turns) + 1)
    return render_template(
        "simulations/play.html",
        play=found,
        node=node,
        form=form,
        left=rules.remaining(found.story, node.id),
        whole=rules.remaining(found.story, found.story.start),
    )


@bp.get("/latihan/putaran/<run_id>/<int:position>")
@login.role(*PLAYERS)
def consequence(run_id: str, position: int) -> ResponseReturnValue:
    """Show what one choice led to and why."""
    found = services.get_play(run_id, login.require_viewer().id)
    turn = found.turn(position)
    return render_template(
        "simulations/consequence.html",
        play=found,
        turn=turn,
        newest=position == len(found.state.turns),
        kuk=services.describe(turn.node.kuk),
        act=services.describe_act(turn.choice.act) if turn.choice.act else "",
    )
