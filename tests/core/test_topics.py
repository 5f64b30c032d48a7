"""Topics, keys and publications: what goes out, in which order, and that no number seals twice."""

from __future__ import annotations

import random

from tests.core.stage import Stage
from zchat.core.topics import Topics
from zchat.protocol import codec
from zchat.protocol.codec import Publication
from zchat.protocol.replies import Handout
from zchat.protocol.seal import MAX_FRAME_BYTES, Key, header

ROW = b"\x92\x01\x80"  # [1, {}]


def topics() -> Topics:
    return Topics(random.Random(1).randbytes)


def opened(frame: bytes, *handouts: Handout) -> Publication:
    """A frame, opened with the handout it needs."""
    head = header(frame)
    [key] = [h.key for h in handouts if (h.topic, h.key_number) == (head.topic, head.key_number)]
    return codec.decode_publication(Key(head.topic, head.key_number, key).open(frame))


def test_one_publication_a_topic_and_turn() -> None:
    hub = topics()
    ops = hub.handout("r.ops", "ops", 7)
    hub.publish("r.ops", 7, 9, ROW)
    hub.publish("r.ops", 9, 12, ROW)
    [frame] = hub.flush()
    publication = opened(frame, ops)
    assert (publication.prev, publication.last, len(publication.events)) == (7, 12, 2)
    assert hub.flush() == []


def test_each_publication_follows_the_one_before() -> None:
    hub = topics()
    ops = hub.handout("r.ops", "ops", 0)
    chain: list[tuple[int, int]] = []
    for position in (3, 6, 20):
        hub.publish("r.ops", chain[-1][1] if chain else 0, position, ROW)
        publication = opened(hub.flush()[0], ops)
        chain.append((publication.prev, publication.last))
    assert chain == [(0, 3), (3, 6), (6, 20)]


def test_one_without_events_stands_where_the_stream_is() -> None:
    """With an older ``prev`` it would claim events that it does not carry."""
    hub = topics()
    hub.handout("r.ops", "ops", 0)
    inbox = hub.handout("u.1", "@", 0)
    hub.publish("u.1", 0, 3, ROW)
    hub.rekey("r.ops", ["u.1"])
    events, signal = (opened(frame, inbox) for frame in hub.flush())
    assert (events.prev, events.last, signal.prev, signal.last) == (0, 3, 3, 3)


def test_a_large_turn_is_split_without_a_gap() -> None:
    hub = topics()
    ops = hub.handout("r.ops", "ops", 0)
    row = b"\x92\x01" + codec.encode({"text": "x" * 30_000})
    for position in range(1, 8):
        hub.publish("r.ops", position - 1, position, row)
    frames = hub.flush()
    assert all(len(frame) <= MAX_FRAME_BYTES for frame in frames)
    publications = [opened(frame, ops) for frame in frames]
    assert [(p.prev, p.last) for p in publications] == [(0, 2), (2, 4), (4, 6), (6, 7)]
    assert [header(frame).n for frame in frames] == [1, 2, 3, 4]


def test_rows_fill_a_frame_to_its_limit_and_no_further() -> None:
    for size in range(32_600, 32_800):
        hub = topics()
        hub.handout("r.ops", "ops", 0)
        for position in (2**62, 2**62 + 1):
            hub.publish("r.ops", position - 1, position, b"\xc4" * size)
        assert max(map(len, hub.flush())) <= MAX_FRAME_BYTES


def test_a_stream_without_a_topic_is_not_published() -> None:
    hub = topics()
    hub.publish("r.ops", 0, 1, ROW)
    assert hub.flush() == []


def test_a_handout_stays_the_same_until_its_topic_closes() -> None:
    hub = topics()
    first = hub.handout("r.ops", "ops", 1)
    assert hub.handout("r.ops", "ops", 1) == first
    hub.publish("r.ops", 1, 2, ROW)
    assert hub.close("r.ops") == first.topic
    assert len(hub.flush()) == 1, "what was pending still goes out"
    assert not hub.living(first.topic)
    second = hub.handout("r.ops", "ops", 2)
    assert (second.topic, second.key) != (first.topic, first.key)
    assert hub.close("r.den") is None


def test_topics_are_dense_and_begin_anywhere() -> None:
    """They are no secret, but two broker's lives ought not to share them."""
    hub, other = topics(), Topics(random.Random(2).randbytes)
    numbers = [hub.handout(f"r.{n}", str(n), 0).topic for n in range(5)]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert other.handout("r.0", "0", 0).topic not in numbers


def test_a_confirmation_says_where_the_stream_is() -> None:
    hub = topics()
    ops = hub.handout("r.ops", "ops", 5)
    hub.confirm(ops.topic, 5)
    publication = opened(hub.flush()[0], ops)
    assert (publication.prev, publication.last, publication.events) == (5, 5, [])


def test_a_confirmation_rides_on_the_events_of_its_turn() -> None:
    hub = topics()
    ops = hub.handout("r.ops", "ops", 5)
    hub.confirm(ops.topic, 5)
    hub.publish("r.ops", 5, 8, ROW)
    hub.confirm(ops.topic, 8)
    [frame] = hub.flush()
    assert (opened(frame, ops).prev, opened(frame, ops).last) == (5, 8)


def test_a_topic_that_is_gone_is_not_confirmed() -> None:
    hub = topics()
    hub.confirm(hub.handout("r.ops", "ops", 0).topic + 1, 5)
    assert hub.flush() == []


# Keys.


def test_the_removal_ends_its_publication_and_the_new_key_comes_first() -> None:
    """Whoever stays would draw a publication under a key they have not been sent."""
    hub = topics()
    ops, inbox = hub.handout("r.ops", "ops", 0), hub.handout("u.1", "@", 0)
    hub.publish("r.ops", 0, 1, ROW)
    hub.rekey("r.ops", ["u.1", "u.nobody-home"])
    hub.publish("r.ops", 1, 2, ROW)
    removal, told, after = hub.flush()
    assert opened(removal, ops).last == 1
    [signal] = opened(told, inbox).signals
    assert (signal.signal, signal.stream, signal.topic) == ("key", "ops", ops.topic)
    renewed = hub.handout("r.ops", "ops", 2)
    assert (signal.key_number, signal.key) == (renewed.key_number, renewed.key) != (1, ops.key)
    assert (opened(after, renewed).prev, opened(after, renewed).last) == (1, 2)
    assert header(after).n == 2, "a number is never used twice, under whatever key"


def test_a_key_finds_room_beside_a_full_inbox() -> None:
    hub = topics()
    hub.handout("r.ops", "ö" * 32, 0)
    inbox = hub.handout("u.1", "@", 0)
    hub.publish("u.1", 0, 1, b"\xc4" * (MAX_FRAME_BYTES - 100))
    hub.rekey("r.ops", ["u.1"])
    frames = hub.flush()
    assert max(map(len, frames)) <= MAX_FRAME_BYTES
    assert len(opened(frames[-1], inbox).signals) == 1


def test_no_number_seals_twice_under_a_key() -> None:
    """With AES-GCM that would give both plaintexts away, and the means to forge."""
    hub, dice, seen = topics(), random.Random(3), set[tuple[int, int, int]]()
    streams = ["r.a", "r.b", "u.1", "u.2"]
    for head in range(1, 2_000):
        stream = dice.choice(streams)
        match dice.randrange(8):
            case 0:
                hub.close(stream)
            case 1:
                hub.rekey(stream, ["u.1", "u.2"])
            case 2:
                hub.confirm(hub.handout(stream, stream, head).topic, head)
            case _:
                hub.handout(stream, stream, head)
                hub.publish(stream, head - 1, head, ROW)
        for frame in hub.flush() if dice.random() < 0.5 else []:
            assert header(frame) not in seen
            seen.add(header(frame))
    assert len(seen) > 500


# Confirmations, as the broker gives them.


def test_a_new_subscriber_is_told_at_once_and_a_crowd_once_a_while(company: Stage) -> None:
    """Each confirmation reaches every subscriber: a thousand who come at once would be a million."""
    ops = company.answer("alice join ops").room
    alice = company.peer("alice")
    alice.publications.clear()
    for _ in range(100):
        company.broker.granted([ops.topic], company.now)
        company.settle()
    assert [(topic, p.prev, p.last) for topic, p in alice.publications] == [
        (ops.topic, ops.head, ops.head)
    ]
    company.wait(50)
    assert len(alice.publications) == 2
    company.wait(1_000)
    assert len(alice.publications) == 2
