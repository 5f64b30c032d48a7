"""What SQLite and the operating system say went wrong, as the journal errors of zchat.

The one table of it. It opens nothing and retries nothing.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from zchat.errors import (
    JournalDamaged,
    JournalError,
    JournalFull,
    JournalLocked,
    JournalReadOnly,
    ProtocolError,
)

__all__ = ["fault", "telling"]

_Told = tuple[type[JournalError], str]

_FULL: Final[_Told] = (
    JournalFull,
    "the disk takes no more ({error}), nothing of this was kept; make room and try again",
)
_READ_ONLY: Final[_Told] = (
    JournalReadOnly,
    "it cannot be written ({error}); mend the rights, or use another data folder with --data",
)
_DAMAGED: Final[_Told] = (
    JournalDamaged,
    "its content is not what zchat wrote ({error}); restore a backup, or move it away "
    "to begin anew",
)
_LOCKED: Final[_Told] = (
    JournalLocked,
    "another program is writing to it ({error}); stop that one and try again",
)
_CLOSED: Final[_Told] = (JournalError, "it is closed here ({error}); open it anew")
_OTHER: Final[_Told] = (JournalError, "{error}; look after its disk, then try again")

_BY_CODE: Final[dict[int, _Told]] = {
    sqlite3.SQLITE_FULL: _FULL,
    # SQLite says FULL for ENOSPC only; over quota or over a file-size limit is one of these.
    sqlite3.SQLITE_IOERR_WRITE: _FULL,
    sqlite3.SQLITE_IOERR_SHMSIZE: _FULL,
    sqlite3.SQLITE_READONLY: _READ_ONLY,
    sqlite3.SQLITE_PERM: _READ_ONLY,
    sqlite3.SQLITE_CANTOPEN: _READ_ONLY,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_BUSY: _LOCKED,
}
_BY_ERRNO: Final[dict[int | None, _Told]] = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EACCES: _READ_ONLY,
    errno.EPERM: _READ_ONLY,
    errno.EROFS: _READ_ONLY,
}


def fault(path: Path, error: sqlite3.Error | OSError | ProtocolError) -> JournalError:
    """The journal error for what went wrong with the journal at ``path``."""
    words: object = error
    match error:
        case ProtocolError():
            type_, reason = _DAMAGED
        case OSError():
            type_, reason = _BY_ERRNO.get(error.errno, _OTHER)
            words = error.strerror
        case sqlite3.ProgrammingError():
            type_, reason = _CLOSED
        case _:
            # An extended code holds its primary code in the low byte (sqlite.org/rescode.html).
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
            type_, reason = _BY_CODE.get(code) or _BY_CODE.get(code & 0xFF, _OTHER)
    return type_(str(path), reason.format(error=words))


@contextmanager
def telling(path: Path) -> Iterator[None]:
    """Raise what goes wrong inside as the journal error that it is."""
    try:
        yield
    except (sqlite3.Error, OSError, ProtocolError) as error:
        raise fault(path, error) from error
