"""Waits between attempts: random, doubling, bounded, and the broker's word goes first."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from zchat.client.backoff import Backoff

BOUNDS = [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000]


@given(st.integers())
def test_each_wait_is_below_a_bound_that_doubles_to_thirty_seconds(seed: int) -> None:
    """Without the bound a client of yesterday's outage comes back tomorrow."""
    backoff = Backoff(random.Random(seed).randbytes)
    assert all(0 <= backoff.next() <= bound for bound in BOUNDS)


def test_waits_spread_over_the_whole_bound() -> None:
    """A thousand clients that wait the same come back as one."""
    waits = [Backoff(random.Random(seed).randbytes).next() for seed in range(1_000)]
    assert min(waits) < 5
    assert max(waits) > 95
    assert max(later - earlier for earlier, later in pairwise(sorted(waits))) <= 3


def test_a_success_starts_over() -> None:
    backoff = Backoff(random.Random(1).randbytes)
    for _ in range(20):
        backoff.next()
    backoff.succeeded()
    assert [backoff.next() <= bound for bound in BOUNDS[:3]] == [True] * 3


@given(st.integers(), st.integers(0, 100_000))
def test_the_broker_says_when(seed: int, retry_ms: int) -> None:
    """Section 1: where it said `retry_ms`, between that and twice that."""
    backoff = Backoff(random.Random(seed).randbytes)
    assert retry_ms <= backoff.next(retry_ms) <= 2 * retry_ms
    assert backoff.next() <= BOUNDS[0], "what the broker asked for is not our own failure"


def test_a_time_before_now_is_not_taken_for_the_brokers_word() -> None:
    """A broker that sent one made its client divide by zero."""
    assert 0 <= Backoff(random.Random(1).randbytes).next(-1) <= BOUNDS[0]
