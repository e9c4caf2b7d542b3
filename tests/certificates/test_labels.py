"""The fixed words: complete in both languages, and claiming no more than they may."""

import re
from dataclasses import asdict
from datetime import date

import pytest

from certificates.document import LANGUAGES, Language
from certificates.labels import LABELS

# Reserved to occupational certification; they may not appear, not even in a denial.
RESERVED = re.compile(r"kompeten|competen|bnsp|kkni|lsp|sertifikasi|licensed|profesional", re.I)
SAME_IN_BOTH = {"hours", "identity"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_label_claims_a_reserved_word(language: Language):
    assert not [text for text in asdict(LABELS[language]).values() if RESERVED.search(str(text))]


def test_both_languages_say_everything_with_the_same_blanks():
    indonesian, english = asdict(LABELS["id"]), asdict(LABELS["en"])
    assert all(indonesian.values())
    assert all(english.values())
    assert {name for name in indonesian if indonesian[name] == english[name]} == SAME_IN_BOTH
    for name, text in indonesian.items():
        blanks = re.findall(r"\{\w+\}", str(text))
        assert blanks == re.findall(r"\{\w+\}", str(english[name])), name
    assert len(LABELS["id"].months) == len(LABELS["en"].months) == 12


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 11, 2), date(2026, 11, 2), "2 November 2026"),
        (date(2026, 11, 2), date(2026, 11, 19), "2–19 November 2026"),
        (date(2026, 8, 30), date(2026, 9, 2), "30 Agustus – 2 September 2026"),
        (date(2026, 12, 30), date(2027, 1, 2), "30 Desember 2026 – 2 Januari 2027"),
        (date(2026, 11, 2), date(2027, 11, 2), "2 November 2026 – 2 November 2027"),
    ],
)
def test_a_period_does_not_repeat_itself(first: date, last: date, text: str):
    assert LABELS["id"].period(first, last) == text
