"""P1 on a full disk: what cannot be kept is refused and tried again; nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.scenarios.crowd import Crowd, kept
from tests.scenarios.full_disk import Quota, SmallDisk, Storage
from tests.scenarios.rawpeer import Company
from zchat.protocol.events import Posted
from zchat.testing.process import BrokerProcess, running_broker

ROOM: Final = "attic"
MANY: Final = 40


@pytest.fixture(params=[SmallDisk, Quota])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    try:
        storage: Storage = request.param(tmp_path)
    except OSError as error:
        pytest.skip(f"{request.param.__name__}: {error}")
    with closing(storage):
        yield storage


def refusal(broker: BrokerProcess) -> str:
    """With which code a stranger's first request is refused, who may try again when told."""
    with Company(broker.address) as company:
        return company.connect().refused("hello", protocol=1, token=bytes(32))


async def filled(broker: BrokerProcess, storage: Storage, crowd: Crowd) -> list[str]:
    """Talk until the disk is full; what was said."""
    texts = [f"before {n}" for n in range(MANY)]
    for text in texts:
        await crowd.members[0].says(ROOM, text)
    storage.fill(broker)
    assert await asyncio.to_thread(refusal, broker) == "storage-full"
    return texts


async def all_kept(broker: BrokerProcess, crowd: Crowd) -> None:
    await crowd.last_words()
    said = await asyncio.to_thread(kept, broker.data, crowd)
    assert said == crowd.asked == crowd.answered


async def talking_on(broker: BrokerProcess, storage: Storage) -> None:
    async with Crowd.at(broker.address, 2, [ROOM]) as crowd:
        before = await filled(broker, storage, crowd)
        async with asyncio.TaskGroup() as tasks:
            for member in crowd.members:
                for n in range(MANY):
                    tasks.create_task(member.says(ROOM, f"{member.chat.nick} while full {n}"))
            await crowd.until(lambda: crowd.unanswered == 2 * MANY)
            page = await crowd.members[1].chat.history(ROOM)
            assert [each.text for each in page.events if isinstance(each, Posted)] == before
            assert crowd.unanswered == 2 * MANY
            assert broker.alive
            storage.make_room(broker)
        await all_kept(broker, crowd)
        await asyncio.to_thread(broker.restart)
        await all_kept(broker, crowd)


def test_what_is_said_while_the_disk_is_full_is_kept_when_it_has_room(storage: Storage) -> None:
    """A full disk would end the broker, or lose what it refused, or keep it twice."""
    with running_broker(storage.folder, env={"ZCHAT_RETRY_MS": "100"}) as broker:
        asyncio.run(talking_on(broker, storage))
        assert "the disk takes no more" in broker.log
        assert "Traceback" not in broker.log


async def ending(broker: BrokerProcess, storage: Storage, end: signal.Signals) -> None:
    async with Crowd.at(broker.address, 2, [ROOM]) as crowd:
        await filled(broker, storage, crowd)
        async with asyncio.TaskGroup() as tasks:
            for member in crowd.members:
                tasks.create_task(member.says(ROOM, f"{member.chat.nick} while full"))
            code = await asyncio.to_thread(broker.stop, end)
            assert code == (0 if end == signal.SIGTERM else -end)
            await asyncio.to_thread(broker.restart)
            storage.make_room(broker)
        await all_kept(broker, crowd)


@pytest.mark.parametrize("storage", [SmallDisk], indirect=True)
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_broker_ends_and_starts_on_a_full_disk(storage: Storage, end: signal.Signals) -> None:
    """Whoever finds the disk full, and starts the broker anew, would find it worse."""
    with running_broker(storage.folder, env={"ZCHAT_RETRY_MS": "100"}) as broker:
        asyncio.run(ending(broker, storage, end))
        assert "Traceback" not in broker.log
