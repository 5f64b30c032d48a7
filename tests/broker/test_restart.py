"""A start folds what was acknowledged as it was acknowledged, and judges only what never was."""

from __future__ import annotations

import pytest

from zchat.broker import restart
from zchat.core import fold
from zchat.errors import Refused
from zchat.journal import MemoryJournal
from zchat.protocol import events as e
from zchat.protocol.events import Event
from zchat.testing.journals import commit


def started(user: str, nick: str) -> e.SessionStarted:
    return e.SessionStarted(at=0, session=user, user=user, nick=nick, token_hash=user.encode())


def joined(user: str, nick: str, serial: int) -> e.Joined:
    return e.Joined(at=0, session=user, serial=serial, user=user, nick=nick, room="ops")


def test_what_was_acknowledged_is_not_judged_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer look-alike table that takes back, and deletes, what people said years ago."""
    journal = MemoryJournal()
    commit(journal, started("u", "ann"), joined("u", "ann", 1))
    commit(journal, started("w", "ben"))

    def stricter(_: object, event: Event) -> Refused | None:
        return Refused("stale") if event.user == "u" else None

    monkeypatch.setattr(fold, "verdict", stricter)
    record = restart.fold(journal.reopen(), "lobby")
    assert record.rooms["ops"].members == {"u": 2}


def test_the_last_batch_is_judged() -> None:
    """A broker killed between a commit and its verdict, and the loser of a race let in."""
    journal = MemoryJournal()
    commit(journal, started("u", "ann"), started("w", "Ann"))
    journal = journal.reopen()
    record = restart.fold(journal, "lobby")
    assert list(record.users) == ["u"]
    assert [event.position for event in journal.tail(0)] == [1], "the void one is forgotten"


def test_a_snapshot_saves_the_fold() -> None:
    """A start that takes as long as the journal is old."""
    journal = MemoryJournal()
    commit(journal, started("u", "ann"))
    restart.keep(journal, restart.fold(journal, "lobby"))
    journal.drop([1])  # so that only the snapshot can know
    assert list(restart.fold(journal, "lobby").users) == ["u"]
