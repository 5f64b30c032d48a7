"""Export and check: what reads a journal without being its broker, and URLs that name one."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from zchat.errors import UsageError
from zchat.journal import MemoryJournal, SqliteJournal, check, export, open_journal
from zchat.protocol.events import SessionStarted
from zchat.testing.journals import commit, joined, posted, whispered

STARTED = {"at": 1_700_000_000_123, "session": "hidden", "user": "a", "nick": "ann"}


def test_export_is_json_lines_without_what_is_the_brokers() -> None:
    journal = MemoryJournal(stride=7)
    commit(journal, SessionStarted(**STARTED, token_hash=b"hidden"), posted("r", "hé"))  # type: ignore[arg-type]
    lines: list[str] = []
    assert export(journal, lines.append) == 2
    first, second = map(json.loads, lines)
    assert first == {
        "position": 7,
        "kind": "started",
        "at": "2023-11-14T22:13:20.123Z",
        "user": "a",
        "nick": "ann",
    }
    assert (second["room"], second["text"]) == ("r", "hé")
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)


@pytest.mark.parametrize("text", ["\x1b[2J", "\x9b2J", "\x7f", "\u202eabc", "\u2028"])
def test_export_carries_no_control_sequence_to_a_terminal(text: str) -> None:
    journal, lines = MemoryJournal(), list[str]()
    commit(journal, posted("r", text))
    export(journal, lines.append)
    assert lines[0][:-1].isprintable()
    assert json.loads(lines[0])["text"] == text


def test_check_finds_nothing_in_a_journal_that_lived(tmp_path: Path) -> None:
    """Dropped and trimmed events are no damage, nor is a broker that has it open."""
    with closing(SqliteJournal(tmp_path)) as journal:
        commit(
            journal, joined("r"), *(posted("r", "x") for _ in range(4)), whispered("a", "b", "x")
        )
        journal.drop([3])
        journal.trim("r.r", 4)
        journal.trim("u.a", 6)
        journal.save(5, b"snapshot")
        report = check(tmp_path)
    assert report.findings == ()
    assert (report.events, report.head, report.snapshot, report.epoch) == (3, 6, 5, journal.epoch)


@pytest.mark.parametrize(
    ("damage", "code", "sentence"),
    [
        ("DELETE FROM places WHERE position = 1", "place", "position 1 is missing in r.r"),
        ("DELETE FROM places WHERE position = 1", "place", "position 1 stands in no stream"),
        ("DELETE FROM events WHERE position = 2", "place", "place at position 2, and no event"),
        ("INSERT INTO places VALUES (2, 1)", "place", "where it does not belong"),
        ("UPDATE events SET body = x'00' WHERE position = 1", "event", "position 1 holds no event"),
        ("UPDATE events SET kind = 'joined' WHERE position = 1", "event", "marked joined"),
        ("UPDATE events SET position = -1 WHERE position = 1", "position", "below 1"),
        ("INSERT INTO snapshot VALUES (9, x'00')", "snapshot", "but the last is 2"),
        ("UPDATE streams SET floor = 1", "place", "should be trimmed"),
    ],
)
def test_check_finds_planted_damage(tmp_path: Path, damage: str, code: str, sentence: str) -> None:
    with closing(SqliteJournal(tmp_path)) as journal:
        commit(journal, posted("r", "x"), posted("other", "x"))
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as db:
        db.execute(damage)
    found = check(tmp_path).findings
    assert [f for f in found if f.code == code and sentence in str(f)], found


def test_check_finds_a_page_that_was_overwritten(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path)) as journal:
        commit(journal, *(posted("r", "x" * 500) for _ in range(100)))
    file = tmp_path / "journal.db"
    content = bytearray(file.read_bytes())
    content[-8192:-4096] = b"\xff" * 4096
    file.write_bytes(content)
    assert not check(tmp_path).ok


def test_journal_urls(tmp_path: Path) -> None:
    assert isinstance(open_journal("memory:", tmp_path), MemoryJournal)
    for url in ("sqlite:", f"sqlite:{tmp_path}/other"):
        open_journal(url, tmp_path).close()
    assert (tmp_path / "journal.db").exists()
    assert (tmp_path / "other" / "journal.db").exists()
    for url, why in [("nats://x", "not built in yet"), ("redis:", "use sqlite:"), ("", "memory:")]:
        with pytest.raises(UsageError, match=why):
            open_journal(url, tmp_path)
