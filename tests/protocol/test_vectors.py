"""What was written down as bytes is read for ever, and everything there is was written down."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from zchat.errors import REFUSALS, Refused
from zchat.protocol import codec
from zchat.protocol.events import CONTROL, EVENTS
from zchat.protocol.replies import REPLIES
from zchat.protocol.requests import REQUESTS
from zchat.protocol.seal import Key, header

from . import cases
from .records import plain
from .vectors import make

MADE = make.families()


def vectors(family: str) -> pytest.MarkDecorator:
    written = make.read(family)
    return pytest.mark.parametrize(
        ("name", "data", "means"), [(n, *v) for n, v in written.items()], ids=written
    )


@vectors("requests")
def test_requests(name: str, data: bytes, means: Any) -> None:
    """A client of today would be refused tomorrow."""
    assert [plain(each) for each in codec.decode_requests(data)] == means
    assert name in cases.REQUESTS


@vectors("replies")
def test_replies(name: str, data: bytes, means: Any) -> None:
    (read,) = codec.decode_replies(data)
    if name in cases.NOTICES:
        assert [plain(read)] == means
    else:
        type_ = type(cases.REPLIES[name][0])
        assert [plain(codec.typed(read, type_))] == means


@vectors("refusals")
def test_refusals(name: str, data: bytes, means: Any) -> None:
    (read,) = codec.decode_replies(data)
    assert isinstance(read, Refused)
    fields = {**read.fields}
    id_ = fields.pop("id")
    error = {"code": read.code, "message": read.message, **fields}
    assert [{"id": id_, "error": error}] == means
    assert read.code == name


@vectors("rows")
def test_rows(name: str, data: bytes, means: Any) -> None:
    (event,) = codec.placed([msgpack.unpackb(data)])
    shown = plain(event)
    shown.pop("session")
    assert [shown.pop("position"), shown] == means
    assert name.startswith(event.kind)


@vectors("journal")
def test_journal(name: str, data: bytes, means: Any) -> None:
    """A journal written by this version would not open in the next."""
    event = codec.decode_event(43, data)
    assert plain(event) == {**means, "position": 43}
    assert name.startswith(event.kind)


@vectors("publications")
def test_publications(name: str, data: bytes, means: Any) -> None:
    assert plain(codec.decode_publication(data)) == means
    assert name in cases.PUBLICATIONS


@vectors("sealed")
def test_sealed(name: str, data: bytes, means: Any) -> None:
    assert header(data) == (means["topic"], means["key_number"], means["n"])
    key = Key(means["topic"], means["key_number"], means["key"])
    assert key.open(data) == means["body"] == make.read("publications")[name][0]


@pytest.mark.parametrize("family", MADE)
def test_every_case_is_written_down(family: str) -> None:
    """Run ``python -m tests.protocol.vectors.make``: a new request, event or code has no bytes yet."""
    assert set(MADE[family]) - set(make.read(family)) == set()


def test_every_kind_is_written_down() -> None:
    """Another language could not be held to what has no vector."""
    assert {means[0]["op"] for _, means in make.read("requests").values()} == set(REQUESTS)
    assert set(make.read("refusals")) >= set(REFUSALS)
    read = {type(cases.REPLIES[n][0]) for n in make.read("replies") if n in cases.REPLIES}
    assert read == set(REPLIES.values())
    assert {means["kind"] for _, means in make.read("journal").values()} == set(EVENTS)
    heard = {e.kind for e, _ in cases.EVENTS.values() if e.streams() != (CONTROL,)}
    assert {means[1]["kind"] for _, means in make.read("rows").values()} == heard
