"""Events that this broker did not decide: what others append to the same journal, rightly or not.

One that does not hold is void: nothing changes, nobody hears of it, and it is gone from the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.core.stage import Stage
from zchat.broker import restart
from zchat.core import fold
from zchat.core.checks import CHECKS
from zchat.core.fold import FOLD
from zchat.protocol import events as e
from zchat.protocol.events import EVENTS

HASH = b"h" * 32


def by(stage: Stage, name: str, **other: Any) -> dict[str, Any]:
    """The fields that say who did it."""
    session = stage.peer(name).session
    return {"at": 7, "session": session, "user": session, "nick": name} | other


def holds(stage: Stage, name: str) -> bytes:
    """The hash of a session's token."""
    return stage.broker.record.sessions[stage.peer(name).session].token_hash


Forgery = Callable[[Stage], e.Event]
OPS, BOTH = ("ops",), ("lobby", "ops")

VOID: Final[dict[str, Forgery]] = {
    "joined by a session that never was": lambda s: e.Joined(**by(s, "alice", session="x"), room="ops"),
    "joined by one user on another's session": lambda s: e.Joined(**by(s, "alice", user=s.peer("bob").session), room="ops"),
    "joined by a session that is over": lambda s: e.Joined(**by(s, "gone"), room="ops"),
    "joined by a member": lambda s: e.Joined(**by(s, "alice"), room="ops"),
    "joined a room that looks like another": lambda s: e.Joined(**by(s, "alice"), room="0ps"),
    "joined under an old nick": lambda s: e.Joined(**by(s, "alice", nick="al"), room="den"),
    "left by no member": lambda s: e.Left(**by(s, "carol"), room="ops"),
    "left a room that is not there": lambda s: e.Left(**by(s, "carol"), room="den"),
    "said by no member": lambda s: e.Posted(**by(s, "carol"), room="ops", text="boo"),
    "said to a room that is not there": lambda s: e.Posted(**by(s, "carol"), room="den", text="boo"),
    "said under a serial that was used": lambda s: e.Posted(**by(s, "alice", serial=1), room="ops", text="boo"),
    "said under a serial that is forgotten": lambda s: e.Posted(**by(s, "dora", serial=1), room="ops", text="boo"),
    "acted by no member": lambda s: e.Acted(**by(s, "carol"), room="ops", text="boo"),
    "a subject by no member": lambda s: e.SubjectChanged(**by(s, "carol"), room="ops", text="boo"),
    "whispered to nobody": lambda s: e.Whispered(**by(s, "alice"), to="x", to_nick="x", text="boo"),
    "whispered to who is gone": lambda s: e.Whispered(**by(s, "alice"), to=s.peer("gone").session, to_nick="gone", text="boo"),
    "renamed to a nick that is taken": lambda s: e.Renamed(**by(s, "alice"), to="BOB", rooms=BOTH),
    "renamed to a nick that looks taken": lambda s: e.Renamed(**by(s, "bob"), to="a1ice", rooms=OPS),
    "renamed in rooms that are not theirs": lambda s: e.Renamed(**by(s, "alice"), to="al", rooms=OPS),
    "started with a nick that is taken": lambda _: e.SessionStarted(at=7, session="x", user="x", nick="Alice", token_hash=HASH),
    "started with a nick that looks taken": lambda _: e.SessionStarted(at=7, session="x", user="x", nick="a1ice", token_hash=HASH),
    "started with an id that is used": lambda s: e.SessionStarted(**by(s, "alice", nick="eve"), token_hash=HASH),
    "started with a token that is used": lambda s: e.SessionStarted(at=7, session="x", user="x", nick="eve", token_hash=holds(s, "bob")),
    "resumed without proof": lambda s: e.SessionResumed(**by(s, "alice"), token_hash=HASH, previous_hash=b"x"),
    "resumed with another's token": lambda s: e.SessionResumed(**by(s, "alice"), token_hash=holds(s, "bob"), previous_hash=holds(s, "alice")),
    "resumed when it is over": lambda s: e.SessionResumed(**by(s, "gone"), token_hash=HASH, previous_hash=HASH),
    "ended when it is over": lambda s: e.SessionEnded(**by(s, "gone"), reason="lost"),
    "ended in rooms that are not theirs": lambda s: e.SessionEnded(**by(s, "alice"), rooms=OPS, reason="lost"),
    "away when it is over": lambda s: e.WentAway(**by(s, "gone")),
    "away twice": lambda s: e.WentAway(**by(s, "dora"), rooms=OPS),
    "away from rooms that are not theirs": lambda s: e.WentAway(**by(s, "bob"), rooms=BOTH),
    "away although they came back": lambda s: e.WentAway(**by(s, "bob"), rooms=OPS, since=1),
    "ended although they came back": lambda s: e.SessionEnded(**by(s, "bob"), rooms=OPS, reason="lost", since=1),
    "back without having been away": lambda s: e.CameBack(**by(s, "alice"), rooms=BOTH),
    "back in rooms that are not theirs": lambda s: e.CameBack(**by(s, "dora"), rooms=BOTH),
}  # fmt: skip

HOLDING: Final[dict[str, Forgery]] = {
    "started eve": lambda _: e.SessionStarted(at=7, session="x", user="x", nick="eve", token_hash=HASH),
    "resumed alice": lambda s: e.SessionResumed(**by(s, "alice"), token_hash=HASH, previous_hash=holds(s, "alice")),
    "quit bob lost": lambda s: e.SessionEnded(**by(s, "bob"), rooms=OPS, reason="lost"),
    "back dora": lambda s: e.CameBack(**by(s, "dora"), rooms=OPS),
    "renamed alice al": lambda s: e.Renamed(**by(s, "alice"), to="al", rooms=BOTH),
    "joined carol ops": lambda s: e.Joined(**by(s, "carol"), room="ops"),
    "left alice ops": lambda s: e.Left(**by(s, "alice"), room="ops"),
    "subject alice ops hi": lambda s: e.SubjectChanged(**by(s, "alice"), room="ops", text="hi"),
    "message alice ops hi": lambda s: e.Posted(**by(s, "alice", serial=9), room="ops", text="hi"),
    "action alice ops hi": lambda s: e.Acted(**by(s, "alice"), room="ops", text="hi"),
    "whisper alice bob hi": lambda s: e.Whispered(**by(s, "alice"), to=s.peer("bob").session, to_nick="bob", text="hi"),
}  # fmt: skip


@pytest.fixture
def town(stage: Stage) -> Stage:
    """Alice in lobby and ops, bob in ops, carol nowhere; dora in ops and away; gone is gone."""
    stage.user("alice", "lobby", "ops")
    stage.user("bob", "ops")
    stage.user("carol")
    stage.user("dora", "ops")
    stage.play("dora say ops hi", serial=5_000)
    stage.drop("dora")
    stage.user("gone")
    stage.play("gone bye")
    stage.hush()
    return stage


def test_every_event_has_its_checks_and_its_fold() -> None:
    assert set(CHECKS) == set(FOLD) == set(EVENTS.values())
    assert all(CHECKS.values())


@pytest.mark.parametrize("forgery", VOID)
def test_it_is_void(town: Stage, forgery: str) -> None:
    before, written = town.snapshot(), town.written()
    town.effects.clear()
    town.forge(VOID[forgery](town))
    assert town.snapshot() == before | {"position": town.journal.head()}
    assert [effects.publications for effects in town.effects] == [[]] * len(town.effects)
    assert [event for effects in town.effects for event in effects.events] == []
    assert town.written() == written


@pytest.mark.parametrize("forgery", VOID)
def test_it_is_void_at_a_restart_as_well(town: Stage, forgery: str) -> None:
    """The broker that appended it may have died before it removed it."""
    written, before = town.written(), town.snapshot()
    town.journal.submit([VOID[forgery](town)])
    record = restart.fold(town.journal, town.settings.lobby)
    town.broker.record = record
    assert town.snapshot() == before | {"position": town.journal.head()}
    assert town.written() == written


@pytest.mark.parametrize("told", HOLDING)
def test_what_holds_is_heard_here_as_if_it_had_been_asked_here(town: Stage, told: str) -> None:
    town.forge(HOLDING[told](town))
    assert told in town.written()
    hearer = town.peer("alice" if told.startswith(("quit bob", "left")) else "bob")
    assert told in hearer.heard() or told.startswith(("started", "resumed"))


def test_what_changes_elsewhere_at_the_same_moment_is_not_the_askers_trouble(town: Stage) -> None:
    """Decided on an old nick, both are decided anew, and in the order asked."""
    town.journal.submit([HOLDING["renamed alice al"](town)])
    assert town.together("alice say ops 1", "alice say ops 2") == ["done", "done"]
    assert town.written()[-3:] == ["renamed alice al", "message al ops 1", "message al ops 2"]


def test_a_right_to_read_that_ends_in_the_turn_of_the_asking_is_over(town: Stage) -> None:
    """Who is removed would still read what was said after it, once."""
    town.journal.submit([HOLDING["left alice ops"](town)])
    town.journal.submit([e.Posted(**by(town, "bob"), room="ops", text="she is gone")])
    assert town.play("alice history ops") == "not-a-member"
    assert town.play("alice ping") == "pong"


@pytest.mark.parametrize("forgery", VOID)
def test_each_is_void_for_its_check_alone(
    town: Stage, forgery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test of the tests: with the verdict gone, each would change something or break the fold."""
    monkeypatch.setattr(fold, "verdict", lambda *_: None)
    before, event = town.snapshot(), VOID[forgery](town)
    try:
        town.forge(event)
    except (KeyError, AssertionError, ValueError, IndexError):
        return
    assert town.snapshot() != before | {"position": town.journal.head()}
