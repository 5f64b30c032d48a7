"""A reader in a process of its own, so that it can be stopped: ``python -m … ADDRESS ROOM``.

It enters the room and says so on stdout; when somebody says ``LAST`` there, it prints as JSON
what it heard, and how much of that it had to fetch because no publication brought it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import zchat
from zchat.protocol.events import Posted

__all__ = ["LAST", "Heard", "ReaderProcess"]

LAST: Final = "that is all"


class Heard(NamedTuple):
    """What the reader had in the end."""

    positions: list[int]
    """Of every message it was given, in that order."""
    fetched: int
    """How many events it missed and fetched."""
    disconnected: int
    """How often it lost its connection."""


class ReaderProcess:
    """One that has entered the room when this is made, and reads on."""

    def __init__(self, address: str, room: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.reader", address, room],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "here\n"

    def stop(self) -> None:
        """Stop it where it stands; its sockets fill up."""
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """It reads on as if nothing had been."""
        self._process.send_signal(signal.SIGCONT)

    def heard(self) -> Heard:
        """Wait until it has heard `LAST`."""
        assert self._process.stdout is not None
        return Heard(**json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


async def read(address: str, room: str) -> Heard:
    """Read the room until somebody says `LAST`."""
    positions: list[int] = []
    disconnected = 0
    async with zchat.connect(address, nick="reader", rooms=[room]) as chat:
        sys.stdout.write("here\n")
        sys.stdout.flush()
        async for event in chat.events():
            disconnected += isinstance(event, zchat.Disconnected)
            assert not isinstance(event, zchat.Gap | zchat.SessionLost | zchat.RoomLost)
            if isinstance(event, Posted):
                positions.append(event.position)
                if event.text == LAST:
                    break
        return Heard(positions, chat._session.streams.repaired, disconnected)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(read(*sys.argv[1:]))._asdict()) + "\n")
