"""What an installation may set. Read once from the environment and checked at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlsplit

CONTENT = Path(str(files("content")))
"""Where the curriculum lies unless an agency keeps its own."""
ZONES = ("WIB", "WITA", "WIT")
SMTP_SCHEMES = ("smtp", "smtp+starttls", "smtps")
SECOND_FACTOR = ("required", "offered")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
LOGS = ("text", "json")
CONSENT = ("asked", "paper")
CACHE = "cache"
"""In the folder of an installation: what may be deleted, and is made again."""


class BadConfig(Exception):
    """A setting is missing or makes no sense; the message says which and what to write."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Settings of one installation. Lengths of time in seconds, memory in KiB."""

    database_url: str
    secret_key: str = field(repr=False)
    base_url: str = "http://127.0.0.1:8000"
    content_dir: Path = CONTENT
    zone: str = "WIB"
    demo: bool = False
    testing: bool = False
    smtp_url: str | None = field(default=None, repr=False)
    mail_from: str = "suluh@localhost"
    argon2_memory_kib: int = 19456
    argon2_rounds: int = 2
    verify_limit: str = "30/minute"
    two_signatures: bool = True
    """A decision needs the signatures of two people."""
    two_person_revoke: bool = True
    """One administrator asks to revoke a certificate, another one confirms."""
    second_factor: str = "required"
    staff_idle_minutes: int = 60
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: str | None = field(default=None, repr=False)
    oidc_name: str = "akun lembaga"
    folder: Path | None = None
    """Where the installation keeps its switches, its backups and the heads of its audit trail."""
    reserve_mib: int = 64
    """Below this much free space on the disk of an SQLite database nothing is written."""
    metrics_token: str | None = field(default=None, repr=False)
    log: str = "text"
    consent: str = "asked"
    """Whether people agree to the notice here, or on paper with the organiser."""
    file_days: int = 30
    """How long a file with data of people is of use once it was taken: as long as copies of letters
    are kept after they were sent (the timer `mail`)."""

    def __post_init__(self) -> None:
        """Refuse settings that would be unsafe or would fail later. Raises BadConfig."""
        if len(self.secret_key) < 32:
            raise BadConfig("SULUH_SECRET_KEY must have at least 32 characters")
        if self.zone not in ZONES:
            raise BadConfig(f"SULUH_ZONE must be one of {', '.join(ZONES)}")
        base = urlsplit(self.base_url)
        if base.scheme not in {"http", "https"} or not base.hostname:
            raise BadConfig("SULUH_BASE_URL must be http://… or https://… with a host name")
        if self.smtp_url and urlsplit(self.smtp_url).scheme not in SMTP_SCHEMES:
            raise BadConfig(f"SULUH_SMTP_URL must be {'://…, '.join(SMTP_SCHEMES)}://…")
        if not self.database_url.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise BadConfig("DATABASE_URL must be sqlite:///… or postgresql://…")
        if self.demo and not self.database_url.startswith("sqlite:///"):
            raise BadConfig("the demonstration keeps its own SQLite file: unset DATABASE_URL")
        self._check_operation()
        self._check_sign_in()

    def _check_operation(self) -> None:
        if self.log not in LOGS:
            raise BadConfig(f"SULUH_LOG must be one of {', '.join(LOGS)}")
        if self.consent not in CONSENT:
            raise BadConfig(f"SULUH_CONSENT must be {' or '.join(CONSENT)}")
        if self.metrics_token is not None and len(self.metrics_token) < 16:
            raise BadConfig("SULUH_METRICS_TOKEN must have at least 16 characters")
        if self.reserve_mib < 0:
            raise BadConfig("SULUH_RESERVE_MIB must not be negative")
        if not 7 <= self.file_days <= 365:
            raise BadConfig("SULUH_FILE_DAYS must be a number from 7 to 365")

    def _check_sign_in(self) -> None:
        if self.second_factor not in SECOND_FACTOR:
            raise BadConfig(f"SULUH_SECOND_FACTOR must be {' or '.join(SECOND_FACTOR)}")
        if not 10 <= self.staff_idle_minutes <= 720:
            raise BadConfig("SULUH_STAFF_IDLE_MINUTES must be a number from 10 to 720")
        given = (self.oidc_issuer, self.oidc_client_id, self.oidc_client_secret)
        if not any(given):
            return
        if not all(given):
            raise BadConfig(
                "SULUH_OIDC_ISSUER, SULUH_OIDC_CLIENT_ID and SULUH_OIDC_CLIENT_SECRET belong "
                "together: set all three or none"
            )
        issuer = urlsplit(str(self.oidc_issuer))
        if issuer.scheme != "https" and issuer.hostname not in LOOPBACK:
            raise BadConfig("SULUH_OIDC_ISSUER must be https://… as the provider names itself")

    @property
    def https(self) -> bool:
        """Tell whether people reach the site over https."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def database_file(self) -> Path | None:
        """The file of an SQLite database; None for PostgreSQL and for one in memory."""
        name = self.database_url.removeprefix("sqlite:///")
        is_file = name != self.database_url and name not in {"", ":memory:"}
        return Path(name) if is_file else None

    @property
    def requires_second_factor(self) -> bool:
        """Tell whether trainers, officers and administrators need a second factor."""
        return self.second_factor == "required" and not self.demo

    @property
    def host(self) -> str:
        """The host name printed on paper and in mail."""
        return urlsplit(self.base_url).netloc


def from_environment(environ: Mapping[str, str], **overrides: object) -> Config:
    """Build the Config from environment variables; `overrides` win. Raises BadConfig."""
    url = environ.get("DATABASE_URL", "")
    if url.startswith(("postgresql://", "postgres://")):
        url = "postgresql+psycopg://" + url.split("://", 1)[1]
    elif url.startswith("sqlite:///"):
        # As the operator's shell sees it, not as Flask would: below its own instance folder.
        url = f"sqlite:///{Path(url.removeprefix('sqlite:///')).resolve()}"
    settings: dict[str, object] = {
        "database_url": url,
        "secret_key": environ.get("SULUH_SECRET_KEY", ""),
        "smtp_url": environ.get("SULUH_SMTP_URL") or None,
    }
    names = {
        "base_url": "SULUH_BASE_URL",
        "zone": "SULUH_ZONE",
        "mail_from": "SULUH_MAIL_FROM",
        "second_factor": "SULUH_SECOND_FACTOR",
        "oidc_issuer": "SULUH_OIDC_ISSUER",
        "oidc_client_id": "SULUH_OIDC_CLIENT_ID",
        "oidc_client_secret": "SULUH_OIDC_CLIENT_SECRET",
        "oidc_name": "SULUH_OIDC_NAME",
        "metrics_token": "SULUH_METRICS_TOKEN",
        "log": "SULUH_LOG",
        "consent": "SULUH_CONSENT",
        "verify_limit": "SULUH_VERIFY_LIMIT",
    }
    settings |= {key: environ[name] for key, name in names.items() if environ.get(name)}
    switches = {
        "two_signatures": "SULUH_TWO_SIGNATURES",
        "two_person_revoke": "SULUH_TWO_PERSON_REVOKE",
    }
    settings |= {
        key: _is_on(name, environ[name]) for key, name in switches.items() if environ.get(name)
    }
    settings["content_dir"] = content_dir(environ)
    if environ.get("SULUH_INSTANCE"):
        settings["folder"] = Path(environ["SULUH_INSTANCE"])
    if environ.get("SULUH_RESERVE_MIB"):
        settings["reserve_mib"] = _whole(environ["SULUH_RESERVE_MIB"])
    if minutes := environ.get("SULUH_STAFF_IDLE_MINUTES"):
        settings["staff_idle_minutes"] = int(minutes) if minutes.isdecimal() else 0
    if days := environ.get("SULUH_FILE_DAYS"):
        settings["file_days"] = int(days) if days.isdecimal() else 0
    settings |= overrides
    if "base_url" in settings:
        settings["base_url"] = str(settings["base_url"]).rstrip("/")
    return Config(**settings)  # type: ignore[arg-type]  # values are checked above


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise BadConfig("SULUH_RESERVE_MIB must be a whole number of MiB") from None


def _is_on(name: str, value: str) -> bool:
    if value not in {"on", "off"}:
        raise BadConfig(f"{name} must be on or off")
    return value == "on"


def content_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of the content: the installation's own, or the one that comes along."""
    return Path(environ.get("SULUH_CONTENT_DIR") or CONTENT)
