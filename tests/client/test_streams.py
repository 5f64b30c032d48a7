"""All streams of a client: subscriptions, keys, and events that stand in several of them."""

from __future__ import annotations

import pytest

from tests.client.rows import (
    handout,
    key_of,
    key_signal,
    page,
    renamed,
    said,
    sealed,
    shown,
)  # fmt: skip
from zchat.client.streams import CONFIRM_MS, SETTLE_MS, Streams
from zchat.protocol.replies import INBOX

INBOX_KEY, TEA, RAIN = key_of(1), key_of(2), key_of(3)


def hearing() -> Streams:
    """In tea and rain, at position 10, all confirmed."""
    streams = Streams()
    streams.user = "u1"
    for name, key in ((INBOX, INBOX_KEY), ("tea", TEA), ("rain", RAIN)):
        streams.hear(handout(name, key, head=10), 10, now=0)
        streams.publication(sealed(key, 1, 10))
    streams.subscriptions()
    return streams


def told(streams: Streams) -> list[object]:
    events = shown(streams.events)
    streams.events.clear()
    return list(events)


# Subscriptions.


def test_a_stream_is_heard_by_exactly_its_topic() -> None:
    """Section 7: the 4 bytes it was handed out, and nothing else."""
    streams = Streams()
    streams.hear(handout("tea", TEA, head=10), 10, now=0)
    assert streams.subscriptions() == [(True, b"\0\0\0\2")]
    assert streams.subscriptions() == []
    streams.hear(handout("tea", TEA, head=10), 10, now=0)
    assert streams.subscriptions() == [], "handed out again, it is heard already"
    streams.leave("tea")
    assert streams.subscriptions() == [(False, b"\0\0\0\2")]


def test_what_is_not_confirmed_within_a_second_is_subscribed_again() -> None:
    """A grant can be lost; without this the room would be silent for ever."""
    streams = Streams()
    streams.hear(handout("tea", TEA, head=10), 10, now=0)
    streams.subscriptions()
    assert streams.behind
    assert streams.next_timer() == CONFIRM_MS
    streams.handle_timer(CONFIRM_MS - 1)
    assert streams.subscriptions() == []
    streams.handle_timer(CONFIRM_MS)
    assert streams.subscriptions() == [(False, b"\0\0\0\2"), (True, b"\0\0\0\2")]
    streams.publication(sealed(TEA, 1, 10))
    assert streams.next_timer() is None
    assert not streams.behind


def test_another_topic_replaces_the_one_of_before() -> None:
    streams = hearing()
    streams.hear(handout("tea", key_of(9), head=12), 10, now=0)
    assert streams.subscriptions() == [(False, b"\0\0\0\2"), (True, b"\0\0\0\x09")]
    streams.publication(sealed(TEA, 2, 10, [said(12)]))
    assert told(streams) == []
    streams.publication(sealed(key_of(9), 1, 10, [said(12)]))
    assert told(streams) == [12]


# Several streams.


def test_an_event_in_several_streams_is_delivered_once() -> None:
    """Section 7, whichever of its publications comes, and however often."""
    streams = hearing()
    everywhere = renamed(12, "tea", "rain")
    for n in (2, 3):
        for key in (RAIN, TEA, INBOX_KEY):
            streams.publication(sealed(key, n, 10, [everywhere]))
    assert told(streams) == [12]
    assert not streams.behind


def test_a_room_left_and_joined_late_remembers_what_others_delivered() -> None:
    """A join that is answered again after a leave, and the rename in between shown twice."""
    streams = hearing()
    streams.publication(sealed(TEA, 2, 10, [renamed(12, "tea", "rain")]))
    streams.leave("rain")
    streams.hear(handout("rain", RAIN, head=11), 11, now=0)
    streams.publication(sealed(RAIN, 2, 11, [renamed(12, "tea", "rain")]))
    assert told(streams) == [12]


def test_an_event_of_an_unknown_kind_is_delivered_once_too() -> None:
    """A newer broker's event in several rooms would be shown once for each."""
    streams = hearing()
    streams.expect(["attic"])
    strange = [12, {"kind": "knighted", "places": ["tea", "rain", "attic"]}]
    for key in (RAIN, TEA, INBOX_KEY):
        streams.publication(sealed(key, 2, 10, [strange]))
    streams.hear(handout("attic", key_of(4), head=11), 11, now=0)
    streams.publication(sealed(key_of(4), 2, 11, [strange]))
    assert told(streams) == [12]


def test_it_is_passed_over_in_the_page_that_brings_it_again() -> None:
    streams = hearing()
    streams.publication(sealed(TEA, 2, 10, [renamed(12, "tea", "rain")]))
    streams.heads({"rain": 13}, now=0)
    streams.handle_timer(SETTLE_MS)
    assert ("rain", 10) in streams.pages_wanted()
    streams.page("rain", 10, page(12, 13, head=13))
    assert told(streams) == [12, 13]


def test_it_is_passed_over_in_a_room_whose_join_is_answered_late() -> None:
    """The answer names a position from before what the other streams brought meanwhile."""
    streams = hearing()
    streams.expect(["attic"])
    streams.publication(sealed(TEA, 2, 10, [renamed(12, "tea", "attic")]))
    streams.hear(handout("attic", key_of(4), head=12), 11, now=0)
    streams.expect([])
    assert ("attic", 11) in streams.pages_wanted()
    streams.page("attic", 11, page(12, head=12))
    assert told(streams) == [12]


def test_somebody_elses_inbox_is_not_mine() -> None:
    """A rename of another user has nothing to do with where my inbox is."""
    streams = hearing()
    streams.publication(sealed(TEA, 2, 10, [renamed(12, "tea", user="u2")]))
    assert told(streams) == [12]
    assert streams.timelines[INBOX].mine == 10


# Leaving and coming again.


def test_a_leave_answered_again_does_not_end_the_membership_after_it() -> None:
    streams = hearing()
    streams.timelines["tea"].since = 20
    streams.left("#Tea", 15)
    assert "tea" in streams.timelines
    streams.left("#Tea", 25)
    assert "tea" not in streams.timelines


def test_a_join_answered_again_delivers_nothing_again() -> None:
    streams = hearing()
    streams.publication(sealed(TEA, 2, 10, [said(12)]))
    streams.leave("tea")
    streams.hear(handout("tea", TEA, head=12), 8, now=0)
    streams.publication(sealed(TEA, 2, 10, [said(12)]))
    streams.publication(sealed(TEA, 3, 12, [said(13)]))
    assert told(streams) == [12, 13]


def test_a_page_asked_before_leaving_says_nothing_after_it() -> None:
    streams = hearing()
    streams.publication(sealed(TEA, 3, 12, [said(13)]))
    assert streams.pages_wanted() == [("tea", 10)]
    streams.leave("tea")
    streams.page("tea", 10, page(12, 13, head=13))
    assert told(streams) == []


# Pages.


def test_one_page_of_a_stream_is_asked_at_a_time() -> None:
    """Section 4 of the design of every client: one page outstanding."""
    streams = hearing()
    streams.publication(sealed(TEA, 3, 12, [said(13)]))
    assert [streams.pages_wanted(), streams.pages_wanted()] == [[("tea", 10)], []]
    streams.page("tea", 10, page(11, head=13, more=True))
    assert streams.pages_wanted() == [("tea", 11)]


def test_a_head_ahead_of_its_publication_is_given_time() -> None:
    """A pong comes on another socket; else every ping in a busy room would cost a page."""
    streams = hearing()
    streams.heads({"tea": 12, "cellar": 99}, now=0)
    assert streams.pages_wanted() == []
    assert streams.next_timer() == SETTLE_MS
    streams.handle_timer(SETTLE_MS)
    assert streams.pages_wanted() == [("tea", 10)]


def test_a_page_put_off_is_asked_when_its_time_has_come() -> None:
    """Asked at once again, it would be refused at once again, for ever."""
    streams = hearing()
    streams.publication(sealed(TEA, 3, 12, [said(13)]))
    streams.pages_wanted()
    streams.postpone("tea", until=500)
    assert streams.pages_wanted() == []
    streams.handle_timer(500)
    assert streams.pages_wanted() == [("tea", 10)]


def test_a_page_refused_for_good_is_a_gap() -> None:
    streams = hearing()
    streams.publication(sealed(TEA, 3, 12, [said(13)]))
    streams.pages_wanted()
    streams.give_up("tea")
    assert told(streams) == [(10, 13)]
    assert not streams.behind


# Keys.


def test_a_key_signal_in_a_room_is_nobodys() -> None:
    """A member, who has the room's key, could give everybody else a key of their own."""
    streams = hearing()
    forged = key_of(3, 2)
    streams.publication(sealed(TEA, 2, 10, signals=[key_signal("rain", forged)]))
    streams.publication(sealed(forged, 3, 10, [said(11)]))
    assert told(streams) == []


def test_a_key_signal_opens_what_is_published_under_it() -> None:
    streams = hearing()
    new = key_of(2, 2)
    streams.publication(sealed(INBOX_KEY, 2, 10, signals=[key_signal("tea", new)]))
    streams.publication(sealed(new, 2, 10, [said(12)]))
    assert told(streams) == [12]
    assert streams.keys_wanted() == []


@pytest.mark.parametrize("by", ["signal", "handout"])
def test_a_publication_waits_for_its_key(by: str) -> None:
    """Section 7, Keys: hold it and ask `join` again, once."""
    streams = hearing()
    new = key_of(2, 2)
    streams.publication(sealed(new, 2, 10, [said(12)]))
    streams.publication(sealed(new, 3, 12, [said(13)]))
    assert [streams.keys_wanted(), streams.keys_wanted()] == [["tea"], []]
    if by == "signal":
        streams.publication(sealed(INBOX_KEY, 2, 10, signals=[key_signal("tea", new)]))
    else:
        streams.hear(handout("tea", new, head=13), 10, now=0)
    assert told(streams) == [12, 13]


@pytest.mark.parametrize(
    "signal",
    [key_signal("cellar", key_of(2, 2)), key_signal("tea", key_of(3, 2)),
     key_signal("tea", key_of(2, 2)).__class__(signal="typing", stream="tea", topic=2)],
    ids=["of no room of mine", "of another topic", "no key at all"],
)  # fmt: skip
def test_a_signal_that_is_not_for_me_changes_nothing(signal: object) -> None:
    streams = hearing()
    streams.publication(sealed(INBOX_KEY, 2, 10, signals=[signal]))  # type: ignore[list-item]
    streams.publication(sealed(TEA, 2, 10, [said(12)]))
    assert told(streams) == [12]


# What cannot be read.


@pytest.mark.parametrize(
    "frame",
    [b"", b"\0", b"\0\0\0\2", sealed(key_of(8), 1, 10), TEA.seal(2, b"\xc1"), sealed(TEA, 2, 10)[:-1]],
)  # fmt: skip
def test_what_cannot_be_read_is_dropped_and_the_rest_goes_on(frame: bytes) -> None:
    streams = hearing()
    streams.publication(frame)
    streams.publication(sealed(TEA, 3, 10, [said(12)]))
    assert told(streams) == [12]


def test_without_a_connection_positions_stay_and_nothing_else() -> None:
    streams = hearing()
    streams.publication(sealed(TEA, 3, 12, [said(13)]))
    streams.unlink()
    assert streams.subscriptions() == []
    assert streams.pages_wanted() == []
    streams.publication(sealed(TEA, 2, 10, [said(12)]))
    assert told(streams) == []
    streams.hear(handout("tea", key_of(9), head=13), 13, now=0)
    assert streams.pages_wanted() == [("tea", 10)]
