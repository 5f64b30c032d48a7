"""The client library: a chat as an application holds it, and the pure session under it.

`api` is what people use. Under it: `session` (the protocol's client, without I/O), `streams`
and `timeline` (what was heard, in its order), `pipeline` (what was asked), `link` (sockets).
"""

from .address import DEFAULT, parse
from .api import Chat, connect
from .events import ChatEvent, Connected, Disconnected, Gap, RoomLost, SessionLost
from .history import History
from .room import Room
from .session import Session

__all__ = [
    "DEFAULT",
    "Chat",
    "ChatEvent",
    "Connected",
    "Disconnected",
    "Gap",
    "History",
    "Room",
    "RoomLost",
    "Session",
    "SessionLost",
    "connect",
    "parse",
]
