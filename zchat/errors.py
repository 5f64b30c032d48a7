"""Every exception zchat raises, and every code with which a broker refuses.

::

    ZchatError
    ├── UsageError            the caller's own words are off: an address, a setting, a flag
    ├── ProtocolError         bytes that are not the protocol; the peer that sent them is at fault
    ├── Refused               the broker said no; ``code`` says why, a key of `REFUSALS`
    ├── Unreachable           no broker answers there
    ├── OutcomeUnknown        the session ended before the broker's answer came back
    ├── Closed                the caller closed this chat, or its session was taken elsewhere
    ├── Lagging               the application stopped reading and asked to be told
    ├── PortInUse             the broker cannot bind its address
    └── JournalError          the record cannot be opened, written or read
        ├── JournalLocked     another broker has it open
        ├── JournalTooNew     a newer zchat wrote it
        ├── JournalReadOnly   this user may not write there
        ├── JournalFull       the disk has no room; nothing of the turn was kept
        └── JournalDamaged    its content is not what zchat wrote

The sentence a person reads is in ``__str__``; what a program needs is in the fields.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "REFUSALS",
    "Closed",
    "JournalDamaged",
    "JournalError",
    "JournalFull",
    "JournalLocked",
    "JournalReadOnly",
    "JournalTooNew",
    "Lagging",
    "OutcomeUnknown",
    "PortInUse",
    "ProtocolError",
    "Refused",
    "Unreachable",
    "UsageError",
    "ZchatError",
]


class ZchatError(Exception):
    """The base of everything zchat raises on purpose."""


class UsageError(ZchatError):
    """The caller's own words are off: an address, a name, a setting. Exit code 2."""


class ProtocolError(ZchatError):
    """Bytes that are not the protocol. The peer is at fault; drop what it sent."""


REFUSALS: Final[dict[str, str]] = {
    # what was sent
    "bad-frame": "this frame is not a msgpack array of request maps",
    "bad-request": "{reason}",
    "unknown-op": "there is no request {op!r}",
    "unsupported-protocol": "this broker speaks protocol {supported}, you asked for {asked}; "
    "update the older of the two",
    # who sends it
    "no-session": "say hello first",
    "session-ended": "this session has ended; say hello anew",
    "bad-token": "this token is not the session's",
    # names
    "bad-name": "{name!r} cannot be a name: {reason}",
    "nick-taken": "the nick {nick!r} is taken",
    "nick-confusable": "the nick {nick!r} looks like {like!r}, who is here; choose another",
    "room-confusable": "the room {room!r} looks like {like!r}, which exists; choose another",
    # what is asked for
    "no-such-room": "there is no room {room!r}",
    "no-such-user": "nobody here is called {nick!r}",
    "not-a-member": "you are not in {room!r}; join it first",
    "already-away": "this session is away already",
    "not-away": "this session is not away",
    "bad-text": "{reason}",
    "out-of-range": "there is no position {position} yet; the last is {head}",
    # how much
    "serial-too-old": "serial {serial} is older than the last {window} of this session",
    "too-many-rooms": "you are in {limit} rooms, which is the limit; leave one first",
    "too-many-sessions": "{address} has {limit} sessions, which is the limit",
    "rooms-full": "this broker has {limit} rooms, which is the limit",
    "rate-limited": "too many requests; wait {retry_ms} ms",
    # the broker
    "draining": "this broker is stopping; come back in {retry_ms} ms",
    "taken-over": "this session continues on another connection",
    "storage-full": "the journal cannot be written, nothing was kept; try again in {retry_ms} ms",
    "unreadable": "the journal cannot be read there; whoever runs this broker finds why in its log",
    "stale": "what this was decided on has changed; try again",
}
"""Refusal code → the sentence sent with it. Codes are stable; sentences may improve."""


class Refused(ZchatError):
    """The broker said no. Whoever asked is told why and nothing has changed.

    ``code`` is a key of `REFUSALS`; ``fields`` are what the sentence names, and go on
    the wire beside it, so that a program need not read prose.
    """

    def __init__(self, code: str, message: str | None = None, /, **fields: object) -> None:
        self.code = code
        self.fields = fields
        self.message = REFUSALS[code].format(**fields) if message is None else message
        super().__init__(code, self.message)

    def __str__(self) -> str:
        return self.message


class Unreachable(ZchatError):
    """No broker answers at ``address``. Exit code 69 (EX_UNAVAILABLE)."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(address)

    def __str__(self) -> str:
        return f"no broker answers at {self.address}; start one with: zchat broker"


class OutcomeUnknown(ZchatError):
    """The session ended while requests were under way: they may have happened or not.

    Read the room's history before sending ``what`` again.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        super().__init__(what)

    def __str__(self) -> str:
        return f"the session ended before the broker answered, so this may or may not have happened: {self.what}"


class Closed(ZchatError):
    """This chat is closed: by its owner, or because ``why`` ended it for good."""

    def __init__(self, why: str = "this chat is closed") -> None:
        self.why = why
        super().__init__(why)

    def __str__(self) -> str:
        return self.why


class Lagging(ZchatError):
    """The application has left ``waiting`` events unread; raised only where it asked for that."""

    def __init__(self, waiting: int) -> None:
        self.waiting = waiting
        super().__init__(waiting)

    def __str__(self) -> str:
        return f"{self.waiting} events wait to be read; read chat.events() faster"


class PortInUse(ZchatError):
    """Another program listens on ``address``."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__(address)

    def __str__(self) -> str:
        return (
            f"another program listens on {self.address}; stop it, or choose other ports "
            "with --bind and --publish"
        )


class JournalError(ZchatError):
    """The journal at ``path`` cannot be used; ``reason`` says why and what to do."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(path, reason)

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class JournalLocked(JournalError):
    """Another process has this journal open. Stop it, or use another data folder."""


class JournalTooNew(JournalError):
    """A newer zchat wrote this journal. Update zchat; nothing was changed."""


class JournalReadOnly(JournalError):
    """This user may not write there. Mend the rights, or use another data folder."""


class JournalFull(JournalError):
    """The disk has no room. Nothing of the batch was kept; make room and try again."""


class JournalDamaged(JournalError):
    """The content is not what zchat wrote. Restore a backup; nothing was changed."""
