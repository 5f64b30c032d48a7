"""Reads requests off the ROUTER, a bounded number at a time; never looks inside one."""

from __future__ import annotations

from typing import Final

import zmq

from zchat.broker.connections import Connection, Connections

__all__ = ["Intake"]

_NOBLOCK: Final = zmq.NOBLOCK.value


class Intake:
    """What clients have sent. ROUTER takes from each in turn, so nobody is served first."""

    def __init__(self, connections: Connections) -> None:
        self._socket = connections.requesters.socket
        self._connections = connections
        self._skipping = False
        self.empty = True
        """Whether the last `drain` left nothing behind."""

    def drain(self, limit: int, limit_bytes: int = 2**18) -> list[tuple[bytes, bytes]]:
        """At most ``limit`` pairs of a routing id and one frame of requests. Never blocks.

        Takes no more once the frames are ``limit_bytes`` long together.
        A message of several frames is dropped and its connection closed; so is one that
        claims a routing id. What a connection sent before it left is dropped as well, and
        what came by a ZMTP older than 3.0.
        """
        arrived: list[tuple[bytes, bytes]] = []
        connections, receive = self._connections, self._socket.recv
        find, delivered = connections.find, connections.delivered
        taken = 0
        self.empty = False
        for _ in range(limit):
            if self._skipping:
                self._skipping = receive(_NOBLOCK, copy=False).more
                continue
            try:
                routing_id = receive(_NOBLOCK)
            except zmq.Again:
                self.empty = True
                break
            # A Frame says whether more follows and where it came from. Measured: 1.05 µs for
            # the pair, 1.07 with bytes and RCVMORE, 2.3 with recv_multipart.
            frame = receive(_NOBLOCK, copy=False)
            connection = find(routing_id)
            if connection is None:
                connection = self._meet(routing_id, frame)
            if frame.more:
                self._skipping = True
                if connection is not None:
                    connections.shut(connection)
            elif connection is not None and not connection.shut:
                body = frame.bytes
                delivered(connection, len(body))
                arrived.append((routing_id, body))
                taken += len(body)
                if taken >= limit_bytes:
                    break
        return arrived

    def _meet(self, routing_id: bytes, frame: zmq.Frame) -> Connection | None:
        """Whose first frame this is; None if it is to be dropped."""
        try:
            return self._connections.bind(routing_id, int(frame.get(zmq.SRCFD)))
        except zmq.ZMQError:
            # ZMTP 1.0 and 2.0 have no metadata, so libzmq cannot say which descriptor it was.
            # `Guard` shuts such a connection, of which nothing is ever delivered.
            return None
