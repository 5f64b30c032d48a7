"""The journal on disk: one SQLite file, one fsynced commit a submit, one counter of positions.

It decides nothing about what is kept or who may read. One thread at a time may use it.
What `redact` and `trim` take away is overwritten in the file (``secure_delete``); SQLite's
write-ahead log may hold it until 1,000 more pages were written or the journal is closed.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from zchat.errors import JournalDamaged
from zchat.protocol.codec import decode_event, encode_event
from zchat.protocol.events import Event

from .base import MESSAGES, Range
from .faults import telling
from .folder import Folder

__all__ = ["SqliteJournal"]

MAX_POSITION: Final = 2**63 - 1
"""SQLite's largest integer."""

TAIL_EVENTS: Final = 1_000
"""Events fetched at once by `SqliteJournal.tail`; between two fetches no read lock is held."""

KNOWN_STREAMS: Final = 10_000
"""Stream numbers remembered; each is about 150 bytes and saves a query of some 3 µs."""

_PAGE: Final = (
    "SELECT position, body FROM places CROSS JOIN events USING (position)"
    " WHERE stream = ? AND position > ? AND position < ? ORDER BY position {order} LIMIT ?"
)
_FIRST: Final = _PAGE.format(order="ASC")
_LAST: Final = _PAGE.format(order="DESC")


class SqliteJournal:
    """The journal in ``folder``, made if there is none and held until `close` or the process's end.

    Raises `JournalLocked`, `JournalTooNew`, `JournalReadOnly`, `JournalFull`,
    `JournalDamaged` or `JournalError`; nothing in the folder is harmed by it.
    """

    def __init__(self, folder: Path) -> None:
        place = Folder(folder)
        lock = place.lock()
        try:
            self._use(place.file, place.open_writing(), lock)
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def reading(cls, folder: Path) -> Self:
        """The journal in ``folder`` to read only, also while a broker has it open.

        It sees each commit as it is made. What would write raises `JournalReadOnly`.
        Raises `JournalError`, `JournalTooNew` or `JournalDamaged`.
        """
        self = cls.__new__(cls)
        place = Folder(folder)
        self._use(place.file, place.open_reading(), None)
        return self

    def _use(self, file: Path, db: sqlite3.Connection, lock: int | None) -> None:
        self._file = file
        self._db = db
        self._lock = lock
        self._committed: list[Event] = []
        self._streams: dict[str, int] = {}
        try:
            with telling(file):
                row: tuple[str, int] = db.execute("SELECT epoch, judged FROM journal").fetchone()
            self._epoch, self._judged = row
            self._inode = file.stat().st_ino
            self._head = self.head()
        except BaseException:
            db.close()
            raise

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def judged(self) -> int:
        return self._judged

    def submit(self, batch: Sequence[Event]) -> None:
        self._must_be_there()
        first = self._head + 1
        with self._commit():
            self._db.execute("UPDATE journal SET judged = ?", (self._head,))
            self._db.executemany(
                "INSERT INTO events VALUES (?, ?, ?)",
                [(n, event.kind, encode_event(event)) for n, event in enumerate(batch, first)],
            )
            self._db.executemany(
                "INSERT INTO places VALUES (?, ?)",
                [
                    (self._stream(stream), n)
                    for n, event in enumerate(batch, first)
                    for stream in event.streams()
                ],
            )
        for n, event in enumerate(batch, first):
            event.position = n
        self._judged = self._head
        self._head += len(batch)
        self._committed += batch

    def pump(self) -> list[Event]:
        committed, self._committed = self._committed, []
        return committed

    def fileno(self) -> int | None:
        return None

    def tail(self, after: int) -> Iterator[Event]:
        with telling(self._file):
            while rows := self._db.execute(
                "SELECT position, body FROM events WHERE position > ? ORDER BY position LIMIT ?",
                (after, TAIL_EVENTS),
            ).fetchall():
                for position, body in rows:
                    yield decode_event(position, body)
                after = rows[-1][0]

    def read(
        self, stream: str, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Range:
        low = 0 if after is None else min(after, MAX_POSITION)
        high = MAX_POSITION if before is None else min(before, MAX_POSITION)
        with telling(self._file):
            row = self._db.execute(
                "SELECT id, floor FROM streams WHERE name = ?", (stream,)
            ).fetchone()
            if row is None:
                return Range([], False, 0)
            rows = self._db.execute(
                _LAST if after is None else _FIRST, (row[0], low, high, limit + 1)
            ).fetchall()
            more = len(rows) > limit
            del rows[limit:]
            if after is None:
                rows.reverse()
            return Range([decode_event(*found) for found in rows], more, row[1])

    def head(self) -> int:
        with telling(self._file):
            head: int = self._db.execute(
                "SELECT max(head, (SELECT ifnull(max(position), 0) FROM events)) FROM journal"
            ).fetchone()[0]
        return head

    def drop(self, positions: Sequence[int]) -> None:
        with self._commit():
            self._keep_head()
            for position in positions:
                for event in self._at(position):
                    self._db.executemany(
                        "DELETE FROM places WHERE stream = ? AND position = ?",
                        [(self._stream(stream), position) for stream in event.streams()],
                    )
                    self._db.execute("DELETE FROM events WHERE position = ?", (position,))

    def redact(self, position: int, event: Event) -> None:
        with self._commit():
            self._db.execute(
                "UPDATE events SET kind = ?, body = ? WHERE position = ?",
                (event.kind, encode_event(event), position),
            )

    def trim(self, stream: str, through: int) -> int:
        with self._commit():
            self._keep_head()
            number = self._stream(stream)
            places = self._db.execute(
                "SELECT position, kind FROM places CROSS JOIN events USING (position)"
                " WHERE stream = ? AND position <= ? ORDER BY position",
                (number, min(through, MAX_POSITION)),
            )
            gone = [position for position, kind in places if kind in MESSAGES]
            if gone:
                self._db.executemany(
                    "DELETE FROM places WHERE stream = ? AND position = ?",
                    [(number, position) for position in gone],
                )
                self._db.executemany(
                    "DELETE FROM events WHERE position = ?",
                    [(position,) for position in gone if not self._stands(position)],
                )
                self._db.execute("UPDATE streams SET floor = ? WHERE id = ?", (gone[-1], number))
        return len(gone)

    def save(self, position: int, snapshot: bytes) -> None:
        with self._commit():
            self._db.execute("DELETE FROM snapshot")
            self._db.execute("INSERT INTO snapshot VALUES (?, ?)", (position, snapshot))

    def load(self) -> tuple[int, bytes] | None:
        with telling(self._file):
            row: tuple[int, bytes] | None = self._db.execute(
                "SELECT position, body FROM snapshot"
            ).fetchone()
        return row

    def close(self) -> None:
        with telling(self._file):
            self._db.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _must_be_there(self) -> None:
        """A file that was removed still takes every commit, and gives nothing back (POSIX unlink)."""
        with suppress(OSError):
            if self._file.stat().st_ino == self._inode:
                return
        raise JournalDamaged(
            str(self._file),
            "somebody removed or replaced it while it is in use, and nothing more is kept; "
            "stop the broker and bring the file back",
        )

    @contextmanager
    def _commit(self) -> Iterator[None]:
        """What is done inside as one transaction, on disk when this ends; or, on any error, none."""
        with telling(self._file):
            try:
                self._db.execute("BEGIN IMMEDIATE")
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after some errors, and then says so by another.
                with suppress(sqlite3.Error):
                    self._db.execute("ROLLBACK")
                self._streams.clear()
                raise

    def _stream(self, name: str) -> int:
        """The number of a stream, given on first use. Only inside `_commit`."""
        number = self._streams.get(name)
        if number is None:
            self._db.execute("INSERT OR IGNORE INTO streams (name) VALUES (?)", (name,))
            number = self._db.execute("SELECT id FROM streams WHERE name = ?", (name,)).fetchone()[
                0
            ]
            if len(self._streams) >= KNOWN_STREAMS:
                self._streams.clear()
            self._streams[name] = number
        return number

    def _keep_head(self) -> None:
        self._db.execute("UPDATE journal SET head = ?", (self._head,))

    def _at(self, position: int) -> list[Event]:
        """The event there, or none."""
        rows = self._db.execute("SELECT position, body FROM events WHERE position = ?", (position,))
        return [decode_event(*row) for row in rows]

    def _stands(self, position: int) -> bool:
        """Whether the event there still stands in any stream."""
        return any(
            self._db.execute(
                "SELECT 1 FROM places WHERE stream = ? AND position = ?",
                (self._stream(stream), position),
            ).fetchone()
            for event in self._at(position)
            for stream in event.streams()
        )
