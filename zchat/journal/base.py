"""The journal's port: what any durable, ordered record of events must do, and nothing more.

Policy (who may read, what is kept for how long) stays above it. Adapters are held to it by
`zchat.testing.journals.check_journal`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, Protocol

from zchat.protocol.events import EVENTS, Event, Posted, Whispered

__all__ = ["MESSAGES", "Journal", "Range"]

MESSAGES: Final = frozenset(
    kind for kind, type_ in EVENTS.items() if issubclass(type_, Posted | Whispered)
)
"""The kinds of event that `Journal.trim` forgets; the record folds the same without them."""


class Range(NamedTuple):
    """A piece of one stream, oldest first."""

    events: list[Event]
    """The events, each with its position."""
    more: bool
    """Whether the stream goes on in the direction asked."""
    floor: int
    """Messages at or before this position have been trimmed from the stream; 0 if none."""


class Journal(Protocol):
    """A durable, ordered record of events.

    Positions are integers that only grow; they are not dense, neither overall nor in a
    stream. An event stands in every stream that ``event.streams()`` names. All methods
    raise `zchat.errors.JournalError` or a subclass, and nothing else.
    """

    @property
    def epoch(self) -> str:
        """This journal's life; a restored backup is another. Positions compare only inside it."""
        ...

    @property
    def judged(self) -> int:
        """Every event up to here that is still in the journal is known to hold.

        It is the head as it was before the last `submit`: whoever submits has applied all that
        came before, and dropped what was void.
        """
        ...

    def submit(self, batch: Sequence[Event]) -> None:
        """Append the events as one commit: all of them or, when this raises, none.

        They are durable when `pump` returns them, which may be later. Raises `JournalFull`
        when there is no room; the journal stays usable.
        """
        ...

    def pump(self) -> list[Event]:
        """The events committed since the last call, in order, each with its position.

        Own and, where brokers share a journal, others' events alike. Never blocks.
        """
        ...

    def fileno(self) -> int | None:
        """A descriptor that is readable when `pump` has something; None if `submit` completes at once."""
        ...

    def tail(self, after: int) -> Iterator[Event]:
        """Every event after a position, in order: what a start folds on top of a snapshot.

        Not to be interleaved with `submit`.
        """
        ...

    def read(
        self, stream: str, *, after: int | None = None, before: int | None = None, limit: int
    ) -> Range:
        """Up to ``limit`` events of one stream, oldest first.

        With ``after``, the first ones past it; with ``before`` or neither, the last ones
        before it (exclusive both; with both, the first ones past ``after`` below ``before``).
        """
        ...

    def head(self) -> int:
        """The last position committed; 0 in an empty journal."""
        ...

    def drop(self, positions: Sequence[int]) -> None:
        """Forget void events. They changed nothing, so the record folds the same without them."""
        ...

    def redact(self, position: int, event: Event) -> None:
        """Replace the event at a position by what may remain of it, in the same streams.

        Where nothing stands any more, nothing happens.
        """
        ...

    def trim(self, stream: str, through: int) -> int:
        """Forget the messages (`Posted`, `Acted`, `Whispered`) of a stream up to a position, inclusive.

        Nothing else is forgotten. What messages did to the record (serials, heads, that a room
        was spoken in) only a snapshot remembers then: save one at or past ``through`` before. A whisper stays for the
        other stream it stands in. Returns how many went.
        """
        ...

    def save(self, position: int, snapshot: bytes) -> None:
        """Keep a snapshot of the record as of a position; it replaces the one before."""
        ...

    def load(self) -> tuple[int, bytes] | None:
        """The last snapshot and its position, if there is one."""
        ...

    def close(self) -> None:
        """Release it. Nothing that `pump` returned is lost; closing twice is nothing."""
        ...
