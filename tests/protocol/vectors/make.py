"""Writes down the table of cases as bytes: python -m tests.protocol.vectors.make

A vector that is there is never changed: what was sent once must be read for ever. New cases
are added; a case whose bytes are no longer its vector's needs another name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from zchat.protocol import codec
from zchat.protocol.events import CONTROL, Event
from zchat.protocol.seal import Key

from .. import cases
from ..records import plain

V1: Final = Path(__file__).parent / "v1"
SEALED_UNDER: Final = Key(topic=7, number=2, secret=cases.KEY)
SEALED_AS: Final = 9

Vectors = dict[str, tuple[bytes, Any]]
"""Name → the bytes, and what they mean."""


def as_json(value: Any) -> Any:
    """Plain values as JSON has them: bytes become ``{"hex": …}``."""
    match value:
        case bytes():
            return {"hex": value.hex()}
        case dict():
            return {key: as_json(each) for key, each in value.items()}
        case list() | tuple():
            return [as_json(each) for each in value]
        case _:
            return value


def from_json(value: Any) -> Any:
    """The other way."""
    match value:
        case {"hex": str(digits), **rest} if not rest:
            return bytes.fromhex(digits)
        case dict():
            return {key: from_json(each) for key, each in value.items()}
        case list():
            return [from_json(each) for each in value]
        case _:
            return value


def families() -> dict[str, Vectors]:
    """Each file of vectors, made anew from the table."""
    answers = {**cases.REPLIES, **cases.NOTICES}
    heard = {name: case for name, case in cases.EVENTS.items() if case[0].streams() != (CONTROL,)}
    bodies = {name: _publication(*case) for name, case in cases.PUBLICATIONS.items()}
    return {
        "requests": {n: (codec.encode_requests([r]), [w]) for n, (r, w) in cases.REQUESTS.items()},
        "replies": {n: (_frame(codec.encode(r)), [w]) for n, (r, w) in answers.items()},
        "refusals": {
            n: (_frame(codec.encode_refusal(3, r)), [w]) for n, (r, w) in cases.REFUSED.items()
        },
        "rows": {
            n: (codec.encode_row(replace(e, position=43)), [43, w]) for n, (e, w) in heard.items()
        },
        "journal": {n: (codec.encode_event(e), plain(e)) for n, (e, _) in cases.EVENTS.items()},
        "publications": bodies,
        "sealed": {n: _sealed(body) for n, (body, _) in bodies.items()},
    }


def _frame(reply: bytes) -> bytes:
    return codec.encode_replies([reply])


def _publication(
    prev: int, last: int, happened: list[Event], signals: list[codec.Signal], wire: Any
) -> tuple[bytes, Any]:
    first = last - len(happened) + 1
    rows = [
        codec.encode_row(replace(event, position=first + index))
        for index, event in enumerate(happened)
    ]
    return codec.encode_publication(prev, last, rows, signals), wire


def _sealed(body: bytes) -> tuple[bytes, Any]:
    key = SEALED_UNDER
    clear = {"topic": key.topic, "key_number": key.number, "n": SEALED_AS, "key": key.secret}
    return key.seal(SEALED_AS, body), {**clear, "body": body}


def read(family: str) -> Vectors:
    """The vectors that are written down."""
    written = json.loads((V1 / f"{family}.json").read_text("utf-8"))
    return {
        name: (bytes.fromhex(each["hex"]), from_json(each["means"]))
        for name, each in written.items()
    }


def main() -> None:
    """Add what is missing; refuse to change what is there."""
    for family, made in families().items():
        path = V1 / f"{family}.json"
        written = json.loads(path.read_text("utf-8")) if path.exists() else {}
        for name, (data, means) in made.items():
            entry = {"hex": data.hex(), "means": as_json(means)}
            if written.setdefault(name, entry)["hex"] != entry["hex"]:
                sys.exit(f"{path}: {name!r} has other bytes now; give the new case a new name")
        text = json.dumps(written, ensure_ascii=False, indent=1)
        path.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
