"""The record at a start: the last snapshot plus the journal's tail, folded by the same function."""

from __future__ import annotations

from zchat.core import Record, apply, hold
from zchat.journal import Journal

__all__ = ["fold", "keep"]


def fold(journal: Journal, lobby: str) -> Record:
    """The record as of the journal's head. Raises `JournalError`."""
    record: Record | None = None
    saved = journal.load()
    if saved is not None:
        record = Record.restore(lobby, saved[1])
    if record is None:
        record = Record(lobby)
    void: list[int] = []
    for event in journal.tail(record.position):
        if event.position <= journal.judged:
            hold(record, event)
        elif apply(record, event) is not None:
            # A stop between the commit and the removal of what it found void.
            void.append(event.position)
    if void:
        journal.drop(void)
    return record


def keep(journal: Journal, record: Record) -> None:
    """Save a snapshot, so that the next start is short. Raises `JournalError`."""
    journal.save(record.position, record.snapshot())
