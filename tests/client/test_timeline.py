"""One stream: each sentence of docs/protocol.md section 7, "Gaps" and "Keys", as a case."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import pytest

from tests.client.rows import Shown, handout, key_of, page, publication, said, sealed, shown
from zchat.client.timeline import HELD_BYTES, Timeline
from zchat.errors import ProtocolError
from zchat.protocol.codec import Publication
from zchat.protocol.replies import Page

Step = Publication | tuple[int, Page]
"""A publication, or a page with the position it was asked after."""


def play(timeline: Timeline, steps: Iterable[Step]) -> list[Shown]:
    """All that a timeline delivers on the way."""
    out: list[Shown] = []
    for step in steps:
        if isinstance(step, Publication):
            out += shown(timeline.publish(step, size=100))
        else:
            out += shown(timeline.page(*step))
    return out


CASES: dict[str, tuple[list[Step], list[Shown], int, bool]] = {
    # what comes to a timeline at 10: what it delivers, where it then is, whether it is behind
    "last ≤ mine: nothing new": ([publication(4, 8, 10)], [], 10, False),
    "prev = mine: deliver": ([publication(10, 13, 15)], [13, 15], 15, False),
    "prev < mine < last: deliver the events past mine": ([publication(5, 9, 10, 13)], [13], 13, False),
    "mine becomes last, with or without its event": ([publication(10, 13, last=17)], [13], 17, False),
    "no events: where the stream is": ([publication(10)], [], 10, False),
    "no events, further on: a gap": ([publication(14)], [], 10, True),
    "prev > mine: a gap, and it is held": ([publication(12, 15)], [], 10, True),
    "held until the page reaches prev": (
        [publication(12, 15), (10, page(12, head=12))], [12, 15], 15, False),
    "pages until they reach prev": (
        [publication(14, 15), (10, page(12, head=15, more=True)), (12, page(14, head=15, more=True))],
        [12, 14, 15], 15, False),
    "a page that has the held ones too": (
        [publication(12, 15), (10, page(12, 15, head=15))], [12, 15], 15, False),
    "held in any order, delivered in theirs": (
        [publication(15, 18), publication(12, 15), publication(18, 20), publication(10, 12)],
        [12, 15, 18, 20], 20, False),
    "held twice, delivered once": (
        [publication(12, 15), publication(12, 15), publication(10, 12)], [12, 15], 15, False),
    "the missing one comes late": ([publication(12, 15), publication(10, 12)], [12, 15], 15, False),
    "the page comes late": (
        [publication(12, 15), publication(10, 12), (10, page(12, head=12))], [12, 15], 15, False),
    "the page is answered twice": (
        [(10, page(12, head=12)), (10, page(12, head=12))], [12], 12, False),
    "a page covers up to its last event if there are more": (
        [(10, page(12, head=30, more=True))], [12], 12, True),
    "and up to head if not": ([(10, page(12, head=30))], [12], 30, False),
    "an empty page covers up to head": ([(10, page(head=30))], [], 30, False),
    "floor > after: one explicit gap": (
        [(10, page(20, head=20, floor=18))], [(10, 18), 20], 20, False),
    "what stands below floor and was kept comes after the gap": (
        [(10, page(12, 20, head=20, floor=18))], [(10, 18), 12, 20], 20, False),
    "one gap, however many pages it takes": (
        [(10, page(12, head=20, floor=18, more=True)), (12, page(20, head=20, floor=18))],
        [(10, 18), 12, 20], 20, False),
    "floor ≤ after: no gap": ([(10, page(12, head=12, floor=10))], [12], 12, False),
    "delivered in the meantime: no gap": (
        [publication(10, 12, 19), (10, page(20, head=20, floor=18))], [12, 19, 20], 20, False),
    "retention goes on between two pages": (
        [(10, page(20, head=40, floor=18, more=True)), (20, page(40, head=40, floor=30))],
        [(10, 18), 20, (20, 30), 40], 40, False),
    "a page from before the positions were others": ([(11, page(12, head=12))], [], 10, False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_gaps(case: str) -> None:
    steps, delivered, mine, behind = CASES[case]
    timeline = Timeline("tea", 10)
    assert play(timeline, steps) == delivered
    assert (timeline.mine, timeline.behind) == (mine, behind)


@pytest.mark.parametrize("row", [[12], [0, {}], [12, {"kind": "message"}], ["12", {}], 12, None])
def test_a_known_kind_in_an_unknown_shape_is_a_gap(row: object) -> None:
    """Passing over it in silence would break the promise that a gap is told."""
    timeline = Timeline("tea", 10)
    damaged = Publication(prev=10, last=12, events=[row])
    assert shown(timeline.publish(damaged, size=1)) == [(10, 12)]
    assert shown(timeline.publish(publication(12, 13), size=1)) == [13]


def test_an_unknown_kind_counts_as_an_event() -> None:
    """Section 5: a newer broker has kinds this client has no word for."""
    timeline = Timeline("tea", 10)
    news = Publication(prev=10, last=12, events=[[12, {"kind": "pinned", "what": "tea"}]])
    assert shown(timeline.publish(news, size=1)) == [12]
    assert timeline.mine == 12


def test_another_epoch_is_one_gap_and_begins_at_the_head() -> None:
    """Section 5: every position held is meaningless, the held publications with them."""
    timeline = Timeline("tea", 10)
    play(timeline, [publication(12, 15)])
    assert shown([timeline.begin_at(3)]) == [(None, 3)]
    assert play(timeline, [(10, page(12, head=12)), publication(3, 4)]) == [4]
    assert timeline.behind is False


def test_what_cannot_be_had_is_one_gap() -> None:
    timeline = Timeline("tea", 10)
    play(timeline, [publication(12, 15)])
    assert shown([timeline.skip_to(15)]) == [(10, 15)]
    assert play(timeline, [publication(15, 16)]) == [16]


# Keys.


def hearing(number: int = 1) -> Timeline:
    """A timeline that was handed out a key of topic 7."""
    timeline = Timeline("tea", 10)
    timeline.hear(handout("tea", key_of(7, number), head=10))
    return timeline


def test_a_frame_under_a_newer_key_waits_for_it() -> None:
    """Section 7, Keys: hold it, and ask `join` again."""
    timeline = hearing()
    frame = sealed(key_of(7, 2), 1, 10, [said(12)])
    assert timeline.open(frame) is None
    timeline.add_key(2, key_of(7, 2).secret)
    assert timeline.unlocked() == [frame]
    assert timeline.unlocked() == []
    assert timeline.open(frame) == publication(10, 12)


def test_a_frame_under_an_older_key_that_one_never_had_does_not_wait() -> None:
    """Only the present key can be had again, so it would wait for ever."""
    timeline = hearing(3)
    assert timeline.open(sealed(key_of(7, 2), 1, 10, [said(12)])) is None
    timeline.add_key(4, key_of(7, 4).secret)
    assert timeline.unlocked() == []


def test_a_frame_under_the_key_of_before_still_opens() -> None:
    """The new key overtakes what was under way on another topic."""
    timeline = hearing()
    for number in range(2, 9):
        timeline.add_key(number, key_of(7, number).secret)
    assert timeline.open(sealed(key_of(7, 1), 1, 10, [said(12)])) == publication(10, 12)


@pytest.mark.parametrize(
    "frame",
    [b"", b"\0\0\0\7", sealed(key_of(7), 1, 10)[:-1], sealed(key_of(7), 1, 10)[:-1] + b"\0",
     key_of(7).seal(1, b""), key_of(7).seal(1, b"\xc1"), key_of(7).seal(1, b"\x80")],
)  # fmt: skip
def test_what_does_not_open_is_never_believed(frame: bytes) -> None:
    with pytest.raises(ProtocolError):
        hearing().open(frame)


@pytest.mark.parametrize("secret", [b"", b"short", bytes(33)])
def test_what_cannot_be_a_key_replaces_none(secret: bytes) -> None:
    timeline = hearing()
    timeline.add_key(1, secret)
    assert timeline.open(sealed(key_of(7), 1, 10)) == publication(10)


def test_another_topic_is_another_life_of_the_broker() -> None:
    """Topics and keys mean nothing after its restart; the order goes on."""
    timeline = hearing()
    assert timeline.hear(handout("tea", key_of(7), head=10)) is False
    assert timeline.hear(handout("tea", key_of(8), head=14)) is True
    assert timeline.behind is True
    assert timeline.open(sealed(key_of(8), 1, 10, [said(12)])) == publication(10, 12)


# What a timeline may hold.


def test_what_is_held_is_bounded_and_asked_for_again() -> None:
    """A reader whose first page never comes would hold a busy room's whole day."""
    timeline = Timeline("tea", 10)
    tracemalloc.start()
    try:
        for number in range(2_000):
            size = HELD_BYTES // 100  # as the frames of a full turn
            timeline.publish(publication(20 + number, 21 + number), size)
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < HELD_BYTES
    assert timeline.behind is True
    assert shown(timeline.page(10, page(2_020, head=2_020))) == [2_020]
    assert timeline.behind is False


def test_what_waits_for_a_key_is_bounded() -> None:
    """A key that never comes must not cost the memory of what it would open."""
    timeline = hearing()
    frame = key_of(7, 2).seal(1, bytes(60_000))
    for _ in range(100):
        assert timeline.open(frame) is None
    timeline.add_key(2, key_of(7, 2).secret)
    assert sum(map(len, timeline.unlocked())) <= HELD_BYTES


def test_an_end_of_the_connection_lets_go_of_what_was_held() -> None:
    timeline = hearing()
    timeline.publish(publication(12, 15), size=100)
    timeline.unlink()
    assert shown(timeline.page(10, page(12, head=12))) == [12]
    assert timeline.behind is True, "what was held is asked for"
