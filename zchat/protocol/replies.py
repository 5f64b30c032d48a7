"""What a broker answers: one type a reply. A refusal is a `zchat.errors.Refused` on the wire.

``id`` is the request's; id 0 is a `Notice`, which nobody asked for.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec

from . import requests

__all__ = [
    "INBOX",
    "REPLIES",
    "Done",
    "Handout",
    "Joined",
    "Listed",
    "Notice",
    "Page",
    "Person",
    "Pong",
    "Present",
    "Reply",
    "RoomInfo",
    "Welcome",
]

INBOX: Final = "@"
"""The wire's name for the asker's own inbox, where a room's name could stand."""


class Reply(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """The broker answers."""

    id: int
    """The id of the request."""


class Handout(msgspec.Struct, kw_only=True, gc=False):
    """What a client needs to hear one stream: its topic, the key of its seal, and where it is."""

    stream: str
    """A room's name, or ``@`` for the client's inbox."""
    topic: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
    """The number of the topic; on SUB it is 4 bytes, most significant first."""
    key_number: int
    """The number of the key; each key has the next one."""
    key: bytes
    """AES-256-GCM, 32 bytes."""
    head: int
    """The position of the stream's last event; what follows it will be published."""


class Done(Reply, kw_only=True):
    """The request was appended, or had been: ``position`` is where it stands, once."""

    position: int
    """Its place in the journal."""


class Welcome(Reply, kw_only=True):
    """A session, new or resumed."""

    session: str
    """Its id, to resume it with; no secret."""
    user: str
    """The id under which others see this user; no secret."""
    nick: str
    """What this user is called."""
    resumed: bool
    """Whether the session existed before."""
    serial: int
    """The largest serial the session has used; the next is larger."""
    position: int
    """Where the hello stands in the journal."""
    epoch: str
    """The journal's life; positions of another epoch mean nothing here."""
    inbox: Handout
    """The client's own topic."""
    rooms: list[Handout]
    """The rooms the user is in."""
    lobby: str
    """The room that is always there."""
    publish: str
    """The endpoint of the publications; ``*`` as host means the host already reached."""
    agent: str
    """What the broker is: name and version."""
    heartbeat_ms: Annotated[int, msgspec.Meta(ge=1)]
    """How often the client should ping, in ms; it may be less often, at the price of latency."""
    grace_ms: int
    """How long a session without connection lives, in ms."""
    max_text: int
    """The longest text, in bytes of UTF-8."""


class Pong(Reply, kw_only=True):
    """The broker is there."""

    epoch: str
    """The journal's life."""
    agent: str
    """What the broker is: name and version."""
    heads: dict[str, int] = {}
    """In a session: stream → position of its last event, for the inbox and every room joined."""


class Joined(Done, kw_only=True):
    """The user is in the room."""

    room: Handout
    """The room's topic and key; ``stream`` is the room's canonical name."""
    subject: str
    """The room's headline."""
    members: int
    """How many are in it."""


class RoomInfo(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """One room of a list."""

    room: str
    """Its name."""
    members: int
    """How many are in it."""
    subject: str = ""
    """Its headline."""


class Listed(Reply, kw_only=True):
    """A page of rooms."""

    rooms: list[RoomInfo]
    """By name."""
    more: bool = False
    """Whether there are more after the last."""


class Person(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """One user of a list."""

    nick: str
    """What they are called."""
    user: str
    """Their id."""
    away: bool = False
    """Whether their connection is broken just now."""


class Present(Reply, kw_only=True):
    """A page of users."""

    users: list[Person]
    """By nick."""
    more: bool = False
    """Whether there are more after the last."""


class Page(Reply, kw_only=True):
    """A page of one stream's history, oldest first."""

    events: list[Any]
    """``[position, event]`` pairs; a client reads them with `zchat.protocol.codec.placed`."""
    more: bool
    """Whether the stream has more events in the direction asked."""
    head: int
    """The position of the stream's last event at the time of reading."""
    floor: int = 0
    """Events at or before this position may have been removed by retention."""


class Notice(Reply, kw_only=True):
    """Nobody asked: ``draining``, ``taken-over`` or ``session-ended``. ``id`` is 0."""

    notice: str
    """A refusal code that holds for the connection from now on."""
    message: str
    """The sentence for a person."""
    retry_ms: int | None = None
    """When to come back, in ms."""


REPLIES: Final[dict[type[requests.Request], type[Reply]]] = {
    requests.Hello: Welcome,
    requests.Ping: Pong,
    requests.Bye: Done,
    requests.Nick: Done,
    requests.Join: Joined,
    requests.Leave: Done,
    requests.Rooms: Listed,
    requests.Users: Present,
    requests.Say: Done,
    requests.Whisper: Done,
    requests.History: Page,
    requests.Subject: Done,
}
"""Request type → the reply it gets when it is not refused."""
