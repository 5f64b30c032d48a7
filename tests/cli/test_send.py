"""``zchat send`` and ``whisper``: done means acknowledged, and nothing is skipped."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from zchat.testing.process import BrokerProcess, running_broker

from .conftest import Talker, environment, objects, zchat


def texts(room: str, to: str, count: int = 10_000) -> list[str]:
    found = objects(zchat("history", room, "-n", str(count), "--json", to=to))
    return [each["text"] for each in found]


def test_a_text(broker: BrokerProcess) -> None:
    done = zchat("send", "one", "it builds", "--nick", "ci", to=broker.address)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (found,) = objects(zchat("history", "one", "--json", to=broker.address))
    assert (found["nick"], found["text"]) == ("ci", "it builds")


def test_two_thousand_lines(broker: BrokerProcess) -> None:
    """A build's output arrives with holes, or in another order."""
    sent = [f"line {n}" for n in range(2_000)]
    done = zchat("send", "build", to=broker.address, stdin="\n".join(sent))
    assert (done.returncode, done.stderr) == (0, "")
    assert texts("build", broker.address) == sent


def test_a_line_of_controls_is_a_blank_one(broker: BrokerProcess) -> None:
    """A bell in the output of a build would end its delivery, and what followed was lost."""
    done = zchat("send", "bells", to=broker.address, stdin="first\n\a\n\0\0 \x1b\nlast\n")
    assert (done.returncode, done.stderr) == (0, "")
    assert texts("bells", broker.address) == ["first", "last"]


def test_blank_lines_are_skipped_and_long_ones_divided(broker: BrokerProcess) -> None:
    """One compiler's line of 10 KB would fail the whole build's output."""
    long = "ä" * 5_000
    done = zchat("send", "long", to=broker.address, stdin=f"first\n\n  \n{long}\nlast\n")
    assert done.returncode == 0, done.stderr
    found = texts("long", broker.address)
    assert (found[0], "".join(found[1:-1]), found[-1]) == ("first", long, "last")


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("send", "ops", "x" * 5_000), "a text has at most 4096 bytes"),
        (("send", "ops", ""), "there is no text in it"),
        (("send", "no room", "hi"), "'no room' cannot be a name"),
        (("send", "ops", "hi", "--nick", "a" * 40), "cannot be a name"),
        (("send", "ops", "hi", "--nick", "\udcff"), "it has parts that are no text"),
        (("whisper", "nobody", "hi"), "nobody here is called 'nobody'"),
        (("history", "nowhere"), "there is no room 'nowhere'"),
        (("users", "nowhere"), "there is no room 'nowhere'"),
        (("history", "lobby", "--after", "999999999"), "there is no position 999999999 yet"),
    ],
)
def test_a_refusal_is_a_sentence_and_1(
    args: tuple[str, ...], sentence: str, broker: BrokerProcess
) -> None:
    done = zchat(*args, to=broker.address)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"zchat: [^\n]+\n", done.stderr)
    assert sentence in done.stderr


def test_a_refused_line_ends_it(broker: BrokerProcess) -> None:
    """Exit 0 would say that all was delivered."""
    done = zchat("whisper", "nobody", to=broker.address, stdin="a\nb\n")
    assert done.returncode == 1


def test_a_nick_that_is_taken(broker: BrokerProcess, talker: Callable[..., Talker]) -> None:
    """Two people of one name in one room."""
    first = talker("client", "--plain", "--nick", "Owner")
    first.wait_for("#lobby")
    for nick in ("owner", "0wner"):
        done = zchat("client", "--plain", "--nick", nick, to=broker.address)
        assert done.returncode == 1
        assert nick in done.stderr


@pytest.mark.parametrize("args", [("ping",), ("rooms",), ("send", "ops", "hi"), ("client",)])
def test_no_broker_is_69_and_how_to_start_one(args: tuple[str, ...]) -> None:
    """A script could not tell it from a refusal; a newcomer would not know what is missing."""
    done = zchat(*args, to="tcp://127.0.0.1:1")
    assert done.returncode == 69
    assert done.stderr == (
        "zchat: no broker answers at tcp://127.0.0.1:1; start one with: zchat broker\n"
    )


def test_ping(broker: BrokerProcess) -> None:
    done = zchat("ping", to=broker.address)
    assert re.fullmatch(rf"zchat/\S+ at {broker.address} answers in [\d.]+ ms\n", done.stdout)
    assert done.returncode == 0


def test_a_health_check_leaves_no_trace(tmp_path: Path) -> None:
    """One every 5 s would be 35,000 events a day in the journal."""
    with running_broker(tmp_path / "data") as broker:
        for _ in range(3):
            zchat("ping", to=broker.address)
        assert objects(zchat("journal", "export", "--data", str(tmp_path / "data"))) == []


def test_lists(broker: BrokerProcess, talker: Callable[..., Talker]) -> None:
    here = talker("client", "--plain", "--nick", "lister", "--room", "listed")
    here.wait_for("#listed")
    here.type("/subject lists")
    here.wait_for("set the subject")
    rooms = {each["room"]: each for each in objects(zchat("rooms", "--json", to=broker.address))}
    assert rooms["listed"] == {
        "position": None, "room": "listed", "kind": "room", "nick": None, "text": "lists",
        "at": None, "members": 1,
    }  # fmt: skip
    assert "#listed  1 user  lists\n" in zchat("rooms", to=broker.address).stdout
    assert zchat("users", "listed", to=broker.address).stdout == "lister\n"
    assert "lister" in [
        each["nick"] for each in objects(zchat("users", "--json", to=broker.address))
    ]


def test_pages_of_history(broker: BrokerProcess) -> None:
    """Somebody who looks for what was said last week sees only the last screen."""
    zchat("send", "pages", to=broker.address, stdin="\n".join(map(str, range(450))))
    everything = objects(zchat("history", "pages", "-n", "9999", "--json", to=broker.address))
    positions = {int(each["text"]): each["position"] for each in everything}

    def asked(*args: str) -> list[int]:
        done = zchat("history", "pages", *args, "--json", to=broker.address)
        return [int(each["text"]) for each in objects(done)]

    assert [int(each["text"]) for each in everything] == list(range(450))
    assert asked() == list(range(430, 450))
    assert asked("-n", "3", "--before", str(positions[100])) == [97, 98, 99]
    assert asked("-n", "3", "--after", str(positions[100])) == [101, 102, 103]
    assert asked("-n", "300", "--before", str(positions[400])) == list(range(100, 400))
    assert asked("--after", str(positions[10]), "--before", str(positions[14])) == [11, 12, 13]
    assert asked("-n", "0") == []


def test_history_with_who_came_and_went(broker: BrokerProcess) -> None:
    zchat("send", "doors", "hi", "--nick", "porter", to=broker.address)
    found = objects(zchat("history", "doors", "--all", "--json", to=broker.address))
    assert [each["kind"] for each in found][:3] == ["joined", "message", "quit"]


def test_tail_begins_with_what_was_and_follows(
    broker: BrokerProcess, talker: Callable[..., Talker]
) -> None:
    zchat("send", "tailed", "before", to=broker.address)
    tail = talker("tail", "tailed", "--json")
    tail.wait_for('"before"')
    zchat("send", "tailed", "after", "--nick", "al", to=broker.address)
    tail.wait_for('"after"')
    assert tail.printed.count('"before"') == 1
    tail.signal(signal.SIGINT)
    assert tail.wait() == 130
    assert "Traceback" not in tail.printed


def test_tail_ends_quietly_when_nobody_reads(broker: BrokerProcess) -> None:
    """``zchat tail ops | head -1`` would end in a traceback."""
    zchat("send", "headed", "one", to=broker.address)
    with subprocess.Popen(
        [sys.executable, "-m", "zchat", "tail", "headed"],
        env=environment(broker.address),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as tail:
        assert tail.stdout is not None
        assert tail.stderr is not None
        assert b"one" in tail.stdout.readline()
        tail.stdout.close()
        zchat("send", "headed", "two", to=broker.address)
        assert tail.wait(30) == 141
        assert tail.stderr.read() == b""
