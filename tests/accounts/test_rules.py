"""What a password and a sign-in name must be, without Flask or a database."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.accounts.rules import (
    COMMON,
    CONTEXT,
    LONGEST,
    SHORTEST,
    WeakPassword,
    check_password,
    normal_email,
)

NAME, EMAIL = "Rahma Yuliani", "rahma@contoh.test"
LETTERS = string.ascii_lowercase


def refusal(password: str, name: str = NAME, email: str = EMAIL) -> str | None:
    try:
        check_password(password, name=name, email=email)
    except WeakPassword as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "password",
    [
        "sawah hijau luas 7",
        "K0pi-pagi!susu",
        "langit di atas kota",
        "aku suka 9 mangga",
        "#!?&%$*+-.,:;",
    ],
)
def test_long_enough_unexpected_words_pass(password: str):
    assert refusal(password) is None


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", "length"),
        ("pendek 12", "length"),
        ("x" * 129, "length"),
        ("aaaaaaaaaaaa", "common"),
        ("ababababababab", "common"),
        ("Password123", "common"),
        ("12345 67890", "common"),
        ("rahmayuliani", "own words"),
        ("Suluh Puskesmas", "own words"),
        ("rahma pendamping 1", "own words"),
        ("Yuliani12", "length"),
        ("Yuliani-1234", "own words"),
        ("a  b  c  d", "own words"),
    ],
)
def test_weak_passwords_are_refused_with_the_reason(password: str, why: str):
    assert refusal(password) == why


def test_words_are_found_behind_titles_and_dots():
    name, email = "Maria Ulfah, S.Psi.", "maria.ulfah@contoh.test"
    for password in ("maria ulfah 1", "ulfah maria 12", "maria.ulfah 1", "MariaUlfah99"):
        assert refusal(password, name=name, email=email) == "own words"


def test_the_bounds_themselves_are_allowed():
    assert refusal("sawah luas"[:SHORTEST]) is None
    assert refusal(("sawah hijau luas " * 9)[:LONGEST]) is None


@given(st.text(max_size=SHORTEST - 1))
def test_nothing_short_passes(password: str):
    assert refusal(password) == "length"


@given(
    st.lists(st.sampled_from(["rahma", "yuliani", *CONTEXT]), min_size=2, max_size=8),
    st.text(alphabet="0123456789", max_size=4),
    st.sampled_from(["", " "]),
    st.booleans(),
)
def test_nothing_made_of_own_words_and_a_number_passes(
    words: list[str], number: str, between: str, loud: bool
):
    password = between.join(words) + number
    assert refusal(password.upper() if loud else password) is not None


@given(st.sampled_from(sorted(COMMON)), st.booleans(), st.integers(0, 9))
def test_a_common_password_stays_common_however_it_is_dressed(
    password: str, loud: bool, place: int
):
    dressed = password[:place] + " " + password[place:]
    assert refusal(dressed.upper() if loud else dressed) == "common"


@given(st.text(alphabet=LETTERS, min_size=15, max_size=60).filter(lambda t: len(set(t)) > 8))
def test_kinds_of_letters_do_not_matter(password: str):
    """No rule asks for digits or capitals: a long text of small letters is enough."""
    assert refusal(password, name="", email="@contoh.test") in {None, "own words"}


@given(st.emails())
def test_an_address_is_the_same_however_it_is_typed(email: str):
    assert normal_email(f"  {email.upper()} ") == normal_email(email) == email.lower()
