"""What one session sends takes effect in the order sent, and no faster than its rate allows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.stage import Stage
from zchat.core import Now
from zchat.errors import Refused
from zchat.protocol import codec


def test_what_is_sent_behind_a_join_waits_for_it(stage: Stage) -> None:
    """Without the barrier the message would be judged before its author is in the room."""
    stage.user("alice")
    assert stage.together("alice join ops", "alice say ops tea?") == ["joined", "done"]
    assert stage.written()[-2:] == ["joined alice ops", "message alice ops tea?"]


def test_a_whole_life_in_one_frame_happens_in_order(stage: Stage) -> None:
    alice = stage.peer("alice")
    words = (
        "hello alice",
        "join ops",
        "say ops hi",
        "nick al",
        "act ops waves",
        "leave ops",
        "bye",
    )
    requests = [alice.write(each) for each in words]
    stage.send(alice, *requests)
    stage.settle()
    assert stage.written() == [
        "started alice", "joined alice ops", "message alice ops hi", "renamed alice al",
        "action al ops waves", "left al ops", "quit al bye",
    ]  # fmt: skip
    assert list(alice.answers) == [request.id for request in requests]


def test_messages_do_not_wait_for_each_other(company: Stage) -> None:
    """A pipeline of messages is one commit, not a turn each."""
    turns = len(company.effects)
    assert company.together("alice say ops 1", "alice say ops 2", "alice say ops 3") == ["done"] * 3
    assert [len(effects.events) for effects in company.effects[turns:]] == [3]


def test_a_message_that_settles_does_not_lift_the_barrier_behind_it(company: Stage) -> None:
    """The page of a history would come after what was said behind it, and pages would pile up."""
    alice = company.peer("alice")
    words = ("say ops 1", "history ops", "history ops", "say ops 2")
    requests = [alice.write(each) for each in words]
    company.send(alice, *requests)
    company.turn()
    assert [alice.outcome(r) for r in requests] == ["done", "page", "waits", "waits"]
    company.settle()
    assert list(alice.answers)[-4:] == [request.id for request in requests]


def test_what_is_sent_behind_a_bye_is_refused(company: Stage) -> None:
    assert company.together("alice bye", "alice say ops too late", "alice ping") == [
        "done", "session-ended", "pong",
    ]  # fmt: skip


def test_a_bye_that_repeats_the_serial_of_something_else_ends_nothing(company: Stage) -> None:
    """The session would have neither a client nor a deadline, and its nick no way back."""
    alice = company.peer("alice")
    assert company.play("alice bye", serial=alice.serial) == "done"
    assert company.play("alice say ops still here") == "done"


# The rate.


def rated(**settings: Any) -> Stage:
    """A stage where alice has used up what she could at once."""
    stage = Stage(rate=1000, burst=40, max_waiting=4, **settings)
    stage.user("alice", "ops")
    stage.wait(1_000)
    for number in range(40):
        stage.play(f"alice say ops {number}")
    return stage


def test_who_is_over_the_rate_waits_and_keeps_the_order() -> None:
    stage = rated()
    assert stage.together("alice say ops a", "alice say ops b", "alice join den") == ["waits"] * 3
    stage.wait(1)
    assert stage.written()[-1] == "message alice ops a"
    stage.wait(10)
    assert stage.written()[-2:] == ["message alice ops b", "joined alice den"]


def test_who_waits_with_too_much_is_refused_and_told_for_how_long() -> None:
    stage = rated()
    assert stage.together(*["alice say ops x"] * 5) == ["waits"] * 4 + ["rate-limited"]
    refused = stage.answer("alice ping")
    assert isinstance(refused, Refused)
    assert refused.fields["retry_ms"] == 4
    stage.wait(4)
    alice, ping = stage.begin("alice ping")
    assert ping is not None
    assert alice.outcome(ping) == "waits"
    stage.wait(1)
    assert alice.outcome(ping) == "pong"


def test_who_waits_with_too_many_bytes_is_refused() -> None:
    stage = rated(max_waiting_bytes=200)
    assert stage.together("alice say ops x", "alice say ops " + "x" * 200) == [
        "waits", "rate-limited",
    ]  # fmt: skip


def test_waiting_is_over_when_the_connection_is() -> None:
    """What nobody waits for any more is not done, and its deadline is no deadline."""
    stage = rated()
    stage.together("alice say ops never", "alice drop")
    stage.wait(100)
    assert "message alice ops never" not in stage.written()


def test_one_client_over_its_rate_delays_nobody_else() -> None:
    stage = rated()
    stage.user("bob", "ops")
    assert stage.together("alice say ops x", "bob say ops y") == ["waits", "done"]


def test_a_bad_frame_is_refused_as_a_whole(company: Stage) -> None:
    alice = company.peer("alice")
    company.broker.receive(alice.routing_id, alice.address, b"\xc1", company.now)
    [(_, frame)] = company.turn().replies
    [refused] = codec.decode_replies(frame)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.fields["id"]) == ("bad-frame", 0)


def test_a_bad_request_is_refused_alone(company: Stage) -> None:
    alice = company.peer("alice")
    good = alice.write("say ops hi")
    frame = codec.encode([{"op": "dance", "id": 90}, {"op": "say", "id": 91}, good])
    company.broker.receive(alice.routing_id, alice.address, frame, company.now)
    [(_, frame)] = company.turn().replies
    assert [r.code if isinstance(r, Refused) else "" for r in codec.decode_replies(frame)] == [
        "unknown-op", "bad-request", "",
    ]  # fmt: skip


# The end.


def test_a_draining_broker_says_so_and_refuses(company: Stage) -> None:
    company.broker.drain(700)
    company.settle()
    assert company.peer("alice").notices == ["draining"]
    refused = company.answer("bob say ops hi")
    assert (refused.code, refused.fields["retry_ms"]) == ("draining", 700)
    assert company.play("carol hello carol") == "draining"


def test_what_was_decided_before_the_drain_is_still_answered(company: Stage) -> None:
    peer, request = company.begin("alice say ops last")
    company.broker.drain(700)
    company.settle()
    assert request is not None
    assert (peer.outcome(request), peer.notices) == ("done", ["draining"])


@pytest.mark.parametrize("step", [-3_600_000, 3_600_000])
def test_a_step_of_utc_moves_no_deadline(company: Stage, step: int) -> None:
    """A clock that is set while the broker runs would end sessions, or keep them for ever."""
    company.drop("alice")
    company.settle()
    company.now = Now(company.now.monotonic, company.now.utc + step)
    company.wait(29_999)
    assert "quit alice lost" not in company.written()
    company.wait(1)
    assert company.written()[-1] == "quit alice lost"
