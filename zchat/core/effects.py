"""What the shell must do after a turn, in this order; the core itself does nothing."""

from __future__ import annotations

import msgspec

from zchat.errors import Refused
from zchat.protocol.events import Event

__all__ = ["Effects", "Read", "Refusal"]


class Read(msgspec.Struct, kw_only=True, gc=False):
    """Read a page of the journal and give it back to `Broker.page`."""

    routing_id: bytes
    """Who asked."""
    id: int
    """The request's id."""
    name: str
    """What the asker calls the stream."""
    stream: str
    """What the journal calls it."""
    after: int | None
    """Exclusive lower position."""
    before: int | None
    """Exclusive upper position."""
    limit: int
    """How many events at most."""


class Refusal(msgspec.Struct, gc=False):
    """For the operator's log: who was refused what, and why."""

    who: str
    """The nick, or the address where there is no session."""
    op: str
    """The request."""
    refused: Refused
    """Why."""


class Effects(msgspec.Struct, kw_only=True):
    """What one turn comes to. Nothing of it may leave before the turn's commit."""

    publications: list[bytes]
    """Frames for XPUB, in order."""
    replies: list[tuple[bytes, bytes]]
    """Routing id and frame for ROUTER."""
    closes: list[bytes]
    """Routing ids of those whose connections end now."""
    events: list[Event]
    """What came to hold, for the log."""
    refusals: list[Refusal]
    """What was refused, for the log."""
