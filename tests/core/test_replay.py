"""Law 2: the record is what the journal says, whoever folds it, from wherever."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from tests.core.races import FIRST, SECOND
from tests.core.stage import Stage
from zchat.broker import restart
from zchat.core import Now, Record, apply
from zchat.journal.memory import MemoryJournal
from zchat.protocol import codec
from zchat.protocol import events as e

PEOPLE = ("alice", "bob", "carl")
LINES = (
    *FIRST, *SECOND, *("alice join ops", "bob join ops", "bob join den") * 3,
    *("alice say ops a", "bob say ops b", "bob act den b", "alice subject ops a") * 2,
    "carl join ops", "carl say ops c", "carl leave ops", "carl drop",
)  # fmt: skip
"""What may happen; more often what lets the rest happen."""
SEEDS = range(12)


def entry(stage: Stage, name: str) -> str | None:
    """How somebody who is not here comes in: back, or anew."""
    session = stage.peer(name).session
    if stage.broker.clients.of(session) is not None:
        return None
    return f"{name} resume" if session in stage.broker.record.sessions else f"{name} hello {name}"


def lived(seed: int, utc_steps: bool = False) -> Stage:
    """A stage after a random life: turns of several lines, time that passes, crashes."""
    dice = random.Random(seed)
    stage = Stage(grace_ms=5_000, rekey_ms=500)
    for _ in range(100):
        returning = [
            line for name in PEOPLE if (line := entry(stage, name)) and dice.random() < 0.6
        ]
        stage.together(*returning, *dice.choices(LINES, k=dice.randint(1, 4)))
        stage.wait(dice.choice((0, 0, 300, 2_000)))
        if dice.random() < 0.03:
            stage.crash()
        if utc_steps:
            stage.now = Now(stage.now.monotonic, stage.now.utc - 86_400_000)
    return stage


def plain(record: Record) -> Any:
    """Everything in a record, as plain values in the order it is kept."""
    return msgspec.msgpack.decode(record.snapshot())


def derived(record: Record) -> Any:
    """What a record keeps besides its snapshot, to answer faster."""
    nicks = record.roster.after("", 1_000)
    looks = {skeleton: sorted(rooms) for skeleton, rooms in record.looks.items()}
    return record.room_names, record.tokens, nicks, looks


def passed_on(event: e.Event) -> e.Event:
    """The event as it comes back from a disk."""
    return codec.decode_event(event.position, codec.encode_event(event))


def test_a_life_is_a_life() -> None:
    """The scripts below would prove little if nothing happened in them."""
    lives = [lived(seed) for seed in SEEDS]
    for kind in e.EVENTS:
        assert sum(event.kind == kind for life in lives for event in life.journal.tail(0)) > 20, (
            kind
        )
    assert any(life.journal.head() > 3 * len(life.written()) for life in lives), "none was void"


@pytest.mark.parametrize("seed", SEEDS)
def test_folding_the_journal_anew_gives_the_record(seed: int) -> None:
    stage = lived(seed)
    record = Record(stage.settings.lobby)
    for event in map(passed_on, stage.journal.tail(0)):
        assert apply(record, event) is None
    record.position = stage.broker.record.position  # voids past the last event that holds
    assert plain(record) == plain(stage.broker.record)
    assert derived(record) == derived(stage.broker.record)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_snapshot_and_the_tail_give_the_record_from_every_cut(seed: int) -> None:
    """A start from a snapshot would otherwise be another broker than one from the beginning."""
    stage = lived(seed)
    events = [passed_on(event) for event in stage.journal.tail(0)]
    whole = Record("lobby")
    snapshots = [whole.snapshot()]
    for event in events:
        apply(whole, event)
        snapshots.append(whole.snapshot())
    for cut in range(0, len(snapshots), 5):
        record = Record.restore("lobby", snapshots[cut])
        assert record is not None
        for event in events[cut:]:
            assert apply(record, event) is None
        assert plain(record) == plain(whole)
        assert derived(record) == derived(whole)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_start_uses_the_snapshot_that_was_kept(seed: int) -> None:
    stage = lived(seed)
    expected = plain(stage.broker.record)
    restart.keep(stage.journal, stage.broker.record)
    stage.crash()
    assert plain(stage.broker.record) == expected


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clock_that_runs_backwards_changes_nothing_but_when(seed: int) -> None:
    plain_life, odd_life = lived(seed), lived(seed, utc_steps=True)
    assert plain(plain_life.broker.record) == plain(odd_life.broker.record)
    ats = []
    for mine, other in zip(plain_life.journal.tail(0), odd_life.journal.tail(0), strict=True):
        ats.append(mine.at == other.at)
        assert msgspec.structs.replace(mine, at=0) == msgspec.structs.replace(other, at=0)
    assert not all(ats)


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x80", codec.encode({"format": 99}), b"\x93abc"])
def test_a_snapshot_that_is_none_is_no_reason_not_to_start(data: bytes) -> None:
    """The journal is folded from its beginning instead."""
    stage = Stage()
    stage.user("alice", "ops")
    stage.journal.save(6, data)
    expected = stage.snapshot()
    stage.crash()
    assert stage.snapshot() == expected


def test_a_snapshot_of_another_format_is_not_read() -> None:
    snapshot = plain(Record("lobby")) | {"format": 2}
    assert Record.restore("lobby", codec.encode(snapshot)) is None


def test_an_empty_journal_is_a_broker_with_a_lobby() -> None:
    record = restart.fold(MemoryJournal(), "foyer")
    assert (list(record.rooms), record.position) == (["foyer"], 0)
