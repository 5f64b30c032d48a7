"""A turn whose journal fails: who waits for it is told, and the broker goes on."""

from __future__ import annotations

from typing import Any

from tests.core.stage import Stage
from zchat.broker.turn import turn
from zchat.errors import JournalDamaged
from zchat.journal import MemoryJournal, Range


class Damaged(MemoryJournal):
    """A journal that has lost a page of one room."""

    def read(self, stream: str, **bounds: Any) -> Range:
        if stream == "r.ops":
            raise JournalDamaged("journal.db", "its content is not what zchat wrote")
        return super().read(stream, **bounds)


def test_a_page_that_cannot_be_read_is_refused() -> None:
    """Whoever asked for it, again after each restart, would stop the broker for everybody."""
    stage = Stage(Damaged())
    stage.user("alice", "ops", "den")
    assert stage.together(
        "alice say ops tea", "alice history ops", "alice history den", "alice say ops more"
    ) == ["done", "unreadable", "page", "done"]


def test_the_operator_hears_why() -> None:
    stage = Stage(Damaged())
    stage.user("alice", "ops")
    stage.begin("alice history ops")
    _, trouble = turn(stage.broker, stage.journal, stage.now)
    assert isinstance(trouble, JournalDamaged)
