"""A chat broker on ZeroMQ: nothing acknowledged is lost, nobody listens in.

Layout, from the bottom up; each layer imports only from those before it::

    errors, config       every exception and refusal; every setting
    protocol/            the wire: names, requests, replies, events, codec, seal
    core/                the rules, pure: requests in, effects out
    journal/             the record: a port, and adapters in memory and SQLite
    broker/  client/     two shells: the server's sockets; the library below
    cli/                 the command `zchat`
    testing/             public test kits: journals, real processes

What an application needs is importable from here: `connect`, and what it yields and raises.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zchat.client import (
        Chat,
        ChatEvent,
        Connected,
        Disconnected,
        Gap,
        History,
        Room,
        RoomLost,
        SessionLost,
        connect,
    )
    from zchat.errors import (
        Closed,
        Lagging,
        OutcomeUnknown,
        Refused,
        Unreachable,
        UsageError,
        ZchatError,
    )
    from zchat.protocol.events import (
        Acted,
        CameBack,
        Event,
        Joined,
        Left,
        Posted,
        Renamed,
        SessionEnded,
        SubjectChanged,
        WentAway,
        Whispered,
    )

__version__ = "0.1.0"

__all__ = [
    "Acted",
    "CameBack",
    "Chat",
    "ChatEvent",
    "Closed",
    "Connected",
    "Disconnected",
    "Event",
    "Gap",
    "History",
    "Joined",
    "Lagging",
    "Left",
    "OutcomeUnknown",
    "Posted",
    "Refused",
    "Renamed",
    "Room",
    "RoomLost",
    "SessionEnded",
    "SessionLost",
    "SubjectChanged",
    "Unreachable",
    "UsageError",
    "WentAway",
    "Whispered",
    "ZchatError",
    "__version__",
    "connect",
]

_HOMES = ("zchat.client", "zchat.errors", "zchat.protocol.events")


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: `zchat --help` needs none of it (PEP 562)."""
    if name in __all__:
        for home in _HOMES:
            module = import_module(home)
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module 'zchat' has no attribute {name!r}")
