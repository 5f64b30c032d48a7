"""``zchat broker``: it starts with one command, says where it is, and stops without harm."""

from __future__ import annotations

import re
import signal
import socket
from pathlib import Path

import pytest

from zchat.testing.process import running_broker

from .conftest import Talker, objects, zchat

ANYWHERE = ("--bind", "tcp://127.0.0.1:0", "--publish", "tcp://127.0.0.1:0")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_drains(number: signal.Signals, tmp_path: Path) -> None:
    """``systemctl stop`` would look like a crash, and clients would not know to come back."""
    with running_broker(tmp_path / "data") as broker:
        client = Talker("client", "--plain", "--nick", "al", to=broker.address)
        try:
            client.type("kept")
            client.wait_for("<al> kept")
            assert broker.stop(number) == 0
            client.wait_for("-- connection lost")
            broker.restart()
            client.type("and this")
            client.wait_for("<al> and this")
            assert client.end() == 0
        finally:
            client.close()
        found = objects(zchat("history", "lobby", "--json", to=broker.address))
    assert [each["text"] for each in found] == ["kept", "and this"]


def test_who_comes_back_is_told_what_was_missed(tmp_path: Path) -> None:
    """One would not know whether the silence was silence."""
    with running_broker(tmp_path / "data") as broker:
        client = Talker("client", "--plain", "--nick", "al", to=broker.address)
        try:
            client.wait_for("you are in #lobby")
            broker.restart()
            client.wait_for("-- back; nothing missed")
            client.signal(signal.SIGSTOP)
            broker.restart()
            zchat("send", "lobby", "while you were out", to=broker.address)
            client.signal(signal.SIGCONT)
            client.wait_for("-- back; 1 missed message follows\n")
            client.wait_for("while you were out")
            assert client.printed.index("1 missed") < client.printed.index("while you")
        finally:
            client.close()


def test_its_log_tells_who_and_never_what(tmp_path: Path) -> None:
    """An operator's log file would hold the company's conversations."""
    with running_broker(tmp_path / "data") as broker:
        zchat("send", "ops", "swordfish", "--nick", "al", to=broker.address)
        zchat("send", "ops", "x", "--nick", "not a name", to=broker.address)
        broker.stop()
        log = broker.log
    for line in ("> al connected with zchat/", "> al joined ops", "< al ended (bye)", "= stopping"):
        assert line in log
    assert "hello refused, bad-name" in log
    assert "swordfish" not in log
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ", line) for line in log.splitlines())


def test_messages_are_logged_where_that_was_asked(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    with running_broker(tmp_path / "data", args=("--message-log", str(said))) as broker:
        zchat("send", "ops", "swordfish", "--nick", "al", to=broker.address)
        broker.stop()
    assert said.read_text().endswith("ops <al> swordfish\n")


def test_log_level(tmp_path: Path) -> None:
    with running_broker(tmp_path / "data", env={"ZCHAT_LOG_LEVEL": "warning"}) as broker:
        broker.stop()
        assert broker.log == ""


@pytest.mark.parametrize("how", ["flag", "variable", "file"])
def test_settings_come_from_three_places(how: str, tmp_path: Path) -> None:
    """An image is configured by variables, a unit by a file; both would need a wrapper."""
    config = tmp_path / "zchat.toml"
    config.write_text('lobby = "hall"\nmax_text = 10\n')
    env = {"variable": {"ZCHAT_LOBBY": "hall"}, "file": {"ZCHAT_CONFIG": str(config)}}
    args = {"flag": ("--config", str(config))}
    with running_broker(tmp_path / "data", args=args.get(how, ()), env=env.get(how, {})) as broker:
        rooms = objects(zchat("rooms", "--json", to=broker.address))
    assert [room["room"] for room in rooms] == ["hall"]


def refused(*args: str) -> str:
    done = zchat("broker", *args)
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(r"zchat: [^\n]+\n", done.stderr)
    return done.stderr


def test_a_lobby_has_a_name_that_people_can_enter(tmp_path: Path) -> None:
    """Every client that names no room would be refused, and nobody would see why."""
    done = zchat("broker", *ANYWHERE, "--data", str(tmp_path / "data"), ZCHAT_LOBBY="a b")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("zchat: the lobby needs another name: 'a b' cannot be a name")
    with running_broker(tmp_path / "data", env={"ZCHAT_LOBBY": "#Main"}) as broker:
        assert zchat("client", "--plain", to=broker.address).returncode == 0


def test_what_is_no_address_is_not_called_exposed(tmp_path: Path) -> None:
    """One would reach for --insecure because of a spelling mistake."""
    done = zchat("broker", "--bind", "ipc:///tmp/x", "--data", str(tmp_path / "data"))
    assert done.returncode == 2
    assert "'ipc:///tmp/x' is no address to listen at" in done.stderr


def test_a_port_in_use(tmp_path: Path) -> None:
    """The system's own words do not say which address, nor what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        said = refused("--data", str(tmp_path), "--bind", address)
    assert address in said
    assert "--bind" in said


def test_a_folder_that_cannot_be_written() -> None:
    """No rights stop root, which tests in containers are; nobody writes in /proc."""
    assert "/proc/" in refused(*ANYWHERE, "--data", "/proc/zchat")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    assert "is a file" in refused(*ANYWHERE, "--data", str(tmp_path / "data"))
    assert (tmp_path / "data").read_text() == "not a folder"


def test_a_journal_that_another_broker_has(tmp_path: Path) -> None:
    """Two brokers would write one record, each over the other."""
    with running_broker(tmp_path / "data"):
        assert "another broker has it open" in refused(*ANYWHERE, "--data", str(tmp_path / "data"))


def test_a_broker_that_does_not_start_says_why_to_a_test(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(RuntimeError, match="is a file"), running_broker(tmp_path / "data"):
        pass


def test_the_journal_is_exported_and_checked_while_it_runs(tmp_path: Path) -> None:
    """A backup's check would need a stopped chat."""
    data = str(tmp_path / "data")
    with running_broker(tmp_path / "data") as broker:
        zchat("send", "ops", "for the record", "--nick", "al", to=broker.address)
        exported = objects(zchat("journal", "export", "--data", data))
        checked = zchat("journal", "check", ZCHAT_DATA=data)
    assert [each["text"] for each in exported if each["kind"] == "message"] == ["for the record"]
    assert checked.returncode == 0
    assert "is whole" in checked.stdout


def test_a_damaged_journal_is_said_so(tmp_path: Path) -> None:
    with running_broker(tmp_path / "data") as broker:
        broker.stop()
    file = tmp_path / "data" / "journal.db"
    file.write_bytes(b"not a database, " * 300)
    done = zchat("journal", "check", "--data", str(tmp_path / "data"))
    assert done.returncode == 1
    assert "restore a backup" in done.stderr


def test_no_journal_is_said_so(tmp_path: Path) -> None:
    done = zchat("journal", "export", "--data", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "there is no journal" in done.stderr
