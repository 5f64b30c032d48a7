"""The journal on disk: whatever happens to it ends in one sentence, and harms nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from zchat.errors import (
    JournalDamaged,
    JournalError,
    JournalFull,
    JournalLocked,
    JournalReadOnly,
    JournalTooNew,
)
from zchat.journal import SqliteJournal, check
from zchat.journal.folder import Folder
from zchat.journal.migrations import MIGRATIONS
from zchat.testing.journals import commit, posted, renamed, whispered

HEAD = """
import os, resource, sys
from pathlib import Path
from zchat.errors import *
from zchat.journal import SqliteJournal, export
from zchat.testing.journals import commit, posted
data = Path(sys.argv[1])
"""


def run(script: str, folder: Path) -> str:
    """What a program prints that works on a data folder in a process of its own."""
    command = [sys.executable, "-c", HEAD + script, str(folder)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@contextmanager
def running(script: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Such a program while it runs; killed with SIGKILL at the end."""
    command = [sys.executable, "-c", HEAD + script, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.send_signal(signal.SIGKILL)


def made(folder: Path, *texts: str) -> Path:
    """A closed journal with these messages; its file."""
    journal = SqliteJournal(folder)
    commit(journal, *(posted("r", text) for text in texts))
    journal.close()
    return folder / "journal.db"


def texts_of(folder: Path) -> list[str]:
    journal = SqliteJournal(folder)
    texts = [str(getattr(event, "text", "")) for event in journal.tail(0)]
    journal.close()
    return texts


def test_killed_mid_write_keeps_every_submit_that_returned_and_no_half_batch(
    tmp_path: Path,
) -> None:
    submits = """
journal = SqliteJournal(data)
n = journal.head() // 5
while True:
    journal.submit([posted("r", f"{n}.{k}") for k in range(5)])
    print(n, flush=True)
    n += 1
"""
    acknowledged = -1
    for kill in range(8):
        with running(submits, tmp_path) as process:
            assert process.stdout
            for _ in range(1 + kill * 7):
                acknowledged = int(process.stdout.readline())
        whole = [f"{n}.{k}" for n in range(10_000) for k in range(5)]
        texts = texts_of(tmp_path)
        assert len(texts) % 5 == 0
        assert len(texts) >= 5 * (acknowledged + 1)
        assert texts == whole[: len(texts)]
    assert check(tmp_path).ok


def test_every_commit_is_synced(tmp_path: Path) -> None:
    """An acknowledged message that only the kernel holds is lost with the power."""
    with closing(SqliteJournal(tmp_path)) as journal:
        pragmas = {
            name: journal._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("journal_mode", "synchronous", "secure_delete")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "secure_delete": 1}


def test_a_disk_that_takes_no_more_keeps_nothing_of_the_batch_and_is_usable_later(
    tmp_path: Path,
) -> None:
    """A limit on the size of files is a real write error, and needs no rights."""
    script = """
journal = SqliteJournal(data)
commit(journal, posted("r", "before"))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    journal.submit([posted("r", "x" * 1000) for _ in range(1000)])
except JournalFull as error:
    print(error)
assert journal.pump() == []
commit(journal, posted("r", "small"))
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
commit(journal, posted("r", "after"))
"""
    assert "make room and try again" in run(script, tmp_path)
    assert texts_of(tmp_path) == ["before", "small", "after"]


def test_no_room_to_begin_leaves_no_half_journal(tmp_path: Path) -> None:
    script = """
resource.setrlimit(resource.RLIMIT_FSIZE, (8_192, resource.RLIM_INFINITY))
try:
    SqliteJournal(data)
except JournalFull as error:
    print(error)
"""
    assert "make room" in run(script, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["journal.lock"]
    assert texts_of(tmp_path) == []


def test_sqlites_own_word_for_full_is_full(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path)) as journal:
        pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
        journal._db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(JournalFull):
            journal.submit([posted("r", "x" * 10_000)])
        journal._db.execute("PRAGMA max_page_count = 10000")
        assert [e.position for e in commit(journal, posted("r", "x" * 10_000))] == [1]


def test_an_error_in_the_middle_of_a_batch_keeps_nothing_of_it(tmp_path: Path) -> None:
    """Nor a stream's number, under which the next message would be lost from history."""
    with closing(SqliteJournal(tmp_path)) as journal:
        with pytest.raises(JournalError):
            journal.submit([posted("new", "x"), renamed("twice", "twice")])
        assert (journal.head(), list(journal.tail(0)), journal.pump()) == (0, [], [])
        said = commit(journal, posted("new", "y"))
        assert journal.read("r.new", limit=9).events == said
    assert check(tmp_path).findings == ()


AS_NOBODY = """
if os.getuid() == 0:
    os.setuid(65534)  # root may write anywhere
try:
    SqliteJournal(data)
except JournalReadOnly as error:
    print(error)
"""


@pytest.mark.parametrize("case", ["folder", "folder with journal", "file", "parent"])
def test_read_only(case: str) -> None:
    """Not under tmp_path: another user cannot look into that."""
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / "data"
        Path(base).chmod(0o755)
        if case != "parent":
            folder.mkdir()
        if case in ("folder with journal", "file"):
            made(folder, "kept").chmod(0o444)
        if case == "file":
            folder.chmod(0o777)
        else:
            (folder if folder.exists() else Path(base)).chmod(0o555)
        try:
            assert "mend the rights" in run(AS_NOBODY, folder)
            if case == "folder with journal":
                read = AS_NOBODY + "print(export(SqliteJournal.reading(data), lambda line: 0))"
                assert run(read, folder).splitlines()[-1] == "1"
        finally:
            Path(base).chmod(0o755)
            if folder.exists():
                folder.chmod(0o755)


def test_one_broker_at_a_time_and_kill_9_lets_go(tmp_path: Path) -> None:
    holds = "journal = SqliteJournal(data)\nprint('open', flush=True)\nsys.stdin.read()"
    with running(holds, tmp_path) as process:
        assert process.stdout
        process.stdout.readline()
        with pytest.raises(JournalLocked, match="another broker"):
            SqliteJournal(tmp_path)
        SqliteJournal.reading(tmp_path).close()
    SqliteJournal(tmp_path).close()


def test_a_newer_journal_is_left_as_it_is(tmp_path: Path) -> None:
    file = made(tmp_path, "kept")
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    before = sha256(file.read_bytes()).digest()
    for opening in (SqliteJournal, SqliteJournal.reading, check):
        with pytest.raises(JournalTooNew, match="update zchat"):
            opening(tmp_path)
    assert sha256(file.read_bytes()).digest() == before


@pytest.mark.parametrize("content", [b"", b"no database\n" * 999, b"SQLite format 3\0", "foreign"])
def test_a_foreign_file_is_left_as_it_is(tmp_path: Path, content: bytes | str) -> None:
    file = tmp_path / "journal.db"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        with closing(sqlite3.connect(file)) as db:
            db.execute("CREATE TABLE recipes (name)")
    before = file.read_bytes()
    with pytest.raises(JournalDamaged, match="restore a backup"):
        SqliteJournal(tmp_path)
    assert file.read_bytes() == before
    assert not check(tmp_path).ok


def test_a_truncated_journal_is_damaged(tmp_path: Path) -> None:
    file = made(tmp_path, *("x" * 1000 for _ in range(100)))
    os.truncate(file, file.stat().st_size // 2)
    before = file.read_bytes()
    with pytest.raises(JournalDamaged):
        SqliteJournal(tmp_path)
    assert file.read_bytes() == before


def test_a_log_without_its_journal_is_not_played_into_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "journal.db-wal").write_bytes(b"somebody's messages")
    with pytest.raises(JournalDamaged, match="put it back"):
        SqliteJournal(tmp_path)
    assert (tmp_path / "journal.db-wal").read_bytes() == b"somebody's messages"


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("mine")
    for opening in (SqliteJournal, SqliteJournal.reading):
        with pytest.raises(JournalError, match="name the folder"):
            opening(file)
    assert file.read_text() == "mine"


def test_nothing_to_read(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no journal"):
        SqliteJournal.reading(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_commits_and_writes_nothing(tmp_path: Path) -> None:
    with (
        closing(SqliteJournal(tmp_path)) as journal,
        closing(SqliteJournal.reading(tmp_path)) as reader,
    ):
        commit(journal, posted("r", "hi"))
        assert [event.position for event in reader.tail(0)] == [1]
        assert (reader.head(), reader.epoch) == (1, journal.epoch)
        with pytest.raises(JournalReadOnly):
            reader.submit([posted("r", "no")])


def test_what_was_taken_away_is_in_no_file(tmp_path: Path) -> None:
    with closing(SqliteJournal(tmp_path)) as journal:
        commit(journal, posted("r", "PASSWORD-1"), whispered("a", "b", "PASSWORD-2" * 1000))
        journal.redact(1, posted("r", ""))
        journal.trim("u.a", 9)
        journal.trim("u.b", 9)
    assert not [p for p in tmp_path.iterdir() if b"PASSWORD" in p.read_bytes()]


def test_only_the_owner_may_read_the_files(tmp_path: Path) -> None:
    """Whispers are in all of them, the write-ahead log too."""
    with closing(SqliteJournal(tmp_path / "data")) as journal:
        commit(journal, posted("r", "hi"))
        modes = {p.name: p.stat().st_mode & 0o077 for p in (tmp_path / "data").iterdir()}
    assert len(modes) == 4
    assert set(modes.values()) == {0}


LATER = (*MIGRATIONS, ("CREATE TABLE later (x)", "UPDATE journal SET head = head + 100"))
BROKEN = (*MIGRATIONS, ("CREATE TABLE later (x)", "UPDATE nothing SET x = 1"))


def test_a_journal_of_each_older_version_is_brought_up_to_date(tmp_path: Path) -> None:
    for version in range(len(MIGRATIONS) + 1):
        folder = tmp_path / str(version)
        folder.mkdir()
        if version:
            Folder(folder, MIGRATIONS[:version]).open_writing().close()
        with closing(Folder(folder, LATER).open_writing()) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (len(LATER),)
            assert db.execute("SELECT head FROM journal").fetchone() == (100,)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    made(tmp_path, "kept")
    with pytest.raises(JournalError):
        Folder(tmp_path, BROKEN).open_writing()
    assert texts_of(tmp_path) == ["kept"]


@pytest.mark.parametrize("harm", ["removed", "replaced"])
def test_a_file_that_is_gone_acknowledges_nothing(tmp_path: Path, harm: str) -> None:
    """Everybody is told for days that their words are kept, in a file that no longer has a name."""
    journal = SqliteJournal(tmp_path)
    commit(journal, posted("ops", "kept"))
    (tmp_path / "journal.db").rename(tmp_path / "aside.db")
    if harm == "replaced":
        (tmp_path / "journal.db").write_bytes((tmp_path / "aside.db").read_bytes())
    with pytest.raises(JournalDamaged, match="removed or replaced"):
        journal.submit([posted("ops", "lost")])
    (tmp_path / "aside.db").replace(tmp_path / "journal.db")
    commit(journal, posted("ops", "kept again"))
    journal.close()


def test_a_folder_whose_name_is_too_long(tmp_path: Path) -> None:
    """A traceback for a typing error."""
    with pytest.raises(JournalError, match="too long"):
        SqliteJournal(tmp_path / ("x" * 300))
