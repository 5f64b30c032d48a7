"""The record: a port (`base`), its adapters (`memory`, `sqlite`), and what reads one offline.

Nothing here knows what an event means. A journal is opened by its URL with `open_journal`.
"""

from __future__ import annotations

from pathlib import Path

from zchat.errors import UsageError

from .base import Journal, Range
from .check import Finding, Report, check
from .export import export
from .memory import MemoryJournal
from .sqlite import SqliteJournal

__all__ = [
    "Finding",
    "Journal",
    "MemoryJournal",
    "Range",
    "Report",
    "SqliteJournal",
    "check",
    "export",
    "open_journal",
]


def open_journal(url: str, data: Path) -> Journal:
    """The journal at ``url``: ``sqlite:`` in the folder ``data``, ``sqlite:FOLDER``, or ``memory:``.

    Raises `UsageError` for any other URL, and what `SqliteJournal` raises.
    """
    scheme, _, rest = url.partition(":")
    match scheme, rest:
        case "memory", "":
            return MemoryJournal()
        case "sqlite", _:
            return SqliteJournal(Path(rest) if rest else data)
        case "nats", _:
            why = "a journal that brokers share over nats:// is not built in yet"
        case _:
            why = f"there is no journal {url!r}"
    raise UsageError(f"{why}; use sqlite: (in the data folder), sqlite:FOLDER or memory:")
