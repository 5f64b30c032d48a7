"""P1, P2: kill -9 at any moment loses nothing that was acknowledged, and doubles nothing."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.scenarios.crowd import Crowd, kept, messages
from zchat.testing.process import BrokerProcess, running_broker

log = logging.getLogger("kills")

MEMBERS: Final = 5
AT_ONCE: Final = 8


class Killer:
    """Who kills the broker, and what was under way each time."""

    def __init__(self, broker: BrokerProcess, crowd: Crowd, dice: Random) -> None:
        self.in_flight: list[int] = []
        """Messages without acknowledgement, kill by kill."""
        self.kept_unknown: list[int] = []
        """How many of them were in the journal already."""
        self._broker = broker
        self._crowd = crowd
        self._dice = dice

    async def strike(self) -> None:
        """Wait for some moment under load, kill the broker there, and start it again."""
        await self._moment()
        self.in_flight.append(self._crowd.unanswered)
        self._broker.kill()
        known = self._crowd.acknowledged
        journalled = await asyncio.to_thread(messages, self._broker.data)
        self.kept_unknown.append(sum(each.text not in known for each in journalled))
        await asyncio.to_thread(self._broker.restart)

    async def _moment(self) -> None:
        """So many messages further on, by the dice: begun, acknowledged or heard."""
        crowd, further = self._crowd, self._dice.randint(1, 150)
        match self._dice.randrange(3):
            case 0:
                goal = crowd.asked + further
                await crowd.until(lambda: crowd.asked >= goal)
            case 1:
                await crowd.until_answered(further)
            case _:
                goal = crowd.heard + MEMBERS * further
                await crowd.until(lambda: crowd.heard >= goal)


async def under_fire(broker: BrokerProcess, kills: int, seed: int) -> Killer:
    dice = Random(seed)
    async with Crowd.at(broker.address, MEMBERS) as crowd:
        killer = Killer(broker, crowd, dice)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(crowd.talk(dice, AT_ONCE))
            for _ in range(kills):
                await killer.strike()
            crowd.hush()
        await crowd.last_words()
        said = await asyncio.to_thread(kept, broker.data, crowd)
        assert said == crowd.asked == crowd.answered
    log.info(
        "%d kills (seed %d), %d messages; in flight at %d kills, %d at most; "
        "kept but not acknowledged at %d kills",
        kills, seed, said, sum(map(bool, killer.in_flight)), max(killer.in_flight),
        sum(map(bool, killer.kept_unknown)),
    )  # fmt: skip
    return killer


@pytest.mark.parametrize(
    ("kills", "seed"),
    [
        pytest.param(5, 1, id="5 kills"),
        pytest.param(60, 2, id="60 kills", marks=[pytest.mark.long, pytest.mark.timeout(900)]),
    ],
)
def test_what_was_acknowledged_survives_every_kill_once(
    tmp_path: Path, kills: int, seed: int
) -> None:
    """A message somebody saw as sent would be gone, or said twice, or heard out of order."""
    with running_broker(tmp_path, env={"ZCHAT_HEARTBEAT_MS": "2000"}) as broker:
        killer = asyncio.run(under_fire(broker, kills, seed))
        assert "Traceback" not in broker.log
    assert sum(map(bool, killer.in_flight)) >= 0.4 * kills, "the moments were too quiet to tell"
