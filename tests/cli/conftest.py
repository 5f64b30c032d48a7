"""Real processes: a broker to talk to, and the command line as a user has it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, TypeAlias

import pytest

from zchat.testing.process import BrokerProcess, running_broker

DEADLINE_S = 30.0

Done: TypeAlias = "subprocess.CompletedProcess[str]"


def environment(address: str = "", **more: str) -> dict[str, str]:
    """This environment without settings of its own, and where the broker is."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("ZCHAT_")}
    env |= {"TZ": "UTC", "TERM": "xterm", "PYTHONWARNINGS": "error"}
    return env | ({"ZCHAT_CONNECT": address} if address else {}) | more


def zchat(*args: str, to: str = "", stdin: str = "", **env: str) -> Done:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "zchat", *args],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=environment(to, **env),
    )


def objects(done: Done) -> list[dict[str, Any]]:
    """What a command printed with ``--json``."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


class Talker:
    """A command that goes on: it is written to, and what it prints is waited for."""

    def __init__(self, *args: str, to: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "zchat", *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(to),
        )
        self.printed = ""

    @property
    def pid(self) -> int:
        return self._process.pid

    def type(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    def wait_for(self, text: str) -> None:
        """Until it has printed this. Fails with what it printed instead."""
        deadline = time.monotonic() + DEADLINE_S
        while text not in self.printed:
            assert self._read(deadline), f"{text!r} did not come:\n{self.printed}"

    def end(self) -> int:
        """Close its stdin, read the rest, and wait; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self.wait()

    def wait(self) -> int:
        deadline = time.monotonic() + DEADLINE_S
        while self._read(deadline):
            pass
        return self._process.wait(DEADLINE_S)

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            with suppress(BrokenPipeError):  # it died with our last line unread
                stream.close()

    def _read(self, deadline: float) -> bool:
        stdout = self._process.stdout
        assert stdout is not None
        readable, _, _ = select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(stdout.fileno(), 65_536) if readable else b""
        self.printed += piece.decode()
        return bool(piece)


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrokerProcess]:
    """One for all tests of a module: each uses rooms and nicks of its own."""
    with running_broker(tmp_path_factory.mktemp("broker") / "data") as running:
        yield running


@pytest.fixture
def talker(broker: BrokerProcess) -> Iterator[Callable[..., Talker]]:
    started: list[Talker] = []

    def start(*args: str, to: str = broker.address) -> Talker:
        started.append(Talker(*args, to=to))
        return started[-1]

    yield start
    for each in started:
        each.close()
