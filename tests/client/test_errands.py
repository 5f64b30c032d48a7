"""What a session asks for itself: pages, keys, its rooms again; and what a refusal of these means."""

from __future__ import annotations

import pytest

from tests.client.rows import handout, key_of, page, said, sealed, shown
from zchat.client.errands import PAGE, Errands
from zchat.client.events import RoomLost
from zchat.client.pipeline import Pipeline, Ticket
from zchat.client.streams import Streams
from zchat.errors import Refused
from zchat.protocol import requests as q
from zchat.protocol.codec import decode_requests
from zchat.protocol.replies import INBOX

TEA = key_of(2)


class House:
    """A pipeline, its streams and the errands between; in tea at position 10."""

    def __init__(self) -> None:
        self.pipeline, self.streams = Pipeline(), Streams()
        self.errands = Errands(self.pipeline, self.streams)
        for name, key in ((INBOX, key_of(1)), ("tea", TEA)):
            self.streams.hear(handout(name, key, head=10), 10, now=0)

    def asks(self) -> list[q.Request]:
        self.errands.ask()
        found = [each for frame in self.pipeline.frames() for each in decode_requests(frame)]
        return [each for each in found if not isinstance(each, Refused)]

    def answer(self, request: q.Request, **answer: object) -> Ticket:
        ticket = self.pipeline.answered(request.id)
        assert ticket is not None
        assert ticket.then is not None, "nobody of the application waits for it"
        for name, value in answer.items():
            setattr(ticket, name, value)
        ticket.then(ticket, 0)
        return ticket

    def miss(self) -> q.History:
        """A publication is missed, and its page is asked."""
        self.streams.publication(sealed(TEA, 1, 12, [said(13)]))
        (history,) = self.asks()
        assert isinstance(history, q.History)
        return history


def test_what_is_missed_is_asked_once() -> None:
    house = House()
    history = house.miss()
    assert (history.stream, history.after, history.limit) == ("tea", 10, PAGE)
    assert house.asks() == []
    house.answer(history, result=page(12, 13, head=13))
    assert shown(house.streams.events) == [12, 13]


@pytest.mark.parametrize("code", ["rate-limited", "storage-full", "stale", "draining"])
def test_a_page_refused_for_the_moment_is_asked_later(code: str) -> None:
    """Asked again at once, it would be a flood, and the broker closes those."""
    house = House()
    house.answer(house.miss(), error=Refused(code, "no", retry_ms=500))
    assert house.asks() == []
    house.streams.handle_timer(500)
    assert [each.op for each in house.asks()] == ["history"]


def test_a_page_refused_for_good_is_a_gap() -> None:
    """Else the room would stand still for ever."""
    house = House()
    house.answer(house.miss(), error=Refused("not-a-member", room="tea"))
    assert shown(house.streams.events) == [(10, 13)]
    assert house.asks() == []


def test_a_missed_key_is_asked_for_by_joining_again() -> None:
    house = House()
    house.streams.publication(sealed(key_of(2, 2), 1, 10, [said(12)]))
    (join,) = house.asks()
    assert isinstance(join, q.Join)
    assert join.room == "tea"
    assert house.asks() == []


def test_a_room_that_is_being_left_is_not_joined_for_its_key() -> None:
    """The leave is answered first, and the join would bring the user back in."""
    house = House()
    house.pipeline.add(house.pipeline.make(q.Leave, {"room": "tea"}))
    house.streams.publication(sealed(key_of(2, 2), 1, 10, [said(12)]))
    assert [each.op for each in house.asks()] == ["leave"]


def test_a_room_that_refuses_is_lost_and_it_is_said() -> None:
    house = House()
    house.streams.publication(sealed(key_of(2, 2), 1, 10, [said(12)]))
    house.answer(house.asks()[0], error=Refused("bad-name", "no such name"))
    assert list(house.streams.events) == [RoomLost(room="tea", reason="no such name")]
    assert "tea" not in house.streams.timelines


def test_with_a_new_session_the_rooms_come_first() -> None:
    """What the application asked meanwhile may need them."""
    house = House()
    waiting = house.pipeline.make(q.Say, {"room": "tea", "text": "waiting"})
    house.pipeline.add(waiting)
    house.errands.begin_anew()
    assert INBOX not in house.streams.timelines, "the next one's inbox is another"
    house.errands.rejoin()
    assert [each.op for each in house.asks()] == ["join", "say"]
