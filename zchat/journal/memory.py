"""A journal in memory: the whole port, durable only as long as the object lives.

For the simulation, for tests, and for a broker that is to leave nothing behind. What has
been submitted counts as durable, pumped or not: `MemoryJournal.reopen` is what a broker
finds after a crash. It copies no events, so whoever holds one must not change it.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

from zchat.errors import JournalError, JournalFull
from zchat.protocol.events import Event

from .base import MESSAGES, Range

__all__ = ["MemoryJournal"]

PATH: Final = "memory:"


class MemoryJournal:
    """An empty record, or with `reopen` the one that was there.

    ``stride`` is the distance from one position to the next; more than 1 shows who takes
    positions to be dense. ``capacity`` is how many events it holds before `submit` raises
    `JournalFull`; it may be set at any time. ``epoch`` is random if not given.
    """

    def __init__(
        self, *, stride: int = 1, capacity: int | None = None, epoch: str | None = None
    ) -> None:
        self.capacity = capacity
        self._stride = stride
        self._epoch = secrets.token_hex(8) if epoch is None else epoch
        self._head = 0
        self._judged = 0
        self._events: dict[int, Event] = {}
        self._places: dict[str, list[int]] = {}
        self._floors: dict[str, int] = {}
        self._snapshot: tuple[int, bytes] | None = None
        self._committed: list[Event] = []
        self._closed = False

    def reopen(self) -> MemoryJournal:
        """The same record, opened anew with nothing to pump, as after a crash.

        This object is closed by it: a broker that outlived its crash is found out.
        """
        again = MemoryJournal(stride=self._stride, capacity=self.capacity, epoch=self._epoch)
        again._head = self._head
        again._judged = self._judged
        again._events = self._events
        again._places = self._places
        again._floors = self._floors
        again._snapshot = self._snapshot
        self.close()
        return again

    @property
    def epoch(self) -> str:
        return self._epoch

    @property
    def judged(self) -> int:
        return self._judged

    def submit(self, batch: Sequence[Event]) -> None:
        self._must_be_open()
        if self.capacity is not None and len(self._events) + len(batch) > self.capacity:
            raise JournalFull(
                PATH, f"it holds {self.capacity} events and no more; trim some, or raise capacity"
            )
        events, places = self._events, self._places
        position, stride = self._head, self._stride
        self._judged = position
        for event in batch:
            position += stride
            event.position = position
            events[position] = event
            for stream in event.streams():
                places.setdefault(stream, []).append(position)
        self._head = position
        self._committed += batch

    def pump(self) -> list[Event]:
        self._must_be_open()
        committed, self._committed = self._committed, []
        return committed

    def fileno(self) -> int | None:
        return None

    def tail(self, after: int) -> Iterator[Event]:
        self._must_be_open()
        # Positions are inserted in order, and a dict keeps it.
        return iter([event for position, event in self._events.items() if position > after])

    def read(
        self, stream: str, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Range:
        self._must_be_open()
        places = self._places.get(stream, [])
        first = 0 if after is None else bisect_right(places, after)
        end = len(places) if before is None else bisect_left(places, before, first)
        if after is None:
            cut = max(first, end - limit)
            found, more = places[cut:end], cut > first
        else:
            cut = min(end, first + limit)
            found, more = places[first:cut], cut < end
        return Range([self._events[place] for place in found], more, self._floors.get(stream, 0))

    def head(self) -> int:
        self._must_be_open()
        return self._head

    def drop(self, positions: Sequence[int]) -> None:
        self._must_be_open()
        for position in positions:
            event = self._events.pop(position, None)
            for stream in event.streams() if event else ():
                self._leave(stream, position)

    def redact(self, position: int, event: Event) -> None:
        self._must_be_open()
        if position in self._events:
            event.position = position
            self._events[position] = event

    def trim(self, stream: str, through: int) -> int:
        self._must_be_open()
        places = self._places.get(stream, [])
        old = places[: bisect_right(places, through)]
        gone = [place for place in old if self._events[place].kind in MESSAGES]
        for position in gone:
            self._leave(stream, position)
            if not any(self._stands(position, other) for other in self._events[position].streams()):
                del self._events[position]
        if gone:
            self._floors[stream] = gone[-1]
        return len(gone)

    def save(self, position: int, snapshot: bytes) -> None:
        self._must_be_open()
        self._snapshot = position, snapshot

    def load(self) -> tuple[int, bytes] | None:
        self._must_be_open()
        return self._snapshot

    def close(self) -> None:
        self._closed = True

    def _must_be_open(self) -> None:
        if self._closed:
            raise JournalError(PATH, "this journal is closed; open it anew")

    def _stands(self, position: int, stream: str) -> bool:
        places = self._places.get(stream, [])
        index = bisect_left(places, position)
        return index < len(places) and places[index] == position

    def _leave(self, stream: str, position: int) -> None:
        if self._stands(position, stream):
            places = self._places[stream]
            del places[bisect_left(places, position)]
