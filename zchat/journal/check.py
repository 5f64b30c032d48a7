"""Whether a SQLite journal is whole: everything the adapter relies on, looked at once more.

It only reads, in one transaction, so a broker may have the journal open meanwhile. It
mends nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Final

from zchat.errors import JournalDamaged, ProtocolError
from zchat.protocol.codec import decode_event

from .base import MESSAGES
from .folder import Folder
from .migrations import version_of

__all__ = ["Finding", "Report", "check"]

MAX_FINDINGS: Final = 100
"""After so many the journal is damaged enough; a backup is the answer, not a longer list."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it must be."""

    code: str
    """``file``, ``event``, ``position``, ``place`` or ``snapshot``: where it was found."""
    position: int | None
    """The event's position, where it is about one."""
    sentence: str
    """What is wrong."""

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True)
class Report:
    """What `check` saw."""

    file: Path
    """The journal's file."""
    version: int = 0
    """The version of its schema."""
    epoch: str = ""
    """The journal's life."""
    events: int = 0
    """How many events it holds."""
    streams: int = 0
    """How many streams it has seen."""
    head: int = 0
    """The last position committed."""
    snapshot: int | None = None
    """The position of its snapshot, if there is one."""
    findings: tuple[Finding, ...] = ()
    """What is wrong, at most `MAX_FINDINGS`."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def check(folder: Path) -> Report:
    """Verify the journal in ``folder``; reads all of it.

    What is damaged is in the report. Raises `JournalError` where there is no journal or it
    cannot be read, and `JournalTooNew`.
    """
    place = Folder(folder)
    report = Report(place.file)
    try:
        with closing(place.open_reading()) as db:
            db.execute("BEGIN")
            report = _facts(db, place.file)
            return replace(report, findings=tuple(islice(_look(db, report), MAX_FINDINGS)))
    except JournalDamaged as error:
        damage = Finding("file", None, error.reason)
    except sqlite3.DatabaseError as error:
        damage = Finding("file", None, f"the file cannot be read to its end: {error}")
    return replace(report, findings=(damage,))


def _facts(db: sqlite3.Connection, file: Path) -> Report:
    epoch, head = db.execute("SELECT epoch, head FROM journal").fetchone()
    events, last = db.execute("SELECT count(*), ifnull(max(position), 0) FROM events").fetchone()
    snapshot = db.execute("SELECT position FROM snapshot").fetchone()
    return Report(
        file,
        version=version_of(db),
        epoch=epoch,
        events=events,
        streams=db.execute("SELECT count(*) FROM streams").fetchone()[0],
        head=max(head, last),
        snapshot=snapshot[0] if snapshot else None,
    )


def _look(db: sqlite3.Connection, report: Report) -> Iterator[Finding]:
    for (line,) in db.execute("PRAGMA integrity_check"):
        if line != "ok":
            yield Finding("file", None, f"SQLite finds: {line}")
    if report.snapshot is not None and not 0 <= report.snapshot <= report.head:
        yield Finding(
            "snapshot",
            report.snapshot,
            f"the snapshot is of position {report.snapshot}, but the last is {report.head}",
        )
    yield from _look_at_events(db)
    yield from _look_at_places(db)


def _look_at_events(db: sqlite3.Connection) -> Iterator[Finding]:
    """Each event is read and stands where it says, but for what has been trimmed."""
    for position, kind, body in db.execute("SELECT * FROM events ORDER BY position"):
        if position < 1:
            yield Finding("position", position, f"an event has the position {position}, below 1")
        try:
            event = decode_event(position, body)
        except ProtocolError as error:
            yield Finding("event", position, str(error))
            continue
        if kind != event.kind:
            yield Finding(
                "event", position, f"position {position} is marked {kind} but holds a {event.kind}"
            )
        places = 0
        for stream in event.streams():
            stands, floor = db.execute(_STANDS, (stream, position)).fetchone() or (False, 0)
            trimmed = event.kind in MESSAGES and position <= floor
            places += stands
            if stands and trimmed:
                yield Finding(
                    "place", position, f"position {position} should be trimmed from {stream}"
                )
            elif not stands and not trimmed:
                yield Finding("place", position, f"position {position} is missing in {stream}")
        if not places:
            yield Finding("place", position, f"position {position} stands in no stream")


def _look_at_places(db: sqlite3.Connection) -> Iterator[Finding]:
    """Each place belongs to an event that says so."""
    for stream, position, body in db.execute(_PLACES):
        if body is None:
            yield Finding(
                "place", position, f"{stream} has a place at position {position}, and no event"
            )
            continue
        try:
            event = decode_event(position, body)
        except ProtocolError:
            continue  # found with the events
        if not event.of(stream):
            yield Finding(
                "place",
                position,
                f"position {position} stands in {stream}, where it does not belong",
            )


_STANDS: Final = (
    "SELECT EXISTS (SELECT 1 FROM places WHERE stream = id AND position = ?2), floor"
    " FROM streams WHERE name = ?1"
)
_PLACES: Final = (
    "SELECT ifnull(name, 'stream ' || stream), position, body FROM places"
    " LEFT JOIN streams ON id = stream LEFT JOIN events USING (position)"
)
