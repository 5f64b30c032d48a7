"""Where a request is judged: what a handler may look at, and nothing it could change.

A handler reads the record and the live state through its desk, and gives back what it would
have happen: an event to append, a reply, or a page to read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Set
from typing import Any, TypeAlias, TypeVar

from zchat.config import Settings
from zchat.errors import Refused
from zchat.protocol import names
from zchat.protocol.events import Event
from zchat.protocol.replies import Handout, Reply
from zchat.protocol.requests import Appending

from .clients import Client, Clients
from .clock import Now
from .effects import Read
from .record import Record, Session, User
from .topics import Topics

__all__ = ["Answer", "Desk", "token_hash"]

E = TypeVar("E", bound=Event)

Answer: TypeAlias = Event | Reply | Read | tuple[Event, ...]
"""What a handler gives back. Of several events, the first is the one that is replied to."""


class Desk:
    """One request's view of the broker."""

    __slots__ = (
        "agent", "client", "clients", "epoch", "fresh", "leaving", "now", "record", "session_id",
        "settings", "topics",
    )  # fmt: skip

    def __init__(
        self,
        settings: Settings,
        record: Record,
        epoch: str,
        agent: str,
        topics: Topics,
        clients: Clients,
        leaving: Set[str],
        fresh: Callable[[int], bytes],
    ) -> None:
        self.settings = settings
        self.epoch = epoch  # the journal's
        self.agent = agent
        self.leaving = leaving  # sessions about to be away: proposed and not committed
        self.record = record
        self.topics = topics
        self.clients = clients
        self.fresh = fresh

    def seat(self, client: Client, now: Now) -> None:
        """The next request is this client's."""
        self.client = client
        self.now = now
        self.session_id = client.session or ""

    @property
    def session(self) -> Session:
        """The asker's session; there is one where the table asks for it."""
        return self.record.sessions[self.session_id]

    @property
    def user_id(self) -> str:
        """The asker's user id."""
        return self.record.sessions[self.session_id].user

    @property
    def user(self) -> User:
        """The asker."""
        return self.record.users[self.user_id]

    def event(self, kind: type[E], request: Appending, **fields: Any) -> E:
        """The event that the asker causes now with ``request``."""
        user_id = self.user_id
        return kind(
            at=self.now.utc,
            session=self.session_id,
            serial=request.serial,
            user=user_id,
            nick=self.record.users[user_id].nick,
            **fields,
        )

    def room(self, name: str) -> str:
        """The canonical name of a room, of which people usually give just that."""
        return name if name in self.record.rooms else names.room_name(name)

    def handout(self, stream: str, name: str) -> Handout:
        """Topic and key of a stream that the asker may hear."""
        return self.topics.handout(stream, name, self.record.head(stream))

    def text(self, text: str, *, empty: bool = False) -> str:
        """What may be kept of a text. Raises `Refused` ``bad-text``."""
        cleaned = clean(text)
        if not empty and not cleaned.strip():
            raise Refused("bad-text", reason="there is no text in it")
        size = len(cleaned.encode())
        if size > self.settings.max_text:
            raise Refused(
                "bad-text",
                reason=f"a text has at most {self.settings.max_text} bytes, this one has {size}",
                limit=self.settings.max_text,
            )
        return cleaned


def clean(text: str) -> str:
    """The text without control characters, except newline and tab."""
    if text.isprintable():  # the usual case, in one call
        return text
    return "".join(c for c in text if c in "\n\t" or not (c < " " or "\x7f" <= c <= "\x9f"))


def token_hash(token: bytes) -> bytes:
    """What is kept of a session's token: SHA-256. It has 256 bits of its own, so no salt."""
    return hashlib.sha256(token).digest()
