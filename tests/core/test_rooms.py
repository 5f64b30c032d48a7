"""join, leave, subject, rooms, users: where one is, and who else."""

from __future__ import annotations

import pytest

from tests.core.stage import Stage
from zchat.protocol import events as e
from zchat.protocol import replies as r


def test_joining_opens_a_room_and_hands_out_what_it_takes_to_hear_it(stage: Stage) -> None:
    stage.user("alice")
    joined = stage.answer("alice join #Ops")
    assert isinstance(joined, r.Joined)
    assert (joined.room.stream, joined.members, joined.subject) == ("ops", 1, "")
    assert joined.room.head == joined.position == stage.journal.head()
    *_, event = stage.journal.tail(0)
    assert isinstance(event, e.Joined)
    assert (event.room, event.at, event.nick) == ("ops", stage.now.utc, "alice")


def test_those_inside_hear_who_joins(company: Stage) -> None:
    company.user("carol", "ops")
    assert company.peer("alice").heard() == ["joined carol ops"]


def test_joining_twice_changes_nothing_and_gives_the_key_again(company: Stage) -> None:
    company.play("bob subject ops all about ops")
    first = len(company.written())
    again = company.answer("alice join ops")
    assert (again.members, again.subject) == (2, "all about ops")
    assert again.room == company.answer("alice join OPS").room
    assert len(company.written()) == first


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("alice join 0ps", "room-confusable"),
        ("alice join орs", "room-confusable"),  # Cyrillic о and р
        ("alice join a/b", "bad-name"),
        ("alice leave den", "no-such-room"),
        ("alice leave dev", "not-a-member"),
        ("alice subject dev hi", "not-a-member"),
        ("alice subject den hi", "no-such-room"),
        ("alice users den", "no-such-room"),
        ("alice users a/b", "bad-name"),
    ],
)
def test_what_is_refused_about_rooms(company: Stage, asked: str, code: str) -> None:
    company.play("bob join dev")
    before = company.written()
    assert company.play(asked) == code
    assert company.written() == before


def test_a_room_that_is_there_may_look_like_another(company: Stage) -> None:
    """What is refused is opening a room; whoever finds two look-alikes may join both."""
    company.broker.record.open_room("0ps", 1)
    assert company.play("alice join 0ps") == "joined"


def test_the_rooms_of_a_user_are_limited() -> None:
    stage = Stage(rooms_per_user=2)
    stage.user("alice", "a", "b")
    assert stage.play("alice join c") == "too-many-rooms"
    assert stage.play("alice leave a") == "done"
    assert stage.play("alice join c") == "joined"


def test_the_rooms_of_a_broker_are_limited() -> None:
    stage = Stage(max_rooms=2)
    stage.user("alice", "a")
    assert stage.play("alice join b") == "rooms-full"
    assert stage.play("alice join lobby") == "joined"


# Leaving.


def test_a_room_in_which_nobody_spoke_goes_with_its_last_member(company: Stage) -> None:
    company.play("alice leave ops")
    assert "ops" in company.state()["rooms"]
    company.play("bob leave ops")
    assert "ops" not in company.state()["rooms"]
    assert "r.ops" not in company.state()["streams"]
    assert company.play("alice join 0ps") == "joined"  # its look went, too


@pytest.mark.parametrize("spoken", ["say ops hi", "act ops waves", "subject ops all"])
def test_a_room_in_which_somebody_spoke_stays(company: Stage, spoken: str) -> None:
    company.play(f"alice {spoken}")
    company.play("alice leave ops")
    company.play("bob bye")
    assert company.state()["rooms"]["ops"][0] == []


def test_the_lobby_never_goes(company: Stage) -> None:
    company.play("alice leave lobby")
    company.play("bob bye")
    assert company.state()["rooms"]["lobby"] == ([], "", False)


def test_who_left_hears_their_leaving_and_then_nothing(company: Stage) -> None:
    """The key changes, so it does not matter what the socket still delivers."""
    company.play("alice leave ops")
    company.play("bob say ops is she gone?")
    assert company.peer("alice").heard() == ["left alice ops"]
    assert company.peer("bob").heard() == ["left alice ops", "message bob ops is she gone?"]


def test_keys_change_once_a_while_for_all_who_leave(company: Stage) -> None:
    """Each change costs a publication a member; a thousand who leave would cost a million."""
    for name in ("carol", "dora", "eve"):
        company.user(name, "ops")
    for name in ("carol", "dora", "eve"):
        company.play(f"{name} leave ops")
    assert company.broker.topics.rekeys == 1
    company.wait(company.settings.rekey_ms)
    assert company.broker.topics.rekeys == 2


# The subject.


def test_a_subject_is_heard_kept_and_removed(company: Stage) -> None:
    assert company.play("alice subject ops tea at five") == "done"
    assert company.peer("bob").heard() == ["subject alice ops tea at five"]
    assert company.state()["rooms"]["ops"][1] == "tea at five"
    assert company.play("alice subject ops") == "done"
    assert company.state()["rooms"]["ops"][1] == ""


def test_a_subject_is_no_longer_than_a_text(company: Stage) -> None:
    assert company.play("alice subject ops " + "x" * 4097) == "bad-text"


# Lists.


def pages(stage: Stage, words: str) -> list[list[str]]:
    """Every page of a list, asked for one after the other."""
    found: list[list[str]] = []
    after, more = "", True
    while more:
        listed = stage.answer(words, after=after)
        items = listed.rooms if isinstance(listed, r.Listed) else listed.users
        found.append([item.room if isinstance(item, r.RoomInfo) else item.nick for item in items])
        after, more = found[-1][-1], listed.more
    return found


def test_rooms_and_users_come_by_name_a_page_at_a_time() -> None:
    stage = Stage(page=2)
    for name in ("dora", "bob", "alice", "carol"):
        stage.user(name, name[0] + "-room", "lobby")
    assert pages(stage, "bob rooms") == [["a-room", "b-room"], ["c-room", "d-room"], ["lobby"]]
    assert pages(stage, "bob users") == [["alice", "bob"], ["carol", "dora"]]
    assert pages(stage, "bob users lobby") == [["alice", "bob"], ["carol", "dora"]]


def test_a_list_tells_members_subject_and_who_is_away(company: Stage) -> None:
    company.play("alice subject ops work")
    company.drop("bob")
    company.settle()
    listed = company.answer("alice rooms")
    assert [(room.room, room.members, room.subject) for room in listed.rooms] == [
        ("lobby", 2, ""), ("ops", 2, "work"),
    ]  # fmt: skip
    present = company.answer("alice users ops")
    assert [(person.nick, person.away) for person in present.users] == [
        ("alice", False), ("bob", True),
    ]  # fmt: skip
