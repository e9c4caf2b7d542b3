"""Which organisation a name means: former names, abbreviations, and what must be asked."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.cohorts import abbreviations, rules
from lms.cohorts.rules import Fit, KnownName, NameIndex, Why
from lms.config import CONTENT
from lms.core.content import Unreadable

SHORT = abbreviations.load(CONTENT)


def current(number: int, name: str, kind: str = "puskesmas") -> KnownName:
    return KnownName(number, name, Why.CURRENT, kind)


KNOWN = [
    current(1, "Puskesmas Melati"),
    current(2, "Puskesmas Kenanga"),
    current(3, "UPTD PPA Kota Contoh", "uptd_ppa"),
    current(4, "RSUD Kota Contoh", "rs"),
    current(5, "Kepolisian Sektor Contoh Barat", "polsek"),
    current(6, "DP3A Kota Lama", "dp3a"),
    KnownName(6, "BPPKB Kota Lama", Why.FORMER, "dp3a", date(2017, 1, 1)),
    KnownName(7, "Rumah Aman", Why.ALIAS, "lsm"),
    current(7, "Yayasan Pelangi", "lsm"),
    KnownName(8, "Rumah Aman", Why.FORMER, "lsm"),
    current(8, "Yayasan Mentari", "lsm"),
]


def match(typed: str, known: list[KnownName] = KNOWN) -> rules.Match:
    return NameIndex(known, SHORT).match(typed)


@pytest.mark.parametrize(
    ("typed", "organisation", "why"),
    [
        ("Puskesmas Melati", 1, Why.CURRENT),
        ("  puskésmas   MELATI. ", 1, Why.CURRENT),
        ("Pusat Kesehatan Masyarakat Melati", 1, Why.MEANING),
        ("P2TP2A Kota Contoh", 3, Why.SUCCESSOR),
        ("Pusat Pelayanan Terpadu Pemberdayaan Perempuan dan Anak Kota Contoh", 3, Why.SUCCESSOR),
        (
            "Unit Pelaksana Teknis Daerah Perlindungan Perempuan dan Anak Kota Contoh",
            3,
            Why.MEANING,
        ),
        ("Rumah Sakit Umum Daerah Kota Contoh", 4, Why.MEANING),
        ("Polsek Contoh Barat", 5, Why.MEANING),
        ("BPPKB Kota Lama", 6, Why.FORMER),
        ("Dinas Pemberdayaan Perempuan dan Perlindungan Anak Kota Lama", 6, Why.MEANING),
        ("Yayasan Pelangi", 7, Why.CURRENT),
    ],
)
def test_a_name_with_one_meaning_is_found(typed: str, organisation: int, why: Why):
    found = match(typed)
    assert found.fit is Fit.ONE
    assert [(one.organisation_id, one.why) for one in found.candidates] == [(organisation, why)]


def test_pkm_is_never_guessed():
    """One Puskesmas of that name exists, and still the word has two meanings."""
    found = match("PKM Melati")
    assert found.fit is Fit.SEVERAL
    assert [one.organisation_id for one in found.candidates] == [1]
    assert found.meanings == ("Puskesmas", "Program Kreativitas Mahasiswa")
    alone = match("PKM")
    assert alone.fit is Fit.SEVERAL
    assert {one.organisation_id for one in alone.candidates} == {1, 2}
    assert {one.why for one in alone.candidates} == {Why.KIND}
    campus = [*KNOWN, current(9, "Program Kreativitas Mahasiswa Melati", "kampus")]
    assert {one.organisation_id for one in match("pkm melati", campus).candidates} == {1, 9}


def test_what_somebody_wrote_down_for_one_organisation_is_not_asked_again():
    known = [*KNOWN, KnownName(1, "PKM Melati", Why.ALIAS, "puskesmas")]
    assert match("PKM Melati", known).fit is Fit.ONE


def test_a_body_with_another_heir_in_each_place_is_asked():
    known = [current(1, "Badan Pemberdayaan Perempuan dan Keluarga Berencana Kota X", "dp3a")]
    found = match("BPPKB Kota X", known)
    assert (found.fit, found.candidates[0].why) == (Fit.SEVERAL, Why.MEANING)
    assert match("Dinsosnaker Kota X", []).fit is Fit.SEVERAL


def test_a_name_of_two_organisations_is_asked():
    found = match("rumah aman")
    assert found.fit is Fit.SEVERAL
    assert {one.organisation_id for one in found.candidates} == {7, 8}


def test_what_is_not_known_comes_with_what_is_alike():
    found = match("Puskesmas Melati Dua")
    assert found.fit is Fit.UNKNOWN
    assert [one.organisation_id for one in found.candidates][:1] == [1]
    assert {one.why for one in found.candidates} == {Why.ALIKE}
    assert match("Entah").candidates == ()
    assert match("Kota Entah Jauh Sekali").candidates == ()
    assert match("PKM Entah").fit is Fit.SEVERAL
    for empty in ("", " .,- ", "\u0301"):
        assert match(empty) == rules.Match(Fit.UNKNOWN)


def test_only_so_many_candidates_are_offered():
    known = [current(n, f"Puskesmas {n}") for n in range(40)]
    assert len(match("PKM", known).candidates) == rules.MOST_CANDIDATES


@given(st.text())
def test_a_normal_name_is_normal(text: str):
    normal = rules.normal_name(text)
    assert rules.normal_name(normal) == normal
    assert "  " not in normal
    assert all(letter.isalnum() or letter == " " for letter in normal)


@given(st.sampled_from(KNOWN), st.text(" .,-()/'", max_size=3), st.booleans())
def test_case_and_punctuation_change_nothing(one: KnownName, between: str, upper: bool):
    typed = f" {between}".join(one.name.split(" "))
    found = match(typed.upper() if upper else typed)
    assert one.organisation_id in {candidate.organisation_id for candidate in found.candidates}
    assert found == match(one.name)


@given(st.text(max_size=40))
def test_one_is_one(text: str):
    found = match(text)
    assert (found.fit is Fit.ONE) <= (len(found.candidates) == 1)
    ids = [one.organisation_id for one in found.candidates]
    assert len(ids) == len(set(ids))


def test_the_abbreviations_that_come_along_are_whole():
    assert {one.short for one in SHORT if one.is_ambiguous} == {"PKM", "Dinsosnaker", "BPPKB"}
    found, problems = abbreviations.check(CONTENT)
    assert problems == []
    assert found is not None
    assert found.review.status == "unreviewed"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("- {short: A, meanings: [{name: B, kind: warung}]}", 4, "kind"),
        ("- {short: A, meanings: []}", 4, "needs a meaning"),
        ("- {short: '-', meanings: [{name: B, kind: rs}]}", 4, "no letters"),
        ("- {short: A, meanings: [{name: a., kind: rs}]}", 4, "stands for itself"),
        (
            "- {short: A, meanings: [{name: B, kind: rs}]}\n"
            "- {short: a, meanings: [{name: C, kind: rs}]}",
            5,
            "stands here twice",
        ),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path, text: str, line: int, says: str):
    path = tmp_path / abbreviations.FILE
    path.write_text(f"review:\n  status: unreviewed\nabbreviations:\n{text}\n", encoding="utf-8")
    _found, [problem] = abbreviations.check(tmp_path)
    assert (problem.line, says in problem.message) == (line, True)
    with pytest.raises(Unreadable):
        abbreviations.load(tmp_path)
