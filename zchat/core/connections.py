"""The live side of clients: which connection speaks for which session, and what waits on it.

It belongs to one process and is empty at its start; nothing of it is journalled.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from zchat.protocol.requests import Request

from .ratelimit import Bucket

__all__ = ["Connection", "Connections"]


class Connection:
    """One client's DEALER, by the routing id that libzmq gave it."""

    __slots__ = (
        "address", "barrier", "bucket", "ended", "held", "held_bytes", "replies", "routing_id", "session",
    )  # fmt: skip

    def __init__(self, routing_id: bytes, address: str, bucket: Bucket) -> None:
        self.routing_id = routing_id
        self.address = address
        self.bucket = bucket
        self.session: str | None = None  # the session it speaks for
        self.ended = False  # its session is over, or is another connection's
        self.barrier = False  # a request is under way that those behind it must wait for
        self.held: deque[Request] = deque()  # decoded, in order, not yet decided
        self.held_bytes = 0  # of the frames they came in
        self.replies: list[bytes] = []  # of this turn, encoded


class Connections:
    """Every connection that has sent a request, and the one each session has."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, Connection] = {}
        self._by_session: dict[str, Connection] = {}
        self._sessions_at: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Connection]:
        return iter(self._by_id.values())

    def get(self, routing_id: bytes) -> Connection | None:
        """The connection with this routing id."""
        return self._by_id.get(routing_id)

    def add(self, connection: Connection) -> None:
        """A connection sent its first request."""
        self._by_id[connection.routing_id] = connection

    def remove(self, routing_id: bytes) -> str | None:
        """A connection is gone. Returns the session it spoke for, if any."""
        connection = self._by_id.pop(routing_id, None)
        return None if connection is None else self.unbind(connection)

    def of(self, session: str) -> Connection | None:
        """The connection that speaks for a session."""
        return self._by_session.get(session)

    def sessions_at(self, address: str) -> int:
        """How many sessions have a connection from this address."""
        return self._sessions_at[address]

    def bind(self, connection: Connection, session: str) -> Connection | None:
        """``connection`` speaks for ``session`` now. Returns the one that did, if another."""
        former = self._by_session.get(session)
        if former is connection:
            return None
        if former is not None:
            self.unbind(former)
        self._by_session[session] = connection
        self._sessions_at[connection.address] += 1
        connection.session = session
        connection.ended = False
        return former

    def unbind(self, connection: Connection) -> str | None:
        """``connection`` speaks for no session any more. Returns the one it spoke for."""
        session = connection.session
        if session is None:
            return None
        connection.session = None
        connection.ended = True
        connection.held.clear()
        connection.held_bytes = 0
        del self._by_session[session]
        self._sessions_at[connection.address] -= 1
        if not self._sessions_at[connection.address]:
            del self._sessions_at[connection.address]
        return session
