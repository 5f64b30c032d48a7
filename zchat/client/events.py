"""What an application is told beside the protocol's events: gaps, and how the connection fares.

Plain records; they know nothing of sockets or of the session that makes them.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from zchat.protocol.events import Event

__all__ = ["ChatEvent", "Connected", "Disconnected", "Gap", "RoomLost", "SessionLost"]


class Gap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Events of one stream that this client cannot get: said once, in their place."""

    stream: str
    """A room's name, or ``@`` for one's own inbox."""
    after: int | None
    """The last position delivered before the gap; none where the journal is another one now
    (a new epoch), so that every earlier position means nothing."""
    until: int
    """The position from which on the stream is whole again."""


class Connected(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The broker has welcomed this client: for the first time, or again."""

    nick: str
    """What this user is called now."""
    resumed: bool
    """Whether the session of before continues."""
    agent: str
    """What the broker is: name and version."""


class Disconnected(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The broker cannot be heard. Requests wait; nothing is lost by it."""

    reason: str
    """A sentence for a person."""
    retry_in_ms: int
    """When the next attempt is made."""


class SessionLost(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The broker has ended this session; a new one begins under the same nick.

    What was sent and not answered has an unknown outcome and is not sent again. Rooms are
    joined again and go on where they were; whispers to the former session are gone.
    """

    reason: str
    """A sentence for a person."""
    unanswered: int
    """How many requests ended with `zchat.errors.OutcomeUnknown`."""


class RoomLost(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """This client is in a room no more, and did not ask to leave it."""

    room: str
    """The room's name."""
    reason: str
    """A sentence for a person."""


ChatEvent: TypeAlias = Event | Gap | Connected | Disconnected | SessionLost | RoomLost
"""Everything that `Chat.events` yields."""
