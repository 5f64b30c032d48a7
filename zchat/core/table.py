"""The broker on one page: every request, who may ask it, what it costs, and who answers.

`Broker` asks the gates in this order: rate (who is over it waits), standing, repeat,
permission; only then is the handler called, so no handler can forget one.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from zchat.protocol import requests as q

from .desk import Answer, Desk
from .handlers import rooms, sessions, talk

__all__ = ["TABLE", "Row", "Standing"]


class Standing(enum.Enum):
    """What a connection must have before it may ask."""

    ANYONE = enum.auto()
    """Nothing: it has only connected."""
    SESSION = enum.auto()
    """A living session."""


def anybody(desk: Desk, request: Any) -> None:
    """The permission of requests that whoever has the standing may make."""


class Row(NamedTuple):
    """How one request is treated."""

    standing: Standing
    """What its connection must have."""
    cost: int
    """What it takes out of the client's bucket."""
    permission: Callable[[Desk, Any], None]
    """Raises `Refused` where the user's role or the room's mode forbids it."""
    barrier: bool
    """Whether requests behind it wait until it took effect."""
    handler: Callable[[Desk, Any], Answer]
    """What it comes to."""


S, A = Standing.SESSION, Standing.ANYONE

TABLE: Final[dict[type[q.Request], Row]] = {
    # request    standing  cost  permission  barrier  handler
    q.Hello:   Row(A,  20, anybody, True,  sessions.hello),
    q.Ping:    Row(A,   1, anybody, False, sessions.ping),
    q.Bye:     Row(S,   1, anybody, True,  sessions.bye),
    q.Nick:    Row(S,  20, anybody, True,  sessions.nick),
    q.Join:    Row(S,   5, anybody, True,  rooms.join),
    q.Leave:   Row(S,   5, anybody, True,  rooms.leave),
    q.Rooms:   Row(S,  10, anybody, False, rooms.rooms),
    q.Users:   Row(S,  10, anybody, False, rooms.users),
    q.Say:     Row(S,   1, anybody, False, talk.say),
    q.Whisper: Row(S,   1, anybody, False, talk.whisper),
    q.History: Row(S,   5, anybody, True,  talk.history),
    q.Subject: Row(S,   5, anybody, False, rooms.subject),
}  # fmt: skip
"""Request type → its row."""
