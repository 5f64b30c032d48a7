"""What must hold of a broker while and after somebody is hostile to it; starts no hostility."""

from __future__ import annotations

import re
import select
import socket
import sys
import time
from pathlib import Path
from typing import Final, Self

from tests.broker import stranger
from tests.scenarios.ordinary import OrdinaryPair
from tests.scenarios.rawpeer import PATIENCE_S, Company
from zchat.testing.process import BrokerProcess

__all__ = ["Siege", "until_closed"]

MIB: Final = 2**20

GROWTH_MIB: Final = 96
"""What one hostile peer may cost: SNDHWM × 64 KiB, 64 MiB, is the stated budget of one reader;
the allocator needs half as much again."""
WORST_MS: Final = 1_000
"""The 99th percentile of the others: a person's patience. They share two cores with the hostile
peer itself, and each line waits for an fsync."""


class Siege:
    """A broker and the pair that talks through it."""

    def __init__(self, broker: BrokerProcess) -> None:
        self.broker = broker
        self.growth_mib = GROWTH_MIB
        """How much the broker's memory may grow until `end`; a test that needs more says why."""
        self._pair = OrdinaryPair(broker.address)
        self._pid = broker.pid
        self._before = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pair.close()

    def port(self, kind: str) -> int:
        """Where a peer with this kind of socket connects."""
        endpoint = self.broker.address if kind == "DEALER" else self.broker.publishes_at
        return int(endpoint.rpartition(":")[2])

    def meet(self, kind: str) -> socket.socket:
        """A stranger past the handshake.

        What the last owner of its descriptor left unread may be laid to it: then it comes again.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return stranger.meet(self.port(kind), Socket_Type=kind.encode())
            except ConnectionError:
                assert time.monotonic() < deadline, "nobody is let in"

    def begin(self) -> None:
        """Measure from here."""
        self.growth_mib = GROWTH_MIB
        self._pair.round_trips_ms()
        if sys.platform == "linux":
            Path(f"/proc/{self._pid}/clear_refs").write_text("5")  # proc(5): the peak begins anew
        self._before = self._memory("VmRSS")

    def end(self) -> dict[str, float]:
        """The figures since `begin`. Fails where the broker did not keep its promises."""
        figures = sorted(self._pair.round_trips_ms())
        p99 = figures[min(len(figures) - 1, len(figures) * 99 // 100)]
        grown = (self._memory("VmHWM") - self._before) / MIB
        assert self.broker.alive
        assert self.broker.pid == self._pid
        assert "Traceback" not in self.broker.log
        assert p99 < WORST_MS, f"of {len(figures)} lines of the others, the worst: {figures[-5:]}"
        assert grown < self.growth_mib, f"the broker grew by {grown:.0f} MiB"
        with Company(self.broker.address) as company:
            newcomer = company.arrive(None, "lobby")
            assert newcomer.ask("ping")["heads"].keys() == {"@", "lobby"}
            newcomer.ask("bye")
        return {
            "lines": len(figures),
            "median_ms": figures[len(figures) // 2],
            "p99_ms": p99,
            "worst_ms": figures[-1],
            "grown_mib": round(grown, 1),
        }

    def _memory(self, what: str) -> int:
        if sys.platform != "linux":
            return 0
        status = Path(f"/proc/{self._pid}/status").read_text()
        found = re.search(rf"{what}:\s+(\d+) kB", status)
        assert found is not None
        return int(found[1]) * 1024


def until_closed(stream: socket.socket, flood: bytes = b"") -> bytes:
    """All that a stranger gets until its connection is closed. Fails if it is not.

    It pours in ``flood`` meanwhile, over and over.
    """
    stream.setblocking(False)
    poller = select.poll()
    poller.register(stream, select.POLLIN | (select.POLLOUT if flood else 0))
    got, sent, deadline = b"", 0, time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        poller.poll(int(PATIENCE_S * 1000))
        try:
            if flood:
                sent = (sent + stream.send(memoryview(flood)[sent:])) % len(flood)
        except BlockingIOError:
            pass
        except OSError:
            return got
        try:
            piece = stream.recv(65_536)
        except BlockingIOError:
            continue
        except OSError:
            return got
        if not piece:
            return got
        got += piece
    raise AssertionError("the broker did not close it")
