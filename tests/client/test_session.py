"""A session from its hello to its end, against a broker's lines said by hand."""

from __future__ import annotations

import pytest

from tests.client.peer import Peer, given, up
from zchat.client.events import Connected, Disconnected, RoomLost, SessionLost
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


def test_a_success_starts_the_waits_over() -> None:
    """After a bad night, the first short break would cost half a minute."""
    peer = Peer()
    for _ in range(12):
        peer.connects()
        peer.loses()
    peer.welcomes(peer.connects())
    lost_at = peer.now
    peer.loses()
    assert peer.now - lost_at <= 100


def test_a_page_under_way_when_the_connection_breaks_is_asked_once() -> None:
    """Each break would add one more request for the same page."""
    peer = up("tea")
    peer.publishes("tea", 12, 13)
    peer.session.ask()
    assert peer.ops() == ["history"]
    peer.loses()
    peer.welcomes(peer.connects(), given("tea", 13))
    assert peer.ops() == ["history"]


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
