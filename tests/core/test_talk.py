"""say, whisper, history: what is said, who hears it, and what can be read afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.peer import line
from tests.core.stage import Stage
from zchat.protocol import codec
from zchat.protocol import events as e


@pytest.mark.parametrize(
    ("asked", "answer", "heard"),
    [
        ("alice say ops tea?", "done", "message alice ops tea?"),
        ("alice act ops waves", "done", "action alice ops waves"),
        ("alice say OPS two\nlines\tand a tab", "done", "message alice ops two\nlines\tand a tab"),
        ("alice say ops \x1b[2Jred\x07\x9b31m\x7f", "done", "message alice ops [2Jred31m"),
        ("alice whisper bob psst", "done", "whisper alice bob psst"),
        ("alice whisper BOB psst", "done", "whisper alice bob psst"),
        ("alice say ops ", "bad-text", None),
        ("alice say ops \x07", "bad-text", None),
        ("alice say ops " + "é" * 2049, "bad-text", None),
        ("alice say den hi", "no-such-room", None),
        ("alice say dev hi", "not-a-member", None),
        ("alice say a/b hi", "bad-name", None),
        ("alice whisper bob ", "bad-text", None),
        ("alice whisper eve hi", "no-such-user", None),
        ("alice whisper a/b hi", "bad-name", None),
    ],
)
def test_what_is_said_is_heard_and_what_is_refused_is_not(
    company: Stage, asked: str, answer: str, heard: str | None
) -> None:
    company.user("carol", "dev")
    company.hush()
    before = company.written()
    assert company.play(asked) == answer
    assert company.peer("bob").heard() == ([heard] if heard else [])
    assert company.peer("carol").heard() == []
    assert company.written() == before + ([heard] if heard else [])


def test_a_text_may_fill_its_limit(company: Stage) -> None:
    assert company.play("alice say ops " + "é" * 2048) == "done"


def test_a_whisper_reaches_both_inboxes_and_one_when_to_oneself(company: Stage) -> None:
    company.play("alice whisper bob psst")
    company.play("alice whisper alice milk")
    assert company.peer("alice").heard() == ["whisper alice bob psst", "whisper alice alice milk"]
    assert company.peer("bob").heard() == ["whisper alice bob psst"]


def test_a_whisper_is_for_a_user_and_not_for_a_nick(company: Stage) -> None:
    """Renamed in the same turn, they still get it; whoever takes the nick does not."""
    assert company.together("bob nick rob", "alice whisper bob psst") == ["done", "done"]
    assert company.peer("bob").heard() == ["renamed bob rob", "whisper alice bob psst"]
    assert company.play("alice whisper bob psst") == "no-such-user"


def test_a_whisper_to_somebody_who_leaves_in_the_same_turn_is_refused(company: Stage) -> None:
    assert company.together("bob bye", "alice whisper bob psst") == ["done", "no-such-user"]
    assert "whisper alice bob psst" not in company.written()


# Repeats.


@pytest.mark.parametrize(
    "words", ["say ops hi", "whisper bob hi", "subject ops hi", "nick al", "join den", "leave ops"]
)
@pytest.mark.parametrize("resume", [False, True])
def test_a_request_sent_again_gets_the_first_ones_position(
    company: Stage, words: str, resume: bool
) -> None:
    first = company.answer(f"alice {words}")
    before = company.written()
    if resume:
        company.crash()
        company.play("alice resume")
        before = company.written()
    again = company.answer(f"alice {words}", serial=company.peer("alice").serial)
    assert again.position == first.position
    assert company.written() == before


def test_a_repeat_in_the_same_turn_is_answered_too(company: Stage) -> None:
    alice = company.peer("alice")
    first = alice.write("say ops hi")
    again = alice.write("say ops hi", serial=alice.serial)
    company.send(alice, first, again)
    company.settle()
    assert alice.answers[first.id].position == alice.answers[again.id].position
    assert company.written().count("message alice ops hi") == 1
    assert company.journal.head() == alice.answers[first.id].position, "nothing void, even"


def test_a_serial_that_was_forgotten_is_refused(company: Stage) -> None:
    company.play("alice say ops far ahead", serial=5_000)
    assert company.play("alice say ops long ago", serial=5_000 - 1024) == "serial-too-old"
    assert company.play("alice say ops late", serial=5_000 - 1023) == "done"


# History.


def spoken(**settings: Any) -> Stage:
    """A stage with alice in ops, who said 1 to 9 there."""
    stage = Stage(**settings)
    stage.user("alice", "ops")
    for number in range(1, 10):
        stage.play(f"alice say ops {number}")
    return stage


def said(page: Any) -> str:
    """The texts of a page, run together; ``j`` for the joining."""
    events = codec.placed(page.events)
    return "".join(event.text if isinstance(event, e.Posted) else "j" for event in events)


@pytest.mark.parametrize(
    ("fields", "expected", "more"),
    [
        ({}, "j123456789", False),
        ({"limit": 3}, "789", True),
        ({"before": 15, "limit": 2}, "12", True),
        ({"before": 15}, "j12", False),
        ({"after": 0}, "j123456789", False),
        ({"after": 12, "limit": 2}, "34", True),
        ({"after": 12, "before": 18}, "3", False),
        ({"after": 30}, "9", False),
        ({"after": 33}, "", False),
    ],
)
def test_history_reads_from_either_end(fields: dict[str, int], expected: str, more: bool) -> None:
    """Alice joined at position 6, and said *n* at 6 + 3 *n*."""
    page = spoken().answer("alice history ops", **fields)
    assert (said(page), page.more, page.head) == (expected, more, 33)


def test_a_page_is_no_longer_than_the_setting_says() -> None:
    page = spoken(page=4).answer("alice history ops", limit=1_000)
    assert (said(page), page.more) == ("6789", True)


@pytest.mark.parametrize(
    ("asked", "fields", "code"),
    [
        ("alice history den", {}, "no-such-room"),
        ("alice history dev", {}, "not-a-member"),
        ("alice history a/b", {}, "bad-name"),
        ("alice history ops", {"after": 10_000}, "out-of-range"),
    ],
)
def test_what_is_refused_of_history(
    company: Stage, asked: str, fields: dict[str, int], code: str
) -> None:
    company.user("carol", "dev")
    assert company.play(asked, **fields) == code


@pytest.mark.parametrize(("fields", "kept"), [({}, "last"), ({"after": 0}, "first")])
def test_a_page_is_cut_at_a_number_of_bytes_far_from_where_one_stands(
    fields: dict[str, int], kept: str
) -> None:
    """A reader that stalls would make the broker hold more."""
    stage = Stage(max_text=8_192, burst=10_000)
    stage.user("alice", "ops")
    positions = [stage.answer("alice say ops " + "x" * 8_192).position for _ in range(10)]
    page = stage.answer("alice history ops", **fields)
    found = [event.position for event in codec.placed(page.events) if event.kind == "message"]
    assert page.more
    assert found == (positions[:7] if kept == "first" else positions[-7:])


def test_what_was_in_a_room_before_it_was_opened_anew_is_not_its_own(company: Stage) -> None:
    """Those of the room that went are not those of the room that has its name now."""
    company.play("alice leave ops")
    company.play("bob leave ops")
    company.play("alice join ops")
    for fields in ({}, {"after": 0}, {"limit": 1}, {"after": 0, "limit": 1}):
        page = company.answer("alice history ops", **fields)
        assert [line(event) for event in codec.placed(page.events)] == ["joined alice ops"]
        assert not page.more


def test_an_inbox_is_read_by_its_owner_and_shows_them_their_serials(company: Stage) -> None:
    company.play("alice whisper bob psst")
    [mine] = codec.placed(company.answer("alice history @").events)
    [theirs] = codec.placed(company.answer("bob history @").events)
    assert (mine.serial, theirs.serial) == (company.peer("alice").serial, 0)
    assert mine.session == theirs.session == ""


def test_history_shows_what_was_committed_in_the_same_turn(company: Stage) -> None:
    alice, request = company.begin("alice say ops now")
    _, history = company.begin("alice history ops")
    company.settle()
    assert request is not None
    assert history is not None
    assert said(alice.answers[history.id])[-3:] == "now"


def test_who_left_a_room_reads_it_no_more(company: Stage) -> None:
    company.play("alice leave ops")
    assert company.play("alice history ops") == "not-a-member"
