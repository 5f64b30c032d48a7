"""The record: everything that follows from the journal, the same on every broker.

It only holds; `zchat.core.fold.apply` is the only code that writes it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Final

import msgspec

from zchat.protocol import names
from zchat.protocol.events import inbox_stream, room_stream

from .roster import Roster
from .serials import Serials

__all__ = ["Record", "Repeat", "Room", "Session", "User"]

SNAPSHOT_FORMAT: Final = 1
"""A snapshot of another format is not read; the journal is folded from its start instead."""


class Session(msgspec.Struct, kw_only=True):
    """One client's standing, across its connections."""

    user: str
    """The user it belongs to."""
    token_hash: bytes
    """SHA-256 of the token that owns it."""
    since: int = 0
    """The position of its last hello."""
    away: bool = False
    """Whether its rooms were told that the connection broke."""
    serials: Serials = msgspec.field(default_factory=Serials)
    """What it has had appended."""


class User(msgspec.Struct, kw_only=True):
    """Somebody who is here: a guest, who lives as long as their session."""

    nick: str
    """What they are called."""
    sessions: dict[str, None] = {}
    """Their sessions, by id."""
    rooms: dict[str, int] = {}
    """The rooms they are in, each with the position of their joining."""


class Room(msgspec.Struct, kw_only=True):
    """Where people talk."""

    opened: int = 0
    """The position of the joining that opened it; what its stream held before is not its own."""
    subject: str = ""
    """Its headline."""
    members: dict[str, int] = {}
    """User id → position of their joining."""
    spoken: bool = False
    """Whether anything was ever said in it: then it stays when it is empty."""


class Repeat(msgspec.Struct):
    """The verdict on an event whose request was appended before."""

    position: int
    """Where the first one stands."""


class _Snapshot(msgspec.Struct, kw_only=True):
    """The record in one value."""

    format: int
    position: int
    sessions: dict[str, Session]
    users: dict[str, User]
    rooms: dict[str, Room]
    heads: dict[str, int]


class Record:
    """Sessions, users, rooms and where each stream ends, as of `position`."""

    def __init__(self, lobby: str) -> None:
        self.lobby = lobby
        self.position = 0
        self.sessions: dict[str, Session] = {}
        self.users: dict[str, User] = {}
        self.rooms: dict[str, Room] = {}
        self.room_names: list[str] = []  # sorted, for lists a page at a time
        self.heads: dict[str, int] = {}
        self.roster = Roster()
        self.tokens: dict[bytes, str] = {}  # hash → the session it owns
        self.looks: dict[str, dict[str, None]] = {}
        self.open_room(lobby, 0)

    # Reading.

    def head(self, stream: str) -> int:
        """The position of the last event of a stream, 0 if it has none."""
        return self.heads.get(stream, 0)

    def room_like(self, name: str) -> str | None:
        """Another room whose name looks like this one."""
        for skeleton in sorted(names.skeletons(name)):
            for other in self.looks.get(skeleton, ()):
                if other != name:
                    return other
        return None

    def rooms_after(self, name: str, limit: int) -> list[str]:
        """Up to ``limit`` names of rooms past this one, in order."""
        start = bisect_right(self.room_names, name)
        return self.room_names[start : start + limit]

    def is_away(self, user: str) -> bool:
        """Whether all sessions of a user are away."""
        return all(self.sessions[session].away for session in self.users[user].sessions)

    # Rooms and users come and go: for `zchat.core.fold` alone.

    def open_room(self, name: str, position: int) -> Room:
        """A room that was not there."""
        return self._put_room(name, Room(opened=position))

    def forsake(self, user: str, room_name: str) -> None:
        """A user is in a room no more; it goes when it is empty and never spoken in."""
        room = self.rooms[room_name]
        del room.members[user]
        if not room.members and not room.spoken and room_name != self.lobby:
            del self.rooms[room_name]
            del self.room_names[bisect_left(self.room_names, room_name)]
            self.heads.pop(room_stream(room_name), None)
            for skeleton in names.skeletons(room_name):
                del self.looks[skeleton][room_name]
                if not self.looks[skeleton]:
                    del self.looks[skeleton]

    def bury(self, user_id: str) -> None:
        """A user is no more: nick, rooms and inbox go."""
        user = self.users.pop(user_id)
        for room in user.rooms:
            self.forsake(user_id, room)
        self.roster.release(user.nick)
        self.heads.pop(inbox_stream(user_id), None)

    def _put_room(self, name: str, room: Room) -> Room:
        if name not in self.rooms:
            insort(self.room_names, name)
            for skeleton in names.skeletons(name):
                self.looks.setdefault(skeleton, {})[name] = None
        self.rooms[name] = room
        return room

    # Snapshots.

    def snapshot(self) -> bytes:
        """The record as of `position`, to be given to `restore`."""
        return msgspec.msgpack.encode(
            _Snapshot(
                format=SNAPSHOT_FORMAT,
                position=self.position,
                sessions=self.sessions,
                users=self.users,
                rooms=self.rooms,
                heads=self.heads,
            )
        )

    @classmethod
    def restore(cls, lobby: str, data: bytes) -> Record | None:
        """The record of a snapshot, or None if it is of another format."""
        try:
            snapshot = msgspec.msgpack.decode(data, type=_Snapshot)
        except msgspec.DecodeError:
            return None
        if snapshot.format != SNAPSHOT_FORMAT:
            return None
        record = cls(lobby)
        record.position = snapshot.position
        record.sessions = snapshot.sessions
        record.users = snapshot.users
        record.heads = snapshot.heads
        for name, room in snapshot.rooms.items():
            record._put_room(name, room)
        record.tokens = {session.token_hash: id_ for id_, session in record.sessions.items()}
        for id_, user in record.users.items():
            record.roster.claim(user.nick, id_)
        return record
