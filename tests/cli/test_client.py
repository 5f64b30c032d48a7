"""``zchat client --plain``: a line in, a line out, and a goodbye when there is nothing more to say."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from zchat.testing.process import BrokerProcess, running_broker

from .conftest import Talker, objects, zchat


def test_two_people_talk(talker: Callable[..., Talker]) -> None:
    al = talker("client", "--plain", "--nick", "al", "--room", "talk")
    al.wait_for("you are in #talk")
    bo = talker("client", "--plain", "--nick", "bo", "--room", "talk")
    al.wait_for("bo joined #talk")
    al.type("hello bo")
    bo.wait_for("#talk <al> hello bo")
    bo.type("/me nods")
    al.wait_for("#talk * bo nods")
    bo.type("/w al between us")
    al.wait_for("whisper bo → you: between us")
    bo.wait_for("whisper you → al: between us")
    al.type("/subject the two of us")
    bo.wait_for("al set the subject of #talk: the two of us")
    al.type("/nick alf")
    bo.wait_for("al is now alf")
    al.type("//quit is how one leaves")
    bo.wait_for("<alf> /quit is how one leaves")
    al.type("/quit")
    assert al.wait() == 0
    bo.wait_for("alf left")
    assert bo.end() == 0
    assert "bo left" not in al.printed


def test_the_end_of_stdin_is_a_goodbye(broker: BrokerProcess) -> None:
    """The last line of a pipe would be lost with the connection, or not be seen."""
    said = [f"line {n}" for n in range(500)]
    done = zchat("client", "--plain", "--room", "piped", to=broker.address, stdin="\n".join(said))
    assert (done.returncode, done.stderr) == (0, "")
    heard = [line.partition("> ")[2] for line in done.stdout.splitlines() if "#piped <" in line]
    assert heard == said
    kept = objects(zchat("history", "piped", "-n", "999", "--json", to=broker.address))
    assert [each["text"] for each in kept] == said


@pytest.mark.parametrize("stdin", ["", "\n", "  \n\n", "/quit\nnot said\n"])
def test_nothing_to_say(stdin: str, broker: BrokerProcess) -> None:
    done = zchat("client", "--room", "silence", to=broker.address, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")


def test_each_line_does_what_it_says_in_order(broker: BrokerProcess) -> None:
    """A message would go to the room one entered after it, or left before it."""
    lines = [
        "to the first", "/join second", "to the second", "/leave", "to the first again",
        "/join third", "to the third",
    ]  # fmt: skip
    done = zchat(
        "client", "--plain", "--json", "--room", "first", to=broker.address, stdin="\n".join(lines)
    )
    said = [each for each in objects(done) if each["kind"] == "message"]
    assert [(each["room"], each["text"]) for each in said] == [
        ("first", "to the first"),
        ("second", "to the second"),
        ("first", "to the first again"),
        ("third", "to the third"),
    ]


def test_history_is_shown_once_when_one_comes(broker: BrokerProcess) -> None:
    """One would come into the middle of a talk and not know what it is about."""
    zchat("send", "old", to=broker.address, stdin="\n".join(map(str, range(30))))
    done = zchat(
        "client", "--json", "--room", "old", "--nick", "newcomer", to=broker.address, stdin="30\n"
    )
    kinds = [(each["kind"], each["text"]) for each in objects(done) if each["position"]]
    assert kinds == [
        *(("message", str(n)) for n in range(20, 30)),
        ("message", "30"),
    ]


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("/history " + "9" * 5_000, "write /history N, with a number"),
        ("/jion x", "there is no /jion; did you mean /join?"),
        ("/nick", "write /nick NICK"),
        ("/join no,name", "'no,name' cannot be a name"),
        ("/nick no,name", "'no,name' cannot be a name"),
        ("/leave elsewhere", "you are not in 'elsewhere'"),
        ("/history many", "write /history N"),
        ("/users nowhere", "there is no room 'nowhere'"),
        ("/connect nowhere", "nowhere"),
        ("/connect tcp://127.0.0.1:1", "no broker answers at tcp://127.0.0.1:1"),
    ],
)
def test_what_goes_wrong_is_told_and_the_talk_goes_on(
    line: str, answer: str, broker: BrokerProcess
) -> None:
    """One mistyped command would end a conversation."""
    done = zchat(
        "client", "--plain", "--room", "wrong", to=broker.address, stdin=f"{line}\nstill here\n"
    )
    assert done.returncode == 0
    assert answer in done.stderr
    assert "still here" in done.stdout


@pytest.mark.parametrize("line", ["x" * 5_000, "/whisper nobody hi", "/leave\nto no room"])
def test_a_message_that_did_not_go_is_told_at_the_end(line: str, broker: BrokerProcess) -> None:
    """Exit 0 after a message that nobody got."""
    done = zchat("client", "--plain", "--room", "undelivered", to=broker.address, stdin=f"{line}\n")
    assert done.returncode == 1
    assert done.stderr.startswith("zchat: ")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_told_to_end_says_goodbye(number: int, talker: Callable[..., Talker]) -> None:
    """Who closes a terminal and opens another would find the own nick taken, for half a minute."""
    watcher = talker("tail", "goodbye")
    al = talker("client", "--plain", "--nick", "bye", "--room", "goodbye")
    watcher.wait_for("bye joined")
    al.signal(number)
    assert al.wait() == 128 + number
    assert "Traceback" not in al.printed
    watcher.wait_for("bye left")


def test_lists_and_help(broker: BrokerProcess) -> None:
    done = zchat(
        "client", "--plain", "--nick", "asker", "--room", "asked",
        to=broker.address, stdin="/rooms\n/users\n/subject\n/help\n/help w\n",
    )  # fmt: skip
    assert "#asked  1 user\n" in done.stdout
    assert "\nasker\n" in done.stdout
    assert "#asked: no subject" in done.stdout
    assert done.stdout.count("/whisper NICK TEXT") == 2


def test_to_another_broker(broker: BrokerProcess, tmp_path: Path) -> None:
    """What stands in the pipe behind ``/connect`` would be lost, or said on the first broker."""
    with running_broker(tmp_path / "data") as other:
        lines = f"here\n/nick wanderer\n/connect {other.address}\nthere\n"
        done = zchat("client", "--room", "home", "--nick", "mover", to=broker.address, stdin=lines)
        assert (done.returncode, done.stderr) == (0, "")
        for room, to, nick, text in (
            ("home", broker, "mover", "here"),
            ("lobby", other, "wanderer", "there"),
        ):
            (found,) = objects(zchat("history", room, "--json", to=to.address))
            assert (found["nick"], found["text"]) == (nick, text)


def test_what_a_hostile_user_writes_is_harmless(broker: BrokerProcess) -> None:
    """The broker takes most controls away; overrides of direction reach the clients."""
    zchat("send", "naughty", "a\u202eb\x1b[2J", to=broker.address)
    for done in (
        zchat("history", "naughty", to=broker.address),
        zchat("client", "--plain", "--room", "naughty", to=broker.address),
    ):
        assert "a�b" in done.stdout
        assert "\x1b" not in done.stdout
    raw = zchat("history", "naughty", "--json", to=broker.address).stdout
    assert r"a\u202eb" in raw
    assert json.loads(raw)["text"] == "a\u202eb[2J"
