"""What a client may ask: one type a request, its grammar above it. No policy.

On the wire a request is a map with ``op`` and ``id``; those that append to the journal
have a ``serial``, which with the session names them for ever.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

__all__ = [
    "PROTOCOL",
    "REQUESTS",
    "Appending",
    "Bye",
    "Hello",
    "History",
    "Join",
    "Leave",
    "Nick",
    "Ping",
    "Request",
    "Resume",
    "Rooms",
    "Say",
    "Subject",
    "Users",
    "Whisper",
]

PROTOCOL: Final = 1
"""The version of docs/protocol.md spoken here."""

Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Serial = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Token = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]


class Request(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True, tag_field="op"):
    """A client asks. ``op`` on the wire is the class's tag."""

    id: Serial
    """The client's number for the reply; not 0."""

    @property
    def op(self) -> str:
        """The request's word on the wire."""
        tag = self.__struct_config__.tag
        assert isinstance(tag, str)
        return tag


class Appending(Request, kw_only=True):
    """A request that appends to the journal, once, however often it is sent."""

    serial: Serial
    """The session's own number of this request; each new one is larger than all before."""


class Resume(msgspec.Struct, kw_only=True, gc=False):
    """Which session a hello continues, and the proof that it is the client's."""

    session: str
    """The session's id."""
    token: Token
    """The token the session had until now."""


class Hello(Request, tag="hello", kw_only=True):
    """C:hello ( S:welcome / S:error ) — start a session, or with ``resume`` continue one.

    The client chooses ``token``, fresh from its OS: it owns the session from here on. So a
    hello whose reply was lost is sent again as it was, and is the same session.
    """

    protocol: int
    """The version of the protocol the client speaks: 1."""
    token: Token
    """The secret that owns the session from now on."""
    nick: str | None = None
    """The nick wanted; without one the broker gives a guest's. Ignored when resuming."""
    resume: Resume | None = None
    """The session to continue."""
    agent: Annotated[str, msgspec.Meta(max_length=64)] = ""
    """The client program and its version, for the operator."""


class Ping(Request, tag="ping", kw_only=True):
    """C:ping S:pong — is the broker there; and, in a session, where do my streams end?"""


class Bye(Appending, tag="bye", kw_only=True):
    """C:bye S:done — end this session for good."""


class Nick(Appending, tag="nick", kw_only=True):
    """C:nick ( S:done / S:error ) — be called otherwise."""

    nick: str
    """The nick wanted."""


class Join(Appending, tag="join", kw_only=True):
    """C:join ( S:joined / S:error ) — enter a room; for a member, its topic and key again."""

    room: str
    """The room's name, in any case."""


class Leave(Appending, tag="leave", kw_only=True):
    """C:leave ( S:done / S:error ) — leave a room."""

    room: str
    """The room's name."""


class Rooms(Request, tag="rooms", kw_only=True):
    """C:rooms S:listed — the rooms there are, by name, a page at a time."""

    after: str = ""
    """List the names after this one."""


class Users(Request, tag="users", kw_only=True):
    """C:users ( S:present / S:error ) — who is in a room, or on the broker, by nick."""

    room: str | None = None
    """The room; none for everybody."""
    after: str = ""
    """List the nicks after this one."""


class Say(Appending, tag="say", kw_only=True):
    """C:say ( S:done / S:error ) — a message, or with ``action`` what one does, to a room."""

    room: str
    """The room's name."""
    text: str
    """What is said."""
    action: bool = False
    """Whether it is a ``/me``."""


class Whisper(Appending, tag="whisper", kw_only=True):
    """C:whisper ( S:done / S:error ) — a message to one other user."""

    nick: str
    """Who it is for."""
    text: str
    """What is said."""
    action: bool = False
    """Whether it is a ``/me``."""


class History(Request, tag="history", kw_only=True):
    """C:history ( S:page / S:error ) — events of one stream, oldest first, a page at a time.

    With ``after``, the first events after that position; with ``before``, the last ones
    before it; with neither, the newest.
    """

    stream: str
    """A room's name, or ``@`` for one's own inbox."""
    after: Number | None = None
    """Exclusive lower position."""
    before: Number | None = None
    """Exclusive upper position."""
    limit: Annotated[int, msgspec.Meta(ge=1, le=2**31)] = 100
    """How many events at most; the broker may send fewer and says whether there are more."""


class Subject(Appending, tag="subject", kw_only=True):
    """C:subject ( S:done / S:error ) — set a room's headline."""

    room: str
    """The room's name."""
    text: str
    """The headline; empty to remove it."""


REQUESTS: Final[dict[str, type[Request]]] = {
    str(type_.__struct_config__.tag): type_
    for type_ in (
        Hello, Ping, Bye, Nick, Join, Leave, Rooms, Users, Say, Whisper, History, Subject,
    )
}  # fmt: skip
"""Op → request type: every request there is."""
