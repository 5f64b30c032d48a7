"""P8, P1: SIGTERM under load ends the broker well, and costs nobody a message."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.scenarios.crowd import Crowd, kept, messages
from zchat.client.events import Disconnected
from zchat.testing.process import BrokerProcess, running_broker

log = logging.getLogger("drain")

STOPS: Final = 3


async def stopped_under_load(broker: BrokerProcess, with_signal: signal.Signals) -> None:
    dice = Random(with_signal)
    exits, in_flight = [], []
    async with Crowd.at(broker.address, 5) as crowd:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(crowd.talk(dice, 8))
            for _ in range(STOPS):
                await crowd.until(lambda: crowd.connected == len(crowd.members))
                await crowd.until_answered(dice.randint(50, 200))
                known = crowd.acknowledged
                in_flight.append(crowd.unanswered)
                exits.append(await asyncio.to_thread(broker.stop, with_signal))
                journalled = await asyncio.to_thread(messages, broker.data)
                assert known.items() <= {each.text: each.position for each in journalled}.items()
                await asyncio.to_thread(broker.restart)
            crowd.hush()
        await crowd.last_words()
        said = await asyncio.to_thread(kept, broker.data, crowd)
        assert said == crowd.asked == crowd.answered
    assert exits == [0] * STOPS
    assert all(in_flight), "nothing was under way"
    for member in crowd.members:
        told = [each.reason for each in member.links if isinstance(each, Disconnected)]
        assert told == ["this broker is stopping; come back in 100 ms"] * STOPS
    log.info("%d messages, in flight at each stop: %s", said, in_flight)


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_a_broker_that_is_asked_to_stop_tells_everybody_and_loses_nothing(
    tmp_path: Path, with_signal: signal.Signals
) -> None:
    """An upgrade would lose what people were just saying, or leave them to guess."""
    with running_broker(tmp_path, env={"ZCHAT_RETRY_MS": "100"}) as broker:
        asyncio.run(stopped_under_load(broker, with_signal))
        assert "Traceback" not in broker.log
