"""What an operator reads: who came, joined, left, what was refused. Never what was said.

`MessageLog` is for those who do want the messages in a file, and only then.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from zchat.core import Refusal
from zchat.errors import JournalError, UsageError
from zchat.protocol import events as e
from zchat.protocol.text import displayable

__all__ = ["Logbook", "MessageLog"]

log = logging.getLogger("zchat.broker")

REFUSALS_PER_SECOND = 20
"""Refusals written each second; the rest is counted, so that a flood fills no disk."""

TROUBLE_MS = 60_000
"""How often the same trouble with the journal is written: a full disk is in trouble each turn."""


class Logbook:
    """The lines of one broker's life."""

    def __init__(self) -> None:
        self._second = 0
        self._written = 0
        self._unwritten = 0
        self._trouble = ""
        self._trouble_again_ms = 0

    def events(self, events: Iterable[e.Event]) -> None:
        """A line for each event that an operator cares for."""
        for event in events:
            line = _line(event)
            if line is not None:
                log.info("%s", line)

    def refusals(self, refusals: Iterable[Refusal], now_ms: int) -> None:
        """A line for each refusal, up to a number each second."""
        second = now_ms // 1000
        if second != self._second:
            if self._unwritten:
                log.warning("! … and %d more refusals", self._unwritten)
            self._second, self._written, self._unwritten = second, 0, 0
        for refusal in refusals:
            if self._written < REFUSALS_PER_SECOND:
                self._written += 1
                log.info(
                    "! %s: %s refused, %s: %s",
                    refusal.who,
                    refusal.op,
                    refusal.refused.code,
                    displayable(str(refusal.refused)),
                )
            else:
                self._unwritten += 1

    def trouble(self, trouble: JournalError, now_ms: int) -> None:
        """A line for what the journal could not do; if it is the same again, once a while."""
        if str(trouble) != self._trouble or now_ms >= self._trouble_again_ms:
            self._trouble, self._trouble_again_ms = str(trouble), now_ms + TROUBLE_MS
            log.error("! %s", trouble)


def _line(event: e.Event) -> str | None:
    """``>`` somebody comes, ``<`` goes, ``=`` changes; as in the architecture document."""
    match event:
        case e.SessionStarted(nick=nick, agent=agent):
            return f"> {nick} connected" + (f" with {displayable(agent)}" if agent else "")
        case e.SessionResumed(nick=nick):
            return f"> {nick} resumed"
        case e.SessionEnded(nick=nick, reason=reason):
            return f"< {nick} ended ({reason})"
        case e.WentAway(nick=nick):
            return f"< {nick} lost the connection"
        case e.Renamed(nick=nick, to=to):
            return f"= {nick} is now {to}"
        case e.Joined(nick=nick, room=room):
            return f"> {nick} joined {room}"
        case e.Left(nick=nick, room=room):
            return f"< {nick} left {room}"
        case e.SubjectChanged(nick=nick, room=room):
            return f"= {nick} set the subject of {room}"
        case _:
            return None


class MessageLog:
    """Messages of rooms, appended to a text file, a line each. Whispers are never written."""

    def __init__(self, path: Path) -> None:
        """Raises `UsageError` where the file cannot be written."""
        self.path = path
        try:
            self._file = path.open("a", encoding="utf-8")
        except OSError as error:
            raise UsageError(f"cannot write the message log {path}: {error.strerror}") from None

    def events(self, events: Iterable[e.Event]) -> None:
        """Write what was said; a full disk is reported and stops nothing."""
        try:
            for event in events:
                if isinstance(event, e.Posted):
                    at = datetime.fromtimestamp(event.at / 1000, UTC).isoformat(timespec="seconds")
                    says = f"* {event.nick}" if isinstance(event, e.Acted) else f"<{event.nick}>"
                    text = displayable(event.text)
                    self._file.write(f"{at} {event.room} {says} {text}\n")
            self._file.flush()
        except OSError as error:
            log.warning("! the message log %s cannot be written: %s", self.path, error.strerror)

    def close(self) -> None:
        """Nothing is written any more; what a full disk did not take is lost."""
        try:
            self._file.close()
        except OSError as error:
            log.warning("! the message log %s is not whole: %s", self.path, error.strerror)
