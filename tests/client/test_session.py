"""A session against a broker's lines said by hand: what goes in, what comes out."""

from __future__ import annotations

from typing import Any

import pytest

from tests.client.peer import HEARTBEAT, Peer, given, up
from tests.client.rows import shown
from zchat.client.events import Connected, Disconnected, RoomLost, SessionLost
from zchat.client.session import LinkState
from zchat.errors import Closed, OutcomeUnknown, Refused
from zchat.protocol import requests as q


def retold(hello: q.Hello) -> tuple[object, ...]:
    """All of a hello but its number."""
    return hello.token, hello.nick, hello.resume, hello.protocol, hello.agent


# Hello.


def test_a_session_begins_with_hello_and_nothing_before_its_welcome() -> None:
    """A request before the hello is refused `no-session`."""
    peer = Peer("ada")
    peer.session.request(q.Join, room="tea")
    hello = peer.connects()
    assert (hello.nick, hello.resume, hello.protocol) == ("ada", None, 1)
    assert peer.ops() == []
    peer.welcomes(hello)
    assert peer.ops() == ["join"]
    assert peer.events() == [Connected(nick="ada", resumed=False, agent="a broker")]


def test_without_a_nick_the_broker_gives_one() -> None:
    peer = Peer(nick=None)
    hello = peer.connects()
    assert hello.nick is None
    peer.welcomes(hello)
    assert peer.session.nick == "guest1"


def test_a_hello_whose_welcome_was_lost_is_said_again_as_it_was() -> None:
    """Section 3: it is the same session; another token would find its own nick taken."""
    peer = Peer()
    first = peer.connects()
    peer.loses()
    assert retold(peer.connects()) == retold(first)


def test_a_resume_whose_welcome_was_lost_is_said_again_as_it_was() -> None:
    """Section 3: the broker has replaced the token, or has not; both are kept until it says."""
    peer = up()
    peer.loses()
    first = peer.connects()
    peer.loses()
    second = peer.connects()
    assert first.resume is not None
    assert retold(second) == retold(first)
    peer.welcomes(second)
    peer.loses()
    third = peer.connects()
    assert third.resume == q.Resume(session="s1", token=second.token)
    assert third.token not in (first.token, first.resume.token)


@pytest.mark.parametrize(
    "code", ["nick-taken", "nick-confusable", "bad-name", "unsupported-protocol", "bad-request"]
)
def test_a_final_refusal_of_the_first_hello_ends_it(code: str) -> None:
    """Asking again and again would change nothing."""
    peer = Peer()
    waiting = peer.session.request(q.Join, room="tea")
    peer.refuses(peer.connects(), code)
    assert isinstance(peer.session.closed, Refused)
    assert peer.session.closed.code == code
    assert peer.session.hangs_up
    assert waiting.error is peer.session.closed
    peer.session.lost(peer.now)
    assert peer.session.connect_at is None


@pytest.mark.parametrize("code", ["draining", "too-many-sessions", "rate-limited", "storage-full"])
def test_a_refusal_of_the_moment_is_asked_again_later(code: str) -> None:
    peer = Peer()
    first = peer.connects()
    peer.refuses(first, code, retry_ms=500)
    assert peer.session.hangs_up
    peer.session.lost(0)
    assert peer.session.connect_at is not None
    assert 500 <= peer.session.connect_at <= 1_000
    assert retold(peer.connects()) == retold(first)


# The connection is lost.


def test_what_has_no_answer_goes_out_again_in_order() -> None:
    """Section 6: with the same serials, in their order, before any new one."""
    peer = up("tea")
    for text in "1", "2", "3":
        peer.session.request(q.Say, room="tea", text=text)
    before = peer.sends()
    peer.done(before[0], 11)
    peer.loses()
    peer.session.request(q.Say, room="tea", text="4")
    peer.welcomes(peer.connects(), given("tea", 11))
    after = peer.sends()
    assert after[:2] == before[1:]
    assert [type(each) for each in after[2:]] in ([q.Say], [q.Say, q.History], [q.History, q.Say])


def test_it_says_that_it_is_lost_and_when_it_tries_again() -> None:
    peer = up()
    peer.session.lost(peer.now, "the cable is out")
    (told,) = peer.events()
    assert isinstance(told, Disconnected)
    assert told.reason == "the cable is out"
    assert peer.session.connect_at == peer.now + told.retry_in_ms
    assert 0 <= told.retry_in_ms <= 100
    peer.loses()
    peer.connects()
    peer.loses()
    assert peer.events() == [], "an attempt that fails is no news"


def test_a_draining_broker_says_when_to_come_back() -> None:
    """Section 1: a random wait between `retry_ms` and twice that, so that all do not come at once."""
    peer = up()
    peer.notices("draining", retry_ms=2_000)
    assert peer.session.hangs_up
    peer.session.lost(peer.now)
    assert peer.session.connect_at is not None
    assert 2_000 <= peer.session.connect_at - peer.now <= 4_000


def test_what_was_missed_meanwhile_is_fetched() -> None:
    peer = up("tea")
    peer.loses()
    peer.events()
    peer.welcomes(peer.connects(), given("tea", 15, topic=77))
    (history,) = peer.sends()
    assert isinstance(history, q.History)
    assert (history.stream, history.after) == ("tea", 10)
    assert peer.session.take_subscriptions() == [(True, b"\0\0\0\1"), (True, b"\0\0\0\x4d")]


def test_a_room_the_broker_does_not_name_any_more_is_left() -> None:
    """The leave was answered on the connection that broke."""
    peer = up("tea", "rain")
    peer.session.request(q.Leave, room="tea")
    peer.sends()
    peer.loses()
    peer.welcomes(peer.connects(), given("rain", 10))
    assert set(peer.session.streams.timelines) == {"@", "rain"}


# The session is taken, or ends.


def test_a_takeover_is_the_end() -> None:
    """MUST NOT resume: two programs would take it from each other for ever."""
    peer = up("tea")
    sent = peer.session.request(q.Say, room="tea", text="1")
    peer.sends()
    peer.notices("taken-over")
    assert isinstance(peer.session.closed, Refused)
    assert peer.session.closed.code == "taken-over"
    assert isinstance(sent.error, OutcomeUnknown)
    peer.session.lost(peer.now)
    assert peer.session.connect_at is None


def over_at_resume(peer: Peer, code: str = "session-ended") -> q.Hello:
    """The connection broke, and at the resume the session is no more; the next hello."""
    peer.loses()
    peer.refuses(peer.connects(), code)
    (hello,) = peer.sends()
    assert isinstance(hello, q.Hello)
    return hello


@pytest.mark.parametrize("code", ["session-ended", "bad-token"])
def test_a_session_that_is_over_is_followed_by_another_in_the_same_rooms(code: str) -> None:
    """Whoever leaves a client running overnight finds it in its rooms."""
    peer = up("tea", "rain")
    hello = over_at_resume(peer, code)
    assert (hello.nick, hello.resume) == ("ada", None)
    peer.welcomes(hello, session="s2", user="u2", head=20)
    joins = peer.sends()
    assert [(each.op, getattr(each, "room", "")) for each in joins] == [
        ("join", "tea"), ("join", "rain"),
    ]  # fmt: skip
    kinds = [type(event) for event in peer.events()]
    assert kinds == [Disconnected, SessionLost, Connected]


def test_of_a_session_that_is_over_what_was_tried_is_unknown_and_the_rest_is_sent() -> None:
    """Section 6: it MUST NOT be sent again under a new session by itself."""
    peer = up("tea")
    tried = peer.session.request(q.Say, room="tea", text="tried")
    peer.sends()
    peer.loses()
    waiting = peer.session.request(q.Say, room="tea", text="waiting")
    peer.refuses(peer.connects(), "session-ended")
    (hello,) = peer.sends()
    assert isinstance(hello, q.Hello)
    assert isinstance(tried.error, OutcomeUnknown)
    assert peer.settled() == [tried]
    peer.welcomes(hello, session="s2")
    assert peer.ops() == ["join", "waiting"]
    assert not waiting.settled
    (lost,) = [event for event in peer.events() if isinstance(event, SessionLost)]
    assert lost.unanswered == 1


def test_a_nick_that_was_taken_meanwhile_is_the_end() -> None:
    """Coming back as somebody else would be worse than not coming back."""
    peer = up("tea")
    peer.refuses(over_at_resume(peer), "nick-taken")
    assert isinstance(peer.session.closed, Refused)
    assert peer.session.closed.code == "nick-taken"


def test_a_room_that_cannot_be_had_again_is_told() -> None:
    peer = up("tea")
    peer.welcomes(over_at_resume(peer), session="s2")
    (join,) = peer.sends()
    peer.events()
    peer.refuses(join, "too-many-rooms")
    assert peer.events() == [RoomLost(room="tea", reason="too-many-rooms")]
    assert "tea" not in peer.session.streams.timelines


def test_a_session_that_ends_under_us_is_followed_by_another() -> None:
    peer = up("tea")
    peer.notices("session-ended")
    (hello,) = peer.sends()
    assert isinstance(hello, q.Hello)
    assert hello.resume is None


def test_a_bye_that_is_answered_is_the_end() -> None:
    peer = up("tea")
    bye = peer.session.request(q.Bye)
    peer.done(peer.sends()[0], 11)
    assert isinstance(peer.session.closed, Closed)
    assert peer.settled() == [bye]
    assert bye.error is None


def test_a_bye_whose_answer_was_lost_is_the_end_too() -> None:
    """A new session would begin only to be left."""
    peer = up("tea")
    peer.session.request(q.Bye)
    peer.sends()
    peer.loses()
    peer.refuses(peer.connects(), "session-ended")
    assert isinstance(peer.session.closed, Closed)
    assert peer.sends() == []


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


def test_an_unknown_kind_is_passed_on_and_its_serial_of_the_stream_counts() -> None:
    """Section 5: it counts as an event of its stream."""
    peer = up("tea")
    peer.session.request(q.Ping)
    peer.loses()
    peer.events()
    peer.welcomes(peer.connects(), given("tea", 12))
    (history,) = [each for each in peer.sends() if isinstance(each, q.History)]
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
    assert over_at_resume(peer).nick == "grace"


# The application ends it.


def test_after_its_end_every_request_is_answered_at_once() -> None:
    """Somebody would wait for ever."""
    peer = up("tea")
    peer.session.close()
    late = peer.session.request(q.Say, room="tea", text="late")
    assert peer.settled() == [late]
    assert isinstance(late.error, Closed)
    assert peer.session.hangs_up
