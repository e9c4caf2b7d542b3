"""The stories of simulations as texts that can be reviewed: every situation with every choice."""

from collections import Counter

from sqlalchemy import select

from lms.competency import services as competency
from lms.competency.rules import Standard
from lms.core.content import UNREVIEWED
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.reviewing import Listed, Passage, Piece
from lms.practice.simulations.models import SimulationRun, SimulationVersion
from lms.practice.simulations.rules import (
    BOUND,
    Choice,
    ChoiceVerdict,
    Node,
    Story,
    extremes,
)
from lms.practice.simulations.texts import get_story, newest_ids

KIND = "simulation"


def list_texts() -> list[Listed]:
    """Return the newest text of every variant. Two queries."""
    standard = competency.current().standard
    rows = db.session.execute(
        select(
            SimulationVersion.code,
            SimulationVersion.variant,
            SimulationVersion.digest,
            SimulationVersion.title,
            SimulationVersion.title_en,
            SimulationVersion.document["review"]["status"].as_string().label("review"),
        )
        .where(SimulationVersion.id.in_(newest_ids()))
        .order_by(SimulationVersion.code, SimulationVersion.variant)
    )
    return [
        Listed(
            kind=KIND,
            code=f"{row.code}-{row.variant}",
            digest=row.digest,
            curriculum=_curriculum(standard, row.code),
            title=_variant(row.title, row.variant),
            title_en=_variant(row.title_en, row.variant),
            reviewed=row.review != UNREVIEWED,
            url=f"/latihan/{row.code.lower()}",
        )
        for row in rows
    ]


def _curriculum(standard: Standard, code: str) -> str:
    """Return the curriculum most of a simulation's criteria belong to."""
    counted = Counter(standard.find(kuk).curriculum for kuk in standard.simulations.get(code, ()))
    return counted.most_common(1)[0][0] if counted else ""


def _variant(title: str, variant: str) -> str:
    return f"{title} ({variant})"


def read_text(listed: Listed) -> tuple[Passage, ...]:
    """Return a story, node by node. At most two queries. Raises NotFound."""
    code, _dash, variant = listed.code.partition("-")
    version_id = db.session.scalar(
        select(SimulationVersion.id)
        .where(
            SimulationVersion.code == code,
            SimulationVersion.variant == variant,
            SimulationVersion.digest == listed.digest,
        )
        .order_by(SimulationVersion.id.desc())
        .limit(1)
    )
    if version_id is None:
        raise NotFound(listed.code)
    story = get_story(version_id, listed.digest)
    titles = {node.id: node.title for node in story.nodes}
    persons = "\n".join(f"{name}: {role}" for name, role in story.persons)
    return (
        Passage("note", _("Catatan isi"), (Piece(story.content_note, tone="care"),)),
        Passage("intro", _("Awal cerita"), (Piece(story.intro), Piece(persons, _("Siapa")))),
        _reach(story),
        *(_node(node, titles) for node in story.nodes),
    )


def _reach(story: Story) -> Passage:
    """Say how far trust, safety and agency can go on all ways through the story."""
    levels: dict[str, list[int]] = {}
    for extreme in extremes(story):
        levels.setdefault(extreme.name, []).append(extreme.level)
    names = {
        "trust": _("Rasa percaya"),
        "safety": _("Keselamatan"),
        "agency": _("Kendali korban"),
    }
    lines = [
        _("%(what)s: dari %(low)+d sampai %(high)+d", what=names[name], low=low, high=high)
        for name, (low, high) in levels.items()
    ]
    bound = _("Batasnya -%(bound)d sampai +%(bound)d, di semua jalan cerita.", bound=BOUND)
    return Passage("reach", _("Keadaan korban"), (Piece("\n".join([*lines, bound])),))


def _node(node: Node, titles: dict[str, str]) -> Passage:
    pieces = [Piece(node.situation)]
    if node.kuk:
        pieces.append(Piece(", ".join(node.kuk), _("Kriteria")))
    pieces += [_choice(choice, titles) for choice in node.choices]
    return Passage(f"node-{node.id}", node.title, tuple(pieces))


def _choice(choice: Choice, titles: dict[str, str]) -> Piece:
    words = {
        ChoiceVerdict.SAFE: _("Aman"),
        ChoiceVerdict.UNSAFE: _("Belum aman"),
        ChoiceVerdict.HARMFUL: _("Membahayakan"),
    }
    verdict = words[choice.verdict] + (f" ({choice.act})" if choice.act else "")
    effects = choice.effects
    changes = _(
        "rasa percaya %(trust)+d, keselamatan %(safety)+d, kendali korban %(agency)+d",
        trust=effects.trust,
        safety=effects.safety,
        agency=effects.agency,
    )
    lines = [
        choice.text,
        _("Akibat: %(text)s", text=choice.consequence),
        _("Mengapa: %(text)s", text=choice.why),
    ]
    if choice.better:
        lines.append(_("Lebih aman: %(text)s", text=choice.better))
    lines.append(_("Lanjut ke: %(title)s", title=titles.get(choice.next, choice.next)))
    tone = "best" if choice.verdict is ChoiceVerdict.SAFE else "other"
    return Piece("\n".join(lines), f"{verdict}: {changes}", tone)


def list_playing(person_id: int) -> frozenset[str]:
    """Return the simulations of which a person has a graded run open. One query."""
    return frozenset(
        db.session.scalars(
            select(SimulationRun.code).where(
                SimulationRun.person_id == person_id,
                SimulationRun.graded.is_(True),
                SimulationRun.finished_at.is_(None),
            )
        )
    )
