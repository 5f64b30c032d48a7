"""hello, nick, bye, ping: who one is, and that it is nobody else."""

from __future__ import annotations

import pytest

from tests.core.stage import Stage
from zchat.errors import Refused
from zchat.protocol import events as e
from zchat.protocol import replies as r
from zchat.protocol import requests as q


def test_a_welcome_says_all_a_client_needs(stage: Stage) -> None:
    welcome = stage.answer("alice hello alice", agent="toy 1")
    assert isinstance(welcome, r.Welcome)
    assert (welcome.nick, welcome.resumed, welcome.serial) == ("alice", False, 0)
    assert (welcome.position, welcome.epoch, welcome.lobby) == (3, "e1", "lobby")
    assert (welcome.inbox.stream, welcome.rooms) == ("@", [])
    [event] = stage.journal.tail(0)
    assert isinstance(event, e.SessionStarted)
    assert (event.at, event.agent, event.user) == (stage.now.utc, "toy 1", welcome.user)
    assert event.token_hash != stage.peer("alice").token


def test_who_gives_no_nick_is_a_guest(stage: Stage) -> None:
    nicks = [stage.answer(f"{name} hello").nick for name in ("one", "two")]
    assert len(set(nicks)) == 2
    assert all(nick.startswith("guest-") for nick in nicks)


@pytest.mark.parametrize(
    ("nick", "code"),
    [
        ("alice", "nick-taken"),
        ("ALICE", "nick-taken"),
        ("ａｌｉｃｅ", "nick-taken"),  # full width
        ("a1ice", "nick-confusable"),
        ("аlice", "nick-confusable"),  # a Cyrillic а
        ("-alice", "bad-name"),
        ("a b", "bad-name"),
        ("", "bad-name"),
        ("x" * 33, "bad-name"),
    ],
)
@pytest.mark.parametrize("op", ["hello", "nick"])
def test_a_nick_is_one_user_and_looks_like_no_other(stage: Stage, op: str, nick: str, code: str) -> None:  # fmt: skip
    stage.user("alice")
    if op == "nick":
        stage.user("bob")
    assert stage.play(f"bob {op}", nick=nick) == code
    assert stage.state()["users"].keys() == ({"alice"} if op == "hello" else {"alice", "bob"})


def test_a_hello_sent_again_is_the_same_session(stage: Stage) -> None:
    """A client whose welcome was lost would otherwise find its nick taken by itself."""
    first = stage.answer("alice hello alice")
    stage.peer("alice").connections += 1
    again = stage.answer("alice hello alice")
    assert (again.session, again.resumed) == (first.session, True)
    assert list(stage.state()["users"]) == ["alice"]


def test_one_hello_on_two_connections_in_one_turn_is_one_session(stage: Stage) -> None:
    first, request = stage.begin("alice hello alice")
    stage.peer("alice").connections += 1
    assert stage.play("alice hello alice") == "welcome"
    assert len(stage.broker.record.sessions) == 1
    assert request is not None
    assert stage.written() == ["started alice", "resumed alice"]
    assert first.notices == ["taken-over"]


def test_a_second_hello_on_a_connection_is_refused(company: Stage) -> None:
    assert company.play("alice hello alice") == "bad-request"


def test_a_newer_protocol_is_refused_with_the_one_spoken_here(stage: Stage) -> None:
    refused = stage.answer("alice hello alice", protocol=2)
    assert (refused.code, refused.fields["supported"]) == ("unsupported-protocol", 1)


def test_sessions_of_one_address_are_limited() -> None:
    stage = Stage(sessions_per_address=2)
    stage.user("alice")
    stage.user("bob")
    assert stage.play("carol hello carol") == "too-many-sessions"
    stage.peer("dora", address="10.0.0.2")
    assert stage.play("dora hello dora") == "welcome"
    assert stage.play("bob bye") == "done"
    assert stage.play("carol hello carol") == "welcome"


def test_a_session_in_its_grace_counts_at_its_address() -> None:
    """Whoever says hello and leaves, again and again, would have sessions without end."""
    stage = Stage(sessions_per_address=2)
    stage.user("alice")
    stage.user("bob")
    for name in ("alice", "bob"):
        stage.drop(name)
    stage.settle()
    assert stage.play("carol hello carol") == "too-many-sessions"
    assert stage.play("alice resume") == "welcome"
    stage.wait(stage.settings.grace_ms)
    assert stage.play("carol hello carol") == "welcome"


def test_a_session_that_moves_counts_at_its_new_address() -> None:
    stage = Stage(sessions_per_address=1)
    alice = stage.user("alice")
    alice.address = "10.0.0.2"
    assert stage.play("alice resume") == "welcome"
    assert stage.play("bob hello bob") == "welcome"
    stage.peer("carol", address="10.0.0.2")
    assert stage.play("carol hello carol") == "too-many-sessions"


# Resuming.


def test_a_session_resumes_with_its_rooms_and_its_last_serial(company: Stage) -> None:
    company.play("alice say ops hi")
    welcome = company.answer("alice resume")
    assert (welcome.resumed, welcome.serial) == (True, 3)
    assert [handout.stream for handout in welcome.rooms] == ["lobby", "ops"]
    assert welcome.rooms[1].head == company.broker.record.head("r.ops")


def test_a_join_that_a_takeover_overtakes_is_no_joining_without_a_key(company: Stage) -> None:
    """Its reply names no room: a client would take it for a broker's fault."""
    alice = company.peer("alice")
    alice.connections += 1
    company.send(alice, alice.resumption())
    alice.connections -= 1
    join = alice.write("join den")
    company.send(alice, join)
    company.settle()
    assert alice.outcome(join) == "taken-over"
    assert company.written()[-1] == "joined alice den"


def test_resuming_replaces_the_token(company: Stage) -> None:
    """A stolen token would be good for ever."""
    alice = company.peer("alice")
    old = alice.token
    company.play("alice resume")
    company.play("alice resume")
    company.drop("alice")
    thief = q.Resume(session=alice.session, token=old)
    assert company.play("eve hello", resume=thief) == "bad-token"
    mine = q.Resume(session=alice.session, token=alice.token)
    assert company.play("alice hello", token=alice.fresh_token(99), resume=mine) == "welcome"


def test_a_resumption_sent_again_unchanged_is_the_same(company: Stage) -> None:
    alice = company.peer("alice")
    alice.connections += 1
    request = alice.resumption()
    assert isinstance(request, q.Hello)
    company.send(alice, request)
    company.settle()
    assert alice.outcome(request) == "welcome"
    alice.connections += 1
    assert company.play("alice hello", token=request.token, resume=request.resume) == "welcome"


@pytest.mark.parametrize(
    ("session", "token", "code"),
    [("mine", b"x" * 32, "bad-token"), ("nobody's", None, "session-ended")],
)
def test_who_cannot_prove_a_session_does_not_get_it(
    company: Stage, session: str, token: bytes | None, code: str
) -> None:
    alice = company.peer("alice")
    resume = q.Resume(
        session=alice.session if session == "mine" else session, token=token or alice.token
    )
    assert company.play("eve hello eve", resume=resume) == code


def test_nobody_takes_a_token_that_owns_another_session(company: Stage) -> None:
    """Two sessions under one token: a repeat of the hello would be either."""
    bob = company.peer("bob")
    resume = q.Resume(session=bob.session, token=bob.token)
    bob.connections += 1
    assert (
        company.play("bob hello", token=company.peer("alice").token, resume=resume) == "bad-token"
    )


def test_a_takeover_tells_the_older_connection(company: Stage) -> None:
    alice = company.peer("alice")
    older = alice.routing_id
    company.begin("alice resume")
    frames = dict(company.turn().replies)
    assert b"taken-over" in frames[older]
    company.broker.receive(older, alice.address, b"\x91\x82\xa2op\xa4ping\xa2id\x07", company.now)
    company.settle()
    assert company.broker.clients.of(alice.session) is not None


def test_the_older_connection_is_refused_from_then_on(company: Stage) -> None:
    alice = company.peer("alice")
    company.play("alice resume")
    alice.connections -= 1
    assert company.play("alice say ops hi") == "taken-over"


def test_a_page_that_was_asked_before_the_takeover_is_refused(company: Stage) -> None:
    """Every request is answered once, this one too."""
    alice, request = company.begin("alice history ops")
    older = alice.routing_id
    company.begin("alice resume")
    frames = dict(company.turn().replies)
    assert request is not None
    assert b"taken-over" in frames[older]
    assert b'"events"' not in frames[older]


# nick, bye, ping.


def test_a_new_nick_is_seen_in_every_room_and_frees_the_old_one(company: Stage) -> None:
    assert company.play("alice nick Zoë") == "done"
    assert company.peer("bob").heard() == ["renamed alice Zoë"]
    assert company.play("carol hello alice") == "welcome"
    assert company.play("alice nick ZOË") == "done"  # her own name in another case


def test_a_guest_who_says_bye_is_gone_with_nick_and_rooms(company: Stage) -> None:
    assert company.play("alice bye") == "done"
    assert company.peer("bob").heard() == ["quit alice bye"]
    assert company.state()["rooms"]["ops"] == (["bob"], "", False)
    alice = company.peer("alice")
    assert company.play("eve hello", resume=q.Resume(session=alice.session, token=alice.token)) == "session-ended"  # fmt: skip


def test_the_next_user_of_a_nick_is_another_user(company: Stage) -> None:
    """Or they would read what was whispered to the last one."""
    company.play("bob whisper alice the key is under the mat")
    company.play("alice bye")
    assert company.play("eve hello alice") == "welcome"
    assert company.answer("eve history @").events == []


def test_a_connection_may_begin_a_new_session_after_its_bye(company: Stage) -> None:
    company.play("alice bye")
    assert company.play("alice say ops hi") == "session-ended"
    assert company.play("alice hello alice", token=b"n" * 32) == "welcome"
    assert company.play("alice join ops") == "joined"


def test_a_ping_tells_where_ones_streams_end(company: Stage) -> None:
    done = company.answer("bob say ops hi")
    pong = company.answer("alice ping")
    assert isinstance(pong, r.Pong)
    assert pong.heads["ops"] == done.position
    assert pong.heads.keys() == {"@", "lobby", "ops"}


def test_a_ping_before_the_hello_says_that_somebody_is_there(stage: Stage) -> None:
    pong = stage.answer("alice ping")
    assert not isinstance(pong, Refused)
    assert (pong.epoch, pong.heads) == ("e1", {})
