"""Item statistics from real sittings: counted in a round, read on pages."""

from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select, update

from lms.core.db import db, unit_of_work
from lms.quizzes.models import Attempt, AttemptItem, Item, Quiz
from lms.statistics import labels, services
from lms.statistics.models import QuizFigures
from lms.statistics.rules import Flag
from tests import factories
from tests.factories import NOW
from tests.quizzes import typed
from tests.quizzes.helpers import DAY, answer, begin, drawn, hand_in, sit
from tests.quizzes.types import scene

LATER = NOW + timedelta(hours=2)


@pytest.fixture
def sat(app):
    """Four people sat K1: one all right, one all wrong, one half, one without any answer."""
    kinds = (lambda _k: False, lambda _k: True, lambda k: k.startswith("02"))
    for wrong in kinds:
        sit(factories.person().id, wrong=wrong)
    empty = begin(factories.person().id)
    hand_in(empty)
    services.refresh(NOW)
    return app


def shown() -> set[int]:
    """Return the wordings that were drawn."""
    return set(db.session.scalars(select(AttemptItem.item_version_id)))


@pytest.mark.both
def test_figures_of_a_class(sat):
    counted = services.read_quiz("K1")
    assert counted.sittings == 4
    assert counted.whole["sittings"] == 4
    assert {line.slug for line in counted.lines}
    assert len(counted.lines) == len(shown())
    assert sum(line.figures["n"] for line in counted.lines) == 3 * counted.whole["shown"]
    assert sum(line.figures["omitted"] for line in counted.lines) == counted.whole["shown"]
    right = sum(
        round(line.figures["p"] * line.figures["n"]) for line in counted.lines if line.figures["n"]
    )
    assert right == pytest.approx(4 * counted.whole["mean"])
    assert counted.whole["gate"] == 14
    assert counted.whole["cut"] == 12
    assert all("small_n" in line.figures["flags"] for line in counted.lines)


@pytest.mark.both
def test_the_last_choice_counts_and_a_flag_does_not_undo_it(app):
    ref = begin(factories.person().id)
    position, _kuk, _item, version, right = drawn(ref)[0]
    answer(ref, position, right % 4 + 1)
    answer(ref, position, right)
    answer(ref, position, None, flagged=True)
    hand_in(ref)
    services.refresh(NOW)
    figures = {one["version"]: one for one in db.session.scalar(select(QuizFigures)).items}
    assert (figures[version]["n"], figures[version]["p"]) == (1, 1)


def test_open_sittings_and_later_tries_are_not_counted(sat):
    someone = factories.person().id
    ref = sit(someone, wrong=lambda _kuk: True)
    sit(someone, now=NOW + 2 * DAY)
    begin(factories.person().id)
    assert services.refresh(LATER) == 1
    assert services.read_quiz("K1").sittings == 5
    assert ref.public_id


def test_it_is_counted_again_when_an_hour_passed_and_something_is_new(sat):
    assert services.refresh(LATER) == 0
    sit(factories.person().id)
    assert services.refresh(NOW + timedelta(minutes=59)) == 0
    assert services.refresh(LATER) == 1
    assert services.read_quiz("K1").computed_at == LATER


def test_another_quiz_is_counted_for_itself(sat):
    ref = sit(factories.person().id)
    with unit_of_work():
        other = Quiz(curriculum_code="X1")
        db.session.add(other)
        db.session.flush()
        db.session.execute(
            update(Attempt).where(Attempt.public_id == ref.public_id).values(quiz_id=other.id)
        )
    assert services.refresh(NOW) == 1
    assert services.read_quiz("X1").sittings == 1
    assert services.read_quiz("K1").sittings == 4


def test_nothing_to_count(app):
    assert services.refresh(NOW) == 0
    assert services.read_quiz("K1").lines == ()
    assert services.read_quiz("K9").lines == ()


def test_lines_are_chosen_and_ordered(sat):
    lines = services.read_quiz("K1").lines
    assert [one.slug for one in services.choose(lines, None, "")] == sorted(
        one.slug for one in lines
    )
    hard = services.choose(lines, Flag.HARD, "p")
    assert 0 < len(hard) < len(lines)
    shares = [one.figures["p"] for one in services.choose(lines, None, "p")]
    known = [one for one in shares if one is not None]
    assert known == sorted(known)
    assert shares[: len(known)] == known


def trainer_of(sign_in, **values):
    return sign_in(factories.person("trainer", **values))


def test_the_list(sat, sign_in):
    browser = trainer_of(sign_in)
    page = browser.get("/laporan/butir").text
    first = services.read_quiz("K1").lines[0]
    assert f'href="/laporan/butir/{first.slug}/1"' in page
    assert "n masih kecil: baru 4 sesi" in page
    assert "Kesepakatan pada batas belum dapat dihitung" in page
    with unit_of_work():
        row = db.session.scalar(select(QuizFigures))
        found = {"agreement": 0.912, "kappa": 0.5, "livingston": 0.9}
        row.whole = row.whole | {"decision": found}
    page = browser.get("/laporan/butir").text
    assert "Pada batas 12 dari 14 butir nonkritis" in page
    assert "sepakat tentang 91% orang (kappa 0,50)" in page
    hard = browser.get("/laporan/butir?kurikulum=K1&tanda=sulit&urut=p").text
    assert hard.count("Terlalu sulit") > 1
    none = browser.get("/laporan/butir?tanda=silang").text
    assert "Tidak ada butir dengan tanda ini" in none
    assert "Belum ada angka" in browser.get("/laporan/butir?kurikulum=T").text
    assert browser.get("/laporan/butir?kurikulum=XX").status_code == 404
    assert browser.get("/laporan/butir?hal=99").status_code == 404


def test_many_wordings_have_pages(sat, sign_in, monkeypatch):
    monkeypatch.setattr("lms.statistics.views.PAGE", 10)
    browser = trainer_of(sign_in)
    assert "11–20 dari" in browser.get("/laporan/butir?hal=2&tanda=kecil").text


def test_one_wording(sat, sign_in):
    line = max(services.read_quiz("K1").lines, key=lambda one: one.figures["n"])
    n = line.figures["n"]
    assert n in range(1, 4)  # how many of the three drew it is chance
    page = trainer_of(sign_in).get(f"/laporan/butir/{line.slug}/1").text
    assert 'role="img" aria-labelledby="kurva"' in page
    assert page.count("<polyline") == 4
    assert f"n masih kecil: baru {n} jawaban" in page
    assert page.count("Kunci</span>") == 1


@pytest.mark.both
def test_questions_without_letters_are_counted_by_the_ledger(app, sign_in, tmp_path):
    typed.load(tmp_path)
    for right in (True, True, False):
        ref = begin(factories.person().id)
        for position, kind, values in scene.lines(ref):
            if kind == "numeric" and not right:
                answer(ref, position, None, values=["99999", ""])
            elif kind not in ("single", "essay") and (right or kind != "ordering"):
                answer(ref, position, None, values=values)
        hand_in(ref)
    services.refresh(NOW)
    found = {line.kuk: line.figures for line in services.read_quiz("K1").lines}
    assert services.read_quiz("K1").sittings == 3

    def figures(kind: str) -> tuple:
        one = found[typed.KUK[kind]]
        return one["n"], one["omitted"], one["p"], one["options"]

    assert figures("matching") == (3, 0, 1.0, [])
    assert figures("numeric") == (3, 0, pytest.approx(2 / 3), [])
    assert figures("ordering") == (2, 1, 1.0, [])
    assert found[typed.KUK["numeric"]]["r"] == pytest.approx(1.0, abs=1e-6)
    assert "dead_distractor" not in found[typed.KUK["numeric"]]["flags"]
    assert figures("essay") == (0, 3, None, [])
    line = next(one for one in services.read_quiz("K1").lines if one.kuk == typed.KUK["numeric"])
    page = trainer_of(sign_in).get(f"/laporan/butir/{line.slug}/{line.number}").text
    assert "tidak punya pilihan berhuruf" in page
    assert "Siapa memilih apa" not in page


def test_a_wording_nobody_met(app, sign_in):
    slug = db.session.scalar(select(Item.slug).limit(1))
    browser = trainer_of(sign_in)
    assert "Belum ada sesi pertama" in browser.get(f"/laporan/butir/{slug}/1").text
    assert browser.get(f"/laporan/butir/{slug}/99").status_code == 404
    assert browser.get("/laporan/butir/tidak-ada/1").status_code == 404


def test_who_sits_the_quiz_does_not_see_its_keys(sat, sign_in):
    someone = factories.person("trainer", "trainee")
    line = services.read_quiz("K1").lines[0]
    browser = sign_in(someone)
    assert browser.get(f"/laporan/butir/{line.slug}/1").status_code == 200
    begin(someone.id)
    assert browser.get(f"/laporan/butir/{line.slug}/1").status_code == 404
    assert browser.get("/laporan/butir").status_code == 200


def test_an_author_sees_the_list_and_no_key(sat, sign_in):
    browser = sign_in(factories.person("author"))
    line = services.read_quiz("K1").lines[0]
    page = browser.get("/laporan/butir").text
    assert line.slug in page
    assert "/laporan/butir/K1" not in page
    assert line.stem[:30] not in page
    assert browser.get(f"/laporan/butir/{line.slug}/1").status_code == 403


def test_learners_see_nothing_of_it(sat, sign_in):
    assert sign_in(factories.person("trainee")).get("/laporan/butir").status_code == 403


def test_withdrawn_and_older_wordings_say_so(sat, sign_in):
    line = services.read_quiz("K1").lines[0]
    with unit_of_work():
        db.session.execute(update(Item).where(Item.slug == line.slug).values(withdrawn_at=NOW))
    browser = trainer_of(sign_in)
    assert "ditarik" in browser.get("/laporan/butir").text
    assert "ditarik" in browser.get(f"/laporan/butir/{line.slug}/1").text


def test_numbers_are_read_as_in_the_language(app):
    with app.test_request_context():
        assert labels.number(None) == "–"
        assert labels.number(-0.256) == "−0,26"
        assert labels.percent(0.256) == "26%"
        assert labels.percent(None) == "–"


def test_labels_of_curves_do_not_lie_on_each_other():
    options = [
        {"name": name, "is_key": name == "A", "curve": [0.2, None, 0.1, top]}
        for name, top in (("A", 0.9), ("B", 0.05), ("C", 0.05), ("D", 0.0))
    ]
    found = labels.curves([*options, {"name": "E", "is_key": False, "curve": [None] * 4}])
    assert [one.name for one in found] == ["A", "B", "C", "D"]
    gaps = [b.label - a.label for a, b in pairwise(found)]
    assert min(gaps) >= labels.LABEL
    assert found[0].points.count(",") == 3
