"""Runs operations in rounds and writes down what they cost."""

import os
import statistics
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bench import processes
from bench.client import Wrong
from bench.scenarios import People, Scenario, Visit
from bench.seed import Seeded
from bench.servers import Target

NOISE = 0.5
"""Cores used by others in a round that is done again."""
AGAIN = 3


@dataclass
class Figures:
    """What one operation costs: medians over the rounds, with the extremes of CPU."""

    name: str
    at_once: int
    operations: int = 0
    cpu: list[float] = field(default_factory=list)
    per_second: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    noisy: int = 0
    """Rounds that others disturbed although they were done again."""
    bar: float | None = None

    @property
    def cpu_ms(self) -> float:
        """CPU milliseconds of one operation, all processes, database included."""
        return statistics.median(self.cpu)

    def as_json(self) -> dict[str, Any]:
        """Return everything as JSON holds it."""
        wall = sorted(self.wall)
        return {
            "name": self.name,
            "at_once": self.at_once,
            "operations": self.operations,
            "rounds": len(self.cpu),
            "cpu_ms": round(self.cpu_ms, 2),
            "cpu_ms_min": round(min(self.cpu), 2),
            "cpu_ms_max": round(max(self.cpu), 2),
            "per_second": round(statistics.median(self.per_second), 1),
            "p50_ms": round(_quantile(wall, 0.5) * 1000, 2),
            "p95_ms": round(_quantile(wall, 0.95) * 1000, 2),
            "noisy_rounds": self.noisy,
            "bar_cpu_ms": self.bar,
            "meets_bar": None if self.bar is None else self.cpu_ms <= self.bar,
        }


def measure(
    target: Target, scenario: Scenario, seeded: Seeded, people: People, *, rounds: int, at_once: int
) -> Figures:
    """Do a scenario's operations `at_once` in parallel, in rounds. Raises Wrong at any error."""
    figures = Figures(scenario.name, at_once, bar=scenario.bar)
    _round(target, scenario, seeded, people, at_once, warm=True)
    for _ in range(rounds):
        for tried in range(AGAIN):
            one = _round(target, scenario, seeded, people, at_once)
            if one.foreign <= NOISE:
                break
            figures.noisy += tried == AGAIN - 1
        figures.operations += len(one.wall)
        figures.cpu.append(one.cpu_ms / len(one.wall))
        figures.per_second.append(len(one.wall) / one.seconds)
        figures.wall += one.wall
    return figures


@dataclass(frozen=True, slots=True)
class Round:
    """One round."""

    cpu_ms: float
    seconds: float
    wall: list[float]
    foreign: float


def _round(
    target: Target,
    scenario: Scenario,
    seeded: Seeded,
    people: People,
    at_once: int,
    *,
    warm: bool = False,
) -> Round:
    each = max(1, scenario.count // at_once) if not warm else min(2, scenario.count)
    visits = [Visit(target.client, seeded, people) for _ in range(at_once)]
    operations = [scenario.begin(visit, each) for visit in visits]
    walls: list[list[float]] = [[] for _ in visits]
    errors: list[Exception] = []
    barrier = threading.Barrier(at_once + 1)

    def work(place: int) -> None:
        barrier.wait()
        try:
            for _ in range(each):
                began = time.perf_counter()
                operations[place]()
                walls[place].append(time.perf_counter() - began)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(at_once)]
    for thread in threads:
        thread.start()
    before, busy, own, began = _now(target)
    barrier.wait()
    for thread in threads:
        thread.join()
    after, busy_after, own_after, ended = _now(target)
    for visit in visits:
        visit.client.close()
    if errors:
        raise Wrong(f"{scenario.name}: {errors[0]}") from errors[0]
    seconds, spent = ended - began, after - before
    foreign = (busy_after - busy - spent - (own_after - own)) / 1000 / seconds
    return Round(spent, seconds, [one for wall in walls for one in wall], foreign)


def _now(target: Target) -> tuple[float, float, float, float]:
    own = sum(os.times()[:2]) * 1000
    return processes.cpu_ms(target.roots), processes.busy_ms(), own, time.perf_counter()


def _quantile(ordered: list[float], q: float) -> float:
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def settle(target: Target, seconds: float = 2.0) -> float:
    """Wait a moment, then return the memory of a server's processes, MiB PSS."""
    time.sleep(seconds)
    return processes.pss_mib(target.roots)


def lines(found: list[Figures]) -> Iterator[str]:
    """Yield a Markdown table."""
    yield "| Operation | at once | CPU ms | bar | per second | p50 ms | p95 ms | operations |"
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for one in found:
        row = one.as_json()
        bar = "–" if one.bar is None else f"{one.bar:g}{'' if row['meets_bar'] else ' **missed**'}"
        noisy = " (disturbed)" if one.noisy else ""
        yield (
            f"| {one.name}{noisy} | {one.at_once} | {row['cpu_ms']:g} "
            f"({row['cpu_ms_min']:g}–{row['cpu_ms_max']:g}) | {bar} | {row['per_second']:g} "
            f"| {row['p50_ms']:g} | {row['p95_ms']:g} | {row['operations']} |"
        )
