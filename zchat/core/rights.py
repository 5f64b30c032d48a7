"""Who may read what: the one function that is asked before anything stored is shown."""

from __future__ import annotations

from typing import NamedTuple

from zchat.errors import Refused
from zchat.protocol.events import inbox_stream, room_stream
from zchat.protocol.names import room_name
from zchat.protocol.replies import INBOX

from .record import Record

__all__ = ["Readable", "readable"]


class Readable(NamedTuple):
    """A part of a stream that somebody may read."""

    stream: str
    """The journal's name of it."""
    after: int
    """Nothing at or before this position is theirs to read."""


def readable(record: Record, user: str, stream: str) -> Readable:
    """What ``user`` may read, now, of the stream they call ``stream``.

    One's own inbox, and the rooms one is in, from the opening of the room. Raises `Refused`
    ``no-such-room`` or ``not-a-member``.
    """
    if stream == INBOX:
        return Readable(inbox_stream(user), 0)
    name = room_name(stream)
    room = record.rooms.get(name)
    if room is None:
        raise Refused("no-such-room", room=name)
    if user not in room.members:
        raise Refused("not-a-member", room=name)
    return Readable(room_stream(name), max(0, room.opened - 1))
