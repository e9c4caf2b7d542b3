"""What tests of simulations share: the real stories, ways through them, people who learned."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from lms.accounts.models import Person
from lms.competency import services as competency
from lms.competency.content import StandardSpec
from lms.competency.content import check as check_standard
from lms.competency.models import Evidence
from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.modules import services as modules
from lms.modules.models import Lesson, LessonDone, Outcome
from lms.practice.simulations import content, rules, services
from lms.practice.simulations.rules import Choice, ChoiceVerdict, Node, Story
from tests import factories, ledgers

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
SAFE, UNSAFE, HARMFUL = ChoiceVerdict

Pick = Callable[[Node], Choice]


def standard() -> StandardSpec:
    """Return the real standard."""
    spec, problems = check_standard(CONTENT)
    assert spec is not None, problems
    return spec


STANDARD = standard()
SPECS, PROBLEMS = content.check(CONTENT, STANDARD)
DOCUMENTS: dict[str, dict[str, Any]] = {
    spec.code: spec.model_dump(mode="json") for spec in SPECS if spec.variant == "A"
}
STORIES: dict[str, Story] = {
    code: rules.build_story(document) for code, document in DOCUMENTS.items()
}


def synthetic() -> dict[str, Any]:
    """Return a small whole story: s1 … s9 in a row, a branch from s9, two ends.

    s2 scores the KUK A, s3 and s4 score B. The real stories may be rewritten; this one stays.
    """
    order = (SAFE, UNSAFE, HARMFUL)
    nodes: list[dict[str, Any]] = []
    for n in range(1, 10):
        onward = {
            SAFE: f"s{n + 1}" if n < 9 else "akhir",
            UNSAFE: f"s{n}" if n < 9 else "lain",
            HARMFUL: f"s{n}",
        }
        verdicts = [order[(place - n) % 3] for place in range(3)]
        kuk = {2: ["A"], 3: ["B"], 4: ["B"]}.get(n, [])
        nodes.append(_scene(f"s{n}", kuk, [(verdict, onward[verdict]) for verdict in verdicts]))
        if n > 4:  # from here on one strand a node, so that the safe way stays within the bounds
            raised = ("trust", "safety", "agency")[(n - 5) % 3]
            safe = next(c for c in nodes[-1]["choices"] if c["verdict"] is SAFE)
            safe["effects"] = dict.fromkeys(("trust", "safety", "agency"), 0) | {raised: 1}
    nodes.append(_scene("lain", [], [(SAFE, "pulih"), (UNSAFE, "lain"), (UNSAFE, "lain")]))
    for name, outcome in (("akhir", "safe"), ("pulih", "repaired")):
        nodes.append(_scene(name, [], []) | {"ending": True, "outcome": outcome})
    return {
        "code": "S1",
        "variant": "A",
        "title": "Judul",
        "title_en": "Title",
        "kuk": ["A", "B"],
        "intro": "Awal.",
        "content_note": "Catatan.",
        "persons": [{"name": "Ibu R.", "role": "korban"}],
        "start": "s1",
        "nodes": nodes,
    }


def _scene(name: str, kuk: list[str], ways: list[tuple[ChoiceVerdict, str]]) -> dict[str, Any]:
    return {
        "id": name,
        "title": f"Simpul {name}",
        "situation": "Situasi.",
        "kuk": kuk,
        "ending": False,
        "outcome": None,
        "choices": [
            {
                "id": letter,
                "text": f"Pilihan {letter}.",
                "verdict": verdict,
                "act": "H1" if verdict is HARMFUL else None,
                "effects": dict.fromkeys(
                    ("trust", "safety", "agency"), 1 if verdict is SAFE else -1
                ),
                "consequence": "Akibat.",
                "why": "Sebab.",
                "better": None if verdict is SAFE else "Lebih baik.",
                "next": onward,
            }
            for letter, (verdict, onward) in zip("abc", ways, strict=False)
        ],
    }


START = STORIES["S1"].start
"""Node of the real S1 where every test of it begins."""


def title(code: str, node_id: str) -> str:
    """Return the title of a node of a real story."""
    return STORIES[code].node(node_id).title


def safe_way(code: str) -> list[Node]:
    """Return the nodes somebody meets who always chooses safely, the end included."""
    way = [STORIES[code].node(STORIES[code].start)]
    while not way[-1].ending:
        way.append(STORIES[code].node(safely(way[-1]).next))
    return way


def letter(code: str, node_id: str, verdict: ChoiceVerdict) -> str:
    """Return the id of the first choice of this verdict at a node of a real story."""
    choices = STORIES[code].node(node_id).choices
    return next(choice.id for choice in choices if choice.verdict is verdict)


def safely(node: Node) -> Choice:
    """Choose what is safe."""
    assert node.safe is not None
    return node.safe


def at(**wanted: ChoiceVerdict) -> Pick:
    """Choose safely, except once at the named nodes (- is written _)."""
    left = {name.replace("_", "-"): verdict for name, verdict in wanted.items()}

    def pick(node: Node) -> Choice:
        verdict = left.pop(node.id, SAFE)
        return next(choice for choice in node.choices if choice.verdict is verdict)

    return pick


def go(run_id: str, person_id: int, pick: Pick = safely, *, now: datetime = NOW) -> services.Play:
    """Choose until the run is over."""
    while True:
        play = services.get_play(run_id, person_id)
        if play.finished_at is not None:
            return play
        choice = pick(play.state.node)
        with unit_of_work():
            services.choose(
                run_id,
                person_id,
                position=len(play.state.turns) + 1,
                choice=choice.id,
                now=now,
            )


def practise(
    person_id: int, code: str = "S1", pick: Pick = safely, *, now: datetime = NOW
) -> services.Play:
    """Play one practice run to its end."""
    with unit_of_work():
        run_id = services.start_practice(code, person_id, now=now)
    return go(run_id, person_id, pick, now=now)


def grade(
    person_id: int, code: str = "S1", pick: Pick = safely, *, now: datetime = NOW
) -> services.Play:
    """Play one graded run to its end."""
    with unit_of_work():
        run_id = services.start_graded(code, person_id, now=now)
    return go(run_id, person_id, pick, now=now)


def try_again(
    person_id: int, code: str = "S1", pick: Pick = safely, *, now: datetime
) -> services.Play:
    """Walk the way back and play another graded run."""
    practise(person_id, code, now=now)
    return grade(person_id, code, pick, now=now)


def learn(someone: Person, *kuk: str) -> None:
    """Finish every online lesson of K1, or those that teach the named KUK."""
    person_id = someone.id
    taught = modules.kuk_lessons()
    asked = kuk or [one.code for one in ledgers.STANDARD.of("K1")]
    codes = {lesson for code in asked for lesson in taught[code]}
    with unit_of_work():
        for lesson in db.session.query(Lesson).where(Lesson.code.in_(codes)):
            db.session.add(
                LessonDone(
                    person_id=person_id,
                    lesson_id=lesson.id,
                    version=1,
                    outcome=Outcome.DONE,
                    at=NOW,
                )
            )


def learner() -> int:
    """Create a trainee who has finished every lesson of K1; return the id."""
    someone = factories.person()
    learn(someone)
    return someone.id


def untaught(*kuk: str) -> None:
    """Take these KUK out of every lesson, as if no text on them were written."""
    with unit_of_work():
        for lesson in db.session.scalars(select(Lesson)):
            lesson.kuk = [code for code in lesson.kuk if code not in kuk]


def facts(person_id: int) -> set[tuple[str, str, str, bool | None, bool]]:
    """Return the SIM rows of a person: source, KUK, node, passed, harmful."""
    return {
        (row.source, row.kuk, row.ref, row.passed, row.harmful)
        for row in ledger(person_id)
    }  # fmt: skip


def ledger(person_id: int) -> list[Evidence]:
    """Return the SIM rows of a person, oldest first."""
    return [row for row in competency.list_evidence(person_id) if row.kind == "SIM"]


def gate(person_id: int, code: str = "S1", *, now: datetime = NOW) -> rules.Gate:
    """Return what a graded run waits for."""
    return services.simulation_state(person_id, code, now).gate
