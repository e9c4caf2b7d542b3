"""What a server holds while it works: memory, open files, the size of its write-ahead log."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench import processes

SHARE = 10
"""The run is cut into so many parts; the first is not looked at, there caches fill."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One look."""

    at: float
    """Seconds since the first look."""
    pss_mib: float
    files: int
    """Open ones, without the connections of those who ask: a proxy keeps some, and drops them."""
    wal_mib: float


@dataclass(frozen=True, slots=True)
class Growth:
    """What became of it between the second part of a run and the last, by their medians."""

    samples: int
    pss_mib: tuple[float, float]
    pss_percent: float
    files: tuple[float, float]
    files_more: float
    wal_most_mib: float


def growth(samples: Sequence[Sample]) -> Growth:
    """Return how much was added. Raises ValueError when nobody looked often enough."""
    part = len(samples) // SHARE
    if part < 2:
        raise ValueError(f"{len(samples)} looks are too few to tell growth from chance")
    warm, last = samples[part : 2 * part], samples[-part:]
    memory = median(one.pss_mib for one in warm), median(one.pss_mib for one in last)
    files = median(one.files for one in warm), median(one.files for one in last)
    return Growth(
        samples=len(samples),
        pss_mib=(round(memory[0], 1), round(memory[1], 1)),
        pss_percent=round((memory[1] / memory[0] - 1) * 100, 1),
        files=files,
        files_more=files[1] - files[0],
        wal_most_mib=round(max(one.wal_mib for one in samples), 1),
    )


@dataclass
class Watch:
    """Looks at a server, a tree of processes, and at its write-ahead log again and again."""

    root: int
    port: int
    log: Path
    every: float
    samples: list[Sample] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def look(self, at: float) -> Sample:
        """Look once."""
        size = self.log.stat().st_size if self.log.exists() else 0
        return Sample(
            at=round(at, 1),
            pss_mib=processes.pss_mib([self.root]),
            files=processes.open_files([self.root]) - processes.connections(self.port),
            wal_mib=size / 1024 / 1024,
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look every few seconds until the block ends."""
        thread = threading.Thread(target=self._go, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _go(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(self.every):
            self.samples.append(self.look(time.monotonic() - began))
