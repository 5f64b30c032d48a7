"""Two sessions and the real core, joined by lists: scenes that need both sides of the protocol.

The simulation plays such scenes at random; these are the ones a reader should see one by one.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.client.rows import shown
from tests.simulation.people import Person
from tests.simulation.world import SETTINGS, World
from zchat.client.events import Connected, Disconnected, Gap, SessionLost
from zchat.client.pipeline import Ticket
from zchat.errors import Closed, OutcomeUnknown, Refused
from zchat.protocol import requests as q
from zchat.protocol.events import Posted, Renamed, Whispered
from zchat.protocol.replies import Done

TOO_LONG = SETTINGS.grace_ms + 1_000


class Pair:
    """Ann and ben in one world in which everything arrives unless a scene says otherwise."""

    def __init__(self, *rooms: str) -> None:
        self.world = World(seed=1)
        self.ann, self.ben = Person(self.world, "ann"), Person(self.world, "ben")
        self.settle()
        for person in self.both:
            for room in rooms:
                person.session.request(q.Join, room=room)
        self.settle()
        for person in self.both:
            person.seen.clear()

    @property
    def both(self) -> tuple[Person, Person]:
        return self.ann, self.ben

    def settle(self, ms: int = 2_000) -> None:
        """Everything arrives, over so much time."""
        end = self.world.monotonic + ms
        while True:
            self.carry()
            if self.world.monotonic >= end:
                return
            self.world.monotonic += 50

    def carry(self) -> None:
        """Everything that is under way arrives."""
        moved = True
        while moved:
            for person in self.both:
                person.connect()
                person.tick()
                person.flush()
            moved = self._carry_once()
            if self.world.broker is not None:
                self.world.settle()

    def _carry_once(self) -> bool:
        world, moved = self.world, False
        for link in list(world.links):
            if link.known and not link.alive:
                world.notice(link)
            while link.known and link.up and world.broker is not None:
                world.carry_up(link)
                moved = True
            while link.known and link.asked and world.broker is not None:
                world.carry_asked(link)
                moved = True
        for person in self.both:
            for queue, read in self._queues(person):
                while queue():
                    read()
                    moved = True
        return moved

    @staticmethod
    def _queues(person: Person) -> list[tuple[Callable[[], object], Callable[[], None]]]:
        if person.link is None or not person.link.alive:
            return []
        link = person.link
        return [(lambda: link.down, person.hear), (lambda: link.heard, person.listen)]

    def cut(self, person: Person) -> None:
        """The connection breaks; what was sent on it never arrives."""
        assert person.link is not None
        self.world.cut(person.link)
        person.link.up.clear()

    def part(self, person: Person, ms: int) -> None:
        """The same, and it does not come back for so long."""
        self.cut(person)
        person.session.lost(self.world.monotonic)
        person.link = person.session.connect_at = None
        self.settle(ms)

    def meet(self, person: Person) -> None:
        """It comes back."""
        person.session.connect_at = self.world.monotonic
        self.settle()


def say(person: Person, text: str, room: str = "deck") -> Ticket:
    return person.session.request(q.Say, room=room, text=text)


def texts(person: Person) -> list[str]:
    return [each.text for each in person.seen if isinstance(each, Posted | Whispered)]


def test_two_people_talk() -> None:
    pair = Pair("deck")
    said = say(pair.ann, "ahoy")
    pair.ann.session.request(q.Whisper, nick="ben", text="psst")
    pair.settle()
    assert isinstance(said.result, Done)
    assert texts(pair.ann) == texts(pair.ben) == ["ahoy", "psst"]
    assert pair.ann.session.idle


def test_a_rename_in_two_rooms_and_the_inbox_is_one_event() -> None:
    pair = Pair("deck", "hold")
    pair.ann.session.request(q.Nick, nick="anna")
    pair.settle()
    for person in pair.both:
        assert [each.to for each in person.seen if isinstance(each, Renamed)] == ["anna"]
    assert pair.ann.session.nick == "anna"


def test_every_publication_is_lost_and_nothing_is_missed() -> None:
    """P2: the heartbeat alone reveals it."""
    pair = Pair("deck")
    for text in "one", "two", "three":
        say(pair.ann, text)
    pair.ann.flush()
    assert pair.ann.link is not None
    assert pair.ben.link is not None
    while pair.ann.link.up:
        pair.world.carry_up(pair.ann.link)
    pair.world.settle()
    pair.ann.link.heard.clear()
    pair.ben.link.heard.clear()
    pair.settle(2 * SETTINGS.heartbeat_ms)
    assert texts(pair.ann) == texts(pair.ben) == ["one", "two", "three"]


def test_the_broker_dies_between_commit_and_answer() -> None:
    """P1: asked again under the same serial, it is appended once, and answered."""
    pair = Pair("deck")
    said = say(pair.ann, "once")
    pair.ann.flush()
    assert pair.ann.link is not None
    pair.world.carry_up(pair.ann.link)
    pair.world.turn(lose=True)
    pair.world.start()
    pair.settle()
    assert isinstance(said.result, Done)
    assert texts(pair.ann) == texts(pair.ben) == ["once"]


def test_who_comes_back_within_grace_has_missed_nothing() -> None:
    pair = Pair("deck")
    pair.cut(pair.ben)
    say(pair.ann, "where is he?")
    pair.settle()
    assert texts(pair.ben) == ["where is he?"]
    assert not [each for each in pair.ben.seen if isinstance(each, Gap | SessionLost)]
    assert pair.ben.lives == 1


def test_who_comes_back_too_late_is_another_session_in_the_same_rooms() -> None:
    pair = Pair("deck")
    user = pair.ben.session.streams.user
    pair.part(pair.ben, TOO_LONG)
    unsent = say(pair.ben, "waiting")
    pair.meet(pair.ben)
    assert [type(each) for each in pair.ben.seen].count(SessionLost) == 1
    assert pair.ben.session.nick == "ben"
    assert pair.ben.session.streams.user != user
    assert isinstance(unsent.result, Done), "it was never sent, so it was safe to send"
    say(pair.ann, "there you are")
    pair.settle()
    assert texts(pair.ben)[-2:] == ["waiting", "there you are"]
    assert texts(pair.ann)[-2:] == ["waiting", "there you are"]


def test_what_was_under_way_when_the_session_ended_is_unknown_and_not_sent_again() -> None:
    pair = Pair("deck")
    tried = say(pair.ben, "tried")
    pair.ben.flush()
    pair.part(pair.ben, TOO_LONG)
    pair.meet(pair.ben)
    assert isinstance(tried.error, OutcomeUnknown)
    assert texts(pair.ann) == []


def test_a_nick_taken_meanwhile_ends_it() -> None:
    pair = Pair("deck")
    pair.part(pair.ben, TOO_LONG)
    pair.ann.session.request(q.Nick, nick="ben")
    pair.settle()
    pair.meet(pair.ben)
    assert isinstance(pair.ben.session.closed, Refused)
    assert pair.ben.session.closed.code == "nick-taken"


def test_whoever_left_hears_no_more_and_who_stayed_hears_all() -> None:
    """A new key follows; those who stay have it before the first publication under it."""
    pair = Pair("deck")
    pair.ben.session.request(q.Leave, room="deck")
    pair.settle()
    say(pair.ann, "between us")
    pair.settle()
    assert texts(pair.ben) == []
    assert texts(pair.ann) == ["between us"]
    pair.ben.session.request(q.Join, room="deck")
    pair.settle()
    say(pair.ann, "welcome back")
    pair.settle()
    assert texts(pair.ben) == ["welcome back"]


def test_retention_took_what_was_missed_and_one_gap_says_so() -> None:
    pair = Pair("deck")
    pair.part(pair.ben, 100)
    for each in range(20):
        say(pair.ann, str(each))
    pair.settle()
    pair.world.trim("deck")
    pair.meet(pair.ben)
    gaps = [each for each in pair.ben.seen if isinstance(each, Gap)]
    assert len(gaps) == 1, shown(gaps)
    assert gaps[0].stream == "deck"
    kept = texts(pair.ben)
    assert kept == [str(each) for each in range(20)][-len(kept) :]
    assert 0 < len(kept) < 20


def test_goodbye_ends_it_for_both_sides() -> None:
    pair = Pair("deck")
    pair.ben.session.request(q.Bye)
    pair.settle()
    assert isinstance(pair.ben.session.closed, Closed)
    assert "quit" in [getattr(each, "kind", "") for each in pair.ann.seen]
    assert not [each for each in pair.ann.seen if isinstance(each, Connected | Disconnected)]
