"""When to ping, and when a broker that says nothing is gone."""

from __future__ import annotations

from zchat.client.heartbeat import HELLO_MS, Heartbeat


def beating(at: int = 0, every: int = 1_000) -> Heartbeat:
    heartbeat = Heartbeat()
    heartbeat.greeting(at)
    heartbeat.begin(every, at)
    return heartbeat


def test_without_a_link_nothing_is_due() -> None:
    """A shell would wake for ever."""
    heartbeat = beating()
    heartbeat.stop()
    assert heartbeat.next_timer() is None
    assert not heartbeat.is_due(10**9)
    assert not heartbeat.is_dead(10**9)


def test_a_hello_has_its_own_deadline() -> None:
    """Who listens there may not be a broker; without it one would wait for ever."""
    heartbeat = Heartbeat()
    heartbeat.greeting(5)
    assert heartbeat.next_timer() == 5 + HELLO_MS
    heartbeat.heard(9_000)  # whoever it is talks, but says no welcome
    assert [heartbeat.is_dead(5 + HELLO_MS - 1), heartbeat.is_dead(5 + HELLO_MS)] == [False, True]


def test_a_ping_is_due_every_heartbeat() -> None:
    heartbeat = beating()
    assert heartbeat.next_timer() == 1_000
    assert [at for at in range(0, 4_000, 100) if heartbeat.is_due(at)] == [1_000, 2_000, 3_000]


def test_two_and_a_half_silent_heartbeats_are_the_end() -> None:
    heartbeat = beating()
    heartbeat.heard(700)
    assert [heartbeat.is_dead(at) for at in (3_199, 3_200)] == [False, True]
    assert not heartbeat.is_dead(3_201), "it is said once"
