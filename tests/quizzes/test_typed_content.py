"""Questions of every type in items.yaml: checked with file and line, stored, asked and marked."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import select

from lms.cli import main
from lms.competency import services as competency
from lms.competency.content import StandardSpec
from lms.competency.models import Evidence
from lms.core.content import parse_yaml
from lms.core.db import db, unit_of_work
from lms.core.ids import digest_of_text
from lms.demo import walk
from lms.modules.law import texts
from lms.modules.law.texts import Use
from lms.operations import reconcile
from lms.quizzes import content, reviewing, services, sheets
from lms.quizzes.content import TypedSpec
from lms.quizzes.exchange import formats
from lms.quizzes.exchange.problems import Key
from lms.quizzes.models import Item, ItemVersion
from lms.quizzes.services import AttemptRef
from lms.quizzes.types import TYPES, Kind
from lms.reports import themes
from tests import factories
from tests.factories import NOW
from tests.quizzes import typed
from tests.quizzes.helpers import answer, begin, hand_in
from tests.quizzes.typed import ITEMS, KUK
from tests.quizzes.types import scene


@pytest.fixture(scope="module")
def standard() -> StandardSpec:
    return typed.standard()


def test_one_item_of_each_type_has_no_problem(tmp_path: Path, standard: StandardSpec):
    typed.write(tmp_path)
    items, problems = content.check(tmp_path, standard)
    assert problems == []
    assert [one.spec.type for one in items] == list(KUK)
    assert set(KUK) == {str(kind) for kind in TYPES}


Change = tuple[str, str, str, str]
"""What stands in the file, what stands there instead, the line of the problem, its words."""
CHANGES: list[Change] = [
    ("type: multiple", "type: jamak", "type: jamak", "'jamak' is no type: single, multiple"),
    ("type: multiple", "type: [a]", "type: [a]", "is no type"),
    ("type: single", "type: essay", "- id: K1-0211-91", "items.0.body: Field required"),
    ("type: multiple", "type: single", "- id: K1-0212-91", "options: Field required"),
    ("      answer: false", "      answer: 3", "answer: 3", "body.answer: bool is needed"),
    ("when_true: K", "when: K", "when: K", "body.when: is not known here"),
    ("      answer: false\n", "", "when_true: K", "body.answer: is missing"),
    (
        "          weight: 50\n          feedback: Ka",
        "          weight: berat\n          feedback: Ka",
        "weight: berat",
        "options.0.weight: a number is needed",
    ),
    (
        "          weight: 50\n          feedback: Ka",
        "          weight: 500\n          feedback: Ka",
        "weight: 500",
        "a weight lies between -100 and 100",
    ),
    (
        "          weight: 50\n          feedback: Ka",
        "          weight: 20\n          feedback: Ka",
        "- text: Kata-kata Ibu K.",
        "make 70 per cent, not 100",
    ),
    (
        "      options:\n        - text: Kata",
        "      all_or_nothing: true\n      options:\n        - text: Kata",
        "weight: 50",
        "weights are 100 or 0",
    ),
    ("text: Dugaan Anda tentang watak suaminya", "text: ''", "text: ''", "an option is empty"),
    (
        "text: Dugaan Anda tentang watak suaminya",
        "text: Hari dan tempat Anda mendengar ceritanya",
        "text: Hari dan tempat Anda mendengar ceritanya\n          feedback: Dugaan",
        "stands there twice",
    ),
    (
        "text: Dugaan Anda tentang watak suaminya",
        "text: {value: <b>, format: html}",
        "text: {value: <b>",
        "write plain text",
    ),
    (
        "text: Dugaan Anda tentang watak suaminya",
        "text: Dugaan Anda saja!",
        "text: Dugaan Anda saja!",
        "no exclamation marks",
    ),
    (
        "text: Dugaan Anda tentang watak suaminya",
        "text: Semua jawaban benar di sini",
        "text: Semua jawaban benar",
        "no option about the other options",
    ),
    (
        "text: Dugaan Anda tentang watak suaminya",
        "text: " + "dan lalu " * 20,
        "text: dan lalu",
        "a sentence has 40 words",
    ),
    ("text: Dugaan Anda tentang watak suaminya", "text: " + "x" * 301, "text: xx", "at most 300"),
    (
        "feedback: Dugaan mengaburkan apa yang sungguh diceritakan.",
        "feedback: Keliru",
        "feedback: Keliru",
        "say why, in at least 20 letters",
    ),
    (
        "          feedback: Dugaan mengaburkan apa yang sungguh diceritakan.\n",
        "",
        "- text: Dugaan",
        "say why, in at least 20 letters: feedback",
    ),
    (
        "feedback: Dugaan mengaburkan",
        "feedback: Gagal mengaburkan",
        "feedback: Gagal",
        "write “Belum”",
    ),
    (
        "feedback: Dugaan",
        "feedback: " + "kata " * 50 + "Dugaan",
        "feedback: kata",
        "words, at most 45",
    ),
    (
        "persetujuannya.\n    source: Buku pegangan pendamping, bab 3\n    law_ref: []",
        "UU 12/2022.\n    source: Buku pegangan pendamping, bab 3\n    law_ref: [ ]",
        "law_ref: [ ]",
        "UU 12/2022 is named but not in `law_ref`",
    ),
    ("          right: Puskesmas", "          right: ''", "right: ''", "an option is empty"),
    (
        "          right: Puskesmas",
        "          right: 5",
        "right: 5",
        "pairs.0.right: str is needed",
    ),
    (
        "      pairs:\n",
        "      offered: [a, b]\n      pairs:\n",
        "offered: [a, b]",
        "not written by an author",
    ),
    (
        "      items:\n        - Pastikan",
        "      places: [2, 1]\n      items:\n        - Pastikan",
        "places: [2, 1]",
        "not written by an author",
    ),
    (
        "        - Susun rencana bersama",
        "        - Catat kesepakatan",
        "- Catat kesepakatan\n    feedback",
        "stands there twice",
    ),
    ("        - Susun rencana bersama", "        - ''", "- ''", "an option is empty"),
    (
        "    feedback: Rasa aman didahulukan, dan catatan mengikuti apa yang sudah disepakati.\n",
        "",
        "- id: K1-0223-91",
        "say why, in at least 20 letters: feedback",
    ),
    (
        "        - value: visum\n",
        "        - value: visum\n          weight: -101\n",
        "weight: -101",
        "a weight lies between",
    ),
    ("        - value: visum\n", "        - value: ''\n", "value: ''", "an option is empty"),
    (
        "          tolerance: 0.25",
        "          tolerance: -1",
        "tolerance: -1",
        "a tolerance is 0 or more",
    ),
    ("        - value: 1.5", "        - value: 1,5", "value: 1,5", "a number is needed"),
    (
        "        - value: 1.5",
        "        - value: 1e900000000",
        "value: 1e900000000",
        "a number is needed",
    ),
    (
        "- value: visum\n        - value: visum et repertum\n",
        "- value: ve*r\n          weight: 50\n",
        "answers:\n        - value: ve*r",
        "no answer earns the whole mark",
    ),
    (
        "- value: visum\n",
        "- value: '*'\n          weight: 50\n        - value: visum\n",
        "answers:\n        - value: '*'",
        "no answer earns the whole mark",
    ),
    (
        "        - {name: jam}\n        - {name: menit, factor: 60}\n",
        "        - {name: jam, factor: 0}\n",
        "answers:\n        - value: 1.5",
        "no answer earns the whole mark",
    ),
    ("      most_words: 200", "      most_words: 2", "most_words: 2", "limits of words contradict"),
    (
        "      guidance: Ada ringkasan, pilihan",
        "      guidance: Baik.\n      #",
        "guidance: Baik.",
        "say why, in at least 20 letters: guidance",
    ),
]


@pytest.mark.parametrize(("old", "new", "needle", "message"), CHANGES)
def test_a_planted_fault_is_named_at_its_line(
    tmp_path: Path, standard: StandardSpec, old: str, new: str, needle: str, message: str
):
    assert ITEMS.count(old) >= 1
    changed = ITEMS.replace(old, new, 1)
    file = typed.write(tmp_path, changed)
    _items, problems = content.check(tmp_path, standard)
    line = changed[: changed.index(needle)].count("\n") + 1
    assert [
        p for p in problems if message in p.message and (p.file, p.line) == (str(file), line)
    ], (
        line,
        [str(p) for p in problems],
    )


def test_the_operator_is_told_the_line(tmp_path: Path):
    """Through the command: the whole folder, one fault in it."""
    import shutil

    from lms.config import CONTENT

    folder = shutil.copytree(CONTENT, tmp_path / "content")
    path = folder / typed.FOLDER / "items.yaml"
    own = ITEMS.removeprefix("items:\n").split("  - id")[3].replace("answer: false", "answer: 3")
    bank = path.read_text(encoding="utf-8")
    path.write_text(f"{bank.rstrip()}\n  - id{own}", encoding="utf-8")
    line = path.read_text(encoding="utf-8").split("\n").index("      answer: 3") + 1
    found = CliRunner().invoke(main, ["content", "check", "--dir", str(folder)])
    assert found.exit_code == 1
    assert f"items.yaml:{line}: items.78.body.answer: bool is needed" in found.output
    path.write_text(path.read_text(encoding="utf-8").replace("answer: 3", "answer: false"))
    assert CliRunner().invoke(main, ["content", "check", "--dir", str(folder)]).exit_code == 0


def test_a_bank_of_other_types_is_not_held_to_the_rules_of_guessing(
    tmp_path: Path, standard: StandardSpec
):
    """One item with four options is right for some guess; six are looked at."""
    typed.write(tmp_path)
    assert content.check(tmp_path, standard)[1] == []
    single = ITEMS.split("  - id: K1-0211-91")[1].split("  - id")[0]
    six = "".join(f"  - id: K1-0211-{n}{single}" for n in range(1, 7))
    typed.write(tmp_path, f"items:\n{six}")
    guessed = [p for p in content.check(tmp_path, standard)[1] if "guessing" in p.message]
    assert any("of 6 items" in p.message for p in guessed)


def test_whether_a_single_best_answer_names_its_type_makes_no_other_item(
    tmp_path: Path, standard: StandardSpec
):
    singles = ITEMS.replace("    type: single\n", "", 1)
    typed.write(tmp_path, singles)
    unnamed = content.check(tmp_path, standard)[0][0]
    typed.write(tmp_path)
    named = content.check(tmp_path, standard)[0][0]
    assert unnamed.spec.digest == named.spec.digest


# The fingerprints of the first item of K1 and of all that were shipped when other types came.
FIRST = "K1-0211-1"


def test_an_item_that_was_stored_before_keeps_its_version(app: Flask, tmp_path: Path):
    counts = typed.load(tmp_path)
    assert (counts["changed"], counts["kept"]) == (0, 0)
    assert counts["added"] == len(KUK)
    assert typed.load(tmp_path) == counts | {"added": 0, "withdrawn": 0, "unchanged": 318 - 24 + 8}


def test_the_fingerprint_of_an_item_is_that_of_its_words_alone(standard: StandardSpec):
    """As it was before there were types: nothing new stands in what is hashed."""
    [item] = [one.spec for one in typed.shipped() if one.spec.id == FIRST]
    dumped = item.model_dump(mode="json")
    assert sorted(dumped) == [
        "checked_on", "id", "key", "kuk", "law_ref", "level", "options", "review", "source", "stem",
    ]  # fmt: skip
    known = digest_of_text(json.dumps(dumped, sort_keys=True))
    assert item.digest == known


@pytest.fixture
def ref(app: Flask, tmp_path: Path) -> AttemptRef:
    """A sitting that asks one question of each type."""
    typed.load(tmp_path)
    return begin(factories.person().id)


def test_every_type_is_stored_drawn_shown_answered_marked_and_explained(ref: AttemptRef):
    rows = db.session.execute(
        select(ItemVersion, Item.kuk)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(Item.slug.like("%-91"))
    ).all()
    assert {kuk: version.kind for version, kuk in rows} == {kuk: one for one, kuk in KUK.items()}
    assert all((version.body is None) == (version.kind == "single") for version, _kuk in rows)

    asked = {line.kind: line for line in sheets.get_sheet(ref).lines}
    assert set(asked) == set(KUK)
    shown = {
        kind: sheets.get_question(sheets.get_sheet(ref), line.position)
        for kind, line in asked.items()
    }
    assert shown["short_answer"].stem.value.startswith("Apa nama surat dokter")
    assert [one.value for one in shown["ordering"].shown["items"]] != []
    told = repr([(one.stem, one.shown) for one in shown.values()])
    assert "visum" not in told
    assert "Rasa aman didahulukan" not in told

    for position, kind, values in scene.lines(ref):
        if kind == Kind.SINGLE:
            answer(ref, position, int(values[0]) if values[0].isdigit() else None)
        else:
            answer(ref, position, None, values=values)
    hand_in(ref)
    result = sheets.get_result(ref, now=NOW)
    marks = {q.kind: q for kuk in result.kuk for q in kuk.questions if q.kind != "single"}
    assert {kind: q.earned for kind, q in marks.items()} == {
        kind: None if kind == "essay" else 1 for kind in set(KUK) - {"single"}
    }
    said = repr([(q.said, q.result) for q in marks.values()])
    assert "Rasa aman didahulukan" in said
    assert "Kata-katanya sendiri menjaga makna" in said
    passed = db.session.execute(
        select(ItemVersion.kind, Evidence.passed)
        .join(ItemVersion, Evidence.ref == db.cast(ItemVersion.id, db.String))
        .where(Evidence.kuk.in_(KUK.values()))
    ).all()
    assert dict(passed) == {kind: True for kind in KUK if kind != "essay"}
    assert reconcile.reconcile().problems == []


def test_reviewers_read_every_type_and_its_key(ref: AttemptRef):
    listed = {one.code: one for one in reviewing.list_texts() if one.code.endswith("-91")}
    assert len(listed) == len(KUK)
    words = {
        code: " ".join(piece.text for part in reviewing.read_text(one) for piece in part.pieces)
        for code, one in listed.items()
    }
    assert "visum et repertum" in words["K1-0231-91"]
    assert "1,5 ± 0,25 jam" in words["K1-0232-91"]
    assert "Ada ringkasan" in words["K1-0312-91"]


def test_a_bank_of_all_types_goes_into_other_formats():
    batch = formats.read("suluh", ITEMS.encode())
    assert [p.key for p in batch.problems] == [Key.REVIEW]
    assert [one.kind for one in batch.questions] == [Kind(kind) for kind in KUK]
    written = formats.write("moodle-xml", batch.questions)
    again = formats.read("moodle-xml", written.data).questions
    assert [(one.kind, one.stem, one.body) for one in again] == [
        (one.kind, one.stem, one.body) for one in batch.questions
    ]
    faulty = formats.read("suluh", ITEMS.replace("answer: false", "answer: 3").encode())
    [problem] = [p for p in faulty.problems if p.key is Key.YAML]
    assert problem.line == ITEMS[: ITEMS.index("answer: false")].count("\n") + 1


def test_a_wrong_statement_of_law_may_stand_where_it_is_called_wrong():
    source = parse_yaml(ITEMS, Path("items.yaml"))
    uses = {p.text: p.use for p in texts._scalars(source)}  # what the check reads
    statement = "Pendamping boleh menghubungi keluarga korban tanpa bertanya kepadanya."
    assert uses[statement] is Use.DECOY
    assert uses["Dugaan Anda tentang watak suaminya"] is Use.DECOY
    assert uses["Hari dan tempat Anda mendengar ceritanya"] is Use.PROSE
    assert uses["visum"] is Use.PROSE
    true = parse_yaml(ITEMS.replace("answer: false", "answer: true"), Path("items.yaml"))
    assert {p.text: p.use for p in texts._scalars(true)}[statement] is Use.PROSE


def test_an_item_may_change_its_type(ref: AttemptRef, tmp_path: Path):
    """A new version; the sitting that runs keeps what it drew."""
    other = ITEMS.replace("      answer: false", "      answer: true")
    assert typed.load(tmp_path, other)["changed"] == 1
    versions = db.session.execute(
        select(ItemVersion.number, ItemVersion.body)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(Item.slug == "K1-0213-91")
        .order_by(ItemVersion.number)
    ).all()
    assert [body["answer"] for _number, body in versions] == [False, True]
    assert [one.spec.answer for one in _own(tmp_path) if isinstance(one.spec, TypedSpec)][1] == (
        "Pendamping boleh menghubungi keluarga korban tanpa bertanya kepadanya. Benar"
    )


def test_the_demonstration_answers_every_type(ref: AttemptRef, tmp_path: Path):
    """Whoever walks through it knows every item of the files."""
    items = {one.spec.stem: one.spec for one in [*typed.shipped(), *_own(tmp_path)]}
    with unit_of_work():
        for line in sheets.get_sheet(ref).lines:
            question = sheets.get_question(sheets.get_sheet(ref), line.position)
            item = items[question.stem.value]
            said = walk._say(item, question, line.order, knows=item.kuk != KUK["matching"])
            services.save_page(ref, position=line.position, seq=0, flagged=False, now=NOW, **said)
        services.submit(ref, now=NOW)
    passed = dict(db.session.execute(select(Evidence.kuk, Evidence.passed)).all())
    assert [kuk for kuk, is_right in passed.items() if not is_right] == [KUK["matching"]]
    assert KUK["essay"] not in passed  # it was written, and waits


def test_right_answers_of_other_types_are_no_theme_for_the_class(app: Flask, tmp_path: Path):
    """A theme says what was chosen, so it speaks of single best answers alone."""
    typed.load(tmp_path)
    cohort = factories.cohort()
    for _n in range(5):
        person = factories.person()
        factories.seat(person, cohort)
        ref = begin(person.id)
        for position, kind, values in scene.lines(ref):
            if kind != Kind.SINGLE:
                answer(ref, position, None, values=values)
        hand_in(ref)
    found = themes.find(cohort.id, competency.current().standard)
    asked_so = {kuk for kind, kuk in KUK.items() if kind != "single"}
    assert found  # what was left open among the others
    assert not {one["kuk"] for one in found} & asked_so
    counted = db.session.scalars(select(themes._shown(cohort.id).c.kuk).distinct()).all()
    assert KUK["single"] in counted
    assert not set(counted) & asked_so


def _own(folder: Path) -> list[content.BankItem]:
    return content.check(folder, typed.standard())[0]
