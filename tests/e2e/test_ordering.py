"""Lines of a question are moved by buttons, with the keyboard, by numbers, and without a script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from lms.core.db import db
from lms.quizzes.models import AnswerEvent, Attempt
from tests import factories
from tests.conftest import SqliteHome
from tests.e2e.browser import LARGE, SMALL, faults, sign_in, watch
from tests.e2e.conftest import Prepared, let_go, serve_prepared
from tests.quizzes import typed
from tests.quizzes.helpers import begin
from tests.quizzes.types.scene import lines

pytestmark = pytest.mark.browser
PEOPLE = (
    "tombol@contoh.test",
    "papan@contoh.test",
    "angka@contoh.test",
    "tanpa@contoh.test",
    "campur@contoh.test",
    "tepi@contoh.test",
    "ganda@contoh.test",
)
COUNT = 4


def fill(folder: Path) -> dict[str, str]:
    """Load a bank of every type; open a sitting for each; return where its ordering stands."""
    typed.load(folder)
    cohort = factories.cohort()
    found = {}
    for email in PEOPLE:
        person = factories.person(email=email)
        factories.seat(person, cohort)
        ref = begin(person.id)
        [at] = [position for position, kind, _values in lines(ref) if kind == "ordering"]
        found[email] = f"/kuis/k1/{ref.public_id}?soal={at}"
    return found


@pytest.fixture(scope="module")
def office(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A served installation; everybody has a sitting with an ordering."""
    folder = tmp_path_factory.mktemp("bank")
    with serve_prepared(
        sqlite_home, tmp_path_factory.mktemp("ordering"), lambda: fill(folder)
    ) as found:
        yield found


def enter(browser: Browser, office: Prepared, email: str, **settings) -> tuple[Page, list[str]]:
    """Open somebody's ordering."""
    page = browser.new_context(**settings).new_page()
    complaints = watch(page)
    sign_in(page, office.base, email, factories.PASSWORD)
    page.goto(office.base + office.made[email])
    return page, complaints


def words(page: Page) -> list[str]:
    """Return the lines as they stand."""
    return page.locator("[data-order-list] label").all_inner_texts()


def numbers(page: Page) -> list[str]:
    """Return the number each line shows, from above."""
    return page.evaluate(
        "() => [...document.querySelectorAll('[data-order-list] select')]"
        ".map(one => one.selectedOptions[0].textContent.trim())"
    )


def is_saved(page: Page) -> None:
    expect(page.locator("#kuis [data-save-status]").first).to_contain_text("Tersimpan")


def stored(office: Prepared, email: str) -> list[list[int]]:
    """Return the places of each answer that arrived, oldest first, in the order of the file."""
    with office.app.app_context():
        sitting = office.made[email].split("?")[0].split("/")[3]
        rows = db.session.scalars(
            select(AnswerEvent.response)
            .join(Attempt, Attempt.id == AnswerEvent.attempt_id)
            .where(Attempt.public_id == sitting, AnswerEvent.response.is_not(None))
            .order_by(AnswerEvent.id)
        ).all()
        let_go()
    return [row["places"] for row in rows]


def places(page: Page, drawn: list[str]) -> list[int]:
    """Return the place each line has now, in the order in which they were drawn."""
    return [words(page).index(word) + 1 for word in drawn]


def test_a_line_goes_up_and_down_and_each_move_is_saved_once(browser: Browser, office: Prepared):
    email = PEOPLE[0]
    page, complaints = enter(browser, office, email, viewport=SMALL)
    drawn = words(page)
    assert numbers(page) == ["Pilih"] * COUNT
    assert faults(page) == []
    line = page.locator("[data-order-list] li").nth(2)
    said = page.locator("[data-order-said]")
    assert said.get_attribute("aria-live") == "polite"

    line.get_by_role("button", name=f"Naik: {drawn[2]}").click()
    assert words(page) == [drawn[0], drawn[2], drawn[1], drawn[3]]
    assert numbers(page) == ["1", "2", "3", "4"]
    expect(said).to_have_text(f"“{drawn[2]}” sekarang urutan 2 dari 4.")
    is_saved(page)
    assert stored(office, email) == [places(page, drawn)]

    page.get_by_role("button", name=f"Turun: {drawn[0]}").click()
    expect(said).to_have_text(f"“{drawn[0]}” sekarang urutan 2 dari 4.")
    page.wait_for_timeout(300)
    is_saved(page)
    assert len(stored(office, email)) == 2  # one change, however many numbers moved
    assert stored(office, email)[-1] == places(page, drawn)

    page.get_by_role("button", name=f"Naik: {drawn[2]}").click(force=True)  # already the first
    expect(said).to_have_text(f"“{drawn[2]}” sudah di urutan pertama.")
    assert len(stored(office, email)) == 2
    assert faults(page) == []
    now = words(page)
    page.reload()
    assert words(page) == now  # the lines come back as they were left
    assert numbers(page) == ["1", "2", "3", "4"]
    page.set_viewport_size(LARGE)
    assert faults(page) == []
    assert complaints == []


def test_the_keyboard_keeps_its_place_while_a_line_moves(browser: Browser, office: Prepared):
    page, complaints = enter(browser, office, PEOPLE[1], viewport=LARGE)
    drawn = words(page)
    up = page.get_by_role("button", name=f"Naik: {drawn[3]}")
    up.focus()
    for place in (3, 2, 1):
        page.keyboard.press("Enter")
        assert words(page).index(drawn[3]) == place - 1
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == (
            f"Naik: {drawn[3]}"
        )
    assert up.get_attribute("aria-disabled") == "true"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert words(page) == [drawn[0], drawn[3], drawn[1], drawn[2]]
    is_saved(page)
    assert complaints == []


def test_a_number_moves_its_line_and_an_order_that_is_right_as_drawn_can_be_taken(
    browser: Browser, office: Prepared
):
    email = PEOPLE[2]
    page, complaints = enter(browser, office, email, viewport=SMALL)
    drawn = words(page)
    take = page.get_by_role("button", name="Pakai urutan yang tampil")
    page.locator("select").nth(1).select_option(label="4")
    assert words(page) == drawn  # nothing moves before every line has its place
    is_saved(page)
    take.click()
    assert numbers(page) == ["1", "2", "3", "4"]
    assert words(page) == drawn
    expect(take).to_be_hidden()
    page.get_by_label(drawn[0], exact=True).select_option(label="3")
    assert words(page) == [drawn[1], drawn[2], drawn[0], drawn[3]]
    assert numbers(page) == ["1", "2", "3", "4"]
    page.wait_for_timeout(300)
    is_saved(page)
    assert stored(office, email)[-1] == places(page, drawn)
    assert complaints == []


def test_numbers_already_chosen_hold_when_a_button_is_pressed(browser: Browser, office: Prepared):
    email = PEOPLE[4]
    page, complaints = enter(browser, office, email, viewport=SMALL)
    drawn = words(page)
    page.locator("select").nth(0).select_option(label="4")
    page.locator("select").nth(1).select_option(label="1")
    assert words(page) == drawn
    page.get_by_role("button", name=f"Naik: {drawn[3]}").click()
    assert words(page) == [drawn[1], drawn[3], drawn[2], drawn[0]]
    assert numbers(page) == ["1", "2", "3", "4"]
    said = page.locator("[data-order-said]")
    expect(said).to_have_text(f"“{drawn[3]}” sekarang urutan 2 dari 4.")
    page.wait_for_timeout(300)
    is_saved(page)
    assert stored(office, email)[-1] == [4, 1, 3, 2]
    assert complaints == []


def test_a_line_that_a_number_puts_at_the_edge_says_where_it_is(browser: Browser, office: Prepared):
    email = PEOPLE[5]
    page, complaints = enter(browser, office, email, viewport=SMALL)
    drawn = words(page)
    said = page.locator("[data-order-said]")
    page.get_by_role("button", name=f"Naik: {drawn[0]}").click(force=True)
    expect(said).to_have_text(f"“{drawn[0]}” sudah di urutan pertama.")
    assert numbers(page) == ["Pilih"] * COUNT
    for n in (2, 3):  # a number chosen twice: the upper line has it
        page.locator("select").nth(n).select_option(label="1")
    page.get_by_role("button", name=f"Naik: {drawn[2]}").click()
    assert words(page) == [drawn[2], drawn[0], drawn[1], drawn[3]]
    expect(said).to_have_text(f"“{drawn[2]}” sekarang urutan 1 dari 4.")
    page.wait_for_timeout(300)
    is_saved(page)
    assert stored(office, email)[-1] == [2, 3, 1, 4]
    assert complaints == []


def test_two_quick_clicks_are_one_move(browser: Browser, office: Prepared):
    email = PEOPLE[6]
    page, complaints = enter(browser, office, email, viewport=LARGE)
    drawn = words(page)
    button = page.get_by_role("button", name=f"Turun: {drawn[1]}")
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    assert box is not None
    at = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.dblclick(*at)
    assert words(page) == [drawn[0], drawn[2], drawn[1], drawn[3]]
    page.mouse.click(*at)  # a click of its own moves what stands there now
    assert words(page) == drawn
    page.wait_for_timeout(300)
    is_saved(page)
    assert len(stored(office, email)) == 2
    assert complaints == []


def test_without_a_script_there_are_numbers_and_no_dead_buttons(browser: Browser, office: Prepared):
    email = PEOPLE[3]
    page, _complaints = enter(browser, office, email, viewport=SMALL, java_script_enabled=False)
    drawn = page.locator("[data-order-list] label").all_inner_texts()
    assert page.get_by_role("button", name="Naik").count() == 0
    for n, place in enumerate(("2", "1", "4", "3")):
        page.locator("[data-order-list] select").nth(n).select_option(label=place)
    page.click("form#kuis p button[value=lanjut]")
    assert stored(office, email) == [[2, 1, 4, 3]]
    page.goto(office.base + office.made[email])
    shown = page.locator("[data-order-list] select")
    assert [shown.nth(n).input_value() for n in range(COUNT)] == ["1:2", "2:1", "3:4", "4:3"]
    assert page.locator("[data-order-list] label").all_inner_texts() == drawn
