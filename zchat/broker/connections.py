"""Knows who is connected, at which descriptor, from where; decides nothing about them.

libzmq says neither who left nor closes anyone. Its monitors say which descriptor came and
went, and a message says which descriptor it came from: together they are this table.
"""

from __future__ import annotations

from collections import Counter
from struct import unpack
from typing import Final, NamedTuple

import zmq

from zchat.broker.descriptors import Peer, peer_of, shut
from zchat.broker.sockets import Bound, SocketSettings

__all__ = ["Connection", "Connections", "Gone", "Side"]

_EVENT: Final = "=HI"
_NOBLOCK: Final = zmq.NOBLOCK.value
_NOBODY: Final = Peer("", 0)


class Gone(NamedTuple):
    """A client's connection that is closed: by it, by us, or by the network."""

    routing_id: bytes
    address: str


class Connection:
    """What one TCP connection is and has done."""

    __slots__ = (
        "delivered",
        "fd",
        "junk",
        "peer",
        "routing_id",
        "shut",
        "since_ms",
        "subscriptions",
    )

    def __init__(self, fd: int, peer: Peer, since_ms: int) -> None:
        self.fd = fd
        self.peer = peer
        self.since_ms = since_ms
        self.routing_id = b""
        """Empty until its first request; always empty on the publisher's side."""
        self.delivered = 0
        """Bytes on the wire of the frames libzmq has handed to us."""
        self.subscriptions = 0
        """Subscriptions and cancellations it ever sent."""
        self.junk = 0
        """Frames it sent that are neither, or name no topic."""
        self.shut = False
        """Whether we have ended it; the monitor says when it is gone."""

    @property
    def address(self) -> str:
        """The peer's IP address; empty if it left before it was asked."""
        return self.peer.address


class Side:
    """The connections of one listening socket, by descriptor."""

    def __init__(self, bound: Bound) -> None:
        self.socket = bound.socket
        self.monitor = bound.monitor
        self.by_fd: dict[int, Connection] = {}
        self.accepted = 0
        """Connections there ever were."""


class Connections:
    """Who is connected to the ROUTER (``requesters``) and to the XPUB (``subscribers``).

    Times are monotonic ms.
    """

    def __init__(self, router: Bound, publisher: Bound, settings: SocketSettings) -> None:
        self.requesters = Side(router)
        self.subscribers = Side(publisher)
        self.settings = settings
        self._first_id = router.first_id
        self._by_id: dict[bytes, Connection] = {}
        self._per_address: Counter[str] = Counter()
        self._gone: list[Gone] = []
        self._now_ms = 0

    def __len__(self) -> int:
        return len(self.requesters.by_fd) + len(self.subscribers.by_fd)

    @property
    def monitors(self) -> tuple[zmq.Socket[bytes], zmq.Socket[bytes]]:
        """What to poll beside the sockets: readable when `pump` has something to say."""
        return self.requesters.monitor, self.subscribers.monitor

    def count(self, address: str) -> int:
        """Connections from one address, of both kinds."""
        return self._per_address[address]

    def find(self, routing_id: bytes) -> Connection | None:
        """The living connection of a client that has sent a request."""
        return self._by_id.get(routing_id)

    def pump(self, now_ms: int) -> list[Gone]:
        """Follow who came and went; the clients that are gone since the last call.

        A client that never sent a request is not among them. Never blocks. libzmq tells of
        the end a moment before the ROUTER knows: a send to who is gone may still succeed.
        """
        self._now_ms = now_ms
        self._follow(self.requesters)
        self._follow(self.subscribers)
        gone, self._gone = self._gone, []
        return gone

    def bind(self, routing_id: bytes, fd: int) -> Connection | None:
        """Note whose descriptor a new routing id is; None if its message is to be dropped.

        Routing ids are the broker's own: a connection that claims one is closed. Also None
        when the connection has left already, since nobody is there to hear a reply.
        """
        # The monitor knows of a descriptor's next owner before its first message is read.
        self._follow(self.requesters)
        connection = self.requesters.by_fd.get(fd)
        if connection is None or connection.shut:
            return None
        if not self._is_ours(routing_id):
            self.shut(connection)
            return None
        if connection.routing_id:
            # Both ids came through one descriptor, so one of them is a connection that left.
            if self._age(routing_id) < self._age(connection.routing_id):
                return None
            self._forget(connection)
        connection.routing_id = routing_id
        self._by_id[routing_id] = connection
        return connection

    def subscriber(self, fd: int) -> Connection | None:
        """The living connection to the XPUB with this descriptor."""
        self._follow(self.subscribers)
        return self.subscribers.by_fd.get(fd)

    def delivered(self, connection: Connection, nbytes: int) -> None:
        """Count a frame that libzmq has handed to us, as long as it was on the wire."""
        # ZMTP 3.1: a flag and a length of one or eight bytes; CurveZMQ: "\x07MESSAGE", an
        # 8-byte nonce, a 16-byte authenticator and a flag around each frame.
        nbytes += 33 if self.settings.curve else 0
        connection.delivered += nbytes + (9 if nbytes > 255 else 2)

    def close(self, routing_id: bytes) -> None:
        """End a client's connection; `pump` tells when it is gone. Unknown ids are ignored."""
        connection = self._by_id.get(routing_id)
        if connection is not None:
            self.shut(connection)

    def shut(self, connection: Connection) -> None:
        """End a connection of either kind; what it has sent already may still be read."""
        if not connection.shut:
            connection.shut = True
            shut(connection.fd, connection.peer)

    def _follow(self, side: Side) -> None:
        receive = side.monitor.recv
        while True:
            try:
                event, fd = unpack(_EVENT, receive(_NOBLOCK))
            except zmq.Again:
                return
            receive()  # the second frame: where it listens
            left = side.by_fd.pop(fd, None)
            if left is not None:
                self._leave(left)
            if event == zmq.EVENT_ACCEPTED:
                side.accepted += 1
                side.by_fd[fd] = came = Connection(fd, peer_of(fd) or _NOBODY, self._now_ms)
                self._per_address[came.address] += 1

    def _leave(self, connection: Connection) -> None:
        self._forget(connection)
        self._per_address[connection.address] -= 1
        if not self._per_address[connection.address]:
            del self._per_address[connection.address]

    def _forget(self, connection: Connection) -> None:
        if connection.routing_id:
            del self._by_id[connection.routing_id]
            self._gone.append(Gone(connection.routing_id, connection.address))

    def _is_ours(self, routing_id: bytes) -> bool:
        """Whether libzmq made it: a zero byte, then a number it has come to."""
        return (
            len(routing_id) == 5
            and routing_id[0] == 0
            and 0 < self._age(routing_id) <= self.requesters.accepted
        )

    def _age(self, routing_id: bytes) -> int:
        return (int.from_bytes(routing_id[1:], "big") - self._first_id) % 2**32
