"""A session in its connection: refusals, heartbeats, another epoch, and what a newer broker may say."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client.peer import HEARTBEAT, Peer, given, up
from tests.client.rows import shown
from zchat.client.events import Disconnected
from zchat.client.session import LinkState
from zchat.errors import Closed, Refused
from zchat.protocol import requests as q

# Refusals.


def test_a_refusal_is_told_to_whom_it_concerns() -> None:
    peer = up()
    ticket = peer.session.request(q.Say, room="tea", text="1")
    peer.refuses(peer.sends()[0], "not-a-member", room="tea")
    assert peer.settled() == [ticket]
    assert isinstance(ticket.error, Refused)
    assert (ticket.error.code, ticket.error.fields) == ("not-a-member", {"room": "tea"})


def test_a_code_that_is_not_known_is_a_refusal_all_the_same() -> None:
    """Section 9: there may be new ones."""
    peer = up()
    ticket = peer.session.request(q.Say, room="tea", text="1")
    peer.refuses(peer.sends()[0], "too-early-for-tea")
    assert str(ticket.error) == "too-early-for-tea"


@pytest.mark.parametrize("code", ["rate-limited", "storage-full", "stale"])
def test_what_is_refused_for_the_moment_is_sent_again_and_nothing_overtakes_it(code: str) -> None:
    peer = up("tea")
    tickets = [peer.session.request(q.Say, room="tea", text=text) for text in "12"]
    for request in peer.sends():
        peer.refuses(request, code, retry_ms=100)
    peer.session.request(q.Say, room="tea", text="3")
    assert peer.ops() == []
    peer.passes(99)
    assert peer.ops() == []
    peer.passes(1)
    assert peer.ops() == ["1", "2", "3"]
    assert not any(ticket.settled for ticket in tickets)


# Another epoch.


def test_another_epoch_is_one_gap_a_stream() -> None:
    """Section 5: a restored backup; never a silent mix."""
    peer = up("tea", "rain")
    peer.loses()
    peer.events()
    peer.welcomes(peer.connects(), given("tea", 4), given("rain", 3), head=2, epoch="e2")
    assert shown(peer.events()) == [(None, 2), (None, 4), (None, 3), "Connected"]
    peer.publishes("tea", 4, 5)
    assert shown(peer.events()) == [5]
    assert peer.ops() == []


def test_a_pong_of_another_epoch_begins_the_connection_anew() -> None:
    peer = up()
    peer.passes(HEARTBEAT)
    (ping,) = peer.sends()
    peer.says({"id": ping.id, "epoch": "e2", "agent": "a broker"})
    assert peer.session.hangs_up


# Heartbeats.


def test_a_ping_reveals_a_gap_at_the_end() -> None:
    """Section 7: when the last publications are lost, no later one shows it."""
    peer = up("tea")
    peer.passes(HEARTBEAT)
    (ping,) = peer.sends()
    assert isinstance(ping, q.Ping)
    peer.says({"id": ping.id, "epoch": "e1", "agent": "a broker", "heads": {"tea": 12, "@": 10}})
    peer.passes(300)
    (history,) = peer.sends()
    assert isinstance(history, q.History)
    assert (history.stream, history.after) == ("tea", 10)


def test_a_broker_that_is_silent_for_two_and_a_half_heartbeats_is_gone() -> None:
    peer = up()
    peer.passes(int(2.5 * HEARTBEAT) - 1)
    patient = not peer.session.hangs_up
    peer.passes(1)
    assert [patient, peer.session.hangs_up] == [True, True]
    peer.session.lost(peer.now)
    assert [event.reason for event in peer.events() if isinstance(event, Disconnected)] == [
        "the broker does not answer"
    ]


def test_a_hello_that_nobody_answers_is_given_up() -> None:
    peer = Peer()
    peer.connects()
    peer.passes(9_999)
    patient = not peer.session.hangs_up
    peer.passes(1)
    assert [patient, peer.session.hangs_up] == [True, True]


# An application that does not read.


def test_when_the_application_does_not_read_nothing_more_is_fetched() -> None:
    """Memory would be the application's backlog; the broker's history has it all."""
    peer = up("tea", pending=3)
    peer.publishes("tea", 10, 11, 12, 13)
    assert not peer.session.wants_publications
    peer.publishes("tea", 14, 15)
    assert peer.ops() == []
    assert shown(peer.session.take_events(1)) == [11]
    assert peer.ops() == ["history"]


# What is new to this client.


def test_an_unknown_kind_is_passed_on_and_counts() -> None:
    """Section 5: it counts as an event of its stream."""
    peer = up("tea")
    peer.loses()
    peer.events()
    peer.welcomes(peer.connects(), given("tea", 12))
    (history,) = peer.sends()
    pinned: list[Any] = [12, {"kind": "pinned", "at": 1, "what": [1, 2]}]
    peer.says({"id": history.id, "events": [pinned], "more": False, "head": 12})
    assert shown(peer.events()) == ["Connected", 12]
    assert peer.session.streams.timelines["tea"].mine == 12


@pytest.mark.parametrize(
    "reply",
    [{"id": 99, "position": 1}, {"id": 0, "notice": "tea-time", "message": "tea"}],
    ids=["to nobody's request", "an unknown notice"],
)
def test_what_is_not_known_is_ignored(reply: dict[str, Any]) -> None:
    """Section 9: receivers ignore what they do not know."""
    peer = up("tea")
    peer.says(reply)
    assert (peer.session.state, peer.session.hangs_up) == (LinkState.UP, False)


# Names.


def test_one_is_called_what_one_asked_for_as_soon_as_it_is_done() -> None:
    peer = up()
    peer.session.request(q.Nick, nick="grace")
    peer.done(peer.sends()[0], 11)
    assert peer.session.nick == "grace"
    peer.loses()
    peer.refuses(peer.connects(), "session-ended")
    (hello,) = peer.sends()
    assert isinstance(hello, q.Hello)
    assert hello.nick == "grace"


# The application ends it.


def test_after_its_end_every_request_is_answered_at_once() -> None:
    """Somebody would wait for ever."""
    peer = up("tea")
    peer.session.close()
    late = peer.session.request(q.Say, room="tea", text="late")
    assert peer.settled() == [late]
    assert isinstance(late.error, Closed)
    assert peer.session.hangs_up
