"""Bytes to records and back; the only module that touches msgpack.

Hostile bytes are unpacked by ``msgpack`` (bounded by the size of what arrived) and typed by
``msgspec.convert``; records are written by ``msgspec``'s encoder. Whatever the bytes,
a function here gives records or raises `ProtocolError`, nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar, cast

import msgpack
import msgspec

from zchat.errors import REFUSALS, ProtocolError, Refused

from .audience import view
from .events import EVENTS, AnyEvent, Audience, Event, room_stream
from .replies import Notice, Page
from .requests import REQUESTS, Request

__all__ = [
    "Publication",
    "Signal",
    "Unknown",
    "decode_event",
    "decode_publication",
    "decode_replies",
    "decode_requests",
    "encode",
    "encode_event",
    "encode_page",
    "encode_publication",
    "encode_refusal",
    "encode_replies",
    "encode_requests",
    "encode_row",
    "placed",
    "typed",
]

MAX_REQUESTS: Final = 256
"""Requests in one frame; a client with more to say sends another frame."""

R = TypeVar("R")

encode: Final[Callable[[object], bytes]] = msgspec.msgpack.Encoder().encode
"""Any record, or plain value, as msgpack."""

_event_decoder = msgspec.msgpack.Decoder(AnyEvent)
_pack_array_header: Final[Callable[[int], bytes]] = msgpack.Packer().pack_array_header


class Unknown(Event, tag="unknown", kw_only=True):
    """An event of a kind this zchat does not know: a newer broker wrote it."""

    session: str = ""
    user: str = ""
    nick: str = ""
    kind_on_wire: str
    """The kind as sent."""
    fields: dict[str, Any]
    """Every field as sent."""

    def streams(self) -> tuple[str, ...]:
        rooms = self.fields.get("rooms", [self.fields.get("room")])
        named = rooms if isinstance(rooms, list) else ()
        return tuple(room_stream(room) for room in named if isinstance(room, str))


class Signal(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """What is published but not kept. The only one so far is ``key``: a room has a new key."""

    signal: str
    """``key``; others are to be ignored."""
    stream: str = ""
    """Which stream it is about."""
    topic: int = 0
    """The stream's topic."""
    key_number: int = 0
    """The number of the new key."""
    key: bytes = b""
    """The new key."""


class Publication(msgspec.Struct, kw_only=True, gc=False, omit_defaults=True):
    """The opened body of one publication: what one turn did to one stream."""

    prev: int
    """The stream's last position before these events."""
    last: int
    """The stream's last position with them."""
    events: list[Any] = []
    """``[position, event]`` pairs, in order."""
    signals: list[Signal] = []
    """Not part of the stream."""


# Events.


def encode_event(event: Event) -> bytes:
    """The whole event, for the journal alone; its position is the journal's to keep."""
    position, event.position = event.position, 0
    try:
        return encode(event)
    finally:
        event.position = position


def decode_event(position: int, data: bytes) -> Event:
    """The event the journal holds at ``position``. Raises `ProtocolError`."""
    try:
        event: Event = _event_decoder.decode(data)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ProtocolError(f"position {position} holds no event: {error}") from error
    event.position = position
    return event


def encode_row(event: Event, reader: Audience = Audience.ROOM) -> bytes:
    """``[position, event]`` with what ``reader`` may see: the form in publications and pages."""
    return b"\x92" + encode(event.position) + view(event, reader)


def placed(rows: Iterable[object]) -> list[Event]:
    """The events of a page's or publication's rows. Raises `ProtocolError`."""
    return [_placed(row) for row in rows]


def _placed(row: object) -> Event:
    match row:
        case [int(position), {"kind": str(kind), **rest}] if position > 0:
            pass
        case _:
            raise ProtocolError("a row of events is not [position, event]")
    fields = cast("dict[str, Any]", rest)  # strict_map_key: keys are str
    type_ = EVENTS.get(kind)
    if type_ is None:
        return Unknown(position=position, at=0, kind_on_wire=kind, fields=fields)
    return typed({"session": "", **fields, "position": position}, type_)


# Requests.


def encode_requests(requests: Sequence[Request]) -> bytes:
    """One DEALER frame."""
    return encode(requests)


def decode_requests(data: bytes) -> list[Request | Refused]:
    """The requests of one DEALER frame, each typed, or the refusal it gets.

    A refusal's ``fields["id"]`` is the request's id, 0 where it has none that can be
    read. Raises `ProtocolError` if the frame is no array of maps at all.
    """
    items = _unpack(data, longest=MAX_REQUESTS)
    if not isinstance(items, list) or not items:
        raise ProtocolError(REFUSALS["bad-frame"])
    return [_request(item) for item in items]


def _request(item: object) -> Request | Refused:
    if not isinstance(item, dict):
        return Refused("bad-request", id=0, reason="a request is a map")
    op, id_ = item.get("op"), item.get("id")
    if type(id_) is not int or not 0 < id_ < 2**63:
        return Refused("bad-request", id=0, reason="a request has an id, an integer from 1")
    if not isinstance(op, str):
        return Refused("bad-request", id=id_, reason="a request has an op, a string")
    type_ = REQUESTS.get(op)
    if type_ is None:
        return Refused("unknown-op", id=id_, op=op[:32])
    try:
        return msgspec.convert(item, type_)
    except (msgspec.ValidationError, RecursionError) as error:
        return Refused("bad-request", id=id_, reason=f"{op}: {error}")


# Replies.


def encode_replies(replies: Sequence[bytes]) -> bytes:
    """One ROUTER frame of replies that are encoded already."""
    return _pack_array_header(len(replies)) + b"".join(replies)


def encode_page(page: Page, rows: Sequence[bytes]) -> bytes:
    """The reply to a history request, its ``events`` being rows that are encoded already."""
    fields = {"id": page.id, "more": page.more, "head": page.head, "floor": page.floor}
    head = b"".join(encode(name) + encode(value) for name, value in fields.items())
    return b"\x85" + head + b"\xa6events" + _pack_array_header(len(rows)) + b"".join(rows)


def encode_refusal(id_: int, refused: Refused) -> bytes:
    """The reply that says no."""
    fields = {k: v for k, v in refused.fields.items() if k != "id"}
    return encode(
        {"id": id_, "error": {"code": refused.code, "message": refused.message, **fields}}
    )


def decode_replies(data: bytes) -> list[dict[str, Any] | Refused | Notice]:
    """The replies of one ROUTER frame: maps still to be `typed`, refusals, and notices.

    A refusal's ``fields["id"]`` is the request's id. Raises `ProtocolError`.
    """
    items = _unpack(data)
    if not isinstance(items, list):
        raise ProtocolError("a frame of replies is an array")
    return [_reply(item) for item in items]


def _reply(item: object) -> dict[str, Any] | Refused | Notice:
    match item:
        case {"id": bool()}:  # which Python takes for an integer
            pass
        case {"notice": str(), "id": 0}:
            return typed(item, Notice)
        case {"id": int(id_), "error": {"code": str(code), "message": str(message), **fields}}:
            named = {str(field): value for field, value in fields.items()}  # msgpack allows bytes
            return Refused(code, message, **{**named, "id": id_})
        case {"id": int()}:
            return item  # type: ignore[return-value]  # strict_map_key: keys are str
    raise ProtocolError("a reply is a map with an id")


def typed(value: object, type_: type[R]) -> R:
    """A plain value as a record of ``type_``. Raises `ProtocolError` where it does not fit."""
    try:
        return msgspec.convert(value, type_)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ProtocolError(str(error)) from error


# Publications.


def encode_publication(
    prev: int, last: int, rows: Sequence[bytes], signals: Sequence[Signal] = ()
) -> bytes:
    """The body of a publication, from rows that are encoded already."""
    head = b"\x84" if signals else b"\x83"
    body = head + b"\xa4prev" + encode(prev) + b"\xa4last" + encode(last)
    body += b"\xa6events" + _pack_array_header(len(rows)) + b"".join(rows)
    return body + b"\xa7signals" + encode(signals) if signals else body


def decode_publication(data: bytes) -> Publication:
    """An opened body. Raises `ProtocolError`."""
    return typed(_unpack(data), Publication)


def _unpack(data: bytes, longest: int = -1) -> object:
    """Plain values from one msgpack object that fills ``data``. Raises `ProtocolError`.

    ``longest`` bounds each array: msgpack makes room for an array of the length a header
    claims, and 1,000 nested headers of 3 bytes took 57 ms and 65 MB.
    """
    try:
        return msgpack.unpackb(data, max_ext_len=0, max_array_len=longest)
    # Depth, truncation, bad UTF-8, non-string keys: msgpack has no common base for them.
    except (ValueError, msgpack.UnpackException, RecursionError, TypeError) as error:
        raise ProtocolError(f"not msgpack: {error}") from error
