"""The days every class begins with: read from a file, and each rule about it can be broken."""

import json
from collections.abc import Callable
from datetime import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from lms import cli, release
from lms.cohorts import timetable
from lms.cohorts.timetable import Guide
from lms.cohorts.timetables.rules import Entry, clashes
from lms.config import CONTENT
from lms.core.content import Unreadable

GUIDES = {
    "K1.1": Guide(in_person=False, jp=1, minutes=20),
    "K1.T": Guide(in_person=True, jp=2, minutes=90),
    "K2.T": Guide(in_person=True, jp=1, minutes=45),
    "K3.T": Guide(in_person=True, jp=3, minutes=135),
    "K4.T": Guide(in_person=True, jp=2, minutes=90),
    "K5.T": Guide(in_person=True, jp=2, minutes=90),
    "T.T": Guide(in_person=True, jp=8, minutes=360),
}
REAL = (CONTENT / timetable.FILE).read_text(encoding="utf-8")

Change = Callable[[str], str]


def replaced(old: str, new: str, count: int = 1) -> Change:
    return lambda text: text.replace(old, new, count)


def line_of(text: str, part: str, nth: int = 1) -> int:
    found = [n for n, line in enumerate(text.splitlines(), 1) if part in line]
    return found[nth - 1]


def test_the_file_that_comes_along_has_the_hours_of_the_curriculum():
    """10 JP of lessons and 4 JP of observation test; the opening carries none."""
    found, problems = timetable.check(CONTENT, GUIDES)
    assert problems == []
    assert found is not None
    assert timetable.count(found) == {
        "days": 2,
        "sessions": 8,
        "breaks": 3,
        "minutes": 765,
        "jp_lessons": 10,
        "jp_test": 4,
        "jp_total": 14,
    }


def test_the_entries_are_the_sessions_without_the_breaks():
    entries = timetable.load(CONTENT)
    assert [(one.day, one.half, one.position, one.lesson_code, one.jp) for one in entries] == [
        (1, "am", 1, None, 0),
        (1, "am", 2, "K1.T", 2),
        (1, "pm", 1, "K5.T", 2),
        (1, "pm", 2, "K2.T", 1),
        (1, "pm", 3, "K4.T", 1),
        (2, "am", 1, "K3.T", 3),
        (2, "am", 2, "K4.T", 1),
        (2, "pm", 1, None, 4),
    ]
    assert (entries[1].begins, entries[1].ends) == (time(9, 45), time(11, 15))
    pattern = timetable.pattern(CONTENT)
    assert [one.begins for one in pattern] == [None] * len(entries)
    assert [one.title for one in pattern] == [one.title for one in entries]


FAULTS: dict[str, tuple[Change, str, str, int]] = {
    "sum of minutes": (
        replaced("        minutes: 195", "        minutes: 240"),
        "day 1 am: the sessions have 195 minutes, not 240",
        "minutes: 240",
        1,
    ),
    "overlap": (
        replaced('begins: "14.45"', 'begins: "14.30"'),
        "day 1 pm: Bermain peran komunikasi begins before the session before it ends",
        'begins: "14.30"',
        2,
    ),
    "gap": (
        replaced('begins: "14.45"', 'begins: "14.50"'),
        "day 1 pm: nothing is said of the time before Bermain peran komunikasi; add a break",
        'begins: "14.50"',
        1,
    ),
    "after noon": (
        replaced('begins: "10.30"', 'begins: "11.30"'),
        "day 2 am: Lingkar supervisi, bagian 2 ends after noon",
        'begins: "11.30"',
        1,
    ),
    "before noon": (
        replaced('begins: "13.00"', 'begins: "11.00"'),
        "day 1 pm: Pertemuan kasus lintas lembaga begins before noon",
        'begins: "11.00"',
        1,
    ),
    "days in order": (
        replaced("  - day: 2", "  - day: 3"),
        "day 3 stands where day 2 is due",
        "- day: 3",
        1,
    ),
    "halves in order": (
        replaced("      - half: am", "      - half: pm"),
        "day 1: half days are am, then pm, each once",
        "- half: pm",
        1,
    ),
    "lesson exists": (
        replaced("lesson: K5.T", "lesson: K9.T"),
        "there is no lesson K9.T",
        "lesson: K9.T",
        1,
    ),
    "lesson in person": (
        replaced("lesson: K5.T", "lesson: K1.1"),
        "K1.1 is an online lesson: nobody meets for it",
        "lesson: K1.1",
        1,
    ),
    "lesson missing": (
        replaced("lesson: K5.T", "lesson: K1.T"),
        "K5.T is done in person and stands nowhere here",
        "curricula:",
        1,
    ),
    "lesson of another kind": (
        replaced("kind: test", "kind: test\n            lesson: K2.T"),
        "Uji observasi akhir, empat stasiun paralel: a session of kind test names no lesson",
        "lesson: K2.T",
        2,
    ),
    "no lesson": (
        replaced("            lesson: K2.T\n", ""),
        "Bermain peran komunikasi: a session of kind lesson names its lesson",
        "- title: Bermain peran komunikasi",
        1,
    ),
    "hours of the guide": (
        replaced("jp: 2", "jp: 1"),
        "K1.T has 1 JP here and 2 in its guide",
        "- title: Lokakarya asesmen risiko",
        1,
    ),
    "minutes of the guide": (
        replaced("            minutes: 135", "            minutes: 130"),
        "K3.T has 130 minutes here and 135 in its guide",
        "- title: Simulasi penanganan darurat",
        1,
    ),
    "an hour is 45 minutes": (
        replaced("            minutes: 180", "            minutes: 170"),
        "Uji observasi akhir, empat stasiun paralel: 4 JP are 180 minutes",
        "minutes: 170",
        1,
    ),
    "stated hours": (
        replaced("lessons: 10", "lessons: 12"),
        "jp: lessons add up to 10, not 12",
        "jp: { lessons: 12",
        1,
    ),
    "hours of an opening": (
        replaced("            jp: null", "            jp: 2"),
        "Pembukaan, kesepakatan aman, hak untuk tidak ikut: "
        "a session of kind opening has no training hours: jp is null",
        "            jp: 2",
        1,
    ),
    "hours of a test": (
        replaced("            jp: 4", "            jp: null"),
        "Uji observasi akhir, empat stasiun paralel: a session of kind test has training hours",
        "            jp: null",
        5,
    ),
    "leads": (
        replaced("leads: [assessor]", "leads: []"),
        "Uji observasi akhir, empat stasiun paralel: say who leads it",
        "leads: []",
        4,
    ),
    "leads a break": (
        replaced("leads: []", "leads: [trainer]"),
        "Jeda: nobody leads a break",
        "leads: [trainer]",
        1,
    ),
    "hour of the clock": (
        replaced('begins: "08.00"', 'begins: "8:00"'),
        "days.0.halves.0.sessions.0.begins: String should match pattern "
        "'^([01][0-9]|2[0-3])\\.[0-5][0-9]$'",
        'begins: "8:00"',
        1,
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_at_its_line(tmp_path: Path, name: str):
    change, message, part, nth = FAULTS[name]
    text = change(REAL)
    assert text != REAL
    (tmp_path / timetable.FILE).write_text(text, encoding="utf-8")
    _found, problems = timetable.check(tmp_path, GUIDES)
    assert (message, line_of(text, part, nth)) in [(p.message, p.line) for p in problems]


def test_lessons_that_could_not_be_read_are_not_asked_for(tmp_path: Path):
    (tmp_path / timetable.FILE).write_text(REAL.replace("K5.T", "K9.T"), encoding="utf-8")
    assert timetable.check(tmp_path, None)[1] == []


def test_a_broken_file_is_not_used(tmp_path: Path):
    (tmp_path / timetable.FILE).write_text(REAL.replace("total: 14", "total: 15"), encoding="utf-8")
    with pytest.raises(Unreadable) as refused:
        timetable.load(tmp_path)
    assert refused.value.problem.message == "jp: total add up to 14, not 15"


def test_hours_of_the_pattern_do_not_clash():
    entries = [
        Entry(id=n, day=one.day, half=one.half, begins=one.begins, ends=one.ends)
        for n, one in enumerate(timetable.load(CONTENT))
    ]
    assert clashes(entries) == []


def test_the_check_of_the_content_reads_it_with_the_lessons(tmp_path: Path):
    """With the real lessons beside it, and in the report for programs."""
    for path in CONTENT.iterdir():
        if path.name != timetable.FILE:
            (tmp_path / path.name).symlink_to(path)
    text = REAL.replace("lesson: K5.T", "lesson: K5.1")
    (tmp_path / timetable.FILE).write_text(text, encoding="utf-8")
    said = CliRunner().invoke(cli.main, ["content", "check", "--json", "--dir", str(tmp_path)])
    assert said.exit_code == 1
    report = json.loads(said.output)
    assert report["timetable"]["jp_total"] == 14
    mine = [p for p in report["problems"] if p["file"] == str(tmp_path / timetable.FILE)]
    assert [p["message"] for p in mine] == [
        "K5.T is done in person and stands nowhere here",
        "K5.1 is an online lesson: nobody meets for it",
    ]


def test_without_the_file_nothing_is_loaded(tmp_path: Path):
    for path in CONTENT.iterdir():
        if path.name != timetable.FILE:
            (tmp_path / path.name).symlink_to(path)
    found = release.check(tmp_path)
    assert found.days is None
    assert [p.file for p in found.problems] == [str(tmp_path / timetable.FILE)]
