"""How articles of law are found in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.modules.law.rules import (
    MOST,
    Citation,
    MarkState,
    Status,
    Unclear,
    covers,
    expand,
    find,
    order_of,
    parse,
    slug_of,
    split_name,
    state_of,
)

NAMES = {"KUHP": "UU 1/2023", "UU PKDRT": "UU 23/2004", "UU TPKS": "UU 12/2022"}

REFS = [
    ("UU 23/2004 ps 10 huruf c, 16(1), 33-34", "UU 23/2004", "10 16 33 34"),
    ("UU 12/2022 ps 4 ayat (2) huruf h, ps 40, ps 41", "UU 12/2022", "4 40 41"),
    ("UU 23/2004 ps 1 angka 1 dan 3, ps 2 ayat (1)", "UU 23/2004", "1 2"),
    ("UU 23/2004 ps 1 angka 1, ps 6, 7, 9", "UU 23/2004", "1 6 7 9"),
    ("UU 21/2007 ps 1 angka 1, 7, dan 15, ps 26", "UU 21/2007", "1 26"),
    ("PP 4/2006 ps 12 huruf b, c, dan d", "PP 4/2006", "12"),
    ("UU 23/2004 ps 16 ayat (1)-(3), ps 32", "UU 23/2004", "16 32"),
    ("UU 8/2016 ps 5 ayat (1) huruf t dan ayat (2) huruf d, ps 24", "UU 8/2016", "5 24"),
    ("UU 35/2014 ps 76B-76D, 71D", "UU 35/2014", "76B 76C 76D 71D"),
    ("UU 1/2023 ps 622(1) huruf cc, 443", "UU 1/2023", "622 443"),
    ("Undang-Undang Nomor 23 Tahun 2004 Pasal 5 sampai dengan Pasal 7", "UU 23/2004", "5 6 7"),
    ("Permen PPPA 2/2022 ps 3", "Permen PPPA 2/2022", "3"),
    ("UU 12/2022 (TPKS) ps 42", "UU 12/2022", "42"),
    ("KUHP ps 299", "UU 1/2023", "299"),
    ("Pasal 29/30 UU TPKS", "UU 12/2022", "29 30"),
    ("ps 16 dan 19 UU 23/2004", "UU 23/2004", "16 19"),
    ("UU 1/2026", "UU 1/2026", ""),
]


@pytest.mark.parametrize(("text", "law", "articles"), REFS)
def test_a_reference_is_read(text: str, law: str, articles: str):
    found = parse(text, NAMES)
    assert (found.law, found.articles) == (law, tuple(articles.split()))


@pytest.mark.parametrize(("text", "law", "articles"), REFS)
def test_the_same_is_found_inside_a_sentence_and_over_a_line(text: str, law: str, articles: str):
    wrapped = text.replace(" ", "\n        ")
    for inside in (f"Menurut {text}, polisi menolong.", f"Lihat {wrapped}."):
        [one] = find(inside, NAMES)
        assert (one.law, one.articles) == (law, tuple(articles.split()))
        assert inside[one.start : one.end].split() == text.split()


@pytest.mark.parametrize(
    ("text", "articles"),
    [
        ("UU 12/2022 ps 42, 14 hari", "42"),
        ("UU 23/2004 ps 15, 22 November 2026", "15"),
        ("UU 23/2004 ps 10 huruf c di rumah, 12 orang", "10"),
        ("UU 23/2004 ps 16 dan 2 saksi", "16"),
        ("UU 23/2004 ps 16 dalam 1x24 jam", "16"),
        ("UU 23/2004 ps 5-900", "5 900"),
        ("UU 23/2004 ps 9-5", "9 5"),
    ],
)
def test_other_numbers_are_no_articles(text: str, articles: str):
    assert find(text)[0].articles == tuple(articles.split())


def test_several_laws_in_one_text_keep_their_articles():
    found = find("UU 23/2002 ps 1 jo. UU 35/2014 ps 1 angka 14; UU 23/2004 ps 22, PP 4/2006 ps 9")
    assert [(one.law, one.articles) for one in found] == [
        ("UU 23/2002", ("1",)),
        ("UU 35/2014", ("1",)),
        ("UU 23/2004", ("22",)),
        ("PP 4/2006", ("9",)),
    ]


def test_a_short_name_alone_is_a_word():
    assert find("KUHP lama berbeda dengan KUHP ps 29.", NAMES) == [
        Citation("UU 1/2023", ("29",), 25, 35)
    ]
    assert find("Menurut UU PKDRT, 3 orang.", NAMES) == []
    assert find("Tanpa angka tidak ada hukum.", NAMES) == []


@pytest.mark.parametrize(
    "text",
    ["", "ps 16", "UU 23/2004 pasal dua", "UU 23/2004 ps 16 wajib", "UU 23/2004; UU 12/2022"],
)
def test_what_is_no_reference_is_refused(text: str):
    with pytest.raises(Unclear):
        parse(text)


def test_a_range_covers_what_is_in_it():
    assert covers("UU 23/2004 ps 15-25", "UU 23/2004 ps 16")
    assert covers("UU 23/2004 ps 15-25 dan UU 12/2022 ps 42", "UU 12/2022 ps 42")
    assert not covers("UU 23/2004 ps 15-25", "UU 23/2004 ps 26")
    assert not covers("UU 12/2022 ps 15-25", "UU 23/2004 ps 16")
    assert not covers("UU 23/2004", "UU 23/2004 ps 16")


numbers = st.integers(1, 999)
letters = st.sampled_from(["", "A", "B", "E"])
articles = st.builds(lambda number, letter: f"{number}{letter}", numbers, letters)
laws = st.builds(
    lambda kind, number, year: f"{kind} {number}/{year}",
    st.sampled_from(["UU", "PP", "Perpres", "Perma", "Permen PPPA"]),
    st.integers(1, 99),
    st.integers(1945, 2030),
)


@given(laws, st.lists(articles, min_size=1, max_size=6, unique=True), st.booleans())
def test_every_list_is_read_back(law: str, wanted: list[str], says_each: bool):
    joined = (", ps " if says_each else ", ").join(wanted)
    found = parse(f"{law} ps {joined}")
    assert found == Citation(law, tuple(wanted), 0, len(f"{law} ps {joined}"))
    assert all(covers(f"Lihat {law} ps {joined}.", ref) for ref in found.refs)
    assert [split_name(ref) for ref in found.refs] == [(law, one) for one in wanted]


@given(st.integers(1, 500), st.integers(0, MOST - 1))
def test_a_range_is_its_numbers(first: int, more: int):
    wanted = tuple(str(number) for number in range(first, first + more + 1))
    assert expand(str(first), str(first + more)) == wanted


@given(articles, articles)
def test_a_range_holds_both_ends_in_order(first: str, last: str):
    found = expand(first, last)
    assert found[0] == first
    assert found[-1] == last
    assert len(found) <= MOST
    if order_of(first) <= order_of(last):
        assert list(found) == sorted(found, key=order_of)


@given(st.text(max_size=80))
def test_any_text_can_be_searched(text: str):
    for one in find(text, NAMES):
        assert 0 <= one.start < one.end <= len(text)


def test_names_in_addresses_and_what_a_mark_does():
    assert slug_of("Permen PPPA 2/2022") == "permen-pppa-2-2022"
    assert state_of(Status.IN_FORCE, None) is Status.IN_FORCE
    assert state_of(Status.IN_FORCE, MarkState.SUPERSEDED) is Status.SUPERSEDED
    assert state_of(Status.SUPERSEDED, MarkState.IN_FORCE) is Status.IN_FORCE
    assert order_of("x") > order_of("999Z")
    assert expand("59", "59C") == ("59", "59A", "59B", "59C")
