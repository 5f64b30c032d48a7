"""Who is away and who is gone: what follows when a session loses its client.

It proposes events and sets timers; it writes no record.
"""

from __future__ import annotations

from typing import Any, TypeVar

from zchat.config import Settings
from zchat.protocol import events as e

from .clients import Clients
from .clock import Now
from .record import Record, Session
from .timers import Timers

__all__ = ["Presence"]

E = TypeVar("E", e.WentAway, e.SessionEnded)


class Presence:
    """The grace of every session that has no client."""

    def __init__(
        self, settings: Settings, record: Record, clients: Clients, timers: Timers
    ) -> None:
        self._settings = settings
        self._record = record
        self._clients = clients
        self._timers = timers
        self.leaving: set[str] = set()  # sessions whose `WentAway` is proposed and not committed

    def start(self, now_ms: int) -> None:
        """The broker has started: every living session has its grace anew."""
        for session in self._record.sessions:
            self._timers.set(("grace", session), now_ms + self._settings.grace_ms)

    def lost(self, session: str, now: Now) -> e.Event | None:
        """The session's client is gone: its rooms are to be told, its grace begins."""
        self._timers.set(("grace", session), now.monotonic + self._settings.grace_ms)
        return self.away(session, now)

    def found(self, session: str) -> None:
        """The session has a client."""
        self._timers.cancel(("grace", session))
        self._timers.cancel(("away", session))

    def away(self, session_id: str, now: Now) -> e.Event | None:
        """What tells the rooms that a session has no client, if that is so and news."""
        session = self._record.sessions.get(session_id)
        if session is None or session.away or self._clients.of(session_id) is not None:
            return None
        self.leaving.add(session_id)
        return self._everywhere(e.WentAway, session_id, session, now)

    def end(self, session_id: str, now: Now) -> e.Event | None:
        """What ends a session whose grace is over, if it still has no client."""
        session = self._record.sessions.get(session_id)
        if session is None or self._clients.of(session_id) is not None:
            return None
        return self._everywhere(e.SessionEnded, session_id, session, now, reason="lost")

    def _everywhere(
        self, kind: type[E], session_id: str, session: Session, now: Now, **fields: Any
    ) -> E:
        """An event in all rooms of the session's user, which holds if nobody comes back before it."""
        user = self._record.users[session.user]
        return kind(
            at=now.utc,
            session=session_id,
            user=session.user,
            nick=user.nick,
            rooms=tuple(user.rooms),
            since=session.since,
            **fields,
        )

    def folded(self, event: e.Event, now: Now) -> None:
        """An event holds."""
        match event:
            case e.WentAway():
                self.leaving.discard(event.session)
            case e.CameBack() if self._clients.of(event.session) is None:
                self._timers.set(("away", event.session), now.monotonic)
            case e.SessionEnded():
                self.leaving.discard(event.session)
                self.found(event.session)

    def void(self, event: e.Event, now: Now, *, retry_ms: int) -> None:
        """An event came to nothing. What no client will ask again is tried again from here."""
        if event.serial:
            return
        match event:
            case e.WentAway():
                self.leaving.discard(event.session)
                self._timers.set(("away", event.session), now.monotonic + retry_ms)
            case e.SessionEnded():
                self._timers.set(("grace", event.session), now.monotonic + retry_ms)
