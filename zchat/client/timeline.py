"""One stream in its order: what came, what is missing, what to ask for. Pure.

It is told of publications, pages and heads, and gives back events strictly in order of
position, each once, or one `Gap` in the place of what retention removed
(docs/protocol.md, section 7). It asks nothing itself: `behind` says that it needs a page.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from operator import itemgetter
from typing import Final, TypeAlias

from zchat.errors import ProtocolError
from zchat.protocol.codec import Publication, decode_publication, placed
from zchat.protocol.events import Event
from zchat.protocol.replies import Handout, Page
from zchat.protocol.seal import Key, header

from .events import Gap

__all__ = ["HELD_BYTES", "Delivery", "Timeline"]

HELD_BYTES: Final = 1 << 20
"""Publications held behind a gap or for a key, per stream; beyond it history has them too."""

KEYS_KEPT: Final = 8
"""Keys of one topic: publications under an older one may still be on their way."""

Delivery: TypeAlias = Event | Gap


class Timeline:
    """One stream of this client, from the position ``mine`` on."""

    def __init__(self, stream: str, mine: int) -> None:
        self.stream = stream
        """A room's name, or ``@``."""
        self.mine = mine
        """The last position delivered, or passed because nothing of the stream is there."""
        self.head = mine
        """The furthest position the stream is known to have."""
        self.since = mine
        """Where the membership began: a `leave` of an earlier position does not end it."""
        self.topic: int | None = None
        """The topic it is heard on; none while there is no connection."""
        self.already: set[int] = set()
        """Positions past ``mine`` that another stream has delivered."""
        self.lacks_key = False
        """Whether publications wait here for a key."""
        self._keys: dict[int, Key] = {}
        self._held: list[tuple[int, Publication, int]] = []
        self._locked: list[bytes] = []
        self._held_bytes = 0
        self._floor = 0

    @property
    def behind(self) -> bool:
        """Whether there are events that only `history` after ``mine`` can bring for sure."""
        return self.head > self.mine

    def hear(self, handout: Handout) -> bool:
        """Take a topic and key handed out; whether the topic is another than before."""
        moved = handout.topic != self.topic
        if moved:
            self.unlink()
            self.topic = handout.topic
        self.add_key(handout.key_number, handout.key)
        self.head = max(self.head, handout.head)
        return moved

    def add_key(self, number: int, secret: bytes) -> None:
        """A key of this topic, handed out or signalled. Ignores what cannot be a key."""
        assert self.topic is not None
        try:
            self._keys[number] = Key(self.topic, number, secret)
        except ValueError:  # not 32 bytes
            return
        while len(self._keys) > KEYS_KEPT:
            del self._keys[min(self._keys)]

    def unlink(self) -> None:
        """The connection is gone, and topic and keys with it; the order stays."""
        self.topic = None
        self._keys.clear()
        self._drop_held()

    def open(self, frame: bytes) -> Publication | None:
        """What a publication says; none if it waits for its key, or lacks one for good.

        Raises `ProtocolError`.
        """
        number = header(frame).key_number
        key = self._keys.get(number)
        if key is not None:
            return decode_publication(key.open(frame))
        if self._keys and number < max(self._keys):
            # Only the present key can be had again; the gap that this leaves will show.
            return None
        self.lacks_key = True
        self._locked.append(frame)
        self._hold(len(frame))
        return None

    def unlocked(self) -> list[bytes]:
        """The publications that waited for a key, to be tried again; call it after `add_key`."""
        frames, self._locked = self._locked, []
        self._held_bytes -= sum(map(len, frames))
        self.lacks_key = False
        return frames

    def publish(self, publication: Publication, size: int) -> list[Delivery]:
        """What a publication of ``size`` bytes makes deliverable."""
        if publication.last <= self.mine:
            return []
        self.head = max(self.head, publication.last)
        if publication.prev > self.mine:
            if publication.events:
                insort(self._held, (publication.prev, publication, size), key=itemgetter(0))
                self._hold(size)
            return []
        out = self._take(publication.events, publication.last)
        return self._unhold(out) if self._held else out

    def page(self, after: int, page: Page) -> list[Delivery]:
        """What the page that answers `history` after ``after`` makes deliverable."""
        if after > self.mine:  # asked before the epoch changed; it says nothing of this stream
            return []
        out: list[Delivery] = []
        if page.floor > max(self.mine, self._floor):
            out.append(Gap(stream=self.stream, after=self.mine, until=page.floor))
            self._floor = page.floor
        covered = page.head
        if page.more:
            match page.events:
                case [*_, [int(last), *_]] if last > after:
                    covered = last
        self.head = max(self.head, page.head)
        out += self._take(page.events, covered)
        return self._unhold(out)

    def skip_to(self, head: int) -> Gap:
        """What lies between cannot be had: one gap, and on from ``head``."""
        gap = Gap(stream=self.stream, after=self.mine, until=head)
        self.mine = self.head = head
        return gap

    def begin_at(self, head: int) -> Gap:
        """Every position is meaningless now (a new epoch): one gap, and on from ``head``."""
        self._drop_held()
        self.already.clear()
        self.mine = self.head = self.since = head
        self._floor = 0
        return Gap(stream=self.stream, after=None, until=head)

    def _take(self, rows: Sequence[object], last: int) -> list[Delivery]:
        """The events of ``rows`` past ``mine``, which becomes ``last``."""
        out: list[Delivery] = []
        try:
            for event in placed(rows):
                if event.position > self.mine:
                    self.mine = event.position
                    out.append(event)
        except ProtocolError:  # known kinds with unknown shapes: honest is better than silent
            return [self.skip_to(max(last, self.mine))]
        self.mine = max(self.mine, last)
        self.head = max(self.head, self.mine)
        return out

    def _unhold(self, out: list[Delivery]) -> list[Delivery]:
        held = self._held
        while held and held[0][0] <= self.mine:
            _, publication, size = held.pop(0)
            self._held_bytes -= size
            if publication.last > self.mine:
                out += self._take(publication.events, publication.last)
        return out

    def _hold(self, size: int) -> None:
        self._held_bytes += size
        if self._held_bytes > HELD_BYTES:
            self._drop_held()

    def _drop_held(self) -> None:
        """Let go of what waits: ``head`` remembers that there is something to ask for."""
        self._held.clear()
        self._locked.clear()
        self._held_bytes = 0
        self.lacks_key = False
