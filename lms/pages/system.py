"""What the administrator sees of the installation itself: content, database, mail."""

import re
from dataclasses import dataclass

from lms import __version__
from lms.competency import services as competency
from lms.core import mail, releases, schema
from lms.core.db import db
from lms.core.models import ContentRelease

PERSONAL = re.compile(r"(/undangan/)[\w-]+")


@dataclass(frozen=True, slots=True)
class System:
    """The state of an installation."""

    version: str
    release: ContentRelease | None
    standard: str | None
    is_draft: bool
    database: str
    schema_ok: bool
    unsent: mail.Counts


def read_system() -> System:
    """Look at everything the system page shows."""
    try:
        standard = competency.current()
    except competency.NoStandard:
        standard = None
    return System(
        version=__version__,
        release=releases.latest(),
        standard=standard.standard.version if standard else None,
        is_draft=standard is not None and standard.is_draft,
        database=db.engine.dialect.name,
        schema_ok=schema.is_current(db.engine),
        unsent=mail.count_unsent(),
    )


def hide_personal_links(body: str) -> str:
    """Take the secret part out of invitation links: they are shown once, to whoever made them."""
    return PERSONAL.sub(r"\1…", body)
