"""How a room goes on: who leads it takes it from stage to stage. Services flush."""

from collections.abc import Collection
from datetime import datetime

from lms.accounts import services as accounts
from lms.core import mail
from lms.core.i18n import LANGUAGES, speaking
from lms.core.i18n import gettext as _
from lms.panels import results, rules, services
from lms.panels.rules import NEXT, Stage
from lms.panels.services import Room


def advance(room: Room, seen: Stage, *, by_id: int, now: datetime) -> Stage:
    """Take a room from the stage the chair saw to the next; return it. Flushes.

    Raises rules.WrongStage, rules.TooFew, rules.Unanswered.
    """
    if seen not in NEXT:
        raise rules.WrongStage(seen)
    services.hold(room, seen, alone=True)
    if seen is Stage.INVITING and len(services.list_members(room)) < rules.LEAST:
        raise rules.TooFew(room.public_id)
    if seen is Stage.FIRST:
        _check_whole(room)
    if seen is Stage.SECOND:
        results.make(room, now=now)
    if seen is Stage.SIGNING:
        results.check_answered(room)
    services.set_stage(room, NEXT[seen], by_id=by_id, now=now)
    return NEXT[seen]


def _check_whole(room: Room) -> None:
    """Raise rules.TooFew unless two panellists have rated every item."""
    items = [one for one in services.list_items(room) if not one.training]
    rows = rules.whole_rows(services.ratings_of(items, 1), [one.id for one in items])
    if len(rows) < rules.LEAST:
        raise rules.TooFew(room.public_id)


def stop(room: Room, why: str, *, by_id: int, now: datetime) -> None:
    """Give a room up without a result; everything in it stays. Raises rules.WrongStage."""
    services.hold(room, *NEXT, alone=True)
    services.set_stage(room, Stage.STOPPED, by_id=by_id, now=now, why=why)


def invite(room: Room, public_ids: Collection[str], link: str, *, by_id: int, now: datetime) -> int:
    """Seat people on the panel and write to them; return how many. See services.invite."""
    chosen = services.invite(room, public_ids, by_id=by_id, now=now)
    for one in chosen:
        person = accounts.get_person_by_id(one.id)
        with speaking(person.locale if person.locale in LANGUAGES else "id"):
            subject = _("Undangan sebagai anggota panel")
            body = "\n\n".join(
                [
                    _("Salam, %(name)s.", name=person.name),
                    _(
                        "Anda diundang menilai butir sebuah kuis bersama ahli lain, dalam dua"
                        " putaran. Masuk dengan akun Anda, lalu buka:"
                    )
                    + "\n"
                    + link,
                    _("Penilaian tersimpan satu per satu; Anda dapat berhenti dan melanjutkan."),
                ]
            )
        mail.put(person.email, subject, body + "\n", now=now)
    return len(chosen)
