"""The test of the test: break one promise's mechanism at a time, and the simulation must see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from zchat.broker import turn
from zchat.client.timeline import Timeline
from zchat.core import Broker, Now, fold
from zchat.core.serials import Serials
from zchat.journal import Journal
from zchat.protocol.codec import Publication
from zchat.protocol.events import Event

from .seeds import Run, run

SEEDS = range(60)


def found(result: Run, words: str) -> bool:
    """Whether a failure says so."""
    return any(words in failure.why for failure in result.failures)


def break_dedup(patch: pytest.MonkeyPatch) -> None:
    """The broker forgets which serials it has appended."""
    patch.setattr(Serials, "find", lambda _self, _serial: 0)


def break_gap_repair(patch: pytest.MonkeyPatch) -> None:
    """The client takes a publication past a gap for the next one."""
    original = Timeline.publish

    def careless(self: Timeline, publication: Publication, size: int) -> Any:
        publication.prev = min(publication.prev, self.mine)
        return original(self, publication, size)

    patch.setattr(Timeline, "publish", careless)


def break_apply(patch: pytest.MonkeyPatch) -> None:
    """What was decided is not asked again when it is applied."""
    patch.setattr(fold, "verdict", lambda _record, _event: None)


class Hasty:
    """A journal that calls committed what it writes only with the next batch."""

    def __init__(self, journal: Any) -> None:
        self._journal = journal
        self.read, self.drop = journal.read, journal.drop

    def submit(self, batch: list[Event]) -> None:
        late = self._journal.__dict__.setdefault("late", [])
        if late:
            self._journal.submit(late)
        self._journal.late = batch

    def pump(self) -> list[Event]:
        self._journal.pump()
        late: list[Event] = self._journal.__dict__.get("late", [])
        new = [event for event in late if not event.position]
        for number, event in enumerate(new, 1):
            event.position = self._journal.head() + number * self._journal._stride
        return new


def break_commit_before_reply(patch: pytest.MonkeyPatch) -> None:
    """Replies leave before what they acknowledge is durable."""
    original = turn.turn

    def hasty(broker: Broker, journal: Any, now: Now) -> Any:
        return original(broker, cast("Journal", Hasty(journal.journal)), now)

    patch.setattr(turn, "turn", hasty)


BREAKS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "dedup": (break_dedup, "appended more than once"),
    "gap repair": (break_gap_repair, "never saw"),
    "re-checking in apply": (break_apply, ""),
    "commit before reply": (break_commit_before_reply, "acknowledged and lost"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_mechanism_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulation that passes whatever is broken."""
    breaking, words = BREAKS[name]
    breaking(monkeypatch)
    result = run(SEEDS, most_failures=10)
    assert found(result, words), result


def test_unbroken_it_passes() -> None:
    """A simulation that fails whatever is right."""
    assert not run(SEEDS).failures
