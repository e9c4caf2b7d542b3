"""`./run cli bench`: seed, serve, measure, print. Nothing of an installation is touched.

The database is made in a temporary folder, or is the empty PostgreSQL database that is named.
"""

import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from sqlalchemy import create_engine, inspect, make_url, text

from bench import processes
from bench.client import Wrong
from bench.limits import limits
from bench.measure import Figures, lines, measure, settle
from bench.scenarios import CEILING, MIXED, SAME, SAVE, WRITE, People, scenarios
from bench.seed import Seeded, seed
from bench.servers import ceiling, rounds_once, settings, suluh
from bench.weight import weights
from lms.app import create_app
from lms.config import from_environment

MEMORY_BARS = {"idle": 80, "loaded": 130}
FIRST_PAGE_BAR = 0.7
SCALING_BAR = 1.6
SAVES_BAR = 0.4


def run(
    *, sizes: Sequence[int], rounds: int, database_url: str | None, quick: bool
) -> dict[str, Any]:
    """Measure everything once and return it as JSON holds it. Raises bench.client.Wrong."""
    with tempfile.TemporaryDirectory(prefix="suluh-bench-") as folder:
        url = database_url or f"sqlite:///{folder}/suluh.sqlite3"
        root = _postmaster(url) if url.startswith("postgresql") else None
        _say("seeding")
        began = time.perf_counter()
        seeded = seed(create_app(from_environment(settings(url))), sizes)
        result: dict[str, Any] = {
            "machine": _machine(),
            "database": make_url(url).get_backend_name(),
            "sizes": list(sizes),
            "rows": seeded.rows,
            "seed_seconds": round(time.perf_counter() - began, 1),
            "limits_cpu_ms": {name: round(cost, 3) for name, cost in limits().items()},
        }
        result |= _serve(url, root, seeded, sizes, rounds, quick)
        result |= _ceiling(folder, root, seeded, rounds, database_url)
    result["saves_over_ceiling"] = _saves_over_ceiling(result)
    return result


def _saves_over_ceiling(result: dict[str, Any]) -> float:
    """Return how many answers are saved in the time of one durable write of the ceiling."""
    rate = {one["name"]: one["per_second"] for one in result["operations"] + result["ceiling"]}
    return round(rate[SAVE] / rate[WRITE], 2)


def _serve(
    url: str, root: int | None, seeded: Seeded, sizes: Sequence[int], rounds: int, quick: bool
) -> dict[str, Any]:
    found: list[Figures] = []
    people = People(seeded)
    # What is due after the seeding is done first, and the start that remembers is not counted:
    # idle is a server with nothing to do.
    rounds_once(url)
    _start_seconds(url, root)
    starts = [_start_seconds(url, root) for _ in range(1 if quick else 3)]
    with suluh(url, 1, root) as target:
        target.client().get("/masuk")
        idle = settle(target, 2 if quick else ALL_ASKED)
        for scenario in scenarios(tuple(sizes)):
            _say(scenario.name)
            found.append(measure(target, scenario, seeded, people, rounds=rounds, at_once=1))
        lesson, *_ = scenarios(tuple(sizes))
        for scenario, at_once in ((SAME, 4), (MIXED, 4), (lesson, 8)):
            _say(f"{scenario.name}, {at_once} at once")
            found.append(measure(target, scenario, seeded, people, rounds=rounds, at_once=at_once))
        loaded = settle(target)
        weighed = weights(target, seeded)
    one = found[-1]
    with suluh(url, 2, root) as target:
        _say("two workers")
        two = measure(target, lesson, seeded, people, rounds=rounds, at_once=8)
        two.name, two.bar = f"{two.name}, two workers", None
        found.append(two)
        pair = settle(target)
    one.name, one.bar = f"{one.name}, one worker", None
    return {
        "operations": [figures.as_json() for figures in found],
        "table": list(lines(found)),
        "pss_mib": {"idle": round(idle, 1), "loaded": round(loaded, 1), "two": round(pair, 1)},
        "first_page_seconds": round(sorted(starts)[len(starts) // 2], 2),
        "two_workers_over_one": round(_median(two.per_second) / _median(one.per_second), 2),
        "weights": None if weighed is None else [asdict(weight) for weight in weighed],
    }


ALL_ASKED = 70
"""Seconds after which every round but the hourly ones has asked whether something is due."""


def _start_seconds(url: str, root: int | None) -> float:
    with suluh(url, 1, root) as target:
        return target.start_seconds


def _ceiling(
    folder: str, root: int | None, seeded: Seeded, rounds: int, database_url: str | None
) -> dict[str, Any]:
    _say("the ceiling")
    url = database_url or f"sqlite:///{folder}/ceiling.sqlite3"
    if database_url:
        _wipe(database_url)
    with ceiling(url, root) as target:
        found = [
            measure(target, scenario, seeded, People(seeded), rounds=rounds, at_once=1)
            for scenario in CEILING
        ]
    return {
        "ceiling": [figures.as_json() for figures in found],
        "ceiling_table": list(lines(found))[2:],
    }


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _postmaster(url: str) -> int:
    """Return the process of a local PostgreSQL server. Raises click.ClickException."""
    engine = create_engine(url)
    with engine.connect() as connection:
        if inspect(connection).get_table_names():
            raise click.ClickException("the database is not empty; the bench needs one of its own")
        backend = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    engine.dispose()
    parent = processes.parent_of(int(backend))
    if not parent:
        raise click.ClickException("the database runs on another machine: its CPU is out of sight")
    return parent


def _wipe(url: str) -> None:
    """Empty the bench's own database."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def _machine() -> dict[str, Any]:
    names = ("flask", "sqlalchemy", "waitress", "jinja2", "reportlab", "xlsxwriter")
    return {
        "system": platform.platform(),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "sqlite": sqlite3.sqlite_version,
        "load_average": [round(one, 2) for one in os.getloadavg()],
        "versions": {name: version(name) for name in names},
    }


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def markdown(result: dict[str, Any]) -> str:
    """Return the result as a page of Markdown."""
    memory = ", ".join(
        f"{name} {value:g}" + (f" (bar {MEMORY_BARS[name]})" if name in MEMORY_BARS else "")
        for name, value in result["pss_mib"].items()
    )
    out = [
        f"{result['database']}, classes of {', '.join(f'{n:,}' for n in result['sizes'])}, "
        f"Python {result['machine']['python']}, {result['machine']['cores']} cores, load "
        f"{result['machine']['load_average'][0]:g} before.",
        "",
        *result["table"],
        *result["ceiling_table"],
        "",
        f"Memory, MiB PSS: {memory}. First page {result['first_page_seconds']:g} s after exec "
        f"(bar {FIRST_PAGE_BAR:g}). Two workers over one: {result['two_workers_over_one']:g} "
        f"(bar {SCALING_BAR:g}). Answers saved over the ceiling's durable writes: "
        f"{result['saves_over_ceiling']:g} (at least {SAVES_BAR:g}).",
        "Single steps, CPU ms: "
        + ", ".join(f"{name} {cost:g}" for name, cost in result["limits_cpu_ms"].items())
        + ".",
    ]
    if result["weights"]:
        out += ["", "| Page | cold: requests, KiB | warm |", "|---|--:|--:|"]
        out += [
            f"| {w['name']} | {w['cold_requests']}, {w['cold_kib']:g} "
            f"| {w['warm_requests']}, {w['warm_kib']:g} |"
            for w in result["weights"]
        ]
    else:
        out += ["", "Page weight was not measured: Chromium or Playwright is missing."]
    return "\n".join(out)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of Markdown.")
@click.option("--database-url", default=None, help="An empty PostgreSQL database of its own.")
@click.option("--sizes", default="25,250,2500", show_default=True, help="People in each class.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 50))
@click.option("--out", type=click.Path(path_type=Path), help="Also write the JSON to this file.")
@click.option("--quick", is_flag=True, help="One start instead of three.")
def main(
    as_json: bool,
    database_url: str | None,
    sizes: str,
    rounds: int,
    out: Path | None,
    quick: bool,
) -> None:
    """Measure CPU, memory, time and bytes on seeded data, beside the framework's ceiling."""
    wanted = sorted(int(one) for one in sizes.split(","))
    if database_url and database_url.startswith("postgresql://"):
        database_url = database_url.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        result = run(sizes=wanted, rounds=rounds, database_url=database_url, quick=quick)
    except Wrong as error:
        raise click.ClickException(f"stopped, nothing was measured: {error}") from error
    if out:
        out.write_text(json.dumps(result, indent=2), encoding="utf-8")
    click.echo(json.dumps(result, indent=2) if as_json else markdown(result))


if __name__ == "__main__":
    main()
