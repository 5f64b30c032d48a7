"""Who owns the session: the tokens of every hello, and which of them are kept until when."""

from __future__ import annotations

from itertools import count

from zchat.client.credentials import Credentials
from zchat.protocol.replies import Handout, Welcome
from zchat.protocol.requests import Hello


def credentials(nick: str | None = "ada") -> Credentials:
    """Credentials whose n-th fresh token is n."""
    numbers = count(1)
    return Credentials(nick, "test", lambda size: next(numbers).to_bytes(size, "big"))


def tokens(hello: Hello) -> tuple[int, int | None]:
    """The token of a hello, and the one it resumes with."""
    resumed = None if hello.resume is None else int.from_bytes(hello.resume.token, "big")
    return int.from_bytes(hello.token, "big"), resumed


def welcome(session: str = "s1", nick: str = "ada") -> Welcome:
    inbox = Handout(stream="@", topic=1, key_number=1, key=bytes(32), head=0)
    return Welcome(
        id=1, session=session, user="u1", nick=nick, resumed=False, serial=0, position=1,
        epoch="e", inbox=inbox, rooms=[], lobby="lobby", publish="tcp://*:1", agent="b",
        heartbeat_ms=1, grace_ms=1, max_text=1,
    )  # fmt: skip


def test_a_hello_whose_answer_was_lost_is_said_again_as_it_was() -> None:
    """Another token would be another session, and the first one would keep the nick."""
    mine = credentials()
    assert [tokens(mine.hello(each)) for each in (1, 2, 3)] == [(1, None)] * 3


def test_a_resume_replaces_the_token_and_keeps_both_until_the_welcome() -> None:
    """Section 3: a resume whose answer was lost would else lock its client out."""
    mine = credentials()
    mine.hello(1)
    mine.welcomed(welcome())
    assert [tokens(mine.hello(each)) for each in (2, 3)] == [(2, 1)] * 2
    mine.welcomed(welcome())
    assert tokens(mine.hello(4)) == (3, 2)


def test_a_session_that_is_over_leaves_no_token_behind() -> None:
    mine = credentials()
    mine.hello(1)
    mine.welcomed(welcome())
    mine.hello(2)
    mine.forget()
    assert tokens(mine.hello(3)) == (3, None)


def test_the_next_session_claims_the_nick_the_broker_gave() -> None:
    """A guest would come back as somebody else."""
    mine = credentials(nick=None)
    assert mine.hello(1).nick is None
    mine.welcomed(welcome(nick="guest7"))
    mine.forget()
    assert mine.hello(2).nick == "guest7"


def test_the_token_is_as_long_as_the_wire_wants_it() -> None:
    assert len(credentials().hello(1).token) == 32
