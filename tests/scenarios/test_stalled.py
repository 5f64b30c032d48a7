"""P2, P5: a reader that is stopped misses thousands, then has every one; nobody else notices."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from tests.scenarios.crowd import Crowd, gathered, messages
from tests.scenarios.ordinary import OrdinaryPair
from tests.scenarios.reader import LAST, Heard, ReaderProcess
from zchat.protocol.events import Posted
from zchat.testing.process import BrokerProcess, running_broker

log = logging.getLogger("stalled")

ROOM: Final = "stage"
ROUND: Final = 5_000
LONG: Final = "." * 4_000
"""What the kernel keeps for a reader, some megabytes, must be a small part of what is said."""
GROWTH_MIB: Final = 32


class Round(NamedTuple):
    """What the others saw while somebody said `ROUND` long things."""

    p99_ms: float
    lines: int
    rss_mib: int


def rss_mib(broker: BrokerProcess) -> int:
    """The memory of the broker; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    status = Path(f"/proc/{broker.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) // 1024


async def flood(crowd: Crowd, pair: OrdinaryPair, broker: BrokerProcess, name: str) -> Round:
    """As fast as they are acknowledged, while the pair talks."""
    await asyncio.to_thread(pair.round_trips_ms)
    speaker = crowd.members[0]
    await gathered(speaker.says(ROOM, f"{name} {n} {LONG}") for n in range(ROUND))
    figures = sorted(await asyncio.to_thread(pair.round_trips_ms))
    return Round(figures[len(figures) * 99 // 100], len(figures), rss_mib(broker))


async def stalled(
    broker: BrokerProcess, reader: ReaderProcess, pair: OrdinaryPair
) -> tuple[Round, Round, Heard]:
    """A flood with the reader awake, one with it stopped, and what it had in the end."""
    async with Crowd.at(broker.address, 1, [ROOM]) as crowd:
        before = await flood(crowd, pair, broker, "before")
        reader.stop()
        during = await flood(crowd, pair, broker, "during")
        reader.go_on()
        await crowd.members[0].says(ROOM, LAST)
        return before, during, await asyncio.to_thread(reader.heard)


def test_a_stopped_reader_misses_thousands_and_then_has_every_one(tmp_path: Path) -> None:
    """A laptop that sleeps would lose what was said, or stop the talk of everybody else."""
    env = {"ZCHAT_PUBLISHER_HWM": "10", "ZCHAT_RATE": "100000", "ZCHAT_BURST": "100000"}
    with (
        running_broker(tmp_path, env=env) as broker,
        closing(ReaderProcess(broker.address, ROOM)) as reader,
        closing(OrdinaryPair(broker.address)) as pair,
    ):
        before, during, heard = asyncio.run(stalled(broker, reader, pair))
        assert "Traceback" not in broker.log
    log.info("before: %s; during: %s; fetched: %d", before, during, heard.fetched)
    said = messages(tmp_path)
    assert heard.positions == [e.position for e in said if isinstance(e, Posted) and e.room == ROOM]
    assert heard.fetched > 2_000
    assert not heard.disconnected
    assert during.p99_ms < 2 * before.p99_ms + 50
    assert during.rss_mib < before.rss_mib + GROWTH_MIB
