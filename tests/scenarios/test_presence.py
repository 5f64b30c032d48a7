"""A client whose process dies is seen to be away at once, and gone when its grace is over."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import pytest

from tests.scenarios.crowd import Crowd
from zchat.protocol.events import Event, Joined, SessionEnded, WentAway
from zchat.testing.process import BrokerProcess, running_broker

log = logging.getLogger("presence")

GRACE_MS: Final = 1_500
ROOM: Final = "den"


class ClientProcess:
    """``zchat client`` as a user runs it; killed at the end if not before."""

    def __init__(self, address: str, nick: str) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable, "-m", "zchat", "client", "--plain",
                "--connect", address, "--nick", nick, "--room", ROOM,
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


async def told(crowd: Crowd, kind: type[Event], nicks: list[str]) -> float:
    """Wait until this was heard of each of them; the time of it (s). Fails if it was said twice."""
    watcher = crowd.members[0]

    def heard() -> list[str]:
        found = (each.nick for each in watcher.events if type(each) is kind)
        return sorted(nick for nick in found if nick != watcher.chat.nick)

    await crowd.until(lambda: set(heard()) == set(nicks))
    now = time.monotonic()
    assert heard() == nicks
    return now


async def killed_clients(broker: BrokerProcess, nicks: list[str], undo: ExitStack) -> None:
    async with Crowd.at(broker.address, 1, [ROOM]) as crowd:
        watcher = crowd.members[0].chat
        victims = [undo.enter_context(closing(ClientProcess(broker.address, n))) for n in nicks]
        await told(crowd, Joined, nicks)
        killed = time.monotonic()
        for victim in victims:
            victim.kill()
        away = await told(crowd, WentAway, nicks) - killed
        gone = await told(crowd, SessionEnded, nicks) - killed
        reasons = {e.reason for e in crowd.members[0].events if isinstance(e, SessionEnded)}
        listed = {person.nick for person in await watcher.list_users(ROOM)}
    log.info("%d killed: away after %.3f s, gone after %.3f s", len(nicks), away, gone)
    assert away < 1
    assert GRACE_MS <= gone * 1000 < GRACE_MS + 1_000
    assert reasons == {"lost"}
    assert listed == {watcher.nick}


@pytest.mark.parametrize("number", [1, 8])
def test_a_killed_client_is_away_within_a_second_and_gone_after_its_grace(
    tmp_path: Path, number: int
) -> None:
    """People would talk to somebody who is not there; or lose their seat while a laptop dozes."""
    nicks = [f"victim-{n}" for n in range(number)]
    env = {"ZCHAT_GRACE_MS": str(GRACE_MS)}
    with running_broker(tmp_path, env=env) as broker, ExitStack() as undo:
        asyncio.run(killed_clients(broker, nicks, undo))
