"""Whatever the network does: each event once, in order, or one gap for what retention removed."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.client.hall import ME, ROOMS, Hall
from zchat.client import timeline
from zchat.client.events import Gap
from zchat.client.streams import CONFIRM_MS, Streams
from zchat.protocol.events import Event
from zchat.protocol.replies import INBOX

HELD = 1_500
"""Bytes a timeline may hold here, few, so that it has to let go now and then."""

PICKS = st.integers(0, 1_000)
ROOM = st.sampled_from(ROOMS)
EVENTS = st.sampled_from((*ROOMS, INBOX, "rename of mine", "rename of another's"))
WIDE = "renamed"


class Accidents(RuleBasedStateMachine):
    """One client in a hall, and what can befall it."""

    def __init__(self) -> None:
        super().__init__()
        self._small = patch.object(timeline, "HELD_BYTES", HELD)
        self._small.start()
        self.hall = Hall()
        self.streams = Streams()
        self.now = 0
        self.seen: list[Event | Gap] = []
        self.joining: dict[str, int | None] = {}
        """Rooms whose join has no answer yet → where the hall first decided it."""
        self.leaving: dict[str, int | None] = {}

    @initialize(rooms=st.lists(ROOM, unique=True))
    def arrives(self, rooms: list[str]) -> None:
        self.streams.user = ME
        self._welcome()
        for room in rooms:
            self.joins(room)
            self._settle_requests()

    # What happens on the broker's side.

    @rule(events=st.lists(st.tuples(st.integers(1, 4), EVENTS), min_size=1, max_size=4))
    def a_turn(self, events: list[tuple[int, str]]) -> None:
        self.hall.turn(events)

    @rule(room=ROOM)
    def a_new_key(self, room: str) -> None:
        self.hall.rekey(room)

    @rule(room=ROOM)
    def retention(self, room: str) -> None:
        self.hall.trim(room)

    # What happens on the way.

    @precondition(lambda self: self.hall.air)
    @rule(pick=PICKS)
    def is_heard(self, pick: int) -> None:
        self.streams.publication(self.hall.air.pop(pick % len(self.hall.air)))

    @precondition(lambda self: self.hall.air)
    @rule(pick=PICKS)
    def is_heard_and_will_be_again(self, pick: int) -> None:
        self.streams.publication(self.hall.air[pick % len(self.hall.air)])

    @precondition(lambda self: self.hall.air)
    @rule(pick=PICKS)
    def is_lost(self, pick: int) -> None:
        self.hall.air.pop(pick % len(self.hall.air))

    @precondition(lambda self: self.hall.asked)
    @rule()
    def is_decided(self) -> None:
        self.hall.answers.append(self.hall.asked.popleft()())

    @precondition(lambda self: self.hall.answers)
    @rule()
    def is_answered(self) -> None:
        self.hall.answers.popleft()()

    @rule(restarted=st.booleans())
    def the_connection_is_lost(self, restarted: bool) -> None:
        self.hall.air.clear()
        self.hall.asked.clear()
        self.hall.answers.clear()
        self.streams.unlink()
        if restarted:
            self.hall.restart()
        self._welcome()
        for room in list(self.streams.timelines):
            if room != INBOX and self.hall.streams[room].since is None:
                self.streams.leave(room)
        for room in self.leaving:
            self._ask_leave(room)
        for room in self.joining:
            self._ask_join(room)

    # What the client does.

    @rule(room=ROOM)
    def joins(self, room: str) -> None:
        if room not in self.joining:
            self.joining[room] = None
            self.streams.expect(self.joining)
            self._ask_join(room)

    @rule(room=ROOM)
    def leaves(self, room: str) -> None:
        if room in self.streams.timelines and room not in self.leaving and room not in self.joining:
            self.leaving[room] = None
            self._ask_leave(room)

    @rule()
    def asks(self) -> None:
        for name, after in self.streams.pages_wanted():
            self.hall.asked.append(lambda name=name, after=after: self._decide_page(name, after))  # type: ignore[misc]
        for room in self.streams.keys_wanted():
            if room not in self.leaving:
                self.joins(room)

    @rule()
    def pings(self) -> None:
        heads = {
            each.name: each.head for each in self.hall.streams.values() if each.since is not None
        }
        self.streams.heads(heads, self.now)

    @rule(ms=st.integers(0, 2 * CONFIRM_MS))
    def time_passes(self, ms: int) -> None:
        self.now += ms
        self.streams.handle_timer(self.now)

    @rule()
    def subscribes(self) -> None:
        for wanted, prefix in self.streams.subscriptions():
            if wanted:
                self.hall.confirm(int.from_bytes(prefix, "big"))

    # How it is done.

    def _welcome(self) -> None:
        for stream in self.hall.streams.values():
            if stream.name == INBOX or (
                stream.since is not None and stream.name in self.streams.timelines
            ):
                self.streams.hear(stream.handout, stream.head, self.now)

    def _ask_join(self, room: str) -> None:
        def decide() -> Callable[[], None]:
            if self.joining.get(room) is None:
                self.joining[room] = self.hall.enter(room)
            stream, position = self.hall.streams[room], self.joining[room]
            handout = stream.handout
            gone = stream.since is None

            def receive() -> None:
                self.joining.pop(room)
                if not gone:
                    assert position is not None
                    heard = self.streams.hear(handout, position, self.now)
                    heard.since = max(heard.since, position)
                self.streams.expect(self.joining)

            return receive

        self.hall.asked.append(decide)

    def _ask_leave(self, room: str) -> None:
        def decide() -> Callable[[], None]:
            if self.leaving[room] is None:
                self.leaving[room] = self.hall.leave(room)

            def receive() -> None:
                position = self.leaving.pop(room)
                assert position is not None
                self.streams.left(room, position)

            return receive

        self.hall.asked.append(decide)

    def _decide_page(self, name: str, after: int) -> Callable[[], None]:
        page = self.hall.page(name, after)
        return lambda: self.streams.page(name, after, page)

    def _settle_requests(self) -> None:
        while self.hall.asked:
            self.is_decided()
        while self.hall.answers:
            self.is_answered()

    # What must hold.

    @invariant()
    def each_event_is_seen_once_and_in_order(self) -> None:
        last: dict[str, int] = {}
        while self.streams.events:
            event = self.streams.events.popleft()
            assert isinstance(event, Event | Gap)
            self.seen.append(event)
        positions = [event.position for event in self.seen if isinstance(event, Event)]
        assert len(set(positions)) == len(positions), "an event is seen twice"
        for event in self.seen:
            if isinstance(event, Event) and event.kind != WIDE:
                stream = getattr(event, "room", INBOX)
                assert last.get(stream, 0) < event.position, f"{event} comes after {last}"
                last[stream] = event.position

    @invariant()
    def what_is_held_is_bounded(self) -> None:
        for each in self.streams.timelines.values():
            assert sum(size for *_, size in each._held) + sum(map(len, each._locked)) <= HELD

    def teardown(self) -> None:
        """Quiet comes; what was under way is lost, and still all must be there."""
        self.hall.air.clear()
        for _ in range(100):
            self._settle_requests()
            self.pings()
            self.time_passes(CONFIRM_MS)
            self.subscribes()
            while self.hall.air:
                self.is_heard(0)
            self.asks()
            if not (self.streams.behind or self.hall.asked):
                break
        self._small.stop()
        self.each_event_is_seen_once_and_in_order()
        assert not self.streams.behind, "it never comes to the end"
        self._saw_all_that_stood_there()

    def _saw_all_that_stood_there(self) -> None:
        seen = {event.position for event in self.seen if isinstance(event, Event)}
        for name, stream in self.hall.streams.items():
            gaps = [each for each in self.seen if isinstance(each, Gap) and each.stream == name]
            assert all((gap.after or 0) < gap.until <= stream.floor for gap in gaps)
            if stream.since is None:
                continue
            assert name in self.streams.timelines
            kept = {row[0] for row in stream.rows}
            for position in stream.positions:
                if position <= stream.since or position in seen:
                    continue
                assert position not in kept, f"{name} {position} is never seen"
                covering = [gap for gap in gaps if (gap.after or 0) < position <= gap.until]
                assert len(covering) == 1, f"{name} {position} is in the gaps {covering}"


Accidents.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestAccidents = Accidents.TestCase
