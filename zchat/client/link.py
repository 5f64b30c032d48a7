"""The two sockets of one connection, moved without waiting. No protocol: frames in, frames out.

It reconnects nothing. When either connection is lost, `broken` says so, and whoever holds
the link makes another (docs/protocol.md, section 1).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from functools import cache
from struct import unpack_from
from typing import Final

import zmq

__all__ = ["Link", "shared_context"]

MAX_FRAME_BYTES: Final = 1 << 20
"""Longest frame taken from a broker: pages and publications are 64 KiB."""
UNSENT: Final = 1_000
"""Frames that may wait in the DEALER (its high-water mark); the rest waits in the session."""
UNREAD: Final = 10_000
"""Publications that may wait in the SUB; beyond, they are dropped and fetched again."""
NEVER_MS: Final = 2**31 - 1
"""When libzmq reconnects by itself: a new connection needs a new hello first. Not -1, with which
libzmq 4.3.5 drops what has arrived and is unread when a connection ends: a last notice."""
HEARTBEAT_MS: Final = 10_000
"""ZMTP heartbeats: how a connection that is silently dead is found out."""

_NOBLOCK: Final = zmq.NOBLOCK.value
_ENDS: Final = (
    zmq.EVENT_DISCONNECTED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
)


@cache
def shared_context() -> zmq.Context[zmq.Socket[bytes]]:
    """The context of every chat in this process: one I/O thread, and as many sockets as there may be.

    libzmq allows a context 1,023 sockets unless told otherwise; a chat takes four.
    """
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.set(zmq.MAX_SOCKETS, context.get(zmq.SOCKET_LIMIT))
    return context


class Link:
    """A DEALER to ``endpoint`` and, once `listen` was called, a SUB.

    ``wake`` is called in the running loop when there may be something to do.
    """

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, wake: Callable[[], None]
    ) -> None:
        self.broken = False
        """Whether a connection ended, or never began."""
        self._context = context
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._watched: list[zmq.Socket[bytes]] = []
        self._monitors: list[zmq.Socket[bytes]] = []
        self._sub: zmq.Socket[bytes] | None = None
        self._unsent: list[bytes] = []
        self._dealer = self._open(zmq.DEALER, endpoint)

    def _open(self, kind: int, endpoint: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.set(zmq.LINGER, 0)
        socket.set(zmq.IPV6, int("[" in endpoint))
        socket.set(zmq.RECONNECT_IVL, NEVER_MS)
        socket.set(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
        socket.set(zmq.SNDHWM, UNSENT)
        socket.set(zmq.RCVHWM, UNREAD)
        socket.set(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
        socket.set(zmq.HEARTBEAT_TIMEOUT, 2 * HEARTBEAT_MS)
        monitor = socket.get_monitor_socket(_ENDS)
        self._monitors.append(monitor)
        for each in (socket, monitor):
            self._watched.append(each)
            self._loop.add_reader(each, self._wake)
        try:
            socket.connect(endpoint)
        except zmq.ZMQError:
            self.broken = True
        return socket

    def listen(self, endpoint: str) -> None:
        """Connect the SUB to where the broker publishes."""
        if self._sub is None:
            self._sub = self._open(zmq.SUB, endpoint)

    def subscribe(self, subscriptions: Iterable[tuple[bool, bytes]]) -> None:
        """Subscribe to prefixes, or no longer. `listen` came before."""
        for wanted, prefix in subscriptions:
            assert self._sub is not None
            self._sub.set(zmq.SUBSCRIBE if wanted else zmq.UNSUBSCRIBE, prefix)

    def send(self, frames: Iterable[bytes]) -> None:
        """Send frames, in order; what does not fit now goes with a later call."""
        self._unsent += frames
        sent = 0
        with contextlib.suppress(zmq.Again):
            for frame in self._unsent:
                self._dealer.send(frame, _NOBLOCK)
                sent += 1
        del self._unsent[:sent]

    def replies(self, most: int) -> list[bytes]:
        """Up to ``most`` frames from the DEALER."""
        return self._receive(self._dealer, most)

    def publications(self, most: int) -> list[bytes]:
        """Up to ``most`` frames from the SUB."""
        return [] if self._sub is None else self._receive(self._sub, most)

    def poll(self, *, publications: bool) -> bool:
        """Whether there is something to do: to read, to send what did not fit, or an end seen.

        Publications count only where they are wanted. To be asked before waiting: ZeroMQ's
        descriptors are edge-triggered, and asking every socket re-arms them.
        """
        for monitor in self._monitors:
            with contextlib.suppress(zmq.Again):
                while True:
                    (event,) = unpack_from("=H", monitor.recv(_NOBLOCK))
                    monitor.recv()
                    self.broken = self.broken or bool(event & _ENDS)
        events = int(self._dealer.get(zmq.EVENTS))
        heard = self._sub is not None and bool(int(self._sub.get(zmq.EVENTS)) & zmq.POLLIN)
        return bool(
            self.broken
            or events & zmq.POLLIN
            or (self._unsent and events & zmq.POLLOUT)
            or (heard and publications)
        )

    def close(self) -> None:
        """Release both sockets; what was not sent is not sent."""
        for socket in self._watched:
            self._loop.remove_reader(socket)
        self._watched.clear()
        for each in (self._dealer, self._sub):
            if each is not None:
                each.disable_monitor()
                each.close()
        for monitor in self._monitors:
            monitor.close()

    def _receive(self, socket: zmq.Socket[bytes], most: int) -> list[bytes]:
        frames: list[bytes] = []
        with contextlib.suppress(zmq.Again):
            while len(frames) < most:
                frames.append(socket.recv(_NOBLOCK))
        return frames
