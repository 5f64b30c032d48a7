"""What has happened, past tense: the one vocabulary of journal, publication and client.

An event is written once, by the broker, and is the same type wherever it is read. Each
field says who may see it (`Audience`); `zchat.protocol.audience` is the one place that
drops what a reader may not see. An event knows in which streams it stands and nothing
else: no policy, no clock, no dice.
"""

from __future__ import annotations

import enum
from typing import Annotated, Final, TypeAlias

import msgspec

__all__ = [
    "CONTROL",
    "EVENTS",
    "Acted",
    "Audience",
    "CameBack",
    "Event",
    "Joined",
    "Left",
    "Posted",
    "Renamed",
    "SessionEnded",
    "SessionResumed",
    "SessionStarted",
    "SubjectChanged",
    "WentAway",
    "Whispered",
    "inbox_stream",
    "room_stream",
]


class Audience(enum.Flag):
    """Who may see a field of an event."""

    ROOM = enum.auto()
    """Everyone who may read the stream the event stands in."""
    MODERATORS = enum.auto()
    """Moderators of the room, and operators."""
    OWNER = enum.auto()
    """The user who caused the event, on any of their sessions."""
    BROKER = enum.auto()
    """Nobody outside the brokers of this journal."""


Owned = msgspec.Meta(extra={"audience": Audience.OWNER})
Secret = msgspec.Meta(extra={"audience": Audience.BROKER})

CONTROL: Final = "c"
"""The stream of what concerns the whole broker; no client reads it."""


def room_stream(room: str) -> str:
    """The stream of the room with this (canonical) name."""
    return f"r.{room}"


def inbox_stream(user: str) -> str:
    """The stream of the user with this id: an account's, or a guest session's."""
    return f"u.{user}"


class Event(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True, tag_field="kind"):
    """Something that happened. ``kind`` on the wire is the class's tag."""

    position: int = 0
    """Its place in the journal, only ever growing; 0 until it is committed."""
    at: int
    """When the broker decided it: milliseconds since 1970 in UTC. Not an order; positions are."""
    session: Annotated[str, Secret]
    """The session that caused it; with ``serial`` it names the request."""
    serial: Annotated[int, Owned] = 0
    """The client's number of the request; 0 where no request caused it."""
    user: str
    """Who caused it: an account's id, or a guest's session id."""
    nick: str
    """What that user was called at this position."""

    @property
    def kind(self) -> str:
        """The word for this event on the wire and in ``--json``: ``message``, ``joined``, …"""
        tag = self.__struct_config__.tag
        assert isinstance(tag, str)
        return tag

    def streams(self) -> tuple[str, ...]:
        """The streams this event stands in, each with its own ``prev``."""
        raise NotImplementedError(type(self))  # every kind of event overrides this

    def of(self, stream: str) -> bool:
        """Whether it stands in ``stream``."""
        return stream in self.streams()


class SessionStarted(Event, tag="started", kw_only=True):
    """A session began, and with it, for a guest, a user who claims ``nick``."""

    token_hash: Annotated[bytes, Secret]
    """SHA-256 of the token that owns the session."""
    agent: Annotated[str, Secret] = ""
    """What program the client says it is."""

    def streams(self) -> tuple[str, ...]:
        return (CONTROL,)


class SessionResumed(Event, tag="resumed", kw_only=True):
    """A session continued on a new connection; its token was replaced."""

    token_hash: Annotated[bytes, Secret]
    """SHA-256 of the token that owns the session from here on."""
    previous_hash: Annotated[bytes, Secret]
    """SHA-256 of the token the client proved itself with."""

    def streams(self) -> tuple[str, ...]:
        return (CONTROL,)


class _Everywhere(Event, kw_only=True):
    """The base of what is seen in every room the user is in, and in their inbox."""

    rooms: tuple[str, ...] = ()
    """The rooms the user was in."""

    def streams(self) -> tuple[str, ...]:
        return (CONTROL, inbox_stream(self.user), *map(room_stream, self.rooms))


class _Lost(_Everywhere, kw_only=True):
    """The base of what follows when a session has no connection."""

    since: Annotated[int, Secret] = 0
    """The position of the session's last hello; one that came after it makes this void. 0 if it
    does not matter."""


class SessionEnded(_Lost, tag="quit", kw_only=True):
    """A session ended for good; a guest leaves every room with it."""

    reason: str
    """``bye``: the client said so. ``lost``: it did not come back within the grace period."""


class WentAway(_Lost, tag="away", kw_only=True):
    """The session's connection broke; it may come back within the grace period."""


class CameBack(_Everywhere, tag="back", kw_only=True):
    """A session that was away continues."""


class Renamed(_Everywhere, tag="renamed", kw_only=True):
    """A user changed nick; ``nick`` is the old one."""

    to: str
    """The new nick."""


class _InRoom(Event, kw_only=True):
    """The base of what happens in one room."""

    room: str
    """The room's name."""

    def streams(self) -> tuple[str, ...]:
        return (room_stream(self.room),)


class Joined(_InRoom, tag="joined", kw_only=True):
    """A user entered a room; the first one opens it."""


class Left(_InRoom, tag="left", kw_only=True):
    """A user left a room; the last one closes it if nothing was ever said there."""


class SubjectChanged(_InRoom, tag="subject", kw_only=True):
    """A room's headline changed."""

    text: str
    """The new headline; empty when it was removed."""


class Posted(_InRoom, tag="message", kw_only=True):
    """A user said something in a room."""

    text: str
    """What was said."""


class Acted(Posted, tag="action", kw_only=True):
    """A user said what they do (``/me``): shown as ``* nick text``."""


class Whispered(Event, tag="whisper", kw_only=True):
    """A user said something to one other user."""

    to: str
    """The id of the user it is for."""
    to_nick: str
    """What that user was called at this position."""
    text: str
    """What was said."""
    action: bool = False
    """Whether it is said as ``* nick text``."""

    def streams(self) -> tuple[str, ...]:
        if self.to == self.user:
            return (inbox_stream(self.user),)
        return (inbox_stream(self.to), inbox_stream(self.user))


AnyEvent: TypeAlias = (
    SessionStarted
    | SessionResumed
    | SessionEnded
    | WentAway
    | CameBack
    | Renamed
    | Joined
    | Left
    | SubjectChanged
    | Posted
    | Acted
    | Whispered
)

EVENTS: Final[dict[str, type[Event]]] = {
    str(type_.__struct_config__.tag): type_
    for type_ in (
        SessionStarted,
        SessionResumed,
        SessionEnded,
        WentAway,
        CameBack,
        Renamed,
        Joined,
        Left,
        SubjectChanged,
        Posted,
        Acted,
        Whispered,
    )
}
"""Kind → event type: every event there is."""
