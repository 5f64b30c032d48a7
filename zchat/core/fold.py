"""`apply`, the only code that writes the record, and what each event changes in it.

It is deterministic and is run when the journal has committed an event: by live traffic, by
a restart and by a second broker alike. What an event relies on is asked in `zchat.core.checks`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from zchat.errors import Refused
from zchat.protocol import events as e

from .checks import verdict
from .record import Record, Repeat, Session, User

__all__ = ["FOLD", "apply", "hold"]


def apply(record: Record, event: e.Event) -> Refused | Repeat | None:
    """Fold a committed event. None: it holds. Otherwise it is void, and why."""
    objection = verdict(record, event)
    if objection is None:
        hold(record, event)
    else:
        record.position = event.position
    return objection


def hold(record: Record, event: e.Event) -> None:
    """Fold an event that is known to hold: it was applied before, and not found void.

    A verdict is not asked twice over the years: a newer look-alike table, or a newer check,
    would take back what was acknowledged.
    """
    record.position = event.position
    if event.serial:
        record.sessions[event.session].serials.add(event.serial, event.position)
    for stream in event.streams():
        record.heads[stream] = event.position
    FOLD[type(event)](record, event)


def _started(record: Record, event: e.SessionStarted) -> None:
    record.sessions[event.session] = Session(
        user=event.user, token_hash=event.token_hash, since=event.position
    )
    record.tokens[event.token_hash] = event.session
    record.users[event.user] = User(nick=event.nick, sessions={event.session: None})
    record.roster.claim(event.nick, event.user)


def _resumed(record: Record, event: e.SessionResumed) -> None:
    session = record.sessions[event.session]
    del record.tokens[session.token_hash]
    session.token_hash = event.token_hash
    session.since = event.position
    record.tokens[event.token_hash] = event.session


def _ended(record: Record, event: e.SessionEnded) -> None:
    session = record.sessions.pop(event.session)
    del record.tokens[session.token_hash]
    user = record.users[session.user]
    del user.sessions[event.session]
    if not user.sessions:
        record.bury(session.user)


def _away(record: Record, event: e.WentAway) -> None:
    record.sessions[event.session].away = True


def _back(record: Record, event: e.CameBack) -> None:
    record.sessions[event.session].away = False


def _renamed(record: Record, event: e.Renamed) -> None:
    user = record.users[event.user]
    record.roster.release(user.nick)
    record.roster.claim(event.to, event.user)
    user.nick = event.to


def _joined(record: Record, event: e.Joined) -> None:
    room = record.rooms.get(event.room) or record.open_room(event.room, event.position)
    room.members[event.user] = event.position
    record.users[event.user].rooms[event.room] = event.position


def _left(record: Record, event: e.Left) -> None:
    del record.users[event.user].rooms[event.room]
    record.forsake(event.user, event.room)


def _subject(record: Record, event: e.SubjectChanged) -> None:
    room = record.rooms[event.room]
    room.subject = event.text
    room.spoken = True


def _posted(record: Record, event: e.Posted) -> None:
    record.rooms[event.room].spoken = True


def _whispered(record: Record, event: e.Whispered) -> None:
    """A whisper changes nothing but the heads of its streams."""


FOLD: Final[dict[type[e.Event], Callable[[Record, Any], None]]] = {
    e.SessionStarted: _started,
    e.SessionResumed: _resumed,
    e.SessionEnded: _ended,
    e.WentAway: _away,
    e.CameBack: _back,
    e.Renamed: _renamed,
    e.Joined: _joined,
    e.Left: _left,
    e.SubjectChanged: _subject,
    e.Posted: _posted,
    e.Acted: _posted,
    e.Whispered: _whispered,
}
"""Event → what it changes."""
