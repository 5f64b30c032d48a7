"""The schema of a SQLite journal, as the numbered steps that lead to it.

Version *n* of the schema is what the first *n* steps make (``PRAGMA user_version``). A step that
has been released is never edited: a change is another step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

__all__ = ["APPLICATION_ID", "MIGRATIONS", "migrate", "version_of"]

APPLICATION_ID: Final = 0x7A636874
"""``zcht``: what marks a SQLite file as a zchat journal (sqlite.org/pragma.html#pragma_application_id)."""

MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        # One row. ``judged`` as in the port. ``head`` is raised when events go, so that no position is given twice; the
        # last position committed is the larger of it and the last event's.
        "CREATE TABLE journal (epoch TEXT NOT NULL, head INTEGER NOT NULL, judged INTEGER NOT NULL)",
        "INSERT INTO journal VALUES (lower(hex(randomblob(8))), 0, 0)",
        "CREATE TABLE events (position INTEGER PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL)",
        "CREATE TABLE streams (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
        " floor INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE places (stream INTEGER NOT NULL, position INTEGER NOT NULL,"
        " PRIMARY KEY (stream, position)) WITHOUT ROWID",
        "CREATE TABLE snapshot (position INTEGER NOT NULL, body BLOB NOT NULL)",
    ),
)


def version_of(db: sqlite3.Connection) -> int:
    """The version of the schema there; 0 in an empty file."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def migrate(db: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the schema up to date, one transaction a step; a step that fails changes nothing."""
    for number in range(version_of(db), len(migrations)):
        db.execute("BEGIN IMMEDIATE")
        try:
            for statement in migrations[number]:
                db.execute(statement)
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            db.execute(f"PRAGMA user_version = {number + 1}")
            db.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
