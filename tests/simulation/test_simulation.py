"""The heart: seeded worlds with losses, cuts, crashes and stalls, after which every promise holds.

A failing seed replays exactly: ``make simulate SEEDS=1 FIRST=…``.
"""

from __future__ import annotations

import pytest

from .script import STEPS, Script
from .seeds import run

QUICK = 50
LONG = 250


@pytest.mark.parametrize("first", range(0, 4 * QUICK, QUICK))
def test_promises_hold(first: int) -> None:
    """A message lost, doubled or out of order; a nick held twice; a record that is not the journal's."""
    result = run(range(first, first + QUICK))
    assert not result.failures, result
    assert not result.too_rare, result


@pytest.mark.long
@pytest.mark.parametrize("first", range(10_000, 10_000 + 8 * LONG, LONG))
def test_promises_hold_in_many_worlds(first: int) -> None:
    """The same in 2,000 seeds that no quick run has seen."""
    result = run(range(first, first + LONG))
    assert not result.failures, result
    assert not result.too_rare, result


def test_a_seed_replays_exactly() -> None:
    """A failure that cannot be looked at again."""
    first, second = Script(4), Script(4)
    first.run()
    second.run()
    assert first.counts == second.counts
    assert [person.seen for person in first.people] == [person.seen for person in second.people]
    assert first.world.record.snapshot() == second.world.record.snapshot()


def test_a_run_is_what_it_says() -> None:
    """Fewer steps, people or rooms than promised; even seeds that never crash where it matters."""
    script = Script(2)
    script.run()
    assert script.steps >= STEPS >= 300
    assert len(script.people) >= 3
    assert len(script.world.record.rooms) >= 2
    assert script.counts["crashes between commit and reply"] >= 1
