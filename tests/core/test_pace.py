"""Bucket and timers: how much, and when."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from zchat.core.ratelimit import Bucket
from zchat.core.timers import Timer, Timers

# Bucket.


def test_a_full_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    bucket = Bucket(rate=10, burst=3, now_ms=0)
    assert [bucket.take(1, 0) for _ in range(4)] == [True, True, True, False]
    assert bucket.wait_ms(1) == 100
    assert not bucket.take(1, 99)
    assert bucket.take(1, 100)


def test_it_never_holds_more_than_its_burst() -> None:
    bucket = Bucket(rate=10, burst=3, now_ms=0)
    assert [bucket.take(1, 10**9) for _ in range(4)] == [True, True, True, False]


def test_what_costs_more_than_the_burst_is_afforded_by_a_full_bucket_and_paid_off() -> None:
    """Or a small burst would forbid the dearer requests for ever."""
    bucket = Bucket(rate=10, burst=3, now_ms=0)
    assert bucket.take(20, 0)
    assert not bucket.take(1, 1_700)
    assert bucket.take(1, 1_800)


def test_a_clock_that_stands_or_goes_back_gives_nothing() -> None:
    bucket = Bucket(rate=10, burst=1, now_ms=1_000)
    assert bucket.take(1, 1_000)
    assert not bucket.take(1, 500)
    assert not bucket.take(1, 1_099)
    assert bucket.take(1, 1_100)


@example(rate=3, burst=1, asked=[(3, 0), (1, 1)])  # in floating point a ms late
@given(
    st.integers(1, 1_000),
    st.integers(1, 100),
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 500)), max_size=50),
)
def test_it_gives_no_more_than_it_may_and_says_when_it_will(
    rate: int, burst: int, asked: list[tuple[int, int]]
) -> None:
    bucket, now, given_out = Bucket(rate, burst, 0), 0, 0
    for cost, pause in asked:
        now += pause
        if bucket.take(cost, now):
            given_out += cost
        else:
            wait = bucket.wait_ms(cost)
            assert wait > 0, "a deadline now would be a loop"
            now += wait
            assert bucket.take(cost, now)
            given_out += cost
        dearest = max(cost for cost, _ in asked)
        assert given_out <= burst + now * rate / 1000 + dearest + 0.001


# Timers.

NAMES = [("grace", "a"), ("grace", "b"), ("rekey", "a")]


def test_they_come_earliest_first_and_once() -> None:
    timers = Timers()
    for due, timer in zip((30, 10, 20), NAMES, strict=True):
        timers.set(timer, due)
    assert timers.next() == 10
    assert list(timers.expired(20)) == [("grace", "b"), ("rekey", "a")]
    assert list(timers.expired(20)) == []
    assert timers.next() == 30


def test_setting_again_replaces_and_cancelling_removes() -> None:
    timers = Timers()
    timers.set(NAMES[0], 10)
    timers.set(NAMES[0], 50)
    timers.set(NAMES[1], 20)
    timers.cancel(NAMES[1])
    timers.cancel(NAMES[2])
    assert list(timers.expired(40)) == []
    assert NAMES[0] in timers
    assert NAMES[1] not in timers


def test_one_that_is_set_again_while_it_is_given_comes_in_its_turn() -> None:
    timers = Timers()
    timers.set(NAMES[0], 10)
    seen = []
    for timer in timers.expired(100):
        seen.append(timer)
        if len(seen) < 3:
            timers.set(timer, 10 + len(seen))
    assert seen == [NAMES[0]] * 3


@given(
    st.lists(
        st.tuples(st.sampled_from(["set", "cancel", "expire"]), st.sampled_from(NAMES), st.integers(0, 40)),
        max_size=60,
    )
)  # fmt: skip
def test_they_are_a_dict_of_deadlines(steps: list[tuple[str, Timer, int]]) -> None:
    timers, naive = Timers(), dict[Timer, int]()
    for step, timer, time in steps:
        match step:
            case "set":
                timers.set(timer, time)
                naive[timer] = time
            case "cancel":
                timers.cancel(timer)
                naive.pop(timer, None)
            case _:
                due = sorted((at, each) for each, at in naive.items() if at <= time)
                assert list(timers.expired(time)) == [each for _, each in due]
                naive = {each: at for each, at in naive.items() if at > time}
        assert timers.next() == min(naive.values(), default=None)
        assert [each in timers for each in NAMES] == [each in naive for each in NAMES]
