"""What passwords, codes and sessions must be. Pure."""

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta

from lms.core.errors import DomainError

SHORTEST = 10
LONGEST = 128
SESSION = timedelta(hours=12)
"""A signed-in browser is forgotten after this, whatever it does."""

FORGET = "suluh_forget"
"""Where the application keeps what takes an account out of every table, given person and time."""
NO_HASH = "!"
"""Stands where the hash of a password would: no password ever fits it."""

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


STAFF_ROLES = frozenset({"trainer", "assessor", "agency", "admin", "author", "reviewer"})
"""Whoever sees other people's results or writes what is taught: idle browsers are forgotten."""
SECOND_FACTOR_ROLES = frozenset({"trainer", "agency", "admin", "reviewer"})
"""Who needs a second factor where the installation requires one; everybody else may have one."""
VISIT = timedelta(minutes=5)
"""How exactly a session's last visit is known: writing it at every page would cost too much."""
HALF = timedelta(minutes=10)
"""How long somebody whose password fitted may take to type the second factor."""
LINK = timedelta(minutes=15)
"""How long a link sent by mail opens its door."""
SLIP = timedelta(hours=24)
"""How long a printed code opens its door."""
ENROLMENT = timedelta(minutes=15)
"""How long a new secret waits for its first code."""
STEP = 30
"""Seconds one code of an authenticator stands."""
RECOVERY_CODES = 10
CODE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
CODE_LENGTH = 10
"""Letters of a printed code: 50 bits."""
_MISREAD = str.maketrans({"0": "O", "1": "I", "8": "B"})


def is_staff(roles: Collection[str]) -> bool:
    """Tell whether any of these roles works for the office."""
    return not STAFF_ROLES.isdisjoint(roles)


def needs_second_factor(roles: Collection[str]) -> bool:
    """Tell whether any of these roles needs a second factor where one is required."""
    return not SECOND_FACTOR_ROLES.isdisjoint(roles)


def is_idle(last: datetime, now: datetime, roles: Collection[str], limit: timedelta) -> bool:
    """Tell whether a browser was left alone too long; only staff have such a limit.

    A last visit that is yet to come was noted by a wrong clock: it keeps no browser open.
    """
    return is_staff(roles) and abs(now - last) >= limit


def may_print_code(roles: Collection[str]) -> bool:
    """Tell whether a trainer may print a code for somebody of these roles.

    Whoever holds a part in the office is helped by the administrator alone, or a trainer could
    take over the account of a colleague who once sat in the class.
    """
    return set(roles) <= {"trainee", "speaker"}


def group_code(code: str) -> str:
    """Write a code in two groups, as it stands on paper."""
    return f"{code[:5]}-{code[5:]}"


def plain_code(typed: str) -> str:
    """Read a printed code back: blanks, dashes and case do not matter, nor 0 for O, 1 for I."""
    letters = "".join(letter for letter in typed.upper() if letter.isascii() and letter.isalnum())
    return letters.translate(_MISREAD)


def is_totp(typed: str) -> bool:
    """Tell whether what was typed looks like the code of an authenticator: six digits."""
    digits = typed.replace(" ", "")
    return len(digits) == 6 and digits.isascii() and digits.isdecimal()


def steps_around(now: datetime) -> tuple[int, int, int]:
    """Return the steps whose codes are taken now: clocks of telephones are a little off."""
    step = int(now.timestamp()) // STEP
    return step - 1, step, step + 1


BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("UCBrowser", "UC Browser"),
    ("FxiOS", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)
"""What to look for, the more telling first; both lists hold names, which no language changes."""


def device_words(user_agent: str) -> str:
    """Return the family of a browser and its system, `Chrome, Android`; empty when unknown.

    Nothing finer is kept: versions and models would tell people apart.
    """
    found = []
    for names in (BROWSERS, SYSTEMS):
        found += [name for mark, name in names if mark in user_agent][:1]
    return ", ".join(found)


def destroy_by(taken_on: date, over_on: date | None, days: int) -> date:
    """Return the last day on which a copy taken on `taken_on` should exist.

    Days count from the end of the class it was taken for, when that is still to come: until then
    it is needed. Source: UU 27/2022 Pasal 43 (1) a, data go when their purpose needs them no more;
    Suluh keeps what is in the file and gives a newer one at any time.
    """
    return max(taken_on, over_on or taken_on) + timedelta(days=days)


FILE_REFERENCE = re.compile(
    r"(?<![0-9a-z])brk[\W_]{0,3}([0-9a-z]{5})[\W_]{0,3}([0-9a-z]{5})(?![0-9a-z])"
)
BARE_REFERENCE = re.compile(r"\A([0-9a-z]{5})[\W_]{0,3}([0-9a-z]{5})\Z")


def file_reference(letters: str) -> str:
    """Return ten random letters as they stand in a file and in its name."""
    return f"brk-{letters[:5]}-{letters[5:]}"


def find_file_reference(text: str) -> str | None:
    """Return the reference in a file's name or a line of its foot, however it was written.

    The last one counts: it stands at the end of a name.
    """
    text = text.lower().strip()
    found = FILE_REFERENCE.findall(text) or BARE_REFERENCE.findall(text)
    return file_reference("".join(found[-1])) if found else None
