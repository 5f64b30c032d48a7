"""Whoever sends what is not even decided, and goes on, is closed; nobody is sent endless frames."""

from __future__ import annotations

import pytest

from tests.core.stage import Stage
from zchat.protocol import codec
from zchat.protocol.seal import MAX_FRAME_BYTES

JUNK = {
    "no msgpack": b"\xc1",
    "an unknown op": codec.encode([{"op": "no", "id": 1}]),
    "a wrong type": codec.encode([{"op": "join", "id": 1, "serial": 1, "room": 7}]),
}


STRANGER = b"stranger"


def pour(stage: Stage, frame: bytes, times: int) -> None:
    for _ in range(times):
        stage.broker.receive(STRANGER, "10.0.0.9", frame, stage.now)


@pytest.mark.parametrize("junk", JUNK.values(), ids=JUNK)
def test_a_flood_of_junk_closes_its_connection(junk: bytes) -> None:
    """Each refusal would cost a reply and cost its sender nothing."""
    stage = Stage(rate=10, burst=20)
    pour(stage, junk, 20)
    assert stage.turn().closes == []
    pour(stage, junk, 1_000)
    effects = stage.turn()
    assert effects.closes == [STRANGER]
    assert effects.refusals == []
    pour(stage, junk, 1)
    assert stage.turn().closes == [], "told once"


def test_junk_now_and_then_is_refused_and_no_more() -> None:
    """A client with a fault is told of it, as long as it likes."""
    stage = Stage(rate=10, burst=20)
    for _ in range(100):
        pour(stage, JUNK["no msgpack"], 10)
        effects = stage.turn()
        assert (len(effects.refusals), effects.closes) == (10, [])
        stage.wait(1_000)


def test_a_turns_replies_are_frames_of_a_bounded_size() -> None:
    """A reader's budget is a number of frames: in one, it would be as large as its requests."""
    stage = Stage(rate=10_000, burst=10_000)
    count = 3_000
    frame = codec.encode([{"op": "no" * 100, "id": id_ + 1} for id_ in range(100)])
    pour(stage, frame, count // 100)
    frames = [frame for _, frame in stage.turn().replies]
    assert len(frames) > 1
    assert max(map(len, frames)) <= MAX_FRAME_BYTES + 3  # an array's header
    assert sum(len(codec.decode_replies(frame)) for frame in frames) == count


def test_who_keeps_to_64_unanswered_is_never_refused_for_it() -> None:
    """The protocol says so; a client whose order matters could send no more than one."""
    stage = Stage(rate=100, burst=25)
    alice = stage.user("alice", "ops")
    said = [alice.write("say ops " + "x" * stage.settings.max_text) for _ in range(64)]
    for request in said:
        stage.send(alice, request)
    stage.wait(10_000)
    assert {alice.outcome(request) for request in said} == {"done"}


def test_only_what_waits_counts_as_waiting() -> None:
    """A pipe that is always a little over the rate has always something waiting, and never much."""
    stage = Stage(rate=100, burst=40, max_waiting_bytes=300)
    stage.user("alice", "ops")
    stage.wait(1_000)
    for number in range(40):
        stage.play(f"alice say ops {number}")
    text = "x" * 20
    alice = stage.peer("alice")
    said = [alice.write(f"say ops {text}") for _ in range(50)]
    stage.send(alice, said[0])
    for request in said[1:]:
        stage.send(alice, request)
        stage.wait(10)
    assert {alice.outcome(request) for request in said[:-1]} == {"done"}
