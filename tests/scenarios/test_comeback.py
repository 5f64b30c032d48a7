"""P8: everybody comes back by themselves after a restart, not all at once, and misses nothing."""

from __future__ import annotations

import asyncio
import logging
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from tests.scenarios.crowd import Crowd, kept
from zchat.broker.sockets import raise_file_limit
from zchat.client.events import Connected, Disconnected
from zchat.testing.process import BrokerProcess, running_broker

log = logging.getLogger("comeback")

ROOM: Final = "hall"
RETRY_MS: Final = 2_000
FIRST_MS: Final = 100
"""The first wait after a broken connection is at most this (docs/protocol.md, section 1)."""
FILES: Final = 10
"""Of one client: a descriptor a socket, and two connections."""
SPEAKERS: Final = 50


@pytest.fixture
def many_files(size: int) -> None:
    """Files for so many clients."""
    if raise_file_limit() < (files := size * FILES + 200):
        lacks = pytest.fail if os.environ.get("CI") else pytest.skip
        lacks(f"a process may not open {files} files here")


def assert_spread(waits: Iterable[int], low: int, high: int) -> None:
    """A tenth at least in each quarter of the interval: so many at once would be 5 sigma off."""
    quarters = Counter((wait - low) * 4 // (high - low + 1) for wait in waits)
    assert quarters.keys() == {0, 1, 2, 3}, quarters
    assert min(quarters.values()) >= quarters.total() / 10, quarters


def fetched(crowd: Crowd) -> list[int]:
    """Member by member, how many events no publication brought."""
    return [member.chat._session.streams.repaired for member in crowd.members]


async def restart(crowd: Crowd, broker: BrokerProcess, why: str) -> int:
    """Start it again while some have things to say; how many were not there when all was said."""
    before = fetched(crowd)
    async with asyncio.TaskGroup() as tasks:
        for n, member in enumerate(crowd.members[:SPEAKERS]):
            tasks.create_task(member.says(ROOM, f"{n} says after {why}"))
        await asyncio.to_thread(broker.restart)
    await crowd.until(lambda: crowd.connected == len(crowd.members))
    await crowd.last_words()
    return sum(now > then for now, then in zip(fetched(crowd), before, strict=True))


async def come_back(broker: BrokerProcess, size: int) -> None:
    async with Crowd.at(broker.address, size, [ROOM]) as crowd:

        async def all_told(times: int) -> list[Disconnected]:
            def told(member: int) -> list[Disconnected]:
                links = crowd.members[member].links
                return [each for each in links if isinstance(each, Disconnected)]

            await crowd.until(lambda: all(len(told(n)) == times for n in range(size)))
            return [told(n)[-1] for n in range(size)]

        assert await asyncio.to_thread(broker.stop) == 0
        told = await all_told(1)
        assert {each.reason for each in told} == {
            f"this broker is stopping; come back in {RETRY_MS} ms"
        }
        assert_spread((each.retry_in_ms for each in told), RETRY_MS, 2 * RETRY_MS)
        after_stop = await restart(crowd, broker, "a stop")

        await asyncio.to_thread(broker.kill)
        told = await all_told(2)
        assert_spread((each.retry_in_ms for each in told), 0, FIRST_MS)
        after_kill = await restart(crowd, broker, "a kill")

        said = await asyncio.to_thread(kept, broker.data, crowd)
        assert said == crowd.asked == crowd.answered
        assert after_stop
        assert after_kill
        for member in crowd.members:
            resumed = [each.resumed for each in member.links if isinstance(each, Connected)]
            assert resumed == [False, True, True]
    log.info(
        "%d clients, %d messages; had to fetch: %d after SIGTERM, %d after kill -9",
        size, said, after_stop, after_kill,
    )  # fmt: skip


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize(
    "size", [200, pytest.param(1_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
def test_everybody_comes_back_and_misses_nothing(tmp_path: Path, size: int) -> None:
    """A restart would empty the rooms, or be a stampede, or cost what was said meanwhile."""
    env = {
        "ZCHAT_RETRY_MS": str(RETRY_MS),
        "ZCHAT_GRACE_MS": "120000",
        "ZCHAT_SESSIONS_PER_ADDRESS": str(2 * size),
    }
    with running_broker(tmp_path, env=env) as broker:
        asyncio.run(come_back(broker, size))
        assert "Traceback" not in broker.log
