"""What happens is one line for a person and one object for a program."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import pytest

from zchat.cli.printer import painted, wants_colour
from zchat.cli.render import Back, Shown, Span, json_line, spans
from zchat.client.events import Connected, Disconnected, Gap, RoomLost, SessionLost
from zchat.protocol import events as e
from zchat.protocol.codec import Unknown
from zchat.protocol.replies import Person, RoomInfo

WHO: dict[str, Any] = {
    "session": "",
    "user": "u-al",
    "nick": "al",
    "at": 1_700_000_000_123,
    "position": 7,
}
POSTED = e.Posted(room="ops", text="hi", **WHO)
WHISPERED = e.Whispered(to="u-bo", to_nick="bo", text="psst", **WHO)

LINES: dict[str, tuple[Shown, str]] = {
    "message": (POSTED, "22:13 #ops <al> hi"),
    "action": (e.Acted(room="ops", text="waves", **WHO), "22:13 #ops * al waves"),
    "whisper": (WHISPERED, "22:13 whisper al → you: psst"),
    "action whispered": (
        e.Whispered(to="u-bo", to_nick="bo", text="nods", action=True, **WHO),
        "22:13 whisper al → you: * al nods",
    ),
    "joined": (e.Joined(room="ops", **WHO), "22:13 -- al joined #ops"),
    "left": (e.Left(room="ops", **WHO), "22:13 -- al left #ops"),
    "subject": (
        e.SubjectChanged(room="ops", text="tea", **WHO),
        "22:13 -- al set the subject of #ops: tea",
    ),
    "no subject": (
        e.SubjectChanged(room="ops", text="", **WHO),
        "22:13 -- al removed #ops's subject",
    ),
    "renamed": (e.Renamed(to="alf", **WHO), "22:13 -- al is now alf"),
    "away": (e.WentAway(**WHO), "22:13 -- al lost the connection"),
    "came back": (e.CameBack(**WHO), "22:13 -- al is back"),
    "bye": (e.SessionEnded(reason="bye", **WHO), "22:13 -- al left"),
    "lost": (e.SessionEnded(reason="lost", **WHO), "22:13 -- al did not come back"),
    "unknown": (
        Unknown(kind_on_wire="poll", fields={}, **WHO),
        "22:13 -- something that this version of zchat cannot show: poll",
    ),
    "gap": (
        Gap(stream="ops", after=3, until=9),
        "-- messages in #ops are missing here: they were removed",
    ),
    "gap of an epoch": (
        Gap(stream="@", after=None, until=9),
        "-- whispers to you are missing here: the broker has another journal now",
    ),
    "connected": (Connected(nick="al", resumed=False, agent="zchat/1"), "-- connected, as al"),
    "back": (Back(nick="al", resumed=True, missed=0), "-- back; nothing missed"),
    "back after a gap": (Back(nick="al", resumed=False, missed=0, gap=True), "-- back"),
    "back to one": (Back(nick="al", resumed=True, missed=1), "-- back; 1 missed message follows"),
    "back to many": (Back(nick="al", resumed=True, missed=9), "-- back; 9 missed messages follow"),
    "lost connection": (
        Disconnected(reason="the broker is stopping", retry_in_ms=2_000),
        "-- connection lost, trying again in 2 s (the broker is stopping)",
    ),
    "cut connection": (
        Disconnected(reason="the connection broke", retry_in_ms=80),
        "-- connection lost, trying again at once (the connection broke)",
    ),
    "session lost": (
        SessionLost(reason="this session has ended", unanswered=2),
        "-- you were away too long: this is a new session; of 2 requests nobody knows the outcome",
    ),
    "room lost": (
        RoomLost(room="ops", reason="somebody made it private"),
        "-- you are in #ops no more: somebody made it private",
    ),
    "room": (RoomInfo(room="ops", members=1, subject="tea"), "#ops  1 user  tea"),
    "rooms": (RoomInfo(room="ops", members=2), "#ops  2 users"),
    "user": (Person(nick="al", user="u-al"), "al"),
    "user away": (Person(nick="al", user="u-al", away=True), "al  away"),
    "control": (e.Posted(room="ops", text="\x1b[2J\nx", **WHO), "22:13 #ops <al> ␛[2J⏎x"),
    "control in a nick": (
        e.Posted(room="o\x07", text="x", **{**WHO, "nick": "a\x1bl"}),
        "22:13 #o␇ <a␛l> x",
    ),
}


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize(("shown", "line"), LINES.values(), ids=LINES)
def test_a_line_for_a_person(shown: Shown, line: str) -> None:
    """Scripts around ``--plain`` read these lines, and P7 holds in each part of them."""
    assert painted(spans(shown, "u-me"), colour=False) == line


def test_ones_own_whisper_names_the_other() -> None:
    """One would see only oneself and not know whom one told."""
    assert painted(spans(WHISPERED, "u-al"), colour=False) == "22:13 whisper you → bo: psst"


@pytest.mark.parametrize("shown", [shown for shown, _ in LINES.values()], ids=LINES)
def test_an_object_for_a_program(shown: Shown) -> None:
    """A program would have to test for each field, or its line would break in two."""
    line = json_line(shown)
    assert line.isascii()
    assert line.isprintable()
    assert {"position", "room", "kind", "nick", "text", "at"} <= json.loads(line).keys()


def test_the_object_of_a_message() -> None:
    assert json.loads(json_line(POSTED)) == {
        "position": 7,
        "room": "ops",
        "kind": "message",
        "nick": "al",
        "text": "hi",
        "at": "2023-11-14T22:13:20.123Z",
        "user": "u-al",
    }


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (WHISPERED, "whisper"),
        (Unknown(kind_on_wire="poll", fields={"options": b"\xff"}, **WHO), "poll"),
        (Gap(stream="@", after=None, until=9), "gap"),
        (RoomInfo(room="ops", members=2), "room"),
        (Person(nick="al", user="u-al"), "user"),
    ],
)
def test_kinds_and_what_has_no_room(shown: Shown, kind: str) -> None:
    """``select(.kind == …)`` is how programs choose."""
    found = json.loads(json_line(shown))
    assert found["kind"] == kind
    assert found["room"] == ("ops" if kind == "room" else None)


@pytest.mark.parametrize("nick", ["al", "AL"])
def test_a_nick_has_its_colour(nick: str) -> None:
    """The same person in two colours is two persons to the eye."""
    line = painted([Span(nick, "nick")], colour=True)
    assert line.replace(nick, "al") == painted([Span("al", "nick")], colour=True)
    assert line.startswith("\x1b[")
    assert line.endswith("m" + nick + "\x1b[0m")


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "wanted"),
    [
        (Screen(), {}, True),
        (Screen(), {"NO_COLOR": ""}, True),
        (Screen(), {"NO_COLOR": "1"}, False),
        (Screen(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_who_gets_colours(stream: io.StringIO, environ: dict[str, str], wanted: bool) -> None:
    """A log file full of escape sequences; see no-color.org for the empty variable."""
    assert wants_colour(stream, environ) is wanted
