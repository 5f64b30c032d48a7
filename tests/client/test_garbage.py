"""Whatever a broker sends, nothing raises: it is ignored, or the connection is begun anew."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.client.peer import Peer, topic_of, up
from tests.client.rows import key_of
from zchat.client.session import LinkState
from zchat.protocol import requests as q
from zchat.protocol.codec import encode

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=40)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
FIELDS = st.sampled_from(
    ["id", "notice", "message", "error", "code", "retry_ms", "position", "room", "events", "more",
     "head", "floor", "heads", "epoch", "agent", "stream", "topic", "key", "key_number", "members"]
)  # fmt: skip
IDS = st.integers(0, 9) | st.booleans()
REPLY = st.fixed_dictionaries({"id": IDS}, optional={}).flatmap(
    lambda fixed: st.dictionaries(FIELDS, ANYTHING, max_size=8).map(lambda more: {**more, **fixed})
)
REFUSAL = st.builds(
    lambda id_, code, retry_ms, more: {
        "id": id_, "error": {"message": "no", **more, "code": code, "retry_ms": retry_ms},
    },
    IDS,
    st.sampled_from(["session-ended", "bad-token", "draining", "rate-limited", "nick-taken", "x"]),
    SCALARS,
    st.dictionaries(FIELDS, ANYTHING, max_size=3),
)  # fmt: skip
HANDOUT = st.fixed_dictionaries(
    {
        "stream": st.sampled_from(["@", "tea", ""]),
        "topic": st.integers(-(2**63), 2**64 - 1),
        "key_number": st.integers(-(2**63), 2**64 - 1),
        "key": st.binary(max_size=33) | st.just(bytes(32)),
        "head": st.integers(-(2**63), 2**64 - 1),
    }
)
JOINED = st.builds(
    lambda id_, position, room: {
        "id": id_, "position": position, "room": room, "subject": "", "members": 1
    },
    IDS, st.integers(-(2**63), 2**64 - 1), HANDOUT,
)  # fmt: skip
NOTICE = st.builds(
    lambda notice, retry_ms: {"id": 0, "notice": notice, "message": "", "retry_ms": retry_ms},
    st.sampled_from(["draining", "taken-over", "session-ended", "x"]),
    st.integers(-2, 2) | SCALARS,
)


def busy() -> Peer:
    """A session with one of everything under way."""
    peer = up("tea")
    for request, fields in (
        (q.Join, {"room": "rain"}), (q.Leave, {"room": "tea"}), (q.Nick, {"nick": "x"}),
        (q.History, {"stream": "tea"}), (q.Users, {}), (q.Rooms, {}), (q.Ping, {}),
    ):  # fmt: skip
        peer.session.request(request, **fields)
    peer.sends()
    return peer


def goes_on(peer: Peer) -> None:
    """It still does what a shell asks of it: until its end, or on another connection."""
    session = peer.session
    session.take_subscriptions()
    session.take_events()
    session.take_frames()
    session.next_timer()
    session.handle_timer(peer.now + 5_000)
    session.lost(peer.now + 5_000)
    if session.closed is None:
        assert session.connect_at is not None
        assert session.connect_at >= peer.now + 5_000
        peer.welcomes(peer.connects())
        assert session.state is LinkState.UP


@given(st.binary(max_size=200))
def test_any_bytes_as_replies(data: bytes) -> None:
    peer = busy()
    peer.session.receive_replies(data, peer.now)
    goes_on(peer)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", b"\x91\x80", b"\x91\x01"])
def test_what_is_not_the_protocol_hangs_up(data: bytes) -> None:
    """Who speaks like that is no broker, or one that is broken."""
    peer = up("tea")
    peer.session.receive_replies(data, peer.now)
    assert peer.session.hangs_up


@given(st.lists(REPLY | REFUSAL | NOTICE | JOINED, max_size=4))
def test_any_replies_however_odd(replies: list[Any]) -> None:
    peer = busy()
    peer.session.receive_replies(encode(replies), peer.now)
    goes_on(peer)


@given(st.binary(max_size=200))
def test_any_bytes_as_a_publication(frame: bytes) -> None:
    peer = busy()
    peer.session.receive_publication(frame)
    goes_on(peer)


@given(
    st.fixed_dictionaries(
        {"prev": st.integers(0, 20), "last": st.integers(0, 20)},
        optional={
            "events": st.lists(ANYTHING | st.tuples(st.integers(9, 20), ANYTHING), max_size=3),
            "signals": st.lists(
                st.dictionaries(FIELDS, ANYTHING, max_size=3)
                | HANDOUT.map(lambda handout: {**handout, "signal": "key"}),
                max_size=2,
            ),
        },
    )
    | ANYTHING
)
def test_any_body_under_the_right_key(body: object) -> None:
    """A member on the network path knows the key."""
    peer = busy()
    peer.session.receive_publication(key_of(topic_of("tea")).seal(9, encode(body)))
    goes_on(peer)
