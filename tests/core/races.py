"""Where every two requests meet: lines for two people, and what a pair of them comes to."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from tests.core.stage import Stage

__all__ = ["FIRST", "OWN", "SECOND", "Pair", "apart", "at_once"]

GIVEN: Final = (
    "alice hello alice", "bob hello bob", "alice join ops", "bob join ops", "bob join den",
    "alice join dev", "alice say dev mine",
)  # fmt: skip

FIRST: Final = (
    "alice hello alice", "alice resume", "alice drop", "alice ping", "alice bye", "alice nick carl",
    "alice nick ALICE", "alice nick bob", "alice join ops", "alice join den", "alice join corn",
    "alice leave ops", "alice leave dev", "alice leave den", "alice rooms", "alice users ops",
    "alice users", "alice say ops a", "alice act ops a", "alice say den a", "alice whisper bob a",
    "alice whisper carl a", "alice history ops", "alice history den", "alice history @",
    "alice subject ops a", "alice subject ops",
)  # fmt: skip
"""What alice may ask in a turn: each request, and those that meet another's."""

SECOND: Final = (
    "carl hello carl", "carl hello cari", "carl hello bob", "carl hello alice", "bob resume",
    "bob drop", "bob ping", "bob bye", "bob nick carl", "bob nick cari", "bob nick alice",
    "bob join ops", "bob join den", "bob join corn", "bob join com", "bob leave ops",
    "bob leave den", "bob rooms", "bob users ops", "bob users", "bob say ops b", "bob act den b",
    "bob whisper alice b", "bob history ops", "bob history @", "bob subject ops b",
)  # fmt: skip
"""What another asks in the same turn."""

OWN: Final = tuple(line for line in FIRST if line.split()[1] not in ("hello", "resume", "drop"))
"""What alice may ask on the connection she has."""


class Pair(NamedTuple):
    """What two requests came to."""

    outcomes: tuple[str, ...]
    """Of each, in the order asked; a broken connection hears nothing."""
    state: Any
    """The record as its users see it."""
    written: tuple[str, ...]
    """What stands in the journal, in no order."""

    def swapped(self) -> Pair:
        """The same, had the requests been named the other way round."""
        return self._replace(outcomes=self.outcomes[::-1])


def _given() -> Stage:
    stage = Stage()
    for line in GIVEN:
        stage.play(line)
    return stage


def at_once(*lines: str) -> Pair:
    """Both are decided before either is committed."""
    stage = _given()
    outcomes = stage.together(*lines)
    return Pair(tuple(outcomes), stage.state(), tuple(sorted(stage.written())))


def apart(*lines: str) -> Pair:
    """One after the other."""
    stage = _given()
    outcomes = [stage.play(line) for line in lines]
    return Pair(tuple(outcomes), stage.state(), tuple(sorted(stage.written())))
