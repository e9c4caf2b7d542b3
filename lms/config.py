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

    @property
    def https(self) -> bool:
        """Tell whether people reach the site over https."""
        return urlsplit(self.base_url).scheme == "https"

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
        "verify_limit": "SULUH_VERIFY_LIMIT",
    }
    settings |= {key: environ[name] for key, name in names.items() if environ.get(name)}
    settings["content_dir"] = content_dir(environ)
    settings |= overrides
    if "base_url" in settings:
        settings["base_url"] = str(settings["base_url"]).rstrip("/")
    return Config(**settings)  # type: ignore[arg-type]  # values are checked above


def content_dir(environ: Mapping[str, str]) -> Path:
    """Return the folder of the content: the installation's own, or the one that comes along."""
    return Path(environ.get("SULUH_CONTENT_DIR") or CONTENT)
