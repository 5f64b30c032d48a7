"""The record as JSON lines, for people and other programs. It reads, and changes nothing.

Like all that leaves a broker it passes through `zchat.protocol.audience.view`: fields for
the broker alone stay behind, and a field at its default is left out, as on the wire.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from zchat.protocol.audience import view
from zchat.protocol.events import Audience, Event

from .base import Journal

__all__ = ["export", "json_line"]

_READER: Final = Audience.ROOM | Audience.MODERATORS | Audience.OWNER
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_ESCAPES: Final = {
    code: f"\\u{code:04x}"
    for first, last in ((0x7F, 0x9F), (0x200E, 0x200F), (0x2028, 0x202E), (0x2066, 0x2069))
    for code in range(first, last + 1)
}
"""What JSON lets through and a terminal obeys: DEL, C1, line ends and directions of writing."""


def export(journal: Journal, write: Callable[[str], object]) -> int:
    """Give every event to ``write`` as one line of JSON that ends in a newline; how many there were.

    Raises what ``write`` raises, and `JournalError`.
    """
    count = 0
    for event in journal.tail(0):
        write(json_line(event) + "\n")
        count += 1
    return count


def json_line(event: Event) -> str:
    """One event: ``position``, ``kind``, ``at`` (RFC 3339, UTC, milliseconds), then its own fields."""
    fields: dict[str, Any] = msgspec.msgpack.decode(view(event, _READER))
    at = (_EPOCH + timedelta(milliseconds=event.at)).isoformat(timespec="milliseconds")
    line = {"position": event.position, **fields, "at": at.replace("+00:00", "Z")}
    return json.dumps(line, ensure_ascii=False, default=bytes.hex).translate(_ESCAPES)
