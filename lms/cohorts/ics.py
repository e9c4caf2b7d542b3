"""Writes a calendar as programs read it (RFC 5545). Its words are neutral."""

from datetime import timedelta
from typing import TYPE_CHECKING

from lms.cohorts import labels
from lms.cohorts.feeds import Calendar, Event
from lms.core.i18n import gettext as _
from lms.core.i18n import speaking

if TYPE_CHECKING:
    from icalendar import Event as Component

REFRESH = timedelta(hours=6)
"""How often a program should ask again."""


def write(calendar: Calendar, *, base_url: str, host: str) -> bytes:
    """Return the file of a calendar, in the language of its owner."""
    from icalendar import Calendar as File  # it is large, and few ask for it

    file = File()
    file.add("prodid", "-//Suluh//Kalender//ID")
    file.add("version", "2.0")
    file.add("method", "PUBLISH")
    file.add("x-wr-calname", "Suluh")
    file.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    file.add("x-published-ttl", "PT6H")
    with speaking(calendar.locale):
        for event in calendar.events:
            file.add_component(_event(event, base_url, host))
    written: bytes = file.to_ical()
    return written


def _event(event: Event, base_url: str, host: str) -> "Component":
    from icalendar import Event as Component

    page = "narasumber" if event.is_own else "agenda"
    made = Component()
    made.add("uid", f"{event.key}@{host}")
    made.add("dtstamp", event.stamp)
    made.add("dtstart", event.begins)
    made.add("dtend", event.ends)
    made.add("summary", _summary(event))
    made.add("location", event.place)
    made.add("url", f"{base_url}/angkatan/{event.slug}/{page}")
    return made


def _summary(event: Event) -> str:
    half = labels.HALVES[event.half]
    if event.is_own:
        return _("Sesi Anda (hari %(day)s, %(half)s)", day=event.day, half=half)
    return _("Kelas (hari %(day)s, %(half)s)", day=event.day, half=half)
