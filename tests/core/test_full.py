"""Law 4: nobody hears of what is not durable. Here the journal takes nothing any more."""

from __future__ import annotations

import pytest

from tests.core.stage import Stage
from zchat.errors import Refused
from zchat.protocol import requests as q


def full(stage: Stage) -> Stage:
    """The same stage, its disk full; what was heard so far is forgotten."""
    stage.journal.capacity = 0
    stage.effects.clear()
    stage.hush()
    return stage


@pytest.mark.parametrize(
    "words",
    ["say ops hi", "whisper bob hi", "nick al", "join den", "leave ops", "subject ops x", "bye"],
)
def test_whoever_waits_is_told_and_nothing_else_happens(company: Stage, words: str) -> None:
    before = full(company).snapshot()
    refused = company.answer(f"alice {words}")
    assert isinstance(refused, Refused)
    assert (refused.code, refused.fields["retry_ms"]) == ("storage-full", 1_000)
    assert [effects.publications for effects in company.effects] == [[]]
    assert [effects.events for effects in company.effects] == [[]]
    assert company.snapshot() == before


def test_all_who_share_the_commit_are_told_each_once(company: Stage) -> None:
    full(company)
    assert company.together("alice say ops 1", "bob say ops 2", "alice join den") == [
        "storage-full", "storage-full", "storage-full",
    ]  # fmt: skip


def test_reading_goes_on(company: Stage) -> None:
    full(company)
    assert company.together("alice say ops 1", "alice history ops", "bob ping", "bob rooms") == [
        "storage-full", "page", "pong", "listed",
    ]  # fmt: skip


def test_what_waited_behind_a_barrier_is_still_answered(company: Stage) -> None:
    full(company)
    assert company.together("alice join den", "alice say den hi", "alice say ops hi") == [
        "storage-full", "no-such-room", "storage-full",
    ]  # fmt: skip


def test_the_refused_serial_may_be_sent_again_when_there_is_room(company: Stage) -> None:
    full(company)
    alice = company.peer("alice")
    assert company.play("alice say ops hi") == "storage-full"
    company.journal.capacity = None
    assert company.play("alice say ops hi", serial=alice.serial) == "done"
    assert company.written()[-1] == "message alice ops hi"


def test_a_hello_is_refused_and_works_later(stage: Stage) -> None:
    full(stage)
    assert stage.play("alice hello alice") == "storage-full"
    assert stage.play("alice ping") == "pong"
    stage.journal.capacity = None
    assert stage.play("alice hello alice") == "welcome"


def test_a_resumption_is_refused_and_works_later(company: Stage) -> None:
    company.drop("alice")
    company.settle()
    full(company)
    alice = company.peer("alice")
    resumption = alice.resumption()
    assert isinstance(resumption, q.Hello)
    company.send(alice, resumption)
    company.settle()
    assert alice.outcome(resumption) == "storage-full"
    company.journal.capacity = None
    again = {"token": resumption.token, "resume": resumption.resume}
    assert company.play("alice hello", **again) == "welcome"


def test_who_vanishes_meanwhile_is_away_as_soon_as_it_can_be_written(company: Stage) -> None:
    full(company)
    company.drop("alice")
    company.settle()
    assert company.peer("bob").heard() == []
    company.journal.capacity = None
    company.wait(999)
    assert company.peer("bob").heard() == []
    company.wait(1)
    assert company.peer("bob").heard() == ["away alice"]


def test_an_end_that_could_not_be_written_comes_when_it_can_be(company: Stage) -> None:
    """Or the nick of somebody long gone would stay taken."""
    company.drop("alice")
    company.settle()
    full(company)
    company.wait(30_500)
    assert "alice" in company.state()["users"]
    company.journal.capacity = None
    company.wait(1_000)
    assert "alice" not in company.state()["users"]
    assert company.peer("bob").heard() == ["quit alice lost"]


def test_it_is_tried_once_in_a_while_and_not_in_every_turn(company: Stage) -> None:
    """A broker whose disk is full would be busy with nothing else."""
    company.drop("alice")
    company.settle()
    full(company)
    company.wait(40_000)
    assert len(company.effects) < 30


def test_who_is_back_before_it_could_be_written_was_never_away(company: Stage) -> None:
    full(company)
    company.drop("alice")
    company.settle()
    company.journal.capacity = None
    assert company.play("alice resume") == "welcome"
    company.wait(5_000)
    assert company.peer("bob").heard() == []
