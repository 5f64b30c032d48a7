"""Who sees which field of an event: every field, of every event, for every reader."""

from __future__ import annotations

from functools import reduce
from itertools import combinations
from operator import or_
from typing import Any

import msgpack
import msgspec
import pytest

from zchat.protocol import codec
from zchat.protocol.audience import audience_of, view
from zchat.protocol.events import EVENTS, Audience, Event

from .cases import EVENTS as CASES

READERS = [reduce(or_, chosen) for size in range(1, 5) for chosen in combinations(Audience, size)]
"""Every combination, those that claim to be the broker too."""

HIDDEN = {
    "started": {"session": "BROKER", "serial": "OWNER", "token_hash": "BROKER", "agent": "BROKER"},
    "resumed": {
        "session": "BROKER",
        "serial": "OWNER",
        "token_hash": "BROKER",
        "previous_hash": "BROKER",
    },
    "away": {"session": "BROKER", "serial": "OWNER", "since": "BROKER"},
    "quit": {"session": "BROKER", "serial": "OWNER", "since": "BROKER"},
}
EVERY = {"session": "BROKER", "serial": "OWNER"}
"""What is not for everyone in the room, said a second time: an unmarked secret is seen here."""


def fields_of(data: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = msgpack.unpackb(data)
    return fields


@pytest.mark.parametrize("kind", EVENTS)
def test_who_may_see_what(kind: str) -> None:
    """A mark could be forgotten or lost, and the whole room sees the field."""
    marks = {f: a.name for f, a in audience_of(EVENTS[kind]).items() if a is not Audience.ROOM}
    assert marks == HIDDEN.get(kind, EVERY)


@pytest.mark.parametrize("event", [event for event, _ in CASES.values()], ids=CASES)
def test_a_reader_sees_what_is_theirs_and_nothing_else(event: Event) -> None:
    """A token's hash, or the session that would name it, would leave the broker."""
    whole = fields_of(codec.encode(event))
    marks = audience_of(type(event))
    for reader in READERS:
        allowed = (reader | Audience.ROOM) & ~Audience.BROKER
        seen = {f: v for f, v in whole.items() if f == "kind" or marks[f] & allowed}
        assert fields_of(view(event, reader)) == seen, reader


@pytest.mark.parametrize("event", [event for event, _ in CASES.values()], ids=CASES)
def test_no_secret_is_in_the_bytes(event: Event) -> None:
    """Not under another name either, as a row or alone."""
    marks = audience_of(type(event))
    secrets = [getattr(event, field) for field, who in marks.items() if who is Audience.BROKER]
    assert secrets
    for reader in READERS:
        for data in (view(event, reader), codec.encode_row(event, reader)):
            for secret in filter(None, secrets):
                assert as_bytes(secret) not in data


def as_bytes(value: bytes | str | int) -> bytes:
    match value:
        case bytes():
            return value
        case str():
            return value.encode()
        case _:
            return codec.encode(value)


def test_only_the_owner_sees_the_serial() -> None:
    """Others could tell how much somebody writes elsewhere."""
    event = CASES["message"][0]
    for reader in READERS:
        assert ("serial" in fields_of(view(event, reader))) == bool(reader & Audience.OWNER)


def test_the_position_is_beside_the_event() -> None:
    event = msgspec.structs.replace(CASES["message"][0], position=43)
    assert "position" not in fields_of(view(event))
    assert msgpack.unpackb(codec.encode_row(event))[0] == 43
