"""Bytes to records and back: one table both ways, every cut, any bytes."""

from __future__ import annotations

import contextlib
from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zchat.errors import REFUSALS, ProtocolError, Refused
from zchat.protocol import codec, events, replies, requests
from zchat.protocol.events import Audience, Event
from zchat.protocol.replies import Notice, Reply
from zchat.protocol.requests import Request

from . import cases
from .records import RECORDS, plain, record

TAKERS = [codec.decode_requests, codec.decode_replies, codec.decode_publication]
"""Everything that reads bytes of a peer."""


def at_positions(last: int, happened: list[Event]) -> list[Event]:
    """The events at the positions that end with ``last``."""
    first = last - len(happened) + 1
    return [
        msgspec.structs.replace(event, position=first + index)
        for index, event in enumerate(happened)
    ]


# The table covers what there is.


def test_the_table_has_every_kind() -> None:
    """A request, reply, notice or event without a case would be tested nowhere."""
    assert {type(r).__struct_config__.tag for r, _ in cases.REQUESTS.values()} == set(
        requests.REQUESTS
    )
    assert {type(r) for r, _ in cases.REPLIES.values()} == set(replies.REPLIES.values())
    assert {e.kind for e, _ in cases.EVENTS.values()} == set(events.EVENTS)
    assert set(cases.REFUSED) == set(REFUSALS)


# Both directions.


@pytest.mark.parametrize(("request_", "wire"), cases.REQUESTS.values(), ids=cases.REQUESTS)
def test_a_request_both_ways(request_: Request, wire: dict[str, Any]) -> None:
    """A client and a broker would disagree about what was asked."""
    assert msgpack.unpackb(codec.encode_requests([request_])) == [wire]
    assert codec.decode_requests(msgpack.packb([wire])) == [request_]


@pytest.mark.parametrize(("reply", "wire"), cases.REPLIES.values(), ids=cases.REPLIES)
def test_a_reply_both_ways(reply: Reply, wire: dict[str, Any]) -> None:
    assert msgpack.unpackb(codec.encode_replies([codec.encode(reply)])) == [wire]
    (read,) = codec.decode_replies(msgpack.packb([wire]))
    assert codec.typed(read, type(reply)) == reply


@pytest.mark.parametrize(("notice", "wire"), cases.NOTICES.values(), ids=cases.NOTICES)
def test_a_notice_both_ways(notice: Notice, wire: dict[str, Any]) -> None:
    assert msgpack.unpackb(codec.encode_replies([codec.encode(notice)])) == [wire]
    assert codec.decode_replies(msgpack.packb([wire])) == [notice]


@pytest.mark.parametrize(("refused", "wire"), cases.REFUSED.values(), ids=cases.REFUSED)
def test_a_refusal_both_ways(refused: Refused, wire: dict[str, Any]) -> None:
    """The sentence or its fields would be lost on the way to the person."""
    assert msgpack.unpackb(codec.encode_replies([codec.encode_refusal(3, refused)])) == [wire]
    (read,) = codec.decode_replies(msgpack.packb([wire]))
    assert isinstance(read, Refused)
    assert (read.code, str(read)) == (refused.code, str(refused))
    assert read.fields == {**refused.fields, "id": 3}


@pytest.mark.parametrize(("event", "wire"), cases.EVENTS.values(), ids=cases.EVENTS)
def test_an_event_to_its_readers(event: Event, wire: dict[str, Any]) -> None:
    event = msgspec.structs.replace(event, position=43)
    assert msgpack.unpackb(codec.encode_row(event)) == [43, wire]
    mine = codec.encode_row(event, Audience.ROOM | Audience.OWNER)
    assert msgpack.unpackb(mine) == [43, {**wire, "serial": 4}]


READ_BY_CLIENTS = {
    name: case for name, case in cases.EVENTS.items() if case[0].streams() != (events.CONTROL,)
}


@pytest.mark.parametrize(("event", "wire"), READ_BY_CLIENTS.values(), ids=READ_BY_CLIENTS)
def test_an_event_as_a_client_reads_it(event: Event, wire: dict[str, Any]) -> None:
    unseen = {"session": "", "serial": 0} | ({"since": 0} if hasattr(event, "since") else {})
    seen = msgspec.structs.replace(event, position=43, **unseen)
    assert codec.placed([[43, wire]]) == [seen]


@pytest.mark.parametrize("event", [e for e, _ in cases.EVENTS.values()], ids=cases.EVENTS)
def test_an_event_in_the_journal(event: Event) -> None:
    """A restart would fold something else than what happened."""
    placed = msgspec.structs.replace(event, position=43)
    data = codec.encode_event(placed)
    assert placed.position == 43
    assert "position" not in msgpack.unpackb(data)
    assert codec.decode_event(43, data) == placed


@pytest.mark.parametrize(
    ("prev", "last", "happened", "signals", "wire"),
    cases.PUBLICATIONS.values(),
    ids=cases.PUBLICATIONS,
)
def test_a_publication_both_ways(
    prev: int, last: int, happened: list[Event], signals: list[codec.Signal], wire: dict[str, Any]
) -> None:
    rows = [codec.encode_row(event) for event in at_positions(last, happened)]
    body = codec.encode_publication(prev, last, rows, signals)
    assert msgpack.unpackb(body) == {"events": [], **wire}
    assert plain(codec.decode_publication(body)) == wire
    assert codec.decode_publication(msgpack.packb(wire)) == codec.decode_publication(body)


# What is not the protocol.


@pytest.mark.parametrize("name", [*cases.REQUESTS])
def test_a_frame_cut_at_every_byte(name: str) -> None:
    """A prefix of a request would be taken for a shorter one."""
    data = codec.encode_requests([cases.REQUESTS[name][0]])
    for length in range(len(data)):
        with pytest.raises(ProtocolError):
            codec.decode_requests(data[:length])
    with pytest.raises(ProtocolError):
        codec.decode_requests(data + b"\xc0")


@pytest.mark.parametrize("name", [*cases.REPLIES, *cases.NOTICES, *cases.REFUSED])
def test_a_reply_cut_at_every_byte(name: str) -> None:
    wire = {**cases.REPLIES, **cases.NOTICES, **cases.REFUSED}[name][1]
    data = msgpack.packb([wire])
    for length in range(len(data)):
        with pytest.raises(ProtocolError):
            codec.decode_replies(data[:length])


@pytest.mark.parametrize("name", [*cases.PUBLICATIONS])
def test_a_publication_cut_at_every_byte(name: str) -> None:
    data = msgpack.packb(cases.PUBLICATIONS[name][-1])
    for length in range(len(data)):
        with pytest.raises(ProtocolError):
            codec.decode_publication(data[:length])


NO_FRAMES: dict[str, object] = {
    "no array": {"op": "ping", "id": 1},
    "nothing asked": [],
    "too many": [{"op": "ping", "id": 1}] * 257,
    "a float": 1.5,
    "an extension type": msgpack.ExtType(5, b"abcd"),
    "a time": msgpack.Timestamp(0),
    "a number for a key": [{1: 2}],
    "depth": b"\x91" * 2000 + b"\xc0",
    "lengths that are not there": b"\xdd\xff\xff\xff\xff",
    "bad UTF-8": b"\x91\x81\xa2op\xa2\xff\xfe",
    "a surrogate": b"\x91\x81\xa2op\xa3\xed\xa0\x80",
}


@pytest.mark.parametrize("frame", NO_FRAMES.values(), ids=NO_FRAMES)
def test_a_frame_that_is_none(frame: object) -> None:
    """It would be a traceback in the broker's loop."""
    with pytest.raises(ProtocolError):
        codec.decode_requests(frame if isinstance(frame, bytes) else msgpack.packb(frame))


@pytest.mark.parametrize(
    ("item", "id_", "code", "says"),
    [
        ("ping", 0, "bad-request", "a request is a map"),
        ({"op": "ping"}, 0, "bad-request", "has an id"),
        ({"op": "ping", "id": 0}, 0, "bad-request", "has an id"),
        ({"op": "ping", "id": 2**63}, 0, "bad-request", "has an id"),
        ({"op": "ping", "id": True}, 0, "bad-request", "has an id"),
        ({"id": 7}, 7, "bad-request", "has an op"),
        ({"op": "dance", "id": 7}, 7, "unknown-op", "dance"),
        ({"op": "x" * 10_000, "id": 7}, 7, "unknown-op", "x" * 32),
        ({"op": "say", "id": 7, "serial": 1, "room": "ops"}, 7, "bad-request", "text"),
        ({"op": "say", "id": 7, "room": "ops", "text": "x"}, 7, "bad-request", "serial"),
        ({"op": "leave", "id": 7, "serial": 0, "room": "ops"}, 7, "bad-request", "serial"),
        ({"op": "leave", "id": 7, "serial": 1, "room": 5}, 7, "bad-request", "room"),
        ({"op": "hello", "id": 7, "protocol": 1, "token": b"x"}, 7, "bad-request", "token"),
        ({"op": "history", "id": 7, "stream": "@", "limit": 0}, 7, "bad-request", "limit"),
        ({"op": "history", "id": 7, "stream": "@", "after": -1}, 7, "bad-request", "after"),
    ],
)  # fmt: skip
def test_a_request_that_is_none(item: object, id_: int, code: str, says: str) -> None:
    """The client would wait for ever, or not know which request was meant; the others are heard."""
    ping = {"op": "ping", "id": 1}
    first, refused, last = codec.decode_requests(msgpack.packb([ping, item, ping]))
    assert isinstance(first, requests.Ping)
    assert isinstance(last, requests.Ping)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.fields["id"]) == (code, id_)
    assert says in str(refused)


@pytest.mark.parametrize(
    "row",
    [
        None,
        [],
        [0, {"kind": "joined"}],
        [1, {"kind": "joined"}, 2],
        [1, {}],
        [1, {"kind": 5}],
        [1, {"kind": "joined", "at": "yesterday", "user": "u", "nick": "n", "room": "r"}],
        ["1", {"kind": "joined", "at": 1, "user": "u", "nick": "n", "room": "r"}],
    ],
)
def test_a_row_that_is_none(row: object) -> None:
    """A hostile broker would break its clients."""
    with pytest.raises(ProtocolError):
        codec.placed([row])


def test_a_newer_event_is_kept_as_unknown() -> None:
    """An older client would lose count of its stream and backfill for ever."""
    (event,) = codec.placed([[43, {"kind": "reacted", "emoji": "👍"}]])
    assert isinstance(event, codec.Unknown)
    assert (event.position, event.kind_on_wire) == (43, "reacted")
    assert event.fields["emoji"] == "👍"


@pytest.mark.parametrize(
    ("fields", "streams"),
    [
        ({"room": "ops"}, ("r.ops",)),
        ({"rooms": ["ops", "den"]}, ("r.ops", "r.den")),
        ({"rooms": 5}, ()),
        ({"rooms": None, "room": "ops"}, ()),
        ({"room": ["ops"]}, ()),
        ({"rooms": [7, None]}, ()),
        ({}, ()),
    ],
)
def test_a_newer_event_stands_in_the_rooms_it_names(
    fields: dict[str, Any], streams: tuple[str, ...]
) -> None:
    """Its fields are anything: a traceback in a client that only wants to skip it."""
    (event,) = codec.placed([[43, {"kind": "reacted", **fields}]])
    assert event.streams() == streams


def test_a_newer_field_is_ignored() -> None:
    """No version could ever add one."""
    wire = {"op": "ping", "id": 1, "colour": "green"}
    assert codec.decode_requests(msgpack.packb([wire])) == [requests.Ping(id=1)]


def test_a_refusal_with_a_key_of_bytes() -> None:
    """A hostile broker would break its clients: such a key cannot name an argument."""
    wire = {"id": 3, "error": {"code": "stale", "message": "try again", b"x": 1}}
    (refused,) = codec.decode_replies(msgpack.packb([wire]))
    assert isinstance(refused, Refused)
    assert refused.code == "stale"


def test_a_page_of_encoded_rows_is_a_page() -> None:
    """History would be readable only where it is published."""
    page, wire = cases.REPLIES["page"]
    assert isinstance(page, replies.Page)
    rows = [codec.encode(row) for row in page.events]
    assert msgpack.unpackb(codec.encode_page(page, rows)) == wire


def test_a_claimed_array_costs_nothing() -> None:
    """One frame of nested headers would take 57 ms of the broker, and 65 MB."""
    with pytest.raises(ProtocolError, match="max_array_len"):
        codec.decode_requests(b"\xdc\xff\xff" * 1000)


# Any bytes, any records.

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["op", "id", "error", "code", "message", "notice", "kind", "events", "prev", "last"])
        | st.text(max_size=3)
        | st.binary(max_size=2),
        inner,
        max_size=5,
    ),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("taker", TAKERS, ids=lambda taker: taker.__name__)
@given(data=st.binary(max_size=200) | values.map(msgpack.packb))
def test_any_bytes_are_records_or_a_protocol_error(taker: Any, data: bytes) -> None:
    """One frame from a stranger would end the broker, or a client."""
    with contextlib.suppress(ProtocolError):
        taker(data)


@given(position=st.integers(1, 2**63), data=st.binary(max_size=100) | values.map(msgpack.packb))
def test_any_bytes_are_an_event_or_a_protocol_error(position: int, data: bytes) -> None:
    """A damaged journal would be a traceback, not a sentence."""
    with contextlib.suppress(ProtocolError):
        codec.decode_event(position, data)


@given(rows=st.lists(values | st.tuples(st.integers(), values), max_size=3))
def test_any_rows_are_events_or_a_protocol_error(rows: list[object]) -> None:
    with contextlib.suppress(ProtocolError):
        codec.placed(rows)


@pytest.mark.parametrize("type_", RECORDS[Request], ids=lambda type_: type_.__name__)
@given(data=st.data())
def test_any_request_comes_back(type_: type[Request], data: st.DataObject) -> None:
    sent = data.draw(record(type_))
    assert codec.decode_requests(codec.encode_requests([sent])) == [sent]


@pytest.mark.parametrize("type_", RECORDS[Reply], ids=lambda type_: type_.__name__)
@given(data=st.data())
def test_any_reply_comes_back(type_: type[Reply], data: st.DataObject) -> None:
    sent = data.draw(record(type_))
    frame = codec.encode_replies([codec.encode(sent)])
    assert codec.typed(codec.decode_replies(frame)[0], type_) == sent


@pytest.mark.parametrize("type_", RECORDS[Event], ids=lambda type_: type_.__name__)
@given(data=st.data())
def test_any_event_comes_back_from_the_journal(type_: type[Event], data: st.DataObject) -> None:
    sent = data.draw(record(type_))
    assert codec.decode_event(sent.position, codec.encode_event(sent)) == sent
