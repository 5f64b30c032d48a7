"""Reads who wants to hear what, and grants it for living topics alone.

This is hygiene, so that nobody draws traffic that is not theirs; the lock is the seal of a
publication. In manual mode libzmq 4.3.5 grants to whoever sent the frame read last, and
pairs the two wrongly after an upstream frame that is no subscription, until it has run empty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import zmq

from zchat.broker.connections import Connection, Connections

__all__ = ["Subscriptions"]

_NOBLOCK: Final = zmq.NOBLOCK.value
_CANCEL, _SUBSCRIBE = b"\0", b"\1"


class Subscriptions:
    """What subscribers ask of the XPUB.

    ``living`` says whether a topic is in use; it must not touch the XPUB.
    """

    def __init__(self, connections: Connections, living: Callable[[int], bool]) -> None:
        self._socket = connections.subscribers.socket
        self._connections = connections
        self._living = living
        self._paired = True
        self.empty = True
        """Whether the last `drain` left nothing behind."""
        self.granted = 0
        self.refused = 0
        """Subscriptions to what is no living topic; nothing comes of them."""
        self.mispaired = 0
        """Frames not acted on because libzmq would have acted on somebody else."""

    def drain(self, limit: int = 1_000) -> set[int]:
        """The topics granted now, from at most ``limit`` frames. Never blocks.

        Whoever asked may have missed what was published meanwhile: publish the topic's head.
        """
        topics: set[int] = set()
        receive = self._socket.recv
        self.empty = False
        for _ in range(limit):
            try:
                frame = receive(_NOBLOCK, copy=False)
            except zmq.Again:
                self.empty = self._paired = True
                break
            connection, data = self._sender(frame), frame.bytes
            if connection is None:
                self._paired = self._paired and data[:1] in (_CANCEL, _SUBSCRIBE)
                continue
            self._connections.delivered(connection, len(data))
            topic = self._act(connection, data)
            if topic is not None:
                topics.add(topic)
        return topics

    def _sender(self, frame: zmq.Frame) -> Connection | None:
        try:
            fd = int(frame.get(zmq.SRCFD))
        except zmq.ZMQError:
            # libzmq's own, that cancels what somebody had who left; or by ZMTP 1.0 or 2.0.
            return None
        return self._connections.subscriber(fd)

    def _act(self, connection: Connection, data: bytes) -> int | None:
        """Obey one frame; the topic if it granted one."""
        kind, topic = data[:1], data[1:]
        if kind not in (_CANCEL, _SUBSCRIBE):
            self._paired = False
            self._junk(connection)
            return None
        connection.subscriptions += 1
        if connection.subscriptions > self._connections.settings.max_subscriptions:
            self._connections.shut(connection)
        if len(topic) != 4:
            self.refused += 1
            self._junk(connection)
        elif not self._paired:
            self.mispaired += 1
            # A subscription lost in silence would be a deaf reader: this one comes back.
            self._connections.shut(connection)
        elif kind == _CANCEL:
            self._socket.set(zmq.UNSUBSCRIBE, topic)
        elif connection.shut or not self._living(int.from_bytes(topic, "big")):
            self.refused += 1
        else:
            self._socket.set(zmq.SUBSCRIBE, topic)
            self.granted += 1
            return int.from_bytes(topic, "big")
        return None

    def _junk(self, connection: Connection) -> None:
        connection.junk += 1
        if connection.junk >= self._connections.settings.max_junk:
            self._connections.shut(connection)
