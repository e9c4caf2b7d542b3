"""Codes a stranger may type, and names they may see."""

import subprocess
import sys
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.codes import (
    ALPHABET,
    LENGTH,
    RANDOM_CHARACTERS,
    check_character,
    mask_name,
    new_code,
    normalise,
    pretty,
)

ZERO = "0" * LENGTH
CODE = "7QK4M9TXHC2RWVR"
ONES = "1" * RANDOM_CHARACTERS + check_character("1" * RANDOM_CHARACTERS)

bodies = st.text(ALPHABET, min_size=RANDOM_CHARACTERS, max_size=RANDOM_CHARACTERS)
codes = bodies.map(lambda body: body + check_character(body))


def replaced(code: str, changes: dict[int, str]) -> str:
    return "".join(changes.get(place, character) for place, character in enumerate(code))


@given(st.binary(min_size=9, max_size=9))
def test_a_new_code_is_canonical(raw: bytes):
    code = new_code(lambda length: raw[:length])
    assert normalise(code) == code


def test_new_codes_differ():
    assert len({new_code() for _ in range(100)}) == 100


def test_seventy_random_bits_are_used_each_once():
    codes = [new_code(lambda length, bit=bit: (1 << bit).to_bytes(length)) for bit in range(72)]
    assert len(set(codes[:70])) == 70
    assert ZERO not in codes[:70]
    assert set(codes[70:]) == {ZERO}


def test_a_random_source_that_gives_too_little_is_refused():
    with pytest.raises(ValueError, match="gave 3 bytes, not 9"):
        new_code(lambda _length: b"abc")


# The proof that no slip goes unseen. The check is linear: the words with a right check character
# are closed under xor. So a slip is unseen in every code or in none, and it is enough to try each
# slip once, on the code of zeros: a substitution adds one non-zero value, a swap adds the same
# non-zero value (the difference of the two characters) in two places.


@given(bodies, bodies)
def test_the_check_is_linear(one: str, other: str):
    def xor(left: str, right: str) -> str:
        pairs = zip(left, right, strict=True)
        return "".join(ALPHABET[ALPHABET.index(a) ^ ALPHABET.index(b)] for a, b in pairs)

    assert check_character(xor(one, other)) == xor(check_character(one), check_character(other))


def test_every_single_substitution_is_seen():
    slips = [
        replaced(ZERO, {place: character})
        for place, character in product(range(LENGTH), ALPHABET[1:])
    ]
    assert len(slips) == 15 * 31
    assert not any(map(normalise, slips))


def test_every_swap_of_two_characters_is_seen():
    slips = [
        replaced(ZERO, {first: difference, second: difference})
        for (first, second), difference in product(combinations(range(LENGTH), 2), ALPHABET[1:])
    ]
    assert len(slips) == 105 * 31
    assert not any(map(normalise, slips))


@given(codes, st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_slips_in_real_codes_are_seen(code: str, first: int, second: int, character: str):
    substituted = replaced(code, {first: character})
    swapped = replaced(code, {first: code[second], second: code[first]})
    assert normalise(substituted) == (code if substituted == code else None)
    assert normalise(swapped) == (code if swapped == code else None)


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        "7qk4m-9txhc-2rwvr",
        " 7QK4M 9TXHC 2RWVR\n",
        "7QK4M–9TXHC—2RWVR",
        "7QK4M\u00ad9TXHC\u20112RWVR",
        "-".join(CODE),
    ],
)
def test_what_people_type_is_understood(typed: str):
    assert normalise(typed) == CODE
    assert normalise(ONES.replace("1", "i")) == ONES


@given(codes, st.data())
def test_lookalikes_case_and_separators_do_not_matter(code: str, data: st.DataObject):
    forms = {"0": "0oO", "1": "1iIlL"}
    typed = "".join(
        data.draw(st.sampled_from(forms.get(character, character + character.lower())))
        + data.draw(st.sampled_from(["", "", " ", "-", " – "]))
        for character in code
    )
    assert normalise(typed) == code


@pytest.mark.parametrize(
    "typed",
    [
        "",
        CODE[:-1],
        CODE + "0",
        CODE[:-1] + "S",
        "U" + CODE[1:],
        ONES.replace("1", "\u0131"),  # a dotless i becomes an I in upper case
        "\uff17" + CODE[1:],  # a full-width seven
        CODE + "\0",
        "7QK4M/9TXHC/2RWVR",
        CODE + " " * 100,
    ],
)
def test_what_cannot_be_a_code_is_none(typed: str):
    assert normalise(typed) is None


@given(st.text())
def test_normalise_gives_nothing_or_a_canonical_code(text: str):
    code = normalise(text)
    assert code is None or (normalise(code) == code and set(code) <= set(ALPHABET))


def test_a_code_is_printed_in_three_groups():
    assert pretty(CODE) == "7QK4M-9TXHC-2RWVR"


@given(codes)
def test_the_printed_code_reads_back(code: str):
    assert normalise(pretty(code)) == code


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("Siti Rahma", "S*** R***"),
        ("siti", "s***"),
        ("Ani", "A***"),
        ("Ni Luh Putu Ayu", "N*** L*** P*** A***"),
        ("Siti Rahma, S.Psi.", "S*** R*** S***"),
        ("  Siti\t\nRahma  ", "S*** R***"),
        ("'Aisyah (Ica)", "A*** I***"),
        ("E\u0301milie", "É***"),
        ("\u202esiti", "s***"),
        ("Siti - 2", "S***"),
        ("123", "***"),
        ("", "***"),
    ],
)
def test_a_masked_name_keeps_first_letters_only(name: str, masked: str):
    assert mask_name(name) == masked


@given(st.text())
def test_a_masked_name_never_shows_a_second_letter_or_a_length(name: str):
    for word in mask_name(name).split(" "):
        assert word.endswith("***")
        assert word == "***" or (len(word) == 4 and word[0].isalpha())


@given(st.lists(st.text("abcXYZ", min_size=1), min_size=1))
def test_every_word_is_masked(words: list[str]):
    assert mask_name(" ".join(words)) == " ".join(f"{word[0]}***" for word in words)


def test_facts_and_codes_load_no_drawing_library():
    program = (
        "import sys, certificates.codes, certificates.document, certificates.__main__;"
        "print({'reportlab', 'segno', 'PIL'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr
