"""A hall: three streams as a broker keeps them, by hand, for one client; and the air between them.

What is published waits in ``air``, in any order it is to be heard in. What is asked waits in
``asked`` until the hall decides it, and its answer in ``answers`` until it is received.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import count

from tests.client.rows import Row, handout, key_of, key_signal, renamed, said, sealed
from zchat.protocol.codec import Signal
from zchat.protocol.replies import INBOX, Handout, Page

ME = "u9"
"""The user id of the client."""
ROOMS = ("tea", "rain")
PAGE = 3
"""Events in a page, few, so that a backfill takes several."""


@dataclass
class Stream:
    """One stream as the broker has it."""

    name: str
    topic: int
    number: int = 1
    """The present key's."""
    head: int = 0
    floor: int = 0
    rows: list[Row] = field(default_factory=list)
    """What retention has left."""
    positions: list[int] = field(default_factory=list)
    """Where all its events stand, those removed too."""
    since: int | None = None
    """Where the client entered; none while it is not in."""

    @property
    def handout(self) -> Handout:
        return handout(self.name, key_of(self.topic, self.number), self.head)


class Hall:
    """The broker's side."""

    def __init__(self) -> None:
        self.streams = {
            name: Stream(name, topic) for topic, name in enumerate((INBOX, *ROOMS), start=1)
        }
        self.streams[INBOX].since = 0
        self.air: list[bytes] = []
        self.asked: deque[Callable[[], Callable[[], None]]] = deque()
        self.answers: deque[Callable[[], None]] = deque()
        self.position = 0
        self._n = count(1)

    # Happenings.

    def turn(self, events: Iterable[tuple[int, str]]) -> None:
        """Each event stands so many positions further on; then one publication a stream."""
        before = {name: stream.head for name, stream in self.streams.items()}
        new: dict[str, list[Row]] = {name: [] for name in self.streams}
        for step, what in events:
            self.position += step
            row, streams = self._row(what)
            for name in streams:
                new[name].append(row)
                self.streams[name].positions.append(self.position)
                self.streams[name].head = self.position
        for name, rows in new.items():
            self.streams[name].rows += rows
            if rows:
                self._publish(self.streams[name], before[name], rows)

    def _row(self, what: str) -> tuple[Row, tuple[str, ...]]:
        if what == "rename of mine":
            mine = tuple(room for room in ROOMS if self.streams[room].since is not None)
            return renamed(self.position, *mine, user=ME), (INBOX, *mine)
        if what == "rename of another's":
            return renamed(self.position, *ROOMS), ROOMS
        if what == INBOX:
            whisper = said(self.position)
            whisper[1] |= {"kind": "whisper", "to": ME, "to_nick": "me"}
            return whisper, (INBOX,)
        return said(self.position, what), (what,)

    def _publish(
        self, stream: Stream, prev: int, rows: list[Row], signals: tuple[Signal, ...] = ()
    ) -> None:
        key = key_of(stream.topic, stream.number)
        last = stream.head if rows else prev
        self.air.append(sealed(key, next(self._n), prev, rows, last=last, signals=signals))

    def confirm(self, topic: int) -> None:
        """A subscription is granted: the stream says where it is."""
        for stream in self.streams.values():
            if stream.topic == topic:
                self._publish(stream, stream.head, [])

    def rekey(self, room: str) -> None:
        """The key is replaced; members are told in their inbox."""
        stream = self.streams[room]
        stream.number += 1
        if stream.since is not None:
            signal = key_signal(room, key_of(stream.topic, stream.number))
            self._publish(self.streams[INBOX], self.streams[INBOX].head, [], (signal,))

    def restart(self) -> None:
        """Topics and keys are new; the air is empty."""
        for stream in self.streams.values():
            stream.topic, stream.number = stream.topic + 10, 1

    def trim(self, room: str) -> None:
        """Retention removes the older half of the messages."""
        stream = self.streams[room]
        old = stream.rows[: len(stream.rows) // 2]
        if old:
            stream.floor = max(stream.floor, old[-1][0])
            stream.rows = [
                row for row in stream.rows if row not in old or row[1]["kind"] != "message"
            ]

    # Answers.

    def page(self, name: str, after: int) -> Page:
        stream = self.streams[name]
        found = [row for row in stream.rows if row[0] > after]
        more = len(found) > PAGE
        return Page(id=1, events=found[:PAGE], more=more, head=stream.head, floor=stream.floor)

    def enter(self, room: str) -> int:
        """Where the client is in since now, or already."""
        stream = self.streams[room]
        if stream.since is None:
            self.turn([(1, room)])
            stream.since = self.position
        return stream.since

    def leave(self, room: str) -> int:
        """Where the client left."""
        self.turn([(1, room)])
        self.streams[room].since = None
        return self.position
