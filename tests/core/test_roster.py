"""The roster: one nick is one user, and nobody looks like another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zchat.core.roster import Roster
from zchat.errors import Refused
from zchat.protocol import names

NICKS = [
    "bob",
    "Bob",
    "b0b",
    "BOB",
    "alice",
    "a1ice",
    "аlice",
    "Alice",
    "corn",
    "com",
    "zoë",
    "ZOË",
]


def claimed(roster: Roster, nick: str, user: str) -> str:
    """Claim it if nobody objects; what was objected."""
    objection = roster.objection(nick, user)
    if objection is None:
        roster.claim(nick, user)
    return "" if objection is None else objection.code


@pytest.mark.parametrize(
    ("nick", "code"),
    [("alice", "nick-taken"), ("ALICE", "nick-taken"), ("a1ice", "nick-confusable"), ("alix", "")],
)
def test_a_nick_is_one_users(nick: str, code: str) -> None:
    roster = Roster()
    roster.claim("Alice", "u1")
    assert claimed(roster, nick, "u2") == code


def test_whose_it_is_does_not_stand_in_their_own_way() -> None:
    roster = Roster()
    roster.claim("alice", "u1")
    assert roster.objection("a1ice", "u1") is None
    assert roster.objection("ALICE", "u1") is None


def test_a_user_is_found_by_any_spelling_of_their_nick() -> None:
    roster = Roster()
    roster.claim("Alice", "u1")
    assert (roster.user("aLICE"), roster.user("ａｌｉｃｅ"), roster.user("bob")) == (
        "u1",
        "u1",
        None,
    )
    with pytest.raises(Refused):
        roster.user("a/b")


def test_they_are_listed_by_name() -> None:
    roster = Roster()
    for user, nick in enumerate(["dora", "bob", "alice", "carl"]):
        roster.claim(nick, f"u{user}")
    assert roster.after("", 2) == [("alice", "u2"), ("bob", "u1")]
    assert roster.after("bob", 9) == [("carl", "u3"), ("dora", "u0")]
    assert roster.after("zzz", 9) == []


@given(st.lists(st.tuples(st.sampled_from("uvw"), st.sampled_from([*NICKS, None]))))
def test_whatever_is_claimed_and_released_no_two_are_alike(steps: list[tuple[str, str | None]]) -> None:  # fmt: skip
    """And nothing remains of what was released, or a nick would be taken by nobody."""
    roster, nicks = Roster(), dict[str, str]()
    for user, nick in steps:
        alike = {
            other
            for other, theirs in nicks.items()
            if nick is not None and names.skeletons(theirs) & names.skeletons(nick)
        }
        if nick is not None and roster.objection(nick, user) is not None:
            assert alike - {user}
            continue
        assert not alike - {user}
        if user in nicks:
            roster.release(nicks.pop(user))
        if nick is not None:
            roster.claim(nick, user)
            nicks[user] = nick
    assert roster.after("", 99) == sorted((nick, user) for user, nick in nicks.items())
    for user in list(nicks):
        roster.release(nicks.pop(user))
    assert len(roster) == 0
    assert [nick for nick in NICKS if roster.objection(nick, "x")] == []
