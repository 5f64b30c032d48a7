"""What each event relies on: asked when it is decided and again when it is applied.

An event is appended on what the broker knew; by the time it has a position, another may
have come first. So *decide* and *apply* read this same table: an event that would be
refused now is not proposed, and one that lost a race is void.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from zchat.errors import Refused
from zchat.protocol import events as e

from .record import Record, Repeat

__all__ = ["CHECKS", "Check", "verdict"]

Check: TypeAlias = Callable[[Record, Any], Refused | Repeat | None]


def session_lives(record: Record, event: e.Event) -> Refused | None:
    """The session is not over, and still this user's."""
    session = record.sessions.get(event.session)
    if session is None or session.user != event.user:
        return Refused("session-ended")
    return None


def first_of_its_serial(record: Record, event: e.Event) -> Repeat | None:
    """The request has not been appended before. Raises `Refused` ``serial-too-old``."""
    position = event.serial and record.sessions[event.session].serials.find(event.serial)
    return Repeat(position) if position else None


def nick_holds(record: Record, event: e.Event) -> Refused | None:
    """The user is still called what the event says."""
    return None if record.users[event.user].nick == event.nick else Refused("stale")


def rooms_hold(
    record: Record, event: e.WentAway | e.CameBack | e.Renamed | e.SessionEnded
) -> Refused | None:
    """The user is still in exactly the rooms the event stands in."""
    return None if tuple(record.users[event.user].rooms) == event.rooms else Refused("stale")


def nobody_came_back(record: Record, event: e.WentAway | e.SessionEnded) -> Refused | None:
    """No hello has given the session a client since it was found to have none."""
    since = record.sessions[event.session].since
    return None if event.since in (0, since) else Refused("stale")


def session_is_new(record: Record, event: e.SessionStarted) -> Refused | None:
    """No session and no user has this id, and no session this token."""
    taken = (
        event.session in record.sessions
        or event.user in record.users
        or event.token_hash in record.tokens
    )
    return Refused("stale") if taken else None


def nick_is_free(record: Record, event: e.SessionStarted) -> Refused | None:
    """Nobody else is called so, or looks so."""
    return record.roster.objection(event.nick, event.user)


def new_nick_is_free(record: Record, event: e.Renamed) -> Refused | None:
    """Nobody else is called so, or looks so."""
    return record.roster.objection(event.to, event.user)


def token_holds(record: Record, event: e.SessionResumed) -> Refused | None:
    """The proof is still the session's, or this is a repeat of the hello that replaced it."""
    current = record.sessions[event.session].token_hash
    if record.tokens.get(event.token_hash, event.session) != event.session:
        return Refused("bad-token")  # a token owns one session
    return None if current in (event.previous_hash, event.token_hash) else Refused("bad-token")


def is_here(record: Record, event: e.WentAway) -> Refused | None:
    """The session is not away already."""
    return Refused("already-away") if record.sessions[event.session].away else None


def is_away(record: Record, event: e.CameBack) -> Refused | None:
    """The session is away."""
    return None if record.sessions[event.session].away else Refused("not-away")


def is_no_member(record: Record, event: e.Joined) -> Refused | None:
    """The user is not in the room yet; a member who joins is answered anew."""
    room = record.rooms.get(event.room)
    return Refused("stale") if room is not None and event.user in room.members else None


def room_is_distinct(record: Record, event: e.Joined) -> Refused | None:
    """The room is there, or no other looks like it."""
    if event.room in record.rooms:
        return None
    like = record.room_like(event.room)
    return None if like is None else Refused("room-confusable", room=event.room, like=like)


def is_member(record: Record, event: e.Left | e.Posted | e.SubjectChanged) -> Refused | None:
    """The user is in the room."""
    room = record.rooms.get(event.room)
    if room is None:
        return Refused("no-such-room", room=event.room)
    return None if event.user in room.members else Refused("not-a-member", room=event.room)


def recipient_lives(record: Record, event: e.Whispered) -> Refused | None:
    """Whom it is for is still here; what they are called does not matter."""
    return None if event.to in record.users else Refused("no-such-user", nick=event.to_nick)


_REQUESTED: Final[tuple[Check, ...]] = (session_lives, first_of_its_serial, nick_holds)
"""What every event relies on that a request of a session caused."""

CHECKS: Final[dict[type[e.Event], tuple[Check, ...]]] = {
    e.SessionStarted: (session_is_new, nick_is_free),
    e.SessionResumed: (session_lives, token_holds),
    e.SessionEnded: (session_lives, nobody_came_back, rooms_hold),
    e.WentAway: (session_lives, nobody_came_back, is_here, rooms_hold),
    e.CameBack: (session_lives, is_away, rooms_hold),
    e.Renamed: (*_REQUESTED, rooms_hold, new_nick_is_free),
    e.Joined: (*_REQUESTED, is_no_member, room_is_distinct),
    e.Left: (*_REQUESTED, is_member),
    e.SubjectChanged: (*_REQUESTED, is_member),
    e.Posted: (*_REQUESTED, is_member),
    e.Acted: (*_REQUESTED, is_member),
    e.Whispered: (*_REQUESTED, recipient_lives),
}
"""Event → what must hold for it, in the order asked; the first that does not is the verdict."""


def verdict(record: Record, event: e.Event) -> Refused | Repeat | None:
    """Whether the event would hold now: everything it was decided on, asked again."""
    try:
        for check in CHECKS[type(event)]:
            objection = check(record, event)
            if objection is not None:
                return objection
    except Refused as refused:
        return refused
    return None
