"""The folder that holds a SQLite journal: its files, its lock, and the two ways to open it.

A file that is no zchat journal, or of a version unknown here, is never opened for writing,
so nothing harms it. What stands in the journal is none of this module's business.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from zchat.errors import JournalDamaged, JournalError, JournalLocked, JournalReadOnly, JournalTooNew

from .faults import telling
from .migrations import APPLICATION_ID, MIGRATIONS, migrate, version_of

__all__ = ["Folder"]

BUSY_S: Final = 5.0
"""How long SQLite waits for another connection: a reader that recovers the WAL, for one."""

_UNWRITABLE: Final = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


class Folder:
    """The data folder at ``path``. Nothing is touched before a method is called."""

    def __init__(self, path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
        self.path = path
        self.file = path / "journal.db"
        self._migrations = migrations

    def lock(self) -> int:
        """Hold the folder for this process, making it if need be; the descriptor to close.

        The operating system lets go of it when the process ends, by kill -9 too. Raises
        `JournalLocked`, `JournalReadOnly`, `JournalFull` or `JournalError`.
        """
        self._must_be_folder()
        with telling(self.path):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._must_be_writable()
            lock = os.open(self.path / "journal.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(lock)
                if not isinstance(error, BlockingIOError):
                    raise
                raise JournalLocked(
                    str(self.file),
                    "another broker has it open; stop that one, or use another data folder "
                    "with --data",
                ) from None
        return lock

    def open_writing(self) -> sqlite3.Connection:
        """The journal here, made or migrated if need be. Only under `lock`.

        Raises `JournalError` or a subclass; what stood here then stands here still.
        """
        with telling(self.file):
            if not self.file.exists():
                self._create()
            self._open_known().close()
            db = _connect(self.file, "mode=rw")
            try:
                _be_durable(db)
                migrate(db, self._migrations)
                if db.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
                    raise JournalError(
                        str(self.file),
                        "this file system cannot hold SQLite's write-ahead log; use a local disk",
                    )
            except BaseException:
                db.close()
                raise
        return db

    def open_reading(self) -> sqlite3.Connection:
        """The journal here, to read only, whether or not a broker has it open.

        Raises `JournalError`, `JournalTooNew` or `JournalDamaged`.
        """
        self._must_be_folder()
        with telling(self.file):
            if not self.file.exists():
                raise JournalError(
                    str(self.file), "there is no journal; name the broker's data folder with --data"
                )
            return self._open_known()

    def _must_be_folder(self) -> None:
        with telling(self.path):
            is_other = self.path.exists() and not self.path.is_dir()
        if is_other:
            raise JournalError(
                str(self.path),
                "this is a file; name the folder that holds, or is to hold, a journal",
            )

    def _must_be_writable(self) -> None:
        for path in (self.path, self.file):
            if path.exists() and not os.access(path, os.R_OK | os.W_OK):
                raise JournalReadOnly(
                    str(path),
                    "this user may not write there; mend the rights, or use another data "
                    "folder with --data",
                )

    def _create(self) -> None:
        """Make a whole journal under another name, then give it its own: never half a one."""
        wal = _beside(self.file, "-wal")
        if wal.exists():
            # SQLite would play it back into the new file.
            raise JournalDamaged(
                str(self.file),
                f"it is gone but {wal.name} is there; put it back, or move both away",
            )
        new = _beside(self.file, ".new")
        _remove(new)
        try:
            # SQLite gives its other files the rights of this one: whispers are in all of them.
            os.close(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            with closing(_connect(new, "mode=rw")) as db:
                _be_durable(db)
                migrate(db, self._migrations)
                # After the migrations: until here each commit is in the file itself, and no
                # WAL can be left behind under a name that changes.
                db.execute("PRAGMA journal_mode = WAL")
            new.rename(self.file)
        finally:
            _remove(new)
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _open_known(self) -> sqlite3.Connection:
        """The file, read only, after seeing that it is a journal of a version known here."""
        try:
            return self._known(_connect(self.file, "mode=ro"))
        except sqlite3.OperationalError as error:
            # Where nothing can be written SQLite cannot index a WAL. Without a WAL nobody
            # writes, and the file alone is the journal.
            unwritable = error.sqlite_errorcode & 0xFF in _UNWRITABLE
            if not unwritable or _beside(self.file, "-wal").exists():
                raise
            return self._known(_connect(self.file, "immutable=1"))

    def _known(self, db: sqlite3.Connection) -> sqlite3.Connection:
        try:
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise JournalDamaged(
                    str(self.file),
                    "this is not a zchat journal; restore a backup, or move it away to begin anew",
                )
            version, newest = version_of(db), len(self._migrations)
            if version > newest:
                raise JournalTooNew(
                    str(self.file),
                    f"a newer zchat wrote it (version {version}, this one knows {newest}); "
                    "update zchat",
                )
        except BaseException:
            db.close()
            raise
        return db


def _connect(file: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{file.absolute().as_uri()}?{options}",
        uri=True,
        isolation_level=None,
        timeout=BUSY_S,
        check_same_thread=False,
    )


def _be_durable(db: sqlite3.Connection) -> None:
    """What a commit is to mean on this connection: in the file, and what went is gone."""
    # In WAL mode FULL syncs the WAL at each commit (sqlite.org/pragma.html#pragma_synchronous).
    db.execute("PRAGMA synchronous = FULL")
    # macOS keeps data in the drive's cache at a plain fsync; elsewhere this is nothing.
    db.execute("PRAGMA fullfsync = ON")
    db.execute("PRAGMA secure_delete = ON")


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(file.name + suffix)


def _remove(file: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        _beside(file, suffix).unlink(missing_ok=True)
