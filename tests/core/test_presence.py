"""Who is away, who is back, who is gone: what rooms see when a connection breaks."""

from __future__ import annotations

from tests.core.stage import Stage
from zchat.core import Now
from zchat.protocol import events as e
from zchat.protocol import requests as q

GRACE = 30_000


def test_rooms_see_at_once_that_somebody_is_away_and_back(company: Stage) -> None:
    company.drop("alice")
    company.settle()
    assert company.peer("bob").heard() == ["away alice"]
    assert company.play("alice resume") == "welcome"
    assert company.peer("bob").heard() == ["back alice"]


def test_who_does_not_come_back_in_time_is_gone(company: Stage) -> None:
    company.drop("alice")
    company.settle()
    company.wait(GRACE - 1)
    assert company.peer("bob").heard() == ["away alice"]
    company.wait(1)
    assert company.peer("bob").heard() == ["quit alice lost"]
    assert company.play("alice resume") == "session-ended"


def test_who_came_back_has_a_whole_grace_again(company: Stage) -> None:
    for _ in range(3):
        company.drop("alice")
        company.wait(GRACE - 1)
        assert company.play("alice resume") == "welcome"
    company.wait(2 * GRACE)
    assert "quit alice lost" not in company.written()


def test_while_everybody_is_here_nothing_is_due(company: Stage) -> None:
    company.crash()
    assert company.together("alice resume", "bob resume") == ["welcome", "welcome"]
    assert company.broker.next_timer() is None


def test_a_restart_ends_no_session_and_begins_its_grace_anew(company: Stage) -> None:
    company.drop("alice")
    company.wait(GRACE - 1)
    company.crash()
    company.wait(GRACE - 1)
    assert company.play("alice resume") == "welcome"
    assert company.play("alice say ops back") == "done"
    company.wait(1)
    assert list(company.state()["users"]) == ["alice"]


def test_away_and_back_in_one_turn_are_both_seen(company: Stage) -> None:
    company.drop("alice")
    assert company.play("alice resume") == "welcome"
    assert company.peer("bob").heard() == ["away alice", "back alice"]
    assert not company.broker.record.is_away(company.broker.record.roster.user("alice") or "")


def test_who_comes_back_in_the_turn_their_grace_ends_is_back(company: Stage) -> None:
    """Otherwise they are welcomed, and told in the same breath that their session is over."""
    company.drop("alice")
    company.settle()
    company.now = Now(company.now.monotonic + GRACE, company.now.utc + GRACE)
    assert company.play("alice resume") == "welcome"
    assert company.peer("alice").notices == []
    assert company.peer("bob").heard() == ["away alice", "back alice"]
    assert company.play("alice say ops here") == "done"


def test_who_comes_back_in_the_turn_their_absence_is_written_is_back(company: Stage) -> None:
    """A full disk let nobody write it before; otherwise they are shown as away from then on."""
    company.journal.capacity = 0
    company.drop("alice")
    company.settle()
    company.journal.capacity = None
    company.now = Now(company.now.monotonic + 1_000, company.now.utc + 1_000)
    assert company.play("alice resume") == "welcome"
    assert company.peer("bob").heard() == []


def test_a_takeover_is_no_absence(company: Stage) -> None:
    assert company.play("alice resume") == "welcome"
    company.broker.disconnected(b"alice/1", company.now)
    company.wait(2 * GRACE)
    assert company.peer("bob").heard() == []


def test_who_breaks_off_between_hello_and_commit_is_away_like_any_other(stage: Stage) -> None:
    """Otherwise their session has neither client nor deadline and their nick no way back."""
    stage.begin("alice hello alice")
    stage.drop("alice")
    stage.settle()
    assert stage.written() == ["started alice", "away alice"]
    stage.wait(GRACE)
    assert stage.state()["users"] == {}


def test_what_was_sent_behind_the_hello_is_not_done_for_who_is_gone(stage: Stage) -> None:
    alice = stage.peer("alice")
    stage.send(alice, alice.write("hello alice"), alice.write("join ops"), alice.write("ping"))
    stage.drop("alice")
    stage.settle()
    assert [effects.replies for effects in stage.effects] == [[]] * len(stage.effects)
    assert stage.written() == ["started alice", "away alice"]


def test_who_breaks_off_between_resumption_and_commit_is_away_again(company: Stage) -> None:
    company.drop("alice")
    company.settle()
    company.begin("alice resume")
    company.drop("alice")
    company.settle()
    assert company.peer("bob").heard() == ["away alice", "back alice", "away alice"]
    company.wait(GRACE)
    assert company.peer("bob").heard() == ["quit alice lost"]


def test_who_joins_and_breaks_off_in_one_turn_is_away_there_too(company: Stage) -> None:
    """What tells the rooms was decided on the rooms before; it is decided anew."""
    company.user("carol", "den")
    company.begin("alice join den")
    company.drop("alice")
    company.settle()
    assert company.peer("carol").heard()[-2:] == ["joined alice den", "away alice"]


def test_who_says_bye_and_breaks_off_is_gone_and_not_away(company: Stage) -> None:
    company.together("alice bye", "alice drop")
    assert company.peer("bob").heard() == ["quit alice bye"]
    company.wait(2 * GRACE)
    assert company.written()[-1] == "quit alice bye"


def test_a_session_ended_elsewhere_lets_go_of_its_client_and_tells_it(company: Stage) -> None:
    """The broker would look for the session at the client's next request and not find it."""
    alice = company.peer("alice")
    user = company.broker.record.sessions[alice.session].user
    end = e.SessionEnded(
        at=0, session=alice.session, user=user, nick="alice", rooms=("lobby", "ops"), reason="lost"
    )
    company.forge(end)
    assert alice.notices == ["session-ended"]
    assert company.play("alice say ops hello?") == "session-ended"
    assert company.play("alice hello alice", token=b"2" * 32) == "welcome"


def test_whose_session_another_broker_ends_is_told(company: Stage) -> None:
    alice = company.peer("alice")
    company.forge(
        e.SessionEnded(
            at=7,
            session=alice.session,
            user=alice.session,
            nick="alice",
            rooms=("lobby", "ops"),
            reason="lost",
        )
    )
    assert alice.notices == ["session-ended"]
    assert company.play("alice ping") == "pong"


def test_nobody_hears_from_a_session_that_never_was(stage: Stage) -> None:
    stage.broker.disconnected(b"stranger", stage.now)
    stage.play("alice ping")
    stage.drop("alice")
    stage.settle()
    assert stage.written() == []
    assert stage.broker.next_timer() is None


def test_a_broker_left_by_all_holds_nothing_of_them(company: Stage) -> None:
    """What leaks a little for each visitor stops the broker in a year."""
    company.play("alice whisper bob hi")
    company.play("carol hello carol", resume=q.Resume(session="x", token=b"x" * 32))
    topics = {topic for peer in company.peers.values() for topic in peer.topics}
    company.broker.granted(topics, company.now)
    company.settle()
    company.broker.granted(topics, company.now)
    for name in ("alice", "bob", "carol"):
        company.drop(name)
    company.wait(2 * GRACE)
    broker = company.broker
    assert company.state() == {
        "users": {},
        "rooms": {"lobby": ([], "", False)},
        "streams": ["c", "r.lobby"],
    }
    assert (broker.clients._sessions_at, broker.clients._homes) == ({}, {})
    assert (len(broker.clients), len(broker.topics), broker.next_timer()) == (0, 0, None)
    assert (broker.presence.leaving, broker.record.tokens) == (set(), {})
    assert (broker._waiting, broker.hearing._confirmed, broker.hearing._rekeyed) == ({}, {}, {})
