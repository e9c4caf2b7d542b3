"""Where tests keep what no power cut needs to spare: in memory, if the machine has enough of it."""

import os
import shutil
import tempfile
from pathlib import Path

SHARED = Path("/dev/shm")  # noqa: S108  # the name of that file system, not of a file
ENOUGH = 3 << 30
"""Bytes that must be free; a whole run takes a third of it."""


def room(shared: Path = SHARED, enough: int = ENOUGH) -> str:
    """Return a folder in memory, or the usual one where memory is small or runs no programs.

    Who names a TMPDIR gets that.
    """
    if os.environ.get("TMPDIR"):
        return tempfile.gettempdir()
    try:
        found = os.statvfs(shared)
    except OSError:
        return tempfile.gettempdir()
    fits = shutil.disk_usage(shared).free >= enough and _free() >= enough
    if not fits or found.f_flag & os.ST_NOEXEC or not os.access(shared, os.W_OK):
        return tempfile.gettempdir()
    return str(shared)


def _free(facts: Path = Path("/proc/meminfo")) -> int:
    """Return how many bytes of memory programs may still take."""
    for line in facts.read_text(encoding="ascii").splitlines():
        name, _colon, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return 0
