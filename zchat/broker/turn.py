"""One turn between core and journal: commit, fold, read, and what is then to be sent. No sockets.

The order is the promise: nothing leaves that is not durable.
"""

from __future__ import annotations

from zchat.core import Broker, Effects, Now
from zchat.errors import JournalError
from zchat.journal import Journal

__all__ = ["turn"]


def turn(broker: Broker, journal: Journal, now: Now) -> tuple[Effects, JournalError | None]:
    """Commit what was decided and fold what was committed.

    Returns what to send, and the error if the journal could not keep the batch or read a
    page: then those who wait for it have been refused and the broker goes on.
    """
    trouble: JournalError | None = None
    batch = broker.proposals()
    try:
        _forget(broker, journal)  # what an earlier turn could not
        if batch:
            journal.submit(batch)
    except JournalError as error:
        broker.declined(batch, now)
        trouble = error
    broker.committed(journal.pump(), now)
    try:
        _forget(broker, journal)
    except JournalError as error:
        trouble = error
    for read in broker.reads():
        try:
            span = journal.read(read.stream, after=read.after, before=read.before, limit=read.limit)
        except JournalError as error:
            broker.unreadable(read, now)
            trouble = error
        else:
            broker.page(read, span.events, more=span.more, floor=span.floor, now=now)
    return broker.effects(), trouble


def _forget(broker: Broker, journal: Journal) -> None:
    """Drop what was found void, before anything else is committed. Raises `JournalError`."""
    if broker.void:
        journal.drop(broker.void)
        broker.void = []
