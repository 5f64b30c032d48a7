"""One small world: a real core on a real journal, real client sessions, and lists for sockets.

Everything that could differ between two runs comes from one seeded die, so a seed replays
exactly. `World` knows how things move and judges nothing.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from dataclasses import dataclass, field

import msgspec

from zchat.broker import restart, turn
from zchat.config import Settings
from zchat.core import Broker, Effects, Now, Record, apply
from zchat.journal import MemoryJournal
from zchat.protocol.events import Posted, room_stream

SETTINGS = Settings(
    grace_ms=8_000,
    heartbeat_ms=2_000,
    retry_ms=300,
    rekey_ms=500,
    rate=100_000,
    burst=100_000,
    page=7,  # small, so that a backfill takes several pages
    max_rooms=50,
)
EPOCH_START_MS = 1_700_000_000_000


@dataclass
class Link:
    """One client's two connections, as lists. ``alive`` is what the client's side believes."""

    routing_id: bytes
    up: deque[bytes] = field(default_factory=deque)
    """Request frames under way; what is here when the client cuts may still arrive."""
    down: deque[bytes] = field(default_factory=deque)
    """Reply frames under way."""
    asked: deque[tuple[bool, bytes]] = field(default_factory=deque)
    """Subscriptions under way."""
    granted: set[bytes] = field(default_factory=set)
    """Topics that XPUB sends here."""
    heard: deque[bytes] = field(default_factory=deque)
    """Publications under way."""
    alive: bool = True
    known: bool = True
    """Whether the broker believes that it is there."""
    stalled: bool = False
    """A reader that does not read; what does not fit is dropped, as PUB does."""


HIGH_WATER = 12
"""Publications under way to one reader; the next is dropped in silence."""


class World:
    """The broker's side, and what lies between it and the clients."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.journal = MemoryJournal(stride=self.dice.choice((1, 1, 3)), epoch=f"epoch-{seed}")
        self.monotonic = 1_000
        self.utc_offset = EPOCH_START_MS
        self.links: list[Link] = []
        self.counts: Counter[str] = Counter()
        self.trimmed: set[str] = set()
        """Texts that retention has taken."""
        self.broker: Broker | None = None
        self._ids = 0
        self.start()

    # Time.

    @property
    def now(self) -> Now:
        """This moment."""
        return Now(self.monotonic, self.monotonic + self.utc_offset)

    def advance(self, ms: int) -> None:
        """Time passes; now and then somebody sets the wall clock."""
        self.monotonic += ms
        if self.dice.random() < 0.02:
            self.utc_offset += self.dice.randint(-5_000, 5_000)

    # The broker's process.

    def start(self) -> None:
        """A broker process starts on what the journal holds."""
        assert self.broker is None
        self.broker = Broker(
            SETTINGS,
            restart.fold(self.journal, "lobby"),
            epoch=self.journal.epoch,
            agent="zchat/simulated",
            fresh=self.dice.randbytes,
            now=self.now,
        )

    def crash(self) -> None:
        """As by kill -9: what the process held is gone, what was submitted is not."""
        self.count()
        self.broker = None
        self.journal = self.journal.reopen()
        for link in self.links:
            link.known = False
            link.alive = False
            link.up.clear()
            link.asked.clear()
            link.granted.clear()
        self.links = [link for link in self.links if link.down or link.heard]
        self.counts["crashes"] += 1

    def count(self) -> None:
        """Add what this broker process has counted."""
        assert self.broker is not None
        self.counts["repeats suppressed"] += self.broker.repeats
        self.counts["re-keys"] += self.broker.topics.rekeys

    def turn(self, *, lose: bool = False) -> None:
        """One turn; with ``lose``, the process dies after the commit and before it answers."""
        broker = self.broker
        assert broker is not None
        broker.handle_timers(self.now)
        effects, trouble = turn.turn(broker, _Counting(self.journal, self.counts), self.now)  # type: ignore[arg-type]
        assert trouble is None
        if lose and effects.replies and effects.events:
            self.counts["crashes between commit and reply"] += 1
            # What had left the process by then is a prefix of what would have.
            cut = self.dice.randint(0, len(effects.publications))
            self._send(
                msgspec.structs.replace(
                    effects, publications=effects.publications[:cut], replies=[]
                )
            )
            self.crash()
        else:
            self._send(effects)

    def settle(self) -> None:
        """Turns until the broker has nothing more to commit."""
        self.turn()
        while self.broker is not None and self.broker.busy:
            self.turn()

    def _send(self, effects: Effects) -> None:
        for frame in effects.publications:
            topic = frame[:4]
            for link in self.links:
                if topic in link.granted:
                    if len(link.heard) >= HIGH_WATER:
                        self.counts["publications dropped at the high-water mark"] += 1
                    else:
                        link.heard.append(frame)
        by_id = {link.routing_id: link for link in self.links}
        for routing_id, frame in effects.replies:
            to = by_id.get(routing_id)
            if to is not None and to.known:
                to.down.append(frame)

    # Links.

    def connect(self) -> Link | None:
        """A client connects; nobody may be there."""
        if self.broker is None:
            return None
        self._ids += 1
        link = Link(b"\0" + self._ids.to_bytes(4, "big"))
        self.links.append(link)
        return link

    def cut(self, link: Link) -> None:
        """The connection breaks; the broker learns of it later, and may still read what was sent."""
        link.alive = False
        link.down.clear()
        link.heard.clear()
        link.granted.clear()
        link.asked.clear()

    def notice(self, link: Link) -> None:
        """The broker sees that the connection is gone."""
        link.known = False
        link.up.clear()
        self.links.remove(link)
        if self.broker is not None:
            self.broker.disconnected(link.routing_id, self.now)

    def carry_up(self, link: Link) -> None:
        """One frame of requests arrives."""
        assert self.broker is not None
        self.broker.receive(link.routing_id, "192.0.2.1", link.up.popleft(), self.now)

    def carry_asked(self, link: Link) -> None:
        """One subscription arrives and is granted if its topic lives."""
        assert self.broker is not None
        subscribe, topic = link.asked.popleft()
        if not subscribe:
            link.granted.discard(topic)
        elif self.broker.topics.living(int.from_bytes(topic, "big")):
            link.granted.add(topic)
            self.broker.granted({int.from_bytes(topic, "big")}, self.now)

    # Retention and snapshots.

    def trim(self, room: str) -> None:
        """Retention takes the older messages of a room."""
        if self.broker is None:
            return
        self.snapshot()  # only what a snapshot remembers may go
        stream = room_stream(room)
        span = self.journal.read(stream, after=0, limit=1_000_000)
        if len(span.events) > 4:
            through = span.events[len(span.events) // 2].position
            for event in span.events:
                if isinstance(event, Posted) and event.position <= through:
                    self.trimmed.add(event.text)
            self.counts["messages trimmed"] += self.journal.trim(stream, through)

    def snapshot(self) -> None:
        """The record is saved."""
        restart.keep(self.journal, self.record)

    # Looking.

    @property
    def record(self) -> Record:
        """The living broker's record."""
        assert self.broker is not None
        return self.broker.record

    @property
    def broker_busy(self) -> bool:
        """Whether the broker has something to commit or is about to."""
        return self.broker is not None and self.broker.busy

    def folded_anew(self) -> Record:
        """The record as a restart would have it, from the whole journal."""
        record = Record("lobby")
        for event in self.journal.tail(0):
            assert apply(record, event) is None, f"a void event stayed in the journal: {event}"
        return record


class _Counting:
    """The journal, with what is void counted as it is dropped."""

    def __init__(self, journal: MemoryJournal, counts: Counter[str]) -> None:
        self.journal = journal
        self._counts = counts
        self.submit, self.pump, self.read = journal.submit, journal.pump, journal.read

    def drop(self, positions: list[int]) -> None:
        self._counts["races made void"] += len(positions)
        self.journal.drop(positions)
