"""CPU time and memory of a tree of processes, as Linux counts them."""

import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
PROC = Path("/proc")


def tree(roots: Iterable[int]) -> list[int]:
    """Return the ids of these processes and of all below them that live now."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            parent = _stat(int(entry.name), 1)
            if parent is not None:
                children[parent].append(int(entry.name))
    found, waiting = [], list(roots)
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children[one]
    return found


def cpu_ms(roots: Iterable[int]) -> float:
    """Return the CPU time a tree has used so far, milliseconds, ended children among it.

    The kernel counts in ticks of 10 ms: measure enough work that a tick does not matter.
    """
    # Fields after the name: utime, stime, and those of children that were waited for.
    return sum(
        (_stat(pid, field) or 0) * 1000 / TICK for pid in tree(roots) for field in (11, 12, 13, 14)
    )


def pss_mib(roots: Iterable[int]) -> float:
    """Return the memory of a tree, MiB; pages it shares are divided among those who share."""
    total = 0
    for pid in tree(roots):
        try:
            text = (PROC / str(pid) / "smaps_rollup").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def open_files(roots: Iterable[int]) -> int:
    """Return how many files, sockets and pipes a tree of processes holds open."""
    total = 0
    for pid in tree(roots):
        try:
            total += sum(1 for _ in (PROC / str(pid) / "fd").iterdir())
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def connections(port: int) -> int:
    """Return how many connections of others to a port of this machine are established."""
    here, established = f"{port:04X}", "01"
    rows = [line.split()[1:4] for line in (PROC / "net/tcp").read_text().splitlines()[1:]]
    return sum(own.endswith(f":{here}") and state == established for own, _other, state in rows)


def parent_of(pid: int) -> int:
    """Return the process that started this one; 0 when there is none."""
    return _stat(pid, 1) or 0


def busy_ms() -> float:
    """Return how long all cores of the machine have worked so far, milliseconds."""
    fields = (PROC / "stat").read_text(encoding="ascii").splitlines()[0].split()[1:]
    user, nice, system = (int(one) for one in fields[:3])
    return (user + nice + system) * 1000 / TICK


def _stat(pid: int, field: int) -> int | None:
    """Return one number of /proc/PID/stat, counted from the state, which follows the name."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(text.rpartition(")")[2].split()[field])
