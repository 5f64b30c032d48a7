"""Two ordinary people who talk on while others are hostile, in a process of their own.

As a program, ``python -m tests.scenarios.ordinary ADDRESS``: alice and bob say a line to each
other in turn, and whisper every tenth. For each line on stdin it prints, as a line of
milliseconds, how long every one since then took from its saying to its hearing.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import zmq

from tests.scenarios.rawpeer import Company

__all__ = ["NICKS", "ROOM", "OrdinaryPair"]

NICKS: Final = ("ordinary-alice", "ordinary-bob")
ROOM: Final = "ordinary"
PAUSE_MS: Final = 5
"""Between two lines: about a hundred a second, which a session may say without waiting."""


class OrdinaryPair:
    """The process that talks; each question has the figures since the last."""

    def __init__(self, address: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.ordinary", address],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.round_trips_ms()

    def round_trips_ms(self) -> list[float]:
        """How long each line since the last question took, at least one. Fails if they stopped."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().split()
        assert answer, f"the pair gave up, exit code {self._process.wait()}"
        return [float(figure) for figure in answer]

    def close(self) -> None:
        """They go."""
        assert self._process.stdout is not None
        self._process.kill()
        self._process.communicate()


def talk(address: str) -> None:
    """Talk until stdin ends."""
    with Company(address) as company:
        pair = [company.arrive(nick, ROOM) for nick in NICKS]
        asked = zmq.Poller()
        asked.register(sys.stdin, zmq.POLLIN)
        figures: list[float] = []
        count = 0
        while True:
            speaker, listener = pair[count % 2], pair[(count + 1) % 2]
            count += 1
            text = f"line {count}"
            start = time.perf_counter()
            if count % 10:
                speaker.say(ROOM, text)
            else:
                speaker.ask("whisper", nick=NICKS[count % 2], text=text)
            listener.hears(text)
            figures.append((time.perf_counter() - start) * 1000)
            for peer in pair:
                peer.heard.clear()
            if asked.poll(PAUSE_MS):
                if not sys.stdin.readline():
                    return
                sys.stdout.write(" ".join(f"{figure:.2f}" for figure in figures) + "\n")
                sys.stdout.flush()
                figures.clear()


if __name__ == "__main__":
    talk(sys.argv[1])
