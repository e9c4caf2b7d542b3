"""What a password and a sign-in name must be, without Flask or a database."""

import string
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.accounts import rules
from lms.accounts.rules import (
    COMMON,
    CONTEXT,
    LONGEST,
    SHORTEST,
    WeakPassword,
    check_password,
    normal_email,
)
from lms.core.login import ROLES

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
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


def test_only_staff_are_forgotten_for_idleness():
    hour = timedelta(hours=1)
    assert not rules.is_idle(NOW, NOW + 11 * hour, ["trainee", "speaker"], hour)
    assert rules.is_idle(NOW, NOW + hour, ["trainee", "trainer"], hour)
    assert not rules.is_idle(NOW, NOW + hour - timedelta(seconds=1), ["admin"], hour)


def test_whose_role_opens_other_peoples_data_or_keys_needs_a_second_factor():
    needing = {role for role in ROLES if rules.needs_second_factor([role])}
    assert needing == {"trainer", "agency", "admin", "reviewer"}
    assert needing <= {role for role in ROLES if rules.is_staff([role])}
    assert not rules.needs_second_factor([])


def test_a_trainer_prints_codes_for_learners_and_guests_only():
    assert rules.may_print_code(["trainee", "speaker"])
    for role in set(ROLES) - {"trainee", "speaker"}:
        assert not rules.may_print_code(["trainee", role])


@given(st.text(alphabet=rules.CODE_ALPHABET, min_size=10, max_size=10))
def test_a_printed_code_is_read_back_however_it_is_typed(code: str):
    shown = rules.group_code(code)
    assert rules.plain_code(shown) == code
    assert rules.plain_code(f"  {shown.lower().replace('-', ' ')}\n") == code
    mistyped = shown.replace("O", "0").replace("I", "1").replace("B", "8")
    assert rules.plain_code(mistyped) == code


def test_a_printed_code_has_fifty_bits():
    assert len(set(rules.CODE_ALPHABET)) ** rules.CODE_LENGTH >= 2**50
    assert not set("0189") & set(rules.CODE_ALPHABET)


@pytest.mark.parametrize(
    ("typed", "is_one"),
    [("123456", True), ("123 456", True), ("12345", False), ("1234567", False),
     ("ABCDE-FGH23", False), ("١٢٣٤٥٦", False), ("", False)],
)  # fmt: skip
def test_six_digits_are_an_authenticators_code(typed: str, is_one: bool):
    assert rules.is_totp(typed) is is_one


@given(st.integers(0, 10**10))
def test_a_telephone_may_be_one_step_off(seconds: int):
    at = datetime.fromtimestamp(seconds, UTC)
    before, now, after = rules.steps_around(at)
    assert (before, after) == (now - 1, now + 1)
    assert now * rules.STEP <= seconds < (now + 1) * rules.STEP


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Linux; Android 13; SM-A047F) AppleWebKit/537.36 (KHTML, like Gecko) "
         "SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", "Samsung Internet, Android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
         "Chrome/120.0.0.0 Safari/537.36 Edg/120.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
         "like Gecko) Version/17.0 Mobile/15E148 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
         "Firefox, Linux"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_device_is_named_by_family_and_nothing_finer(agent: str, words: str):
    assert rules.device_words(agent) == words


@given(st.text(max_size=300))
def test_no_agent_at_all_brings_a_word_of_its_own(agent: str):
    known = {name for _mark, name in (*rules.BROWSERS, *rules.SYSTEMS)}
    assert set(filter(None, rules.device_words(agent).split(", "))) <= known


# Marks of files


@given(st.dates(max_value=date(2100, 1, 1)), st.none() | st.dates(max_value=date(2100, 1, 1)))
def test_a_copy_ends_its_days_after_it_was_taken_or_after_its_class(taken: date, over: date | None):
    found = rules.destroy_by(taken, over, 30)
    assert found - timedelta(days=30) in {taken, over}
    assert found >= taken + timedelta(days=30)
    assert over is None or found >= over + timedelta(days=30)


LETTERS = st.text("0123456789abcdefghijklmnopqrstuvwxyz", min_size=10, max_size=10)


@given(LETTERS, st.text(max_size=40))
def test_a_reference_is_found_in_whatever_name_it_ends(letters: str, name: str):
    written = rules.file_reference(letters)
    for text in (f"{name}-{written}.csv", f"{name} {written.upper()} (1).xlsx", f" {written} "):
        assert rules.find_file_reference(text) == written


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("brk-7k3m9-qx2d4", "brk-7k3m9-qx2d4"),
        ("7K3M9 QX2D4", "brk-7k3m9-qx2d4"),
        ("7k3m9qx2d4", "brk-7k3m9-qx2d4"),
        ("Rujukan brk-7k3m9-\nqx2d4 · musnahkan salinan ini", "brk-7k3m9-qx2d4"),
        ("capaian-brk-aaaaa-bbbbb-brk-7k3m9-qx2d4.csv", "brk-7k3m9-qx2d4"),
        ("capaian-melati.csv", None),
        ("abrk-7k3m9-qx2d4x", None),
        ("7k3m9-qx2d4.csv", None),
        ("", None),
    ],
)
def test_what_is_a_reference_and_what_is_none(text: str, found: str | None):
    assert rules.find_file_reference(text) == found
