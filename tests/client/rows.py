"""What a broker would say of one stream, written by hand: rows, publications, pages, handouts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from zchat.client.events import ChatEvent, Gap
from zchat.protocol.codec import Publication, Signal, encode, encode_publication
from zchat.protocol.events import Event
from zchat.protocol.replies import Handout, Page
from zchat.protocol.seal import Key

Row = list[Any]


def said(position: int, room: str = "tea") -> Row:
    """A message whose text is its position."""
    fields = {"kind": "message", "room": room, "text": str(position)}
    return [position, {"at": 0, "user": "u1", "nick": "ada", **fields}]


def renamed(position: int, *rooms: str, user: str = "u1") -> Row:
    """An event that stands in several rooms, and in the inbox of whose it is."""
    fields = {"kind": "renamed", "to": f"ada{position}", "rooms": list(rooms)}
    return [position, {"at": 0, "user": user, "nick": "ada", **fields}]


def publication(prev: int, *positions: int, last: int | None = None) -> Publication:
    """Messages published at these positions; without any, where the stream is."""
    last = last or max(positions, default=prev)
    return Publication(prev=prev, last=last, events=[said(each) for each in positions])


def page(*positions: int, head: int, more: bool = False, floor: int = 0) -> Page:
    """A page of messages."""
    events = [said(each) for each in positions]
    return Page(id=1, events=events, more=more, head=head, floor=floor)


def sealed(
    key: Key, n: int, prev: int, rows: Sequence[Row] = (), *, last: int | None = None,
    signals: Sequence[Signal] = (),
) -> bytes:  # fmt: skip
    """One frame on SUB."""
    last = last or max((row[0] for row in rows), default=prev)
    return key.seal(n, encode_publication(prev, last, [encode(row) for row in rows], signals))


def key_of(topic: int, number: int = 1) -> Key:
    """The key with this number of a topic."""
    return Key(topic, number, topic.to_bytes(16, "big") + number.to_bytes(16, "big"))


def handout(stream: str, key: Key, head: int) -> Handout:
    """What lets a client hear a stream."""
    return Handout(stream=stream, topic=key.topic, key_number=key.number, key=key.secret, head=head)


def key_signal(stream: str, key: Key) -> Signal:
    """What tells the members of a room its new key."""
    return Signal(
        signal="key", stream=stream, topic=key.topic, key_number=key.number, key=key.secret
    )


Shown = int | tuple[int | None, int] | str


def shown(delivered: Iterable[ChatEvent]) -> list[Shown]:
    """Deliveries in short: a position, or a gap as (after, until), or another record's name."""
    short: list[Shown] = []
    for each in delivered:
        if isinstance(each, Gap):
            short.append((each.after, each.until))
        else:
            short.append(each.position if isinstance(each, Event) else type(each).__name__)
    return short
