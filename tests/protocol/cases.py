"""One table of what is said on the wire: each record beside its plain form, under a name.

The codec's tests run it in both directions and cut it at every byte; `vectors/make.py` writes it
down as bytes. A new request, reply, event or code without a case here fails a test.
"""

from __future__ import annotations

from typing import Any, Final

from zchat.errors import REFUSALS, Refused
from zchat.protocol import events, replies, requests
from zchat.protocol.codec import Signal
from zchat.protocol.events import Event
from zchat.protocol.replies import Handout, Notice, Reply
from zchat.protocol.requests import Request

TOKEN: Final = bytes(range(32))
NEXT_TOKEN: Final = bytes(range(32, 64))
KEY: Final = bytes(range(64, 96))
AT: Final = 1_790_000_000_000
LARGEST: Final = 2**63 - 1

REQUESTS: Final[dict[str, tuple[Request, dict[str, Any]]]] = {
    "hello": (
        requests.Hello(id=1, protocol=1, token=TOKEN, nick="alice", agent="zchat 0.1.0"),
        {"op": "hello", "id": 1, "protocol": 1, "token": TOKEN, "nick": "alice", "agent": "zchat 0.1.0"},
    ),
    "hello as a guest": (
        requests.Hello(id=1, protocol=1, token=TOKEN),
        {"op": "hello", "id": 1, "protocol": 1, "token": TOKEN},
    ),
    "hello that resumes": (
        requests.Hello(id=1, protocol=1, token=NEXT_TOKEN, resume=requests.Resume(session="s1", token=TOKEN)),
        {"op": "hello", "id": 1, "protocol": 1, "token": NEXT_TOKEN, "resume": {"session": "s1", "token": TOKEN}},
    ),
    "ping": (requests.Ping(id=2), {"op": "ping", "id": 2}),
    "bye": (requests.Bye(id=3, serial=9), {"op": "bye", "id": 3, "serial": 9}),
    "nick": (
        requests.Nick(id=4, serial=1, nick="Zoë"),
        {"op": "nick", "id": 4, "serial": 1, "nick": "Zoë"},
    ),
    "join": (
        requests.Join(id=5, serial=2, room="#general"),
        {"op": "join", "id": 5, "serial": 2, "room": "#general"},
    ),
    "leave": (
        requests.Leave(id=6, serial=3, room="general"),
        {"op": "leave", "id": 6, "serial": 3, "room": "general"},
    ),
    "rooms": (requests.Rooms(id=7), {"op": "rooms", "id": 7}),
    "rooms, second page": (requests.Rooms(id=7, after="ops"), {"op": "rooms", "id": 7, "after": "ops"}),
    "users": (requests.Users(id=8), {"op": "users", "id": 8}),
    "users of a room": (
        requests.Users(id=8, room="ops", after="bob"),
        {"op": "users", "id": 8, "room": "ops", "after": "bob"},
    ),
    "say": (
        requests.Say(id=9, serial=4, room="general", text="grüße, 世界 👋"),
        {"op": "say", "id": 9, "serial": 4, "room": "general", "text": "grüße, 世界 👋"},
    ),
    "say as an action": (
        requests.Say(id=9, serial=5, room="general", text="waves", action=True),
        {"op": "say", "id": 9, "serial": 5, "room": "general", "text": "waves", "action": True},
    ),
    "whisper": (
        requests.Whisper(id=10, serial=6, nick="bob", text="cake?"),
        {"op": "whisper", "id": 10, "serial": 6, "nick": "bob", "text": "cake?"},
    ),
    "whisper as an action": (
        requests.Whisper(id=10, serial=7, nick="bob", text="winks", action=True),
        {"op": "whisper", "id": 10, "serial": 7, "nick": "bob", "text": "winks", "action": True},
    ),
    "history": (requests.History(id=11, stream="general"), {"op": "history", "id": 11, "stream": "general"}),
    "history before": (
        requests.History(id=11, stream="@", before=LARGEST, limit=20),
        {"op": "history", "id": 11, "stream": "@", "before": LARGEST, "limit": 20},
    ),
    "history after": (
        requests.History(id=LARGEST, stream="general", after=0),
        {"op": "history", "id": LARGEST, "stream": "general", "after": 0},
    ),
    "subject": (
        requests.Subject(id=12, serial=LARGEST, room="ops", text=""),
        {"op": "subject", "id": 12, "serial": LARGEST, "room": "ops", "text": ""},
    ),
}  # fmt: skip

_HANDOUT: Final = Handout(stream="general", topic=7, key_number=1, key=KEY, head=41)
_PLAIN_HANDOUT: Final = {"stream": "general", "topic": 7, "key_number": 1, "key": KEY, "head": 41}
_INBOX: Final = Handout(stream=replies.INBOX, topic=8, key_number=1, key=KEY, head=0)
_PLAIN_INBOX: Final = {"stream": "@", "topic": 8, "key_number": 1, "key": KEY, "head": 0}

REPLIES: Final[dict[str, tuple[Reply, dict[str, Any]]]] = {
    "done": (replies.Done(id=9, position=43), {"id": 9, "position": 43}),
    "welcome": (
        replies.Welcome(
            id=1, session="s1", user="u1", nick="alice", resumed=False, serial=0, position=1,
            epoch="e1", inbox=_INBOX, rooms=[_HANDOUT], lobby="lobby", publish="tcp://*:5556",
            agent="zchat 0.1.0", heartbeat_ms=10_000, grace_ms=60_000, max_text=4096,
        ),
        {
            "id": 1, "session": "s1", "user": "u1", "nick": "alice", "resumed": False, "serial": 0,
            "position": 1, "epoch": "e1", "inbox": _PLAIN_INBOX, "rooms": [_PLAIN_HANDOUT],
            "lobby": "lobby", "publish": "tcp://*:5556", "agent": "zchat 0.1.0",
            "heartbeat_ms": 10_000, "grace_ms": 60_000, "max_text": 4096,
        },
    ),
    "pong": (
        replies.Pong(id=2, epoch="e1", agent="zchat 0.1.0"),
        {"id": 2, "epoch": "e1", "agent": "zchat 0.1.0"},
    ),
    "pong in a session": (
        replies.Pong(id=2, epoch="e1", agent="zchat 0.1.0", heads={"@": 0, "general": 41}),
        {"id": 2, "epoch": "e1", "agent": "zchat 0.1.0", "heads": {"@": 0, "general": 41}},
    ),
    "joined": (
        replies.Joined(id=5, position=42, room=_HANDOUT, subject="tea", members=2),
        {"id": 5, "position": 42, "room": _PLAIN_HANDOUT, "subject": "tea", "members": 2},
    ),
    "listed": (
        replies.Listed(
            id=7, rooms=[replies.RoomInfo(room="general", members=2, subject="tea"),
                         replies.RoomInfo(room="ops", members=1)], more=True,
        ),
        {"id": 7, "rooms": [{"room": "general", "members": 2, "subject": "tea"},
                            {"room": "ops", "members": 1}], "more": True},
    ),
    "present": (
        replies.Present(
            id=8, users=[replies.Person(nick="alice", user="u1"),
                         replies.Person(nick="bob", user="u2", away=True)],
        ),
        {"id": 8, "users": [{"nick": "alice", "user": "u1"}, {"nick": "bob", "user": "u2", "away": True}]},
    ),
    "page": (
        replies.Page(
            id=11, head=44, floor=12, more=False,
            events=[[43, {"kind": "message", "at": AT, "user": "u1", "nick": "alice", "room": "general", "text": "tea?"}]],
        ),
        {
            "id": 11, "head": 44, "floor": 12, "more": False,
            "events": [[43, {"kind": "message", "at": AT, "user": "u1", "nick": "alice", "room": "general", "text": "tea?"}]],
        },
    ),
}  # fmt: skip

NOTICES: Final[dict[str, tuple[Notice, dict[str, Any]]]] = {
    "draining": (
        Notice(id=0, notice="draining", message="this broker is stopping", retry_ms=500),
        {"id": 0, "notice": "draining", "message": "this broker is stopping", "retry_ms": 500},
    ),
    "taken-over": (
        Notice(id=0, notice="taken-over", message="this session continues elsewhere"),
        {"id": 0, "notice": "taken-over", "message": "this session continues elsewhere"},
    ),
    "session-ended": (
        Notice(id=0, notice="session-ended", message="this session has ended"),
        {"id": 0, "notice": "session-ended", "message": "this session has ended"},
    ),
}

_WORDS: Final[dict[str, object]] = {
    "address": "192.0.2.7", "asked": 2, "head": 44, "like": "alice", "limit": 50, "name": "no name",
    "nick": "аlice", "op": "dance", "position": 99, "reason": "it has a space", "retry_ms": 250,
    "room": "ops", "serial": 1, "supported": 1, "window": 1024,
}  # fmt: skip
"""A value for every word a refusal's sentence may hold."""


def _refusal(code: str) -> tuple[Refused, dict[str, Any]]:
    fields = {word: value for word, value in _WORDS.items() if "{" + word in REFUSALS[code]}
    message = REFUSALS[code].format(**fields)
    return Refused(code, **fields), {"id": 3, "error": {"code": code, "message": message, **fields}}


REFUSED: Final = {code: _refusal(code) for code in REFUSALS}

_WHO: Final[dict[str, Any]] = {
    "at": AT,
    "session": "s1",
    "serial": 4,
    "user": "u1",
    "nick": "alice",
}
_SEEN: Final[dict[str, Any]] = {"at": AT, "user": "u1", "nick": "alice"}

EVENTS: Final[dict[str, tuple[Event, dict[str, Any]]]] = {
    "started": (
        events.SessionStarted(**_WHO, token_hash=KEY, agent="zchat 0.1.0"),
        {"kind": "started", **_SEEN},
    ),
    "resumed": (
        events.SessionResumed(**_WHO, token_hash=KEY, previous_hash=TOKEN),
        {"kind": "resumed", **_SEEN},
    ),
    "quit": (
        events.SessionEnded(**_WHO, rooms=("general", "ops"), reason="lost"),
        {"kind": "quit", **_SEEN, "rooms": ["general", "ops"], "reason": "lost"},
    ),
    "away": (
        events.WentAway(**_WHO, rooms=("general",)),
        {"kind": "away", **_SEEN, "rooms": ["general"]},
    ),
    "away, after a hello": (
        events.WentAway(**_WHO, rooms=("general",), since=2**40),
        {"kind": "away", **_SEEN, "rooms": ["general"]},
    ),
    "back": (
        events.CameBack(**_WHO, rooms=("general",)),
        {"kind": "back", **_SEEN, "rooms": ["general"]},
    ),
    "renamed": (
        events.Renamed(**_WHO, rooms=("general",), to="alicia"),
        {"kind": "renamed", **_SEEN, "rooms": ["general"], "to": "alicia"},
    ),
    "joined": (events.Joined(**_WHO, room="ops"), {"kind": "joined", **_SEEN, "room": "ops"}),
    "left": (events.Left(**_WHO, room="ops"), {"kind": "left", **_SEEN, "room": "ops"}),
    "subject": (
        events.SubjectChanged(**_WHO, room="ops", text="all green"),
        {"kind": "subject", **_SEEN, "room": "ops", "text": "all green"},
    ),
    "message": (
        events.Posted(**_WHO, room="general", text="grüße, 世界 👋"),
        {"kind": "message", **_SEEN, "room": "general", "text": "grüße, 世界 👋"},
    ),
    "action": (
        events.Acted(**_WHO, room="general", text="waves"),
        {"kind": "action", **_SEEN, "room": "general", "text": "waves"},
    ),
    "whisper": (
        events.Whispered(**_WHO, to="u2", to_nick="bob", text="cake?"),
        {"kind": "whisper", **_SEEN, "to": "u2", "to_nick": "bob", "text": "cake?"},
    ),
    "whisper as an action": (
        events.Whispered(**_WHO, to="u2", to_nick="bob", text="winks", action=True),
        {"kind": "whisper", **_SEEN, "to": "u2", "to_nick": "bob", "text": "winks", "action": True},
    ),
}
"""Each event, whole, and what everyone in the room sees of it."""

PUBLICATIONS: Final[dict[str, tuple[int, int, list[Event], list[Signal], dict[str, Any]]]] = {
    "two events": (
        41,
        44,
        [EVENTS["message"][0], EVENTS["joined"][0]],
        [],
        {"prev": 41, "last": 44, "events": [[43, EVENTS["message"][1]], [44, EVENTS["joined"][1]]]},
    ),
    "where the stream is": (44, 44, [], [], {"prev": 44, "last": 44}),
    "a new key": (
        0,
        0,
        [],
        [Signal(signal="key", stream="general", topic=7, key_number=2, key=KEY)],
        {
            "prev": 0,
            "last": 0,
            "signals": [
                {"signal": "key", "stream": "general", "topic": 7, "key_number": 2, "key": KEY}
            ],
        },
    ),
}
"""``prev``, ``last``, events (standing at the positions up to ``last``), signals; and the plain form."""
