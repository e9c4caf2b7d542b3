"""The reader's language, and days and hours as people write them here."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask, g, render_template_string, session
from hypothesis import given
from hypothesis import strategies as st

from lms.core import i18n, login
from lms.core.clock import ZONES

LATE = datetime(2026, 12, 9, 16, 42, tzinfo=UTC)
"""Still the ninth in Jakarta (23.42), already the tenth in Makassar and Jayapura."""


def viewer(locale: str) -> login.Viewer:
    return login.Viewer(1, "x", "Ani", frozenset({"trainee"}), locale, "t")


@pytest.mark.parametrize(
    ("account", "browser", "spoken"),
    [
        (None, None, "id"),
        (None, "en", "en"),
        (None, "id", "id"),
        (None, "fr", "id"),
        ("en", None, "en"),
        ("en", "id", "en"),
        ("id", "en", "id"),
        ("xx", "en", "id"),
    ],
)
def test_the_persons_choice_wins_then_the_browsers_then_indonesian(
    app: Flask, account: str | None, browser: str | None, spoken: str
):
    with app.test_request_context(headers={"Accept-Language": "en-GB"}):
        if browser:
            session["lang"] = browser
        if account:
            g._login_user = viewer(account)
        assert i18n.language() == spoken
        assert i18n.pick("Risiko", "Risk") == {"id": "Risiko", "en": "Risk"}[spoken]


def test_outside_a_request_indonesian_is_spoken(app: Flask):
    assert i18n.language() == "id"
    assert i18n.pick("Risiko", "Risk") == "Risiko"


def test_content_without_english_stays_indonesian(app: Flask):
    with app.test_request_context():
        session["lang"] = "en"
        assert i18n.pick("Risiko", None) == i18n.pick("Risiko", "") == "Risiko"


@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [
        ("WIB", "9 Desember 2026", "23.42"),
        ("WITA", "10 Desember 2026", "00.42"),
        ("WIT", "10 Desember 2026", "01.42"),
    ],
)
def test_a_moment_is_written_in_the_zone_of_the_class(app: Flask, zone: str, day: str, hour: str):
    with app.test_request_context():
        shown = render_template_string(
            "{{ at | moment(zone) }}|{{ at | clock(zone) }}", at=LATE, zone=zone
        )
        assert shown == f"{day}, {hour} {zone}|{hour}"


@pytest.mark.parametrize("zone", ["WIB", "WIT"])
def test_without_a_class_the_installations_zone_is_used(make_app, zone: str):
    with make_app(zone=zone).test_request_context():
        assert i18n.moment(LATE) == i18n.moment(LATE, zone)
        assert i18n.clock(LATE) == i18n.clock(LATE, zone)
        assert i18n.day(LATE) == i18n.moment(LATE, zone).split(",")[0]


def test_a_moment_of_today_is_written_as_its_hour_alone(app: Flask):
    noon = datetime(2026, 12, 10, 5, 0, tzinfo=UTC)
    with app.test_request_context():
        assert i18n.recent(LATE, "WITA", noon) == "00.42"  # after midnight there: today
        assert i18n.recent(LATE, "WIB", noon) == "9 Desember 2026, 23.42 WIB"


def test_a_day_has_no_zone(app: Flask):
    with app.test_request_context():
        assert render_template_string("{{ on | day }}", on=date(2026, 3, 1)) == "1 Maret 2026"


def test_days_follow_the_language(app: Flask):
    with app.test_request_context():
        session["lang"] = "en"
        assert i18n.day(date(2026, 12, 9)) == "9 December 2026"
        assert i18n.moment(LATE) == "9 December 2026, 23.42 WIB"


def test_a_letter_can_speak_another_language_for_a_while(app: Flask):
    with app.test_request_context():
        with i18n.speaking("en"):
            assert i18n.day(date(2026, 12, 9)) == "9 December 2026"
        assert i18n.day(date(2026, 12, 9)) == "9 Desember 2026"


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_moving_a_moment_does_not_change_it(naive: datetime):
    moment = naive.replace(tzinfo=UTC)
    for zone in ZONES:
        there = i18n.local(moment, zone)
        assert there == moment
        assert there.tzname() == zone


def test_messages_take_values_and_numbers(app: Flask):
    with app.test_request_context():
        assert i18n.gettext("%(n)s langkah", n=3) == "3 langkah"
        assert i18n.ngettext("%(num)s hari", "%(num)s hari", 2) == "2 hari"
        assert str(i18n.lazy_gettext("Halo %(name)s", name="Ani")) == "Halo Ani"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ani Lestari", "Halo Ani Lestari."),
        ("Zoë Ñ", "Halo Zoë Ñ."),
        ("أمينة", "Halo \u2068أمينة\u2069."),
        ("\u202einA", "Halo inA."),  # a mark that would turn the rest of the sentence
        ("أمينة\u2069\u202e", "Halo \u2068أمينة\u2069."),  # one that would end our own
    ],
)
def test_a_name_that_runs_the_other_way_does_not_turn_the_sentence(
    app: Flask, name: str, shown: str
):
    assert i18n.gettext("Halo %(name)s.", name=name) == shown
    assert i18n.page_gettext("Halo %(name)s.", name=name) == shown
    assert i18n.page_ngettext("Halo %(name)s.", "%(num)d %(name)s", 1, name=name) == shown
    assert i18n.ngettext("Halo %(name)s.", "%(num)d %(name)s", 1, name=name) == shown
