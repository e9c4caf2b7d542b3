"""Writes docs/data.md from the data map: `python -m lms.privacy.map`."""

from pathlib import Path

from lms.privacy import rules
from lms.privacy.data_map import ENTRIES, Entry, Kept, Kind

TARGET = Path(__file__).parents[2] / "docs" / "data.md"
HEAD = """\
# What is stored

This file is written from `lms/privacy/data_map.py` by `python -m lms.privacy.map`; a test fails
when it is out of date, when a column stands in no class, and when a class names a column that is
not there.

Classes of columns: **identity** (who somebody is), **contact** (how to reach them), **learning**
(what somebody did or was judged to have done), **tie** (role, class, organisation, conflict),
**trace** (who did or looked at what, when, from where), **secret** (only as a hash, or sealed),
**free text** (people may have written anything), **none** (nothing about anybody).

There is no table and no column for victims. Reflections are not stored: only that they were done.
None of the columns is meant for what UU 27/2022 Pasal 4 calls specific personal data; free text
could hold it, and the page `/privasi` asks people to leave it out.

**Export** is what the file of `/akun/data` holds: *given* means every column but secrets; other
people appear there by their role only. **Deletion** is what happens seven days after somebody
asked for it: rows are *deleted*; or their identity, contact and free text are *blanked*; or they
are *kept* because nothing in them names anybody once the person has no name.
"""
TAIL = """\
Alembic adds `alembic_version`. Public checks of a certificate are counted in memory only, per
network address, and a restart forgets them.

Outside the database: `instance/secret-key`; backups in `instance/backups`, which hold all of the
above as it was then, accounts deleted since included; mail that has been sent.
"""


def text() -> str:
    """Return the whole page."""
    lines = [HEAD]
    for feature in dict.fromkeys(entry.feature for entry in ENTRIES):
        lines += [f"## {feature}\n", "| Table | Holds | Columns | Why | Kept | Export | Deletion |"]
        lines.append("|---|---|---|---|---|---|---|")
        lines += [_row(entry) for entry in ENTRIES if entry.feature == feature]
        lines.append("")
    lines += ["## Timers\n", "| Timer | Days | Bounds |", "|---|---|---|"]
    lines += [
        f"| `{timer.name}` | {timer.days or 'at once'} | "
        f"{f'{timer.least} to {timer.most}' if timer.most else '–'} |"
        for timer in rules.TIMERS.values()
    ]
    return "\n".join([*lines, "", TAIL])


def _row(entry: Entry) -> str:
    classes = "; ".join(
        f"**{kind.value}** {', '.join(f'`{name}`' for name in entry.of_kind(kind))}"
        for kind in Kind
        if entry.of_kind(kind)
    )
    cells = (
        f"`{entry.name}`",
        entry.holds,
        classes,
        entry.why,
        _kept(entry),
        _export(entry),
        _deletion(entry),
    )
    return f"| {' | '.join(cells)} |"


def _kept(entry: Entry) -> str:
    timers = [f"`{word}`" for word in entry.timer.split() if word in rules.TIMERS]
    bound = f"timer {', '.join(timers)}" if timers else entry.timer
    if entry.kept is Kept.TIMER:
        return bound
    return f"{entry.kept.value}; {bound}" if bound else entry.kept.value


def _export(entry: Entry) -> str:
    if not entry.ways:
        return "–"
    if not entry.withheld:
        return "given"
    names = ", ".join(f"`{name}`" for name in sorted(entry.withheld))
    return f"given, but {names}: {entry.withheld_because}"


def _deletion(entry: Entry) -> str:
    if not entry.ways:
        return "–"
    if entry.gone:
        return "deleted"
    if entry.stays:
        return f"kept: {entry.because}"
    return "blanked" if entry.blanked else "kept"


def main() -> None:
    """Write the page."""
    TARGET.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
