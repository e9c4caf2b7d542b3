"""Whom a trainer may write to, and the words that stand in the form already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts import messages as letters
from lms.cohorts.models import Cohort, Enrolment, Organisation
from lms.competency import overviews
from lms.core.db import db
from lms.core.i18n import gettext as _
from lms.reports import rules
from lms.reports.rules import Reason

LISTED = 50
"""People named in the form; more than these are written to together."""
OTHER = "lain"
"""The reason of a message to somebody who is not held up by anything."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """One person who may be written to."""

    id: int
    public_id: str
    name: str
    organisation: str
    lately: bool
    """Got a message of the class within a day."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it is sent."""

    reason: str
    counts: Mapping[str, int]
    """Reason to how many people it presses first."""
    people: tuple[Addressee, ...]
    """The first fifty of them."""
    total: int
    counted_at: datetime | None
    """When it was counted; None while it never was."""


def draft(cohort: Cohort, *, reason: str, whom: str, now: datetime) -> Draft:
    """Return whom a message for this reason would go to; `whom` is one person's public id.

    A reason nobody has falls back to the most pressing one somebody has. Four queries.
    """
    pressing, counted_at = _pressing(cohort)
    counts = {
        one.value: sum(rank == rules.pressing_rank(one) for rank in pressing.values())
        for one in Reason
    }
    counts = {one: count for one, count in counts.items() if count}
    ids: list[int] = []
    if whom:
        ids = _ids(cohort.id, [whom])
        reason = reason if reason in [one.value for one in Reason] else OTHER
    else:
        reason = reason if reason in counts else next(iter(counts), OTHER)
        if reason != OTHER:
            ids = people_of(pressing, Reason(reason))
    return Draft(reason, counts, _addressees(cohort.id, ids, now), len(ids), counted_at)


def everybody_of(cohort: Cohort, reason: str) -> list[int]:
    """Return the ids of all whom this reason presses first; nobody for a word we do not know."""
    if reason not in [one.value for one in Reason]:
        return []
    return people_of(_pressing(cohort)[0], Reason(reason))


def people_of(pressing: Mapping[int, int], reason: Reason) -> list[int]:
    """Return whom a reason presses first."""
    return [one for one, rank in pressing.items() if rank == rules.pressing_rank(reason)]


def _pressing(cohort: Cohort) -> tuple[dict[int, int], datetime | None]:
    """Return person to rank of the first reason, as it was counted last, and when that was."""
    lines = overviews.lines_of(cohort.id)
    overview = overviews.of([cohort.id]).get(cohort.id)
    counted_at = overview.computed_at if overview else None
    return {one.person_id: one.pressing for one in lines.values()}, counted_at


def _addressees(cohort_id: int, ids: Sequence[int], now: datetime) -> tuple[Addressee, ...]:
    query = (
        select(Person.id, Person.public_id, Person.name, Organisation.name.label("sender"))
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Enrolment.cohort_id == cohort_id, Person.id.in_(ids))
        .order_by(Person.name, Person.id)
        .limit(LISTED)
    )
    rows = db.session.execute(query).all()
    since = now - rules.AGAIN_AFTER
    lately = letters.written_to(cohort_id, [row.id for row in rows], since=since)
    return tuple(
        Addressee(row.id, row.public_id, row.name, row.sender, row.id in lately) for row in rows
    )


def _ids(cohort_id: int, public_ids: Sequence[str]) -> list[int]:
    return list(
        db.session.scalars(
            select(Person.id)
            .join(Enrolment, Enrolment.person_id == Person.id)
            .where(Enrolment.cohort_id == cohort_id, Person.public_id.in_(public_ids))
        )
    )


def send(
    cohort: Cohort,
    *,
    reason: str,
    chosen: Sequence[str],
    everybody: bool,
    text: str,
    anyway: bool,
    sender_id: int,
    sender: str,
    link: str,
    now: datetime,
) -> int:
    """Write to those chosen, or to all whom the reason presses first. Returns to how many.

    Raises cohorts.messages.WrittenLately. Flushes.
    """
    ids = everybody_of(cohort, reason) if everybody else _ids(cohort.id, chosen)
    known = reason in [one.value for one in Reason]
    return letters.send(
        cohort,
        ids,
        reason=reason if known else OTHER,
        text=text,
        sender_id=sender_id,
        sender=sender,
        link=link,
        pause=rules.AGAIN_AFTER,
        anyway=anyway,
        now=now,
    )


def words(reason: str) -> str:
    """Return what the form says already: friendly, neutral, nothing about the subject."""
    return {
        Reason.TRIES_USED.value: _(
            "Sebelum mencoba kuis lagi, mari kita bahas sebentar bagian yang belum. "
            "Kapan Anda punya waktu 15 menit minggu ini?"
        ),
        Reason.TALK.value: _(
            "Anda meminta membahas satu pelajaran secara langsung. Kapan dan di mana yang nyaman "
            "bagi Anda? Anda yang menentukan."
        ),
        Reason.WAITS_FOR_MARK.value: _(
            "Tulisan Anda sudah kami terima dan akan segera dibaca. Terima kasih sudah menunggu; "
            "hasilnya tampil di beranda Anda."
        ),
        Reason.OBSERVE.value: _(
            "Hasil latihan tatap muka Anda belum tercatat. Mari cari waktu yang cocok; tidak ada "
            "yang perlu disiapkan."
        ),
        Reason.ATTEMPT_WAITS.value: _(
            "Kuis dapat Anda coba lagi setelah jeda. Bila ada yang ingin dibahas dulu, beri tahu "
            "saya."
        ),
        Reason.QUIET.value: _(
            "Sudah beberapa hari kita tidak bertemu di kelas. Adakah yang menghalangi? Anda boleh "
            "mulai lagi dari mana saja, kapan saja."
        ),
    }.get(reason, "")


def label(reason: str) -> str:
    """Return what a reason is called in lists."""
    return {
        Reason.TRIES_USED.value: _("Butuh bimbingan sebelum mencoba lagi"),
        Reason.TALK.value: _("Minta berbicara dengan pelatih"),
        Reason.WAITS_FOR_MARK.value: _("Studi kasus menunggu dinilai"),
        Reason.OBSERVE.value: _("Uji observasi belum dinilai"),
        Reason.ATTEMPT_WAITS.value: _("Kuis dalam jeda"),
        Reason.QUIET.value: _("Belum aktif tujuh hari atau lebih"),
    }.get(reason, _("Lainnya"))
