"""Public codes and masked names: what a stranger may type, read out and see.

A code is fourteen random characters of Crockford's base 32 (70 bits, unguessable) and one check
character. The fifteen characters are elements of the field GF(32); weighted with the powers
a^14 ... a^1, a^0 of a primitive element a, they add up to zero. The weights are non-zero and all
different, so one wrong character, or a swap of any two characters, never adds up to zero.
Source: Crockford, "Base 32" (alphabet; O, I and L); the sum is one Reed-Solomon parity symbol.
"""

import secrets
import unicodedata
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_CHARACTERS = 14
LENGTH = RANDOM_CHARACTERS + 1

_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_FIELD = 0b100101  # x^5 + x^2 + 1, primitive over GF(2)
_RANDOM_BYTES = 9  # 72 bits, of which 70 are used
_GROUP = 5
_LONGEST_INPUT = 64  # room for a separator and a blank around every character

# Spaces and every hyphen, dash or minus that a word processor may have made of ours.
_SEPARATORS = dict.fromkeys(
    map(ord, " \t\r\n\u00a0\u00ad\u202f-\u2010\u2011\u2012\u2013\u2014\u2212")
)
_LOOKALIKES = str.maketrans("OIL", "011")


def new_code(random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Draw a canonical code; `random_bytes(n)` must give n unpredictable bytes."""
    raw = random_bytes(_RANDOM_BYTES)
    if len(raw) != _RANDOM_BYTES:
        raise ValueError(f"the random source gave {len(raw)} bytes, not {_RANDOM_BYTES}")
    number = int.from_bytes(raw, "big")
    body = "".join(ALPHABET[number >> 5 * place & 31] for place in range(RANDOM_CHARACTERS))
    return body + check_character(body)


def check_character(body: str) -> str:
    """Compute the last character of a code from its fourteen canonical ones."""
    total = 0
    for character in body:  # Horner's rule: the first character ends with the weight a^14
        total = (total ^ _VALUES[character]) << 1
        if total > 31:
            total ^= _FIELD
    return ALPHABET[total]


def normalise(text: str) -> str | None:
    """Find the canonical code a person meant by what they typed, or None if there is none."""
    if len(text) > _LONGEST_INPUT:
        return None
    typed = text.translate(_SEPARATORS)
    if not typed.isascii():  # before upper(), which makes an I of a dotless i
        return None
    code = typed.upper().translate(_LOOKALIKES)
    if len(code) != LENGTH or not _VALUES.keys() >= set(code):
        return None
    return code if check_character(code[:-1]) == code[-1] else None


def pretty(code: str) -> str:
    """Write a canonical code in three groups of five, for paper and screens."""
    return "-".join(code[start : start + _GROUP] for start in range(0, LENGTH, _GROUP))


def mask_name(name: str) -> str:
    """Keep the first letter of each word and three asterisks, so that no length shows through.

    A word without a letter disappears; a name without any such word becomes three asterisks.
    """
    words = unicodedata.normalize("NFC", name).split()
    initials = [next(filter(str.isalpha, word), "") for word in words]
    return " ".join(f"{initial}***" for initial in initials if initial) or "***"
