"""A wrong key of every type that marks itself: another body, closed sittings marked again."""

import html
import re
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from lms.competency.models import Evidence, EvidenceVoid
from lms.core import jobs
from lms.core.db import db, unit_of_work
from lms.corrections import services
from lms.corrections.models import Rescore
from lms.credentials import rechecks, register
from lms.credentials.rules import Status
from lms.operations import reconcile
from lms.quizzes import corrections, sheets
from lms.quizzes import services as quizzes
from lms.quizzes.corrections import NewKey, Wording
from lms.quizzes.models import ItemVersion
from lms.quizzes.services import AttemptRef
from lms.quizzes.types import Kind
from tests import factories
from tests.corrections.world import LATER, NOW, SAT, Sat, correct, entries
from tests.quizzes import helpers, typed
from tests.quizzes.typed import ITEMS, KUK
from tests.quizzes.types import scene

NEW: dict[str, tuple[str, ...]] = {
    "multiple": ("1", "3"),
    "true_false": ("true",),
    "matching": ("2", "1"),
    "ordering": ("1:2", "2:1", "3:3", "4:4"),
    "short_answer": ("surat visum",),
    "numeric": ("2,5:0,25",),
}
"""What is right instead, for the items of tests.quizzes.typed."""
SLUG = {kind: f"K1-{kuk.replace('.', '')}-91" for kind, kuk in KUK.items()}


def wording_of(kind: str, number: int = 1) -> Wording:
    return corrections.get_wording(SLUG[kind], number)


def sit(person_id: int, by: str = "old", now=SAT, *, hand_in: bool = True) -> AttemptRef:
    """Sit the quiz: each type as the key was (`old`), as it becomes (`new`), or left open."""
    ref = helpers.begin(person_id, now)
    right = {position: (kind, values) for position, kind, values in typed_lines(ref)}
    with unit_of_work():
        for line in sheets.get_sheet(ref).lines:
            kind, values = right.get(line.position, ("single", None))
            if by == "none" and kind in NEW:
                continue
            if by == "new" and kind in NEW:
                values = answer_of(line)
            quizzes.save_answer(
                ref,
                position=line.position,
                client_key=f"sit-{line.position:04}",
                seq=1,
                choice=right_choice(line) if kind == "single" else None,
                values=values,
                flagged=None,
                now=now,
            )
        if hand_in:
            quizzes.submit(ref, now=now)
    return ref


def typed_lines(ref: AttemptRef) -> list[tuple[int, str, list[str]]]:
    """Return position, type and right values of what is no single best answer."""
    return [one for one in scene.lines(ref) if one[1] != Kind.SINGLE]


def right_choice(line: sheets.Line) -> int:
    key = db.session.get_one(ItemVersion, line.version).key
    return line.order.index(key) + 1


def answer_of(line: sheets.Line) -> list[str]:
    """Return what a page sends that is right by the new key."""
    right = corrections.find_right(wording_of(line.kind), NEW[line.kind])
    assert right is not None
    assert right.asked is not None
    return scene.values(right.asked.type.solve(right.asked.body, line.order))


@pytest.fixture
def world(app: Flask, tmp_path: Path) -> Sat:
    """Somebody with a certificate who answered each type by the key as it was."""
    typed.load(tmp_path)
    return make_world()


def make_world() -> Sat:
    class Typed(Sat):
        def sit(self, person, wrong=None, now=SAT) -> AttemptRef:  # noqa: ARG002
            from tests import ledgers
            from tests.credentials.world import append

            rows = [row for row in ledgers.full("K1", now) if row.kind is not ledgers.Q]
            append(person.id, rows, f"{person.id}-{now:%d}-")
            return sit(person.id, now=now)

    return Typed()


def live(ref: AttemptRef, kind: str) -> list[tuple[str, bool | None]]:
    return [(one, passed) for one, passed, counts in entries(ref, KUK[kind]) if counts]


@pytest.mark.both
def test_a_corrected_key_turns_the_marks_of_closed_sittings(world: Sat):
    said_new = sit(factories.person().id, "new")
    said_nothing = sit(factories.person().id, "none")
    for kind in NEW:
        wording = wording_of(kind)
        assert live(world.ref, kind) == [(str(wording.id), True)]
        assert live(said_new, kind) == [(str(wording.id), False)]
        foreseen = services.preview(wording, NEW[kind], now=LATER)
        assert (foreseen.closed, foreseen.counted) == (3, 3)
        assert (foreseen.to_right, foreseen.to_wrong, foreseen.gone) == (1, 1, 0)

        made = correct(wording, NEW[kind], world.reviewer)

        newest = wording_of(kind, 2)
        assert newest.is_newest
        assert live(world.ref, kind) == [(str(newest.id), False)]
        assert live(said_new, kind) == [(str(newest.id), True)]
        assert live(said_nothing, kind)[0][1] is False
        assert (str(wording.id), True, False) in entries(world.ref, KUK[kind])  # it stays, voided
        entry = db.session.scalars(
            select(Evidence).where(
                Evidence.ref == str(newest.id), Evidence.group_key == world.ref.public_id
            )
        ).one()
        void = db.session.scalars(
            select(EvidenceVoid).where(EvidenceVoid.evidence_id == entry.replaces_id)
        ).one()
        assert (entry.note, entry.assessor_id) == (void.reason, world.reviewer.id)
        assert (entry.happened_at, entry.recorded_at >= LATER) == (SAT, True)
        outcome = services.read_outcome(corrections.get_correction(made))
        assert (outcome.looked_at, outcome.to_right, outcome.to_wrong) == (3, 1, 1)
        told = corrections.get_correction(made)
        changed = db.session.scalars(
            select(Rescore.person_id).where(Rescore.correction_id == told.id, Rescore.changed)
        )
        assert set(changed) == {one.person_id for one in foreseen.effects if one.changed}
        assert told.old_answer != told.new_answer
        assert told.new_answer
        old = db.session.get_one(ItemVersion, wording.id)
        new = db.session.get_one(ItemVersion, newest.id)
        assert (new.stem, new.level, new.source) == (old.stem, old.level, old.source)
        assert new.digest != old.digest
        assert not new.reviewed
    assert reconcile.reconcile().problems == []


def test_the_score_stays_and_the_page_says_what_counts_now(world: Sat):
    before = sheets.get_result(world.ref, now=NOW)
    for kind in NEW:
        correct(wording_of(kind), NEW[kind], world.reviewer)
    after = sheets.get_result(world.ref, now=LATER)
    scores = [{one.kuk.code: one.score for one in found.kuk} for found in (before, after)]
    assert scores[0] == scores[1]
    was = {q.position: q for k in before.kuk for q in k.questions}
    remarks = [q for k in after.kuk for q in k.questions if q.corrected]
    assert {one.kind for one in remarks} == set(NEW)
    for shown in remarks:
        assert (shown.right, shown.corrected.right, shown.corrected.is_later) == (True, False, True)
        assert (
            shown.result != was[shown.position].result
        )  # a wrong key is not read as the right one
        assert shown.result.given == was[shown.position].result.given
        assert shown.said == ()  # the remark says why


@pytest.mark.both
def test_a_sitting_that_runs_is_marked_by_the_corrected_key(world: Sat):
    running = sit(factories.person().id, "new", hand_in=False)
    for kind in NEW:
        correct(wording_of(kind), NEW[kind], world.reviewer)
    helpers.hand_in(running, LATER)
    shown = sheets.get_result(running, now=LATER)
    remarks = {q.kind: q for k in shown.kuk for q in k.questions if q.corrected}
    for kind in NEW:
        assert live(running, kind) == [(str(wording_of(kind, 2).id), True)]
        found = remarks[kind]
        assert (found.right, found.corrected.is_later, found.counts) == (True, False, True)
    assert reconcile.reconcile().problems == []


def test_the_corrected_wording_is_drawn_and_asked_like_any_other(world: Sat):
    for kind in NEW:
        correct(wording_of(kind), NEW[kind], world.reviewer)
    ref = helpers.begin(factories.person().id, LATER)
    for position, kind, values in scene.lines(ref):
        if kind in NEW:
            helpers.answer(ref, position, None, values=values, now=LATER)
    helpers.hand_in(ref, LATER)
    shown = sheets.get_result(ref, now=LATER)
    asked = {q.kind: q for k in shown.kuk for q in k.questions}
    for kind in NEW:
        assert live(ref, kind) == [(str(wording_of(kind, 2).id), True)]
        said = repr((asked[kind].said, asked[kind].result))
        assert "Pilihan itu menyalahi UU 23/2004." in said
        assert asked[kind].corrected is None  # it was drawn with the right key


def test_a_correction_of_a_type_may_be_corrected_back(world: Sat):
    for kind in NEW:
        wording = wording_of(kind)
        assert wording.asked is not None
        old = tuple(wording.asked.type.key_of(wording.asked.body))
        correct(wording, NEW[kind], world.reviewer)
        correct(wording_of(kind, 2), old, world.reviewer)
        third = wording_of(kind, 3)
        assert live(world.ref, kind) == [(str(third.id), True)]
        assert corrections.words_of(third) == corrections.words_of(wording)
    shown = sheets.get_result(world.ref, now=LATER)
    remarks = [q for k in shown.kuk for q in k.questions if q.corrected]
    assert {(q.right, q.corrected.right) for q in remarks} == {(True, True)}
    assert reconcile.reconcile().problems == []


def test_nothing_is_right_of_any_type(world: Sat):
    for kind in NEW:
        wording = wording_of(kind)
        correct(wording, None, world.reviewer)
        assert live(world.ref, kind) == []
        assert wording_of(kind).is_withdrawn
    shown = sheets.get_result(world.ref, now=LATER)
    remarks = [q for k in shown.kuk for q in k.questions if q.corrected]
    assert len(remarks) == len(NEW)
    for question in remarks:
        assert question.corrected.right is None
        assert not any(line.best or line.wanted for line in question.result.lines)
        assert not question.result.blank
    assert reconcile.reconcile().problems == []


def test_a_certificate_stays_and_is_listed(app: Flask, tmp_path: Path):
    typed.load(tmp_path, ITEMS.split("  - id: K1-0312-91")[0])  # an essay would wait
    world = make_world()
    paper = world.certify()
    correct(wording_of("matching"), NEW["matching"], world.reviewer)
    [(_id, listed)] = rechecks.list_rechecks()
    assert listed.code == paper.code
    assert register.get_entry(paper.code, LATER).status is Status.VALID


BAD: list[tuple[str, NewKey]] = [
    ("multiple", ()),
    ("multiple", ("5",)),
    ("multiple", "A"),
    ("true_false", ("ya",)),
    ("matching", ("1",)),
    ("ordering", ("1", "1", "2", "3")),
    ("short_answer", ("",)),
    ("numeric", ("banyak",)),
    ("essay", ("x",)),
    ("essay", "A"),
    ("single", ("1",)),
]


def test_what_is_no_key_changes_nothing(world: Sat):
    for kind, key in BAD:
        with pytest.raises(corrections.NotAnOption), unit_of_work():
            corrections.correct(wording_of(kind), key, reason="x", by_id=world.admin.id, now=LATER)
    assert corrections.list_corrections() == []
    for same in NEW:
        asked = wording_of(same).asked
        assert asked is not None
        with pytest.raises(corrections.SameAnswer), unit_of_work():
            corrections.correct(
                wording_of(same),
                tuple(asked.type.key_of(asked.body)),
                reason="x",
                by_id=world.admin.id,
                now=LATER,
            )


def test_a_file_that_holds_the_wrong_key_does_not_bring_it_back(world: Sat, tmp_path: Path):
    for kind in NEW:
        correct(wording_of(kind), NEW[kind], world.reviewer)
    assert typed.load(tmp_path)["kept"] == len(NEW)
    said = ITEMS.replace("source: Buku pegangan pendamping", "source: Buku saku pendamping")
    again = typed.load(tmp_path, said)  # other words around the wrong key
    assert (again["kept"], again["changed"]) == (len(NEW), len(KUK) - len(NEW))
    assert all(wording_of(kind, 2).is_newest for kind in NEW)
    visum = "value: visum\n        - value: visum et repertum"
    agrees = (
        said.replace("answer: false", "answer: true")
        .replace("value: 1.5", "value: 2.5")
        .replace(visum, "value: surat visum")
    )
    assert typed.load(tmp_path, agrees)["kept"] == len(NEW) - 3
    assert all(wording_of(kind, 3).is_newest for kind in ("true_false", "numeric", "short_answer"))


def test_a_wrong_key_comes_back_neither_in_another_order_nor_beside_something_else(
    world: Sat, tmp_path: Path
):
    for kind in NEW:
        correct(wording_of(kind), NEW[kind], world.reviewer)
    option = "        - text: Kata-kata Ibu K. sendiri"
    turned, word = "        - text: Hari dan tempat", "        - value: visum\n"
    _before, first, rest = ITEMS.partition(option)
    first += rest.partition(turned)[0]
    second = turned + ITEMS.partition(turned)[2].partition("        - text: Dugaan")[0]
    said = (
        ITEMS.replace(first + second, second + first)
        .replace("right: Rumah aman", "right: Rumah aman terdekat")
        .replace(word, "        - value: surat visum\n" + word)
        .replace("        - value: 1.5", "        - value: 7\n        - value: 1.5")
    )
    found = typed.load(tmp_path, said)
    assert (found["kept"], found["changed"]) == (len(NEW), 0)
    assert all(wording_of(kind, 2).is_newest for kind in NEW)


def test_a_worker_that_begins_again_marks_nothing_twice(world: Sat):
    made = correct(wording_of("ordering"), NEW["ordering"], world.reviewer)
    before = entries(world.ref, KUK["ordering"])
    again = services.find_job(corrections.get_correction(made))
    assert again is not None
    assert not again.running
    jobs.work(LATER)
    assert entries(world.ref, KUK["ordering"]) == before


# The page

SENT: dict[str, dict[str, object]] = {
    "multiple": {"kunci": "isian", "jawab": ["1", "3"]},
    "true_false": {"kunci": "true"},
    "matching": {"kunci": "isian", "jawab": ["2", "1"]},
    "ordering": {"kunci": "isian", "jawab": ["2:1", "1:2", "3:3", "4:4"]},
    "short_answer": {"kunci": "isian", "jawab": ["surat visum\r\n"]},
    "numeric": {"kunci": "isian", "jawab": ["2,5:0,25"]},
}
WORDS = {
    "multiple": "Kata-kata Ibu K. sendiri tentang kejadian itu; Dugaan Anda",
    "true_false": "Benar",
    "matching": "kepala pusing: Rumah aman; Takut pulang ke rumah: Puskesmas",
    "ordering": "Tanyakan apa yang paling mendesak → Pastikan ia",
    "short_answer": "surat visum",
    "numeric": "2,5 ± 0,25 jam",
}
"""What the page calls the new key."""


def page_of(kind: str) -> str:
    return f"/telaah/soal/{SLUG[kind]}/kunci/1"


def test_every_type_is_looked_at_first_and_corrected_after_a_confirmation(world: Sat, sign_in):
    browser = sign_in(world.reviewer)
    for kind, fields in SENT.items():
        page = page_of(kind)
        shown = html.unescape(browser.get(page).text)
        assert corrections.words_of(wording_of(kind)) in shown  # the key as it is
        sent = fields | {"alasan": "Menyalahi UU 23/2004.", "langkah": "lihat"}
        looked = browser.post(page, data=sent)
        assert looked.status_code == 200
        assert WORDS[kind] in html.unescape(looked.text).split('id="akibat"')[1]
        assert wording_of(kind).is_newest
        done = browser.post(page, data=sent | {"langkah": "terapkan", "yakin": "y"})
        assert done.status_code == 302
        report = html.unescape(browser.get(done.location).text)
        assert WORDS[kind] in report
        assert corrections.words_of(wording_of(kind)) in report
        assert browser.post(page, data=sent | {"langkah": "terapkan", "yakin": "y"}).location == (
            done.location
        )
    assert len(corrections.list_corrections()) == len(SENT)


def test_a_key_changed_after_the_look_is_looked_at_again(world: Sat, sign_in):
    browser = sign_in(world.reviewer)
    sent = SENT["matching"] | {"alasan": "Menyalahi UU 23/2004.", "langkah": "lihat"}
    looked = browser.post(page_of("matching"), data=sent).text
    [seen] = re.findall(r'name="dilihat" value="(\w+)"', looked)
    apply = sent | {"langkah": "terapkan", "yakin": "y", "dilihat": seen}
    other = browser.post(page_of("matching"), data=apply | {"jawab": ["2", "2"]})
    assert other.status_code == 422
    assert "Kuncinya lain dari yang dilihat." in other.text
    assert re.findall(r'name="dilihat" value="(\w+)"', other.text) != [seen]
    assert "checked" not in other.text.split('name="yakin"')[1][:60]
    assert corrections.list_corrections() == []
    assert browser.post(page_of("matching"), data=apply).status_code == 302


def test_a_key_that_is_none_or_the_same_comes_back_with_what_was_typed(world: Sat, sign_in):
    browser = sign_in(world.reviewer)
    says = {
        "multiple": ([], "Centang paling sedikit satu pilihan"),
        "matching": (["1"], "Pilih pasangan untuk setiap baris."),
        "ordering": (["1:1", "2:1", "3:3", "4:4"], "setiap urutan dipakai sekali."),
        "short_answer": ([" "], "Tulis jawaban yang diterima, satu per baris"),
        "numeric": (["dua jam"], "Tulis angka, satu per baris"),
    }
    for kind, (values, words) in says.items():
        asked = wording_of(kind).asked
        assert asked is not None
        same = asked.type.key_of(asked.body)
        for jawab, text in ((values, words), (same, "Itu kunci yang sekarang.")):
            answer = browser.post(
                page_of(kind),
                data={
                    "kunci": "isian",
                    "jawab": jawab,
                    "alasan": "Alasan yang ditulis.",
                    "langkah": "terapkan",
                    "yakin": "y",
                },
            )
            assert answer.status_code == 422
            assert text in html.unescape(answer.text)
            assert "Alasan yang ditulis." in answer.text
    assert (
        "dua jam"
        in browser.post(
            page_of("numeric"), data={"kunci": "isian", "jawab": "dua jam", "alasan": "x"}
        ).text
    )
    for line in ("50.000", "50.000:0,5"):
        looked = browser.post(
            page_of("numeric"), data={"kunci": "isian", "jawab": line, "alasan": "x"}
        )
        assert looked.status_code == 422
        assert "Rentang ditulis 2..3. Tulis tanpa titik ribuan: 50000." in looked.text  # the hint
        assert "atau 2..3. Tulis tanpa titik ribuan: 50000." in looked.text  # what is wrong
    for kind, wrong in (("true_false", "false"), ("matching", "A"), ("essay", "isian")):
        sent = {"kunci": wrong, "alasan": "x", "langkah": "terapkan", "yakin": "y"}
        assert browser.post(page_of(kind), data=sent).status_code == 422
    assert corrections.list_corrections() == []


def test_an_essay_is_not_corrected_so_and_the_page_says_it(world: Sat, sign_in):
    browser = sign_in(world.reviewer)
    shown = browser.get(page_of("essay")).text
    assert "Uraian tidak diperbaiki di sini" in shown
    assert "nilai yang sudah diberikan lalu tidak dihitung lagi sebagai bukti" in shown
    assert "tidak berubah" not in shown
    assert 'value="isian"' not in shown
    assert "Uraian tidak diperbaiki di sini" not in browser.get(page_of("matching")).text
    sent = {"kunci": "tidak-ada", "alasan": "Soalnya keliru.", "langkah": "terapkan", "yakin": "y"}
    done = browser.post(page_of("essay"), data=sent)
    assert done.status_code == 302
    assert "tidak ada, dinilai orang" in browser.get(done.location).text
    assert wording_of("essay").is_withdrawn


def test_what_a_result_shows_after_nothing_is_right(world: Sat, sign_in):
    """No page calls anything right any more, and what was answered still stands there."""
    page = f"/kuis/k1/{world.ref.public_id}/hasil"
    browser = sign_in(world.world.trainee)
    before = html.unescape(browser.get(page).text)
    assert "visum et repertum" in before
    for kind in NEW:
        correct(wording_of(kind), None, world.reviewer)
    after = html.unescape(browser.get(page).text)
    assert "visum et repertum" not in after
    assert "Pasangannya:" in before
    assert "Pasangannya:" not in after
    assert after.count("jawaban Anda sekarang tidak dihitung") == len(NEW)
