"""The one function that drops what a reader may not see of an event.

Publication, history, search, files and export all go through `view`; nothing else turns
an event into bytes that leave the broker.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from operator import attrgetter
from typing import Any

import msgspec

from .events import Audience, Event

__all__ = ["audience_of", "view"]

_encode = msgspec.msgpack.Encoder().encode


@cache
def audience_of(kind: type[Event]) -> dict[str, Audience]:
    """Field → who may see it. A field without a mark is for everyone in the room."""
    marks: dict[str, Audience] = {}
    for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        extra = getattr(field.type, "extra", None) or {}
        marks[field.encode_name] = extra.get("audience", Audience.ROOM)
    return marks


def view(event: Event, reader: Audience = Audience.ROOM) -> bytes:
    """The event as a msgpack map of the fields that ``reader`` may see, without its position.

    ``reader`` is what the reader is to this event, e.g. ``ROOM | OWNER``. Nobody is the
    broker: a ``BROKER`` field is dropped whatever ``reader`` says.
    """
    read, shape = _shape(type(event), reader)
    return _encode(shape(*read(event)))


@cache
def _shape(
    kind: type[Event], reader: Audience
) -> tuple[Callable[[Event], Any], Callable[..., Any]]:
    """A getter of the visible fields, and a struct of only those with the same tag."""
    marks = audience_of(kind)
    reader = (reader | Audience.ROOM) & ~Audience.BROKER
    visible = [
        field
        for field in msgspec.structs.fields(kind)
        if field.name != "position" and marks[field.encode_name] & reader
    ]
    # Fields with a default come last, as a struct's positional arguments need it.
    visible.sort(key=lambda field: field.default is not msgspec.NODEFAULT)
    shape = msgspec.defstruct(
        kind.__name__,
        [
            (field.name, field.type)
            if field.default is msgspec.NODEFAULT
            else (field.name, field.type, field.default)
            for field in visible
        ],
        tag_field="kind",
        tag=kind.__struct_config__.tag,
        omit_defaults=True,
        gc=False,
    )
    return attrgetter(*(field.name for field in visible)), shape
