"""Bounds what an unfinished message may make the broker hold; never looks at a whole one.

libzmq keeps the parts of a multipart message until the last has come, and neither its limit
on a frame nor its high-water mark counts them. What the kernel received on a connection and
libzmq has not handed to us is held for that connection.
"""

from __future__ import annotations

import os
from typing import Final

import zmq

from zchat.broker.connections import Connection, Connections, Side
from zchat.broker.descriptors import COUNTS_RECEIVED, received, unread

__all__ = ["Guard"]

_SLICE: Final = 32  # connections a check looks at besides: 0.1 ms
_HANDSHAKE: Final = 1_024  # bytes of greeting, mechanism and metadata, with room
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Guard:
    """Shuts connections that hold an unfinished message over the limit.

    Does nothing where ``available`` is false: only Linux counts what a connection received.
    """

    def __init__(self, connections: Connections) -> None:
        settings = connections.settings
        self._connections = connections
        self._limit = settings.max_unfinished_bytes
        self._heartbeats = 2 * (16 + 66 * settings.curve) / settings.heartbeat_interval_ms
        """Bytes a ms that an honest peer sends beside messages: a PING and a PONG in each
        interval, and as much again for one that asks twice as often."""
        self._waiting = {
            connections.requesters: settings.router_receive_hwm * settings.max_request_bytes,
            connections.subscribers: (
                settings.publisher_receive_hwm * settings.max_subscription_bytes
            ),
        }
        self._suspects: list[tuple[Side, Connection]] = []
        self._round: list[tuple[Side, Connection]] = []
        self._next_round_ms = 0
        self.available = COUNTS_RECEIVED
        self.shut = 0
        """Connections it has ended."""
        self._statm = os.open("/proc/self/statm", os.O_RDONLY) if self.available else -1
        self._seen = self._resident() if self.available else 0

    def close(self) -> None:
        """Let go of what it reads the process's memory from."""
        if self.available:
            self.available = False
            os.close(self._statm)

    def check(self, now_ms: int) -> None:
        """Look at this process's memory, and at connections where it has grown.

        Call it in every turn and at least every 50 ms while bytes may come; ``now_ms`` is
        monotonic. At rest it costs one read of 1.4 µs.
        """
        if not self.available:
            return
        resident = self._resident()
        if resident > self._seen + self._connections.settings.guard_growth_bytes:
            self._seen = resident
            due = self._everybody()
        else:
            self._seen = min(self._seen, resident)
            due = self._suspects + self._next(now_ms)
        self._suspects = [one for one in due if self._examine(*one, now_ms)]

    def _next(self, now_ms: int) -> list[tuple[Side, Connection]]:
        if not self._round and now_ms >= self._next_round_ms:
            self._next_round_ms = now_ms + self._connections.settings.guard_round_ms
            self._round = self._everybody()
        due, self._round = self._round[-_SLICE:], self._round[:-_SLICE]
        return due

    def _everybody(self) -> list[tuple[Side, Connection]]:
        return [(side, one) for side in self._waiting for one in side.by_fd.values()]

    def _examine(self, side: Side, connection: Connection, now_ms: int) -> bool:
        """Shut the connection if it is over the limit; whether to look again, soon."""
        if connection.shut or side.by_fd.get(connection.fd) is not connection:
            return False
        allowed = self._limit + _HANDSHAKE
        allowed += int((now_ms - connection.since_ms) * self._heartbeats)
        held = received(connection.fd) - connection.delivered - allowed
        if held <= 0:
            return False
        held -= unread(connection.fd)
        # Whole messages that wait for us are no fault: there are none if the socket is empty.
        if held > self._waiting[side] or (held > 0 and not _readable(side.socket)):
            self._connections.shut(connection)
            self.shut += 1
            return False
        return True

    def _resident(self) -> int:
        return int(os.pread(self._statm, 64, 0).split()[1]) * _PAGE


def _readable(socket: zmq.Socket[bytes]) -> bool:
    return bool(int(socket.get(zmq.EVENTS)) & zmq.POLLIN)
