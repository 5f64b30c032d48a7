"""A page of history as its reader may see it: bounded, and without what is not theirs."""

from __future__ import annotations

from collections.abc import Sequence

from zchat.protocol.codec import encode_page as _encode
from zchat.protocol.codec import encode_row
from zchat.protocol.events import Audience, Event
from zchat.protocol.replies import Page

from .effects import Read

__all__ = ["PAGE_BYTES", "encode_page"]

PAGE_BYTES = 65_536
"""A page is no longer: what one reader that stalls makes the broker hold for it."""


def encode_page(
    read: Read, user: str, lowest: int, events: Sequence[Event], more: bool, floor: int, head: int
) -> bytes:
    """The reply to ``read`` for this user, from what the journal holds.

    Nothing at or before ``lowest`` is theirs to read.
    """
    readable = [event for event in events if event.position > lowest]
    rows: list[bytes] = []
    size = 0
    # Cut off at the end farthest from where the asker stands.
    for event in readable if read.after is not None else reversed(readable):
        row = encode_row(
            event, Audience.ROOM | Audience.OWNER if event.user == user else Audience.ROOM
        )
        size += len(row)
        if size > PAGE_BYTES and rows:
            break
        rows.append(row)
    if read.after is None:
        rows.reverse()
    first = bool(readable) and readable[0].position == lowest + 1
    if len(readable) < len(events) or (first and read.after is None):
        more = False  # the stream goes on, but what is older is not the asker's
    more = more or len(rows) < len(readable)
    return _encode(Page(id=read.id, events=[], more=more, head=head, floor=floor), rows)
