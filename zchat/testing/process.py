"""A real ``zchat broker`` in a process of its own, for tests that kill it. It knows no test runner.

::

    with running_broker(tmp_path) as broker:
        …  # zchat.connect(broker.address)
        broker.kill()
        broker.restart()
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

__all__ = ["BrokerProcess", "running_broker"]

DEADLINE_S: Final = 30.0
"""How long a start or a stop may take on a busy machine before it has failed."""

_READY: Final = re.compile(r"listening on (\S+), publishing on (\S+)\n")


class BrokerProcess:
    """One broker on its data folder, over several lives; each life is a process."""

    def __init__(
        self, data: Path, args: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> None:
        """Start it. Raises `RuntimeError` with what it said where it does not come up."""
        self.data = data
        """Its data folder."""
        self.address = "tcp://127.0.0.1:0"
        """Where it answers requests; a restart keeps it."""
        self.publishes_at = "tcp://127.0.0.1:0"
        """Where its publications go out; a restart keeps it."""
        self._args = tuple(args)
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("ZCHAT_")}
        self._env |= env or {}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the broker
        try:
            self._process = self._start()
        except BaseException:
            self._log.close()
            raise

    @property
    def pid(self) -> int:
        """The number of the present process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has said on stderr, in all its lives."""
        end = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), end, 0).decode()

    def kill(self) -> None:
        """End it at once, as ``kill -9``, and wait until it is gone."""
        self._process.kill()
        self._reap()

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and wait; its exit code."""
        self._process.send_signal(with_signal)
        return self._reap()

    def restart(self) -> None:
        """Start it again at the same addresses; one that still runs is killed first."""
        if self.alive:
            self.kill()
        self._process = self._start()

    def close(self) -> None:
        """End it, if it still runs, and forget its log."""
        if self.alive:
            self.kill()
        self._log.close()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "zchat", "broker", "--data", str(self.data),
                "--bind", self.address, "--publish", self.publishes_at, *self._args,
            ],
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )  # fmt: skip
        try:
            self.address, self.publishes_at = self._ready(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            assert process.stdout is not None
            process.stdout.close()
        return process

    def _ready(self, process: subprocess.Popen[bytes]) -> tuple[str, str]:
        """The addresses it says it listens on."""
        assert process.stdout is not None
        said, deadline = "", time.monotonic() + DEADLINE_S
        output = select.poll()  # select() knows no descriptor from 1,024
        output.register(process.stdout, select.POLLIN)
        while (ready := _READY.search(said)) is None:
            left = deadline - time.monotonic()
            readable = output.poll(max(0.0, left * 1000))
            piece = os.read(process.stdout.fileno(), 4096) if readable else b""
            if not piece:
                raise RuntimeError(f"the broker does not come up: {said}{self.log}")
            said += piece.decode()
        return ready[1], ready[2]

    def _reap(self) -> int:
        return self._process.wait(DEADLINE_S)


@contextmanager
def running_broker(
    data: Path, *, args: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> Iterator[BrokerProcess]:
    """A broker on free loopback ports with its journal in ``data``; killed at the end.

    ``args`` are further arguments of ``zchat broker``; ``env`` is laid over this process's
    environment without its ``ZCHAT_…`` variables. Raises `RuntimeError` with what the
    broker said where it does not come up.
    """
    broker = BrokerProcess(data, args, env)
    try:
        yield broker
    finally:
        broker.close()
