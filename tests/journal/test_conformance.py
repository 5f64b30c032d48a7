"""Both adapters keep the port's promises, and agree with each other on any history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zchat.errors import JournalError, JournalFull
from zchat.journal import Journal, MemoryJournal, SqliteJournal
from zchat.protocol.codec import encode_event
from zchat.protocol.events import Event
from zchat.testing.journals import check_journal, joined, posted, renamed, whispered


def memory(stride: int = 1) -> Callable[[], Journal]:
    journal = MemoryJournal(stride=stride)

    def reopen() -> Journal:
        nonlocal journal
        journal = journal.reopen()
        return journal

    return reopen


@pytest.mark.parametrize("stride", [1, 7])
def test_memory_keeps_the_port(stride: int) -> None:
    check_journal(memory(stride=stride))


def test_sqlite_keeps_the_port(tmp_path: Path) -> None:
    check_journal(lambda: SqliteJournal(tmp_path / "data"))


class Forgetful(MemoryJournal):
    """Gives the last position twice once its event is dropped."""

    def head(self) -> int:
        return max(self._events, default=0)


def test_the_kit_finds_an_adapter_that_breaks_a_promise() -> None:
    with pytest.raises(AssertionError, match="head stays"):
        check_journal(Forgetful)


def test_what_was_submitted_survives_a_crash_before_pump() -> None:
    """The simulation crashes brokers there: the event is in the record, but never pumped again."""
    journal = MemoryJournal()
    journal.submit([posted("r", "hi")])
    again = journal.reopen()
    assert (again.pump(), len(list(again.tail(0)))) == ([], 1)
    with pytest.raises(JournalError, match="closed"):
        journal.submit([posted("r", "from a dead broker")])


def test_a_full_memory_journal_keeps_nothing_of_the_batch_and_goes_on() -> None:
    journal = MemoryJournal(capacity=1)
    with pytest.raises(JournalFull):
        journal.submit([posted("r", "1"), posted("r", "2")])
    journal.submit([posted("r", "1")])
    assert [event.position for event in journal.pump()] == [1]


EVENTS: dict[str, Callable[[], Event]] = {
    "posted": lambda: posted("a", "x"),
    "elsewhere": lambda: posted("b", "x"),
    "joined": lambda: joined("a"),
    "renamed": lambda: renamed("a", "b"),
    "whispered": lambda: whispered("a", "b", "x"),
    "to self": lambda: whispered("a", "a", "x"),
}
STREAMS = ["c", "r.a", "r.b", "u.a", "u.b"]
places = st.integers(0, 30)
steps = st.one_of(
    st.tuples(st.just("submit"), st.lists(st.sampled_from(sorted(EVENTS)), max_size=5)),
    st.tuples(st.just("drop"), st.lists(places, max_size=3)),
    st.tuples(st.just("trim"), st.sampled_from(STREAMS), places),
    st.tuples(st.just("redact"), places),
    st.tuples(st.just("reopen")),
)
pages = st.tuples(st.none() | places, st.none() | places, st.integers(1, 9))


def seen(events: list[Event]) -> list[tuple[int, bytes]]:
    return [(event.position, encode_event(event)) for event in events]


def history(
    reopen: Callable[[], Journal],
    script: list[tuple[object, ...]],
    page: tuple[int | None, int | None, int],
) -> list[object]:
    """Everything that can be seen of a journal while it goes through the script."""
    journal, log = reopen(), list[object]()
    for step in script:
        match step:
            case "submit", list(kinds):
                journal.submit([EVENTS[kind]() for kind in kinds])
                log.append(seen(journal.pump()))
            case "drop", list(positions):
                journal.drop(positions)
            case "trim", str(stream), int(through):
                log.append(journal.trim(stream, through))
            case "redact", int(position):
                for event in journal.tail(position - 1):
                    if event.position == position and event.kind == "message":
                        journal.redact(position, posted(event.streams()[0][2:], ""))
                    break
            case _:
                journal.close()
                journal = reopen()
        after, before, limit = page
        for stream in STREAMS:
            found = journal.read(stream, after=after, before=before, limit=limit)
            log.append((seen(found.events), found.more, found.floor))
        log += [journal.head(), seen(list(journal.tail(0)))]
    journal.close()
    return log


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=12), pages)
def test_the_adapters_agree(
    script: list[tuple[object, ...]], page: tuple[int | None, int | None, int]
) -> None:
    """The simulation runs on memory and people on SQLite: a difference makes it prove nothing."""
    with TemporaryDirectory() as folder:
        on_disk = history(lambda: SqliteJournal(Path(folder)), script, page)
    assert on_disk == history(memory(), script, page)
