"""Pages of history as their readers may see them: bounded, and without what is not theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from zchat.errors import Refused
from zchat.protocol.codec import encode_page, encode_row
from zchat.protocol.events import Audience, Event
from zchat.protocol.replies import Page

from .clients import Client, Clients
from .effects import Read
from .outbox import Outbox
from .record import Record
from .rights import readable

__all__ = ["PAGE_BYTES", "Pages"]

PAGE_BYTES: Final = 65_536
"""A page is no longer: what one reader that stalls makes the broker hold for it."""


class Pages:
    """The pages asked for and not yet answered; a client has one at a time."""

    def __init__(self, record: Record, clients: Clients, outbox: Outbox) -> None:
        self._record = record
        self._clients = clients
        self._outbox = outbox
        self._reads: list[Read] = []

    def __len__(self) -> int:
        return len(self._reads)

    def ask(self, read: Read) -> None:
        """A page is to be read."""
        self._reads.append(read)

    def take(self) -> list[Read]:
        """What is to be read; each must be given to `answer` or `refuse`."""
        reads, self._reads = self._reads, []
        return reads

    def answer(self, read: Read, events: Sequence[Event], more: bool, floor: int) -> Client | None:
        """Send what the journal holds for ``read``; who asked, if they are still there."""
        client = self._clients.get(read.routing_id)
        if client is None:
            return None
        try:
            if client.session is None:
                raise Refused(client.ended)
            user = self._record.sessions[client.session].user
            # Asked when it was decided, too; this turn may have taken the right away.
            part = readable(self._record, user, read.name)
        except Refused as refused:
            return self.refuse(read, refused)
        rows, cut = _rows(read, user, part.after, events)
        page = Page(
            id=read.id,
            events=[],
            more=cut or (more and not _begins(events, part.after, read)),
            head=self._record.head(part.stream),
            floor=floor,
        )
        self._outbox.reply(client, encode_page(page, rows))
        return client

    def refuse(self, read: Read, refused: Refused) -> Client | None:
        """Send no page, but why; who asked, if they are still there."""
        client = self._clients.get(read.routing_id)
        if client is not None:
            self._outbox.refuse(client, read.id, "history", refused)
        return client


def _rows(read: Read, user: str, lowest: int, events: Sequence[Event]) -> tuple[list[bytes], bool]:
    """As many rows as fit a page, oldest first, and whether any did not."""
    theirs = [event for event in events if event.position > lowest]
    rows: list[bytes] = []
    size = 0
    # Cut off at the end farthest from where the asker stands.
    for event in theirs if read.after is not None else reversed(theirs):
        own = event.user == user
        row = encode_row(event, Audience.ROOM | Audience.OWNER if own else Audience.ROOM)
        size += len(row)
        if size > PAGE_BYTES and rows:
            break
        rows.append(row)
    if read.after is None:
        rows.reverse()
    return rows, len(rows) < len(theirs)


def _begins(events: Sequence[Event], lowest: int, read: Read) -> bool:
    """Whether the asker's part of the stream begins in this page: what is older is not theirs."""
    if any(event.position <= lowest for event in events):
        return True
    return read.after is None and bool(events) and events[0].position == lowest + 1
