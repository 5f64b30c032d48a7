"""The live side: which client speaks for which session, and what of theirs waits.

It belongs to one process and is empty at its start; nothing of it is journalled.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

from zchat.protocol.requests import Request

from .ratelimit import Bucket

__all__ = ["Client", "Clients"]


class Client:
    """One client's DEALER, by the routing id that libzmq gave it."""

    __slots__ = (
        "address", "barrier", "bucket", "ended", "flooding", "held", "held_bytes", "replies", "routing_id",
        "session", "tolerance",
    )  # fmt: skip

    def __init__(self, routing_id: bytes, address: str, bucket: Bucket, tolerance: Bucket) -> None:
        self.routing_id = routing_id
        self.address = address
        self.bucket = bucket  # what it may ask
        self.tolerance = tolerance  # how often it may be refused undecided
        self.flooding = False  # that was too often: it is being closed
        self.session: str | None = None  # the session it speaks for
        self.ended = ""  # the code with which it is refused since it has no session any more
        self.barrier: Request | None = None  # is under way, and those behind it wait for it
        self.held: deque[Request] = deque()  # decoded, in order, not yet decided
        self.held_bytes = 0  # of the frames they came in
        self.replies: list[bytes] = []  # of this turn, encoded


class Clients:
    """Every client that has sent a request, and the one each session has."""

    def __init__(self) -> None:
        self._by_id: dict[bytes, Client] = {}
        self._by_session: dict[str, Client] = {}
        self._homes: dict[str, str] = {}  # session → the address it was last heard from
        self._sessions_at: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Client]:
        return iter(self._by_id.values())

    def get(self, routing_id: bytes) -> Client | None:
        """The client with this routing id."""
        return self._by_id.get(routing_id)

    def add(self, client: Client) -> None:
        """A client sent its first request."""
        self._by_id[client.routing_id] = client

    def remove(self, routing_id: bytes) -> str | None:
        """A client is gone. Returns the session it spoke for, if any."""
        client = self._by_id.pop(routing_id, None)
        if client is None:
            return None
        client.held.clear()
        return self.unbind(client, "session-ended")

    def of(self, session: str) -> Client | None:
        """The client that speaks for a session."""
        return self._by_session.get(session)

    def sessions_at(self, address: str) -> int:
        """How many living sessions were last heard from this address."""
        return self._sessions_at[address]

    def bind(self, client: Client, session: str) -> Client | None:
        """``client`` speaks for ``session`` now. Returns the one that did, if another."""
        former = self._by_session.get(session)
        if former is client:
            return None
        if former is not None:
            self.unbind(former, "taken-over")
        self._by_session[session] = client
        self.forget(session)
        self._homes[session] = client.address
        self._sessions_at[client.address] += 1
        client.session = session
        client.ended = ""
        return former

    def unbind(self, client: Client, code: str) -> str | None:
        """``client`` speaks for no session any more, ``code`` says why. Returns the one it spoke for."""
        session = client.session
        if session is None:
            return None
        client.session = None
        client.ended = code
        del self._by_session[session]
        return session

    def forget(self, session: str) -> None:
        """The session is over; it counts at no address."""
        address = self._homes.pop(session, None)
        if address is not None:
            self._sessions_at[address] -= 1
            if not self._sessions_at[address]:
                del self._sessions_at[address]
