"""Strangers who check certificates: as many a second as was asked for, however long each takes.

A process of its own does it, so that the people who answer and the checks do not wait for each
other. Each check has a moment at which it is due, and its time counts from there: one that starts
late, because this process or the server was busy, has waited.
"""

import asyncio
import gzip
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from bench.wire import Wire

WARM = 0.05
"""Share of a run at its beginning whose times do not count: a new server compiles its pages."""
PACKED = b"\x1f\x8b"
"""How a compressed page begins."""


@dataclass
class Checks:
    """What the strangers have seen."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    unlike: int = 0
    """Answers that did not say what they have to."""
    cpu: float = 0.0
    """Seconds of a core that asking took."""


def check(
    port: int, rate: float, seconds: float, seed: int, asked: Sequence[tuple[str, str]]
) -> Checks:
    """Check codes, `rate` a second; `asked` are paths and what stands on their pages."""
    found = Checks()
    used = time.process_time()
    asyncio.run(_check(found, port, rate, seconds, Random(seed), asked))
    found.cpu = time.process_time() - used
    return found


async def _check(
    found: Checks,
    port: int,
    rate: float,
    seconds: float,
    chance: Random,
    asked: Sequence[tuple[str, str]],
) -> None:
    wire, going = Wire(port), set[asyncio.Task[None]]()

    async def once(due: float) -> None:
        path, says = chance.choice(asked)
        status, body = await wire.send("GET", path, ("Accept-Encoding: gzip",))
        if due >= began + seconds * WARM:
            found.seconds.append(time.monotonic() - due)
        found.statuses[status] += 1
        page = gzip.decompress(body) if body.startswith(PACKED) else body
        found.unlike += status == 200 and says.encode() not in page

    due = began = time.monotonic()
    while (due := due + chance.expovariate(rate)) < began + seconds:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.create_task(once(due))
        going.add(task)
        task.add_done_callback(going.discard)
    await asyncio.gather(*going)
    wire.close()
