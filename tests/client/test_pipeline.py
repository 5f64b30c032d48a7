"""What was asked and has no answer: serials that grow, the window, the order, and what is unknown."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zchat.client.pipeline import FRAME_BYTES, MAX_QUEUED, WINDOW, Pipeline, Ticket
from zchat.errors import Closed, OutcomeUnknown, Refused
from zchat.protocol import requests as q
from zchat.protocol.codec import MAX_REQUESTS, decode_requests


def say(pipeline: Pipeline, text: str = "tea") -> Ticket:
    return ask(pipeline, q.Say, room="tea", text=text)


def ask(pipeline: Pipeline, request: type[q.Request], **fields: Any) -> Ticket:
    ticket = pipeline.make(request, fields)
    pipeline.add(ticket)
    return ticket


def sent(pipeline: Pipeline) -> list[q.Request]:
    """What goes out now, in order."""
    requests = [each for frame in pipeline.frames() for each in decode_requests(frame)]
    assert not [each for each in requests if isinstance(each, Refused)]
    return requests  # type: ignore[return-value]


def texts(requests: list[q.Request]) -> list[str]:
    return [request.text if isinstance(request, q.Say) else request.op for request in requests]


def answer(pipeline: Pipeline, *tickets: Ticket) -> None:
    for ticket in tickets:
        assert pipeline.answered(ticket.request.id) is ticket


def serials(requests: list[q.Request]) -> list[int]:
    return [request.serial for request in requests if isinstance(request, q.Appending)]


# Numbers and frames.


def test_only_what_appends_has_a_serial_and_each_is_larger() -> None:
    """Section 6: the client numbers them upwards."""
    pipeline = Pipeline()
    for request in (q.Say, q.Ping, q.Join, q.Say):
        ask(
            pipeline,
            request,
            **{q.Say: {"room": "tea", "text": "x"}, q.Join: {"room": "tea"}}.get(request, {}),
        )
    requests = sent(pipeline)
    assert [each.id for each in requests] == [1, 2, 3, 4]
    assert serials(requests) == [1, 2, 3]


@given(st.lists(st.integers(1, 20_000), max_size=60), st.integers(0, 600))
def test_frames_are_within_the_wires_limits(sizes: list[int], pings: int) -> None:
    """The broker closes the connection of a frame over 64 KiB, or of more than 256 requests."""
    pipeline = Pipeline()
    for size in sizes:
        say(pipeline, "x" * size)
    for _ in range(pings):
        ask(pipeline, q.Ping)
    frames = pipeline.frames()
    requests = [decode_requests(frame) for frame in frames]
    assert all(len(frame) <= FRAME_BYTES + 3 for frame in frames)  # and the array's own header
    assert all(len(each) <= MAX_REQUESTS for each in requests)
    assert sum(map(len, requests)) == len(sizes) + pings


@pytest.mark.parametrize("text", ["x" * (64 * 1024), "\udcff"], ids=["too long", "no text"])
def test_what_no_frame_can_carry_is_refused_here(text: str) -> None:
    """It would close the connection, and every connection after it."""
    ticket = Pipeline().make(q.Say, {"room": "tea", "text": text})
    with pytest.raises(Refused) as refused:
        ticket.data()
    assert refused.value.code == "bad-text"


# The window.


def test_no_more_than_a_window_is_under_way() -> None:
    """Section 6: a client SHOULD keep to 64."""
    pipeline = Pipeline()
    tickets = [say(pipeline, str(each)) for each in range(200)]
    assert texts(sent(pipeline)) == [str(each) for each in range(WINDOW)]
    assert sent(pipeline) == []
    answer(pipeline, *tickets[:3])
    assert texts(sent(pipeline)) == [str(each) for each in range(WINDOW, WINDOW + 3)]


def test_nothing_overtakes_what_waits_for_the_window() -> None:
    """`users` behind `join` tells who is in the room then."""
    pipeline = Pipeline()
    tickets = [say(pipeline) for _ in range(WINDOW + 1)]
    ask(pipeline, q.Ping)
    assert "ping" not in texts(sent(pipeline))
    answer(pipeline, tickets[0])
    assert texts(sent(pipeline)) == ["tea", "ping"]


def test_it_says_when_it_is_full() -> None:
    pipeline = Pipeline()
    for _ in range(MAX_QUEUED - 1):
        say(pipeline)
    full = [pipeline.full]
    last = say(pipeline)
    full.append(pipeline.full)
    answer(pipeline, last)
    assert [*full, pipeline.full] == [False, True, False]


# Putting back.


def test_what_is_put_back_goes_before_all_behind_it() -> None:
    """A message refused for now must not arrive after the next one."""
    pipeline = Pipeline()
    first, second = say(pipeline, "1"), say(pipeline, "2")
    sent(pipeline)
    say(pipeline, "3")
    for each in (first, second):
        answer(pipeline, each)
        pipeline.put_back(each, until=500)
    assert sent(pipeline) == []
    pipeline.handle_timer(499)
    assert sent(pipeline) == []
    pipeline.handle_timer(500)
    again = sent(pipeline)
    assert texts(again) == ["1", "2", "3"]
    assert serials(again) == [1, 2, 3], "the same serials: a repeat appends nothing"


def test_what_was_under_way_with_it_is_awaited_first() -> None:
    """It may come true before; so what is behind both waits for its answer."""
    pipeline = Pipeline()
    first, second = say(pipeline, "1"), say(pipeline, "2")
    sent(pipeline)
    answer(pipeline, first)
    pipeline.put_back(first, until=0)
    pipeline.handle_timer(0)
    assert sent(pipeline) == []
    answer(pipeline, second)
    assert texts(sent(pipeline)) == ["1"]


@given(st.integers(), st.integers(1, 100))
def test_whatever_is_put_back_and_lost_goes_out_in_order_again(seed: int, many: int) -> None:
    """Section 6: in the order of serials, before any new one. Each is answered in the end."""
    dice, pipeline = random.Random(seed), Pipeline()
    tickets = {each: say(pipeline, str(each)) for each in range(1, many + 1)}
    now = 0
    under_way: list[int] = []
    came_true: list[int] = []
    while len(pipeline) or under_way:
        now += 10
        pipeline.handle_timer(now)
        went = serials(sent(pipeline))
        assert went == sorted(went)
        under_way += went
        assert len(under_way) <= WINDOW
        if under_way and dice.random() < 0.02:
            pipeline.unsend()
            under_way = []
            continue
        for serial in under_way[: dice.randint(1, 9)]:
            under_way.remove(serial)
            answer(pipeline, tickets[serial])
            if dice.random() < 0.2:
                pipeline.put_back(tickets[serial], until=now + dice.randint(0, 50))
            else:
                came_true.append(serial)
    assert sorted(came_true) == list(tickets)


# A connection is lost; a session is lost.


def test_a_new_connection_gets_the_same_again() -> None:
    pipeline = Pipeline()
    say(pipeline, "1"), say(pipeline, "2")
    before = pipeline.frames()
    pipeline.unsend()
    assert pipeline.frames() == before
    pipeline.unsend()
    say(pipeline, "3")
    assert texts(sent(pipeline)) == ["1", "2", "3"]


def test_an_answer_that_comes_twice_is_heard_once() -> None:
    pipeline = Pipeline()
    ticket = say(pipeline)
    sent(pipeline)
    answer(pipeline, ticket)
    assert pipeline.answered(ticket.request.id) is None
    assert pipeline.answered(4_711) is None


def test_of_a_lost_session_only_what_was_tried_is_unknown() -> None:
    """Section 6: it MUST NOT be sent again; what was never sent may be, under new serials."""
    pipeline = Pipeline()
    tried = [say(pipeline, f"tried {each}") for each in range(WINDOW)]
    asked = ask(pipeline, q.Users)
    waiting = say(pipeline, "waiting")
    sent(pipeline)
    pipeline.unsend()
    assert pipeline.begin_anew() == tried
    assert all(isinstance(ticket.error, OutcomeUnknown) for ticket in tried)
    pipeline.go_first([pipeline.make(q.Join, {"room": "tea"})])
    again = sent(pipeline)
    assert [each.op for each in again] == ["join", "users", "say"]
    assert serials(again) == sorted(serials(again))
    assert min(serials(again)) > WINDOW + 1
    assert [asked.settled, waiting.settled] == [False, False]
    answer(pipeline, asked, waiting)


def test_what_the_session_asked_for_itself_ends_with_it() -> None:
    """A page of the session before would be taken for one of the next."""
    pipeline = Pipeline()
    own = pipeline.make(q.History, {"stream": "tea", "after": 3}, lambda _ticket, _now: None)
    pipeline.add(own)
    sent(pipeline)
    assert pipeline.begin_anew() == []
    assert len(pipeline) == 0
    assert not own.settled


def test_its_own_reading_is_asked_anew_on_another_connection() -> None:
    pipeline = Pipeline()
    pipeline.add(pipeline.make(q.History, {"stream": "tea"}, lambda _ticket, _now: None))
    pipeline.add(pipeline.make(q.Join, {"room": "tea"}, lambda _ticket, _now: None))
    say(pipeline, "mine")
    sent(pipeline)
    pipeline.unsend()
    pipeline.discard_own()
    assert texts(sent(pipeline)) == ["join", "mine"]


def test_an_end_settles_everything() -> None:
    """Somebody would wait for ever."""
    pipeline = Pipeline()
    tried, read = say(pipeline, "tried"), ask(pipeline, q.Users)
    sent(pipeline)
    waiting = say(pipeline, "waiting")
    assert pipeline.end(Closed()) == [tried, read, waiting]
    assert isinstance(tried.error, OutcomeUnknown)
    assert isinstance(read.error, Closed)
    assert isinstance(waiting.error, Closed)
    assert len(pipeline) == 0
    assert pipeline.frames() == []


def test_a_ticket_says_what_it_was_in_a_few_words() -> None:
    """`OutcomeUnknown` names it to a person."""
    assert say(Pipeline(), "two sugars").what == "say tea two sugars"
    assert len(say(Pipeline(), "x" * 1_000).what) == 80
    assert msgspec.msgpack.decode(say(Pipeline()).data())["op"] == "say"
