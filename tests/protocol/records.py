"""Any record of the wire as a Hypothesis strategy, made from its type; and its plain form."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgpack
import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from zchat.protocol.events import EVENTS, Event
from zchat.protocol.replies import REPLIES, Reply
from zchat.protocol.requests import REQUESTS, Request

T = TypeVar("T")

RECORDS: Final[dict[type, list[Any]]] = {
    Request: list(REQUESTS.values()),
    Reply: sorted(set(REPLIES.values()), key=lambda type_: type_.__name__),
    Event: list(EVENTS.values()),
}
"""Every request, reply and event type."""


def plain(value: object) -> Any:
    """A record as maps, lists and scalars; bytes stay bytes, defaults are left out."""
    return msgpack.unpackb(msgspec.msgpack.encode(value))


def record(type_: type[T]) -> st.SearchStrategy[T]:
    """Records of this type, each field anything its type allows."""
    info = inspect.type_info(type_)
    assert isinstance(info, inspect.StructType)
    return st.builds(type_, **{field.name: _any(field.type) for field in info.fields})


def _any(info: inspect.Type) -> st.SearchStrategy[Any]:
    match info:
        case inspect.Metadata(type=inner):
            return _any(inner)
        case inspect.BoolType():
            return st.booleans()
        case inspect.IntType(ge=low, le=high):
            return st.integers(low or 0, 2**63 - 1 if high is None else high)
        case inspect.StrType(max_length=longest):
            return st.text(max_size=20 if longest is None else min(longest, 20))
        case inspect.BytesType(min_length=least, max_length=longest):
            return st.binary(min_size=least or 0, max_size=40 if longest is None else longest)
        case inspect.NoneType():
            return st.none()
        case inspect.UnionType(types=types):
            return st.one_of([_any(each) for each in types])
        case inspect.ListType(item_type=item):
            return st.lists(_any(item), max_size=3)
        case inspect.VarTupleType(item_type=item):
            return st.lists(_any(item), max_size=3).map(tuple)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(_any(key), _any(value), max_size=3)
        case inspect.StructType(cls=cls):
            return record(cls)
        case inspect.AnyType():
            return st.text(max_size=5)
    raise AssertionError(f"no strategy for {info}")
