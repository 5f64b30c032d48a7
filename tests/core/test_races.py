"""Law 3: requests of one turn end as if they had come one after the other.

Every pair is played four times: in one turn and in two, in both orders.
"""

from __future__ import annotations

import pytest

from tests.core.races import FIRST, OWN, SECOND, Pair, apart, at_once
from zchat.core import fold

JUDGED_EARLIER = {"nick-taken", "no-such-user", "not-a-member"}
"""With what a request is refused at once, though one before it in the same turn removed the reason.

It was judged on the last commit, as if it had come first.
"""


def is_serial(first: str, second: str) -> bool:
    """Whether a turn of both ends as if the one had come before the other.

    In the order asked, except where the second did not rely on what the first changed: it was
    refused on what held before, or is a whisper to a user who has just been renamed.
    """
    both = at_once(first, second)
    if both == apart(first, second):
        return True
    _, outcome = both.outcomes
    excused = outcome in JUDGED_EARLIER or (" nick " in first and " whisper " in second)
    return excused and both == apart(second, first).swapped()


@pytest.mark.parametrize("first", FIRST)
def test_two_people_in_one_turn_end_as_if_one_had_come_first(first: str) -> None:
    """Two claims of one nick, a whisper and a farewell: nobody is in a state that no order explains."""
    assert [second for second in SECOND if not is_serial(first, second)] == []
    assert [second for second in SECOND if not is_serial(second, first)] == []


@pytest.mark.parametrize("first", OWN)
def test_one_session_is_served_exactly_in_the_order_it_asked(first: str) -> None:
    wrong = [second for second in OWN if at_once(first, second) != apart(first, second)]
    assert wrong == []


@pytest.mark.parametrize(
    ("lines", "outcomes"),
    [
        (("alice nick carl", "bob nick carl", "carl hello carl"), ("done", "nick-taken", "nick-taken")),
        (("alice join corn", "bob join com"), ("joined", "room-confusable")),
        (("alice join corn", "bob join corn"), ("joined", "joined")),
        (("bob bye", "alice whisper bob psst"), ("done", "no-such-user")),
        (("alice bye", "alice resume"), ("done", "session-ended")),
        (("alice say ops on the old line", "alice resume"), ("done", "welcome")),
    ],
)  # fmt: skip
def test_the_races_that_people_run(lines: tuple[str, ...], outcomes: tuple[str, ...]) -> None:
    assert at_once(*lines).outcomes == outcomes


def test_three_hellos_for_one_nick_make_one_user() -> None:
    pair = at_once("u1 hello zoe", "u2 hello Zoe", "u3 hello zoe")
    assert pair.outcomes == ("welcome", "nick-taken", "nick-taken")
    assert [line for line in pair.written if "oe" in line] == ["started zoe"]


def test_these_tests_notice_a_fold_that_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of the tests: with *apply* believing whatever was proposed, orders stop explaining."""

    def believes(first: str, second: str) -> Pair | None:
        with monkeypatch.context() as patch:
            patch.setattr(fold, "verdict", lambda *_: None)
            try:
                return at_once(first, second)
            except (KeyError, AssertionError):
                return None  # the record fell apart

    unexplained = [
        (first, second)
        for first in FIRST
        for second in SECOND
        if believes(first, second) not in (apart(first, second), apart(second, first).swapped())
    ]
    assert ("alice nick carl", "bob nick carl") in unexplained
    assert ("alice nick carl", "carl hello carl") in unexplained
    assert ("alice join corn", "bob join com") in unexplained
