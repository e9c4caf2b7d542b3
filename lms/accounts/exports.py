"""Marks files with data of other people, and writes down who took them out of the installation.

A view that sends such a file is declared with `@login.about_people`, draws its mark with `take`
and puts it into what it sends. A view for some roles that sends a file and does neither that nor
`@login.about_nobody` is refused: a forgotten mark closes a door.
"""

import logging
from dataclasses import dataclass
from datetime import date
from functools import partial
from secrets import choice

from flask import Response, current_app, g, request
from sqlalchemy import select

from lms.accounts import rules
from lms.core import afterwards, audit, clock, login
from lms.core.db import db
from lms.core.i18n import local
from lms.core.ids import ALPHABET
from lms.core.marks import Mark
from lms.core.models import AuditEvent

TAKEN = "privacy.take_file"
_KEY = "suluh_file_mark"


class Unmarked(RuntimeError):
    """A view sends a file and does not say whether it is about people, or has no mark for it."""


def take(about: str = "", *, zone: str | None = None, over_on: date | None = None) -> Mark:
    """Draw the mark of the file this request answers with; it is noted once the file was sent.

    `about` is the class or agency, `over_on` the last day of that class.
    """
    now = clock.now()
    mark = Mark(
        reference=rules.file_reference("".join(choice(ALPHABET) for _turn in range(10))),
        by=login.require_viewer().name,
        at=now,
        zone=zone,
        about=about,
        until=rules.destroy_by(
            local(now, zone).date(), over_on, current_app.extensions["suluh"].file_days
        ),
    )
    setattr(g, _KEY, mark)
    return mark


def note_export(response: Response) -> Response:
    """Note a file once it was sent. Raises Unmarked.

    Files of a page for everybody who is signed in are their own, unless their view draws a mark.
    """
    mark: Mark | None = g.pop(_KEY, None)
    if response.status_code != 200:
        return response
    view = current_app.view_functions[request.endpoint or ""]
    if mark is None:
        if _needs_mark(view, response):
            raise Unmarked(f"{request.endpoint} sends a file without a mark")
        return response
    if not hasattr(view, "about_people"):
        raise Unmarked(f"{request.endpoint} draws a mark and is not declared about people")
    if request.method == "HEAD":
        return response  # its name was asked for, nothing was taken
    viewer = login.require_viewer()
    work = partial(_note, mark, viewer.id, str(request.endpoint), request.path)
    lost = f"a file that was taken was not noted: {mark.reference}, taken by person {viewer.id}"
    afterwards.write(response, work, lost, level=logging.ERROR)
    return response


def _needs_mark(view: object, response: Response) -> bool:
    if "Content-Disposition" not in response.headers or hasattr(view, "about_nobody"):
        return False
    policy = getattr(view, "policy", None)
    return bool(policy and policy.roles)


def _note(mark: Mark, actor_id: int, endpoint: str, path: str) -> None:
    audit.record(
        TAKEN,
        subject_of(mark.reference),
        actor_id=actor_id,
        now=mark.at,
        reference=mark.reference,
        page=endpoint,
        path=path,
        about=mark.about,
        until=mark.until.isoformat(),
    )


def subject_of(reference: str) -> str:
    """Return under which subject a taking stands in the audit trail."""
    return f"file:{reference}"


@dataclass(frozen=True, slots=True)
class Taking:
    """What somebody asked about a file, and the answer."""

    reference: str | None
    """None: no reference is in what was asked."""
    event: AuditEvent | None = None

    @property
    def until(self) -> date | None:
        """The last day on which the copy should exist."""
        return date.fromisoformat(self.event.detail["until"]) if self.event else None


def find(text: str) -> Taking:
    """Return the taking a reference leads to, out of a file's name or a line of its foot."""
    reference = rules.find_file_reference(text)
    if reference is None:
        return Taking(None)
    query = select(AuditEvent).where(
        AuditEvent.subject == subject_of(reference), AuditEvent.action == TAKEN
    )
    return Taking(reference, db.session.scalars(query.order_by(AuditEvent.id).limit(1)).first())
