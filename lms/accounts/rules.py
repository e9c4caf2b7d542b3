"""What a password and a sign-in name must be. Pure."""

import re
from datetime import timedelta

from lms.core.errors import DomainError

SHORTEST = 10
LONGEST = 128
SESSION = timedelta(hours=12)
"""A signed-in browser is forgotten after this, whatever it does."""

COMMON = frozenset(
    """
    1234567890 0123456789 password123 password1234 qwertyuiop indonesia123 bismillah123
    sayangku123 1q2w3e4r5t iloveyou123 rahasia123 merdeka1945 pendamping123 admin12345
    """.split()  # noqa: SIM905  # a list literal would be fifteen lines of quotes
)
CONTEXT = ("suluh", "pendamping", "puskesmas", "uptdppa", "p2tp2a")


class WeakPassword(DomainError):
    """The password is too short, too long, too common or made of the product's own words."""


def normal_email(text: str) -> str:
    """Return an address as it is stored and compared: lower case, no blanks."""
    return text.strip().lower()


def check_password(password: str, *, name: str, email: str) -> None:
    """Accept any long enough password that is not easily guessed. Raises WeakPassword.

    Length and a list of known bad ones, no rules on kinds of letters. Source: NIST SP 800-63B.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise WeakPassword("length")
    plain = password.lower().replace(" ", "")
    if plain in COMMON or len(set(plain)) < 4:
        raise WeakPassword("common")
    local = email.split("@")[0].lower()
    parts = re.findall(r"[^\W_]+", f"{local} {name.lower()}")
    own = [word for word in (local, *parts, *CONTEXT) if len(word) > 3]
    rest = plain
    for word in sorted(own, key=len, reverse=True):
        rest = rest.replace(word, "")
    if rest != plain:
        rest = re.sub(r"[\W_]", "", rest)  # a dash and a number beside one's own name hide nothing
    if len(rest) < 5:
        raise WeakPassword("own words")
