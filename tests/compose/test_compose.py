"""compose.yaml on a real engine: three people talk, a fourth joins, a killed broker is a pause.

In this order, on one project that is brought up once and taken down at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.compose

ROOT = Path(__file__).parent.parent.parent
PEOPLE = ("alice", "bob", "carol")

Event = dict[str, Any]


class Project:
    """One compose project under a name nobody else has."""

    def __init__(self) -> None:
        self.name = f"zchat-test-{os.getpid()}"

    def compose(self, *words: str, stdin: str = "") -> str:
        """The standard output of ``docker compose WORDS``; fails the test where it fails."""
        done = subprocess.run(
            ["docker", "compose", "--project-name", self.name, *words],
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, (
            f"{words}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def journal(self) -> list[Event]:
        """Every event of the record, read beside the running broker."""
        lines = self.compose("exec", "-T", "broker", "zchat", "journal", "export").splitlines()
        return [json.loads(line) for line in lines]

    def until(self, holds: Callable[[list[Event]], bool], what: str, seconds: float) -> list[Event]:
        """The record as soon as something holds of it. Each look is a process and paces itself."""
        deadline = time.monotonic() + seconds
        while not holds(record := self.journal()):
            if time.monotonic() > deadline:
                tail = "\n".join(map(str, record[-20:]))
                logs = self.compose("logs", "--tail", "20")
                pytest.fail(f"not within {seconds} s: {what}\n{tail}\n{logs}")
        return record


def texts(record: list[Event], kind: str = "message") -> list[Event]:
    return [event for event in record if event["kind"] == kind]


def spoken(record: list[Event], after: int = 0) -> Counter[str]:
    """Nick → messages said past a position."""
    return Counter(event["nick"] for event in texts(record) if event["position"] > after)


def everybody_spoke(times: int, after: int = 0) -> Callable[[list[Event]], bool]:
    return lambda record: all(spoken(record, after)[who] >= times for who in PEOPLE)


@pytest.fixture(scope="module")
def project() -> Iterator[Project]:
    """The project, up and healthy."""
    up = Project()
    try:
        up.compose("up", "--build", "--detach", "--wait-timeout", "120")
        yield up
    finally:
        up.compose("--profile", "join", "down", "--volumes", "--timeout", "15")


def test_three_people_talk_in_two_rooms_and_whisper(project: Project) -> None:
    """What the README shows first would not run."""
    record = project.until(
        lambda record: everybody_spoke(3)(record) and len(texts(record, "whisper")) >= 4,
        "three messages of each, and four whispers",
        seconds=120,
    )
    assert {event["room"] for event in texts(record)} == {"general", "ops"}
    for who in PEOPLE:
        assert {e["room"] for e in texts(record, "joined") if e["nick"] == who} >= {
            "general",
            "ops",
        }
    assert {(e["nick"], e["to_nick"]) for e in texts(record, "whisper")} == {
        ("carol", "alice"),
        ("alice", "carol"),
        ("bob", "alice"),
        ("alice", "bob"),
    }


def test_each_hears_the_others(project: Project) -> None:
    """The record would hold a conversation of people who cannot hear each other."""
    for who in PEOPLE:
        heard = project.compose("logs", "--no-log-prefix", who)
        for other in PEOPLE:
            assert f" {other}: " in heard, f"{who} did not hear {other}"
    assert "alice to bob" not in project.compose("logs", "--no-log-prefix", "carol")


def test_a_fourth_joins_by_one_command(project: Project) -> None:
    line = "hello from a fourth terminal"
    command = ("run", "--rm", "-T", "client", "--nick", "you", "--room", "general")
    project.compose(*command, stdin=f"{line}\n")
    mine = [event for event in texts(project.journal()) if event["nick"] == "you"]
    assert [(event["room"], event["text"]) for event in mine] == [("general", line)]
    for who in PEOPLE:
        assert line in project.compose("logs", "--no-log-prefix", who)


def test_a_killed_broker_is_only_a_pause(project: Project) -> None:
    """The journal on the volume, the sessions in it, or the clients' way back would be broken."""
    before = project.journal()
    project.compose("kill", "--signal", "KILL", "broker")
    project.compose("up", "--detach", "--wait-timeout", "120", "broker")
    after = project.until(
        everybody_spoke(2, after=before[-1]["position"]),
        "two more messages of each after the kill",
        seconds=180,
    )
    assert after[: len(before)] == before
    numbers = [event["position"] for event in after]
    assert numbers == sorted(set(numbers))
    kept = {e["user"] for e in texts(before) if e["nick"] in PEOPLE}
    assert {e["user"] for e in texts(after) if e["nick"] in PEOPLE} == kept, "sessions began anew"
