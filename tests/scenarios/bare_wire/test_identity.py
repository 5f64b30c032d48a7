"""Nobody is taken for somebody else: by a routing id, a token, a session's id or a nick."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import msgpack
import pytest

from tests.broker import stranger
from tests.scenarios.bare_wire.siege import Siege, until_closed
from tests.scenarios.rawpeer import INBOX, Company, RawPeer
from zchat.testing.process import running_broker

SECRET = "for the first owner alone"
PING = stranger.frame(msgpack.packb([{"op": "ping", "id": 1}]))
UNSEEDED = """
import zmq
context = zmq.Context()
router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
router.bind("inproc://a")
dealer.connect("inproc://a")
dealer.send(b"")
print(router.recv_multipart()[0].hex())
context.destroy(linger=0)
"""


@pytest.fixture
def brief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """People of a broker that lets nobody stay without a connection."""
    data = tmp_path_factory.mktemp("brief")
    with (
        running_broker(data, env={"ZCHAT_GRACE_MS": "0"}) as broker,
        Company(broker.address) as company,
    ):
        yield company


@pytest.mark.parametrize("claimed", [b"alice", b"\0", b"\0abcd", b"\0" * 5, b"\0" + bytes(254)])
def test_a_routing_id_of_ones_own_is_closed(siege: Siege, claimed: bytes) -> None:
    """Whoever could choose one could choose somebody's, and draw their replies."""
    with stranger.meet(siege.port("DEALER"), Socket_Type=b"DEALER", Identity=claimed) as stream:
        stream.sendall(PING)
        assert b"epoch" not in until_closed(stream)


@pytest.mark.parametrize("sequence", ["from zero", "as libzmq would unseeded"])
def test_routing_ids_guessed_ahead_harm_nobody(
    siege: Siege, company: Company, sequence: str
) -> None:
    """One that is about to be assigned, and is taken, would stop the process."""
    first = 0
    if sequence != "from zero":
        said = subprocess.check_output([sys.executable, "-c", UNSEEDED])
        first = int(said.decode().strip()[2:], 16)
    for number in range(first, first + 200):
        claimed = b"\0" + (number % 2**32).to_bytes(4, "big")
        with stranger.meet(siege.port("DEALER"), Socket_Type=b"DEALER", Identity=claimed) as stream:
            stream.sendall(PING)
            assert b"epoch" not in until_closed(stream)
        if number % 20 == 0:
            assert company.connect().ask("ping")["epoch"]


def test_a_token_opens_nothing_after_bye(company: Company) -> None:
    """Whoever finds it later must find nothing: the session is over, and its inbox with it."""
    owner, friend = company.arrive("first-owner"), company.arrive("first-friend")
    friend.ask("whisper", nick="first-owner", text=SECRET)
    owner.hears(SECRET)
    owner.ask("bye")
    assert owner.refused("history", stream=INBOX) == "session-ended"
    session = {"session": owner.welcome["session"], "token": owner.token}
    thief = company.connect()
    hello = {"protocol": 1, "token": os.urandom(32), "resume": session}
    assert thief.refused("hello", **hello) == "session-ended"
    thief.hello(token=owner.token, nick="first-owner")
    assert_reads_nothing_of(owner, thief)


def test_a_sessions_id_alone_resumes_nothing(company: Company) -> None:
    """It is no secret; the token is. A failed try leaves the owner as they were."""
    owner, friend = company.arrive("owner"), company.arrive("owners-friend")
    for token in (os.urandom(32), bytes(32)):
        resume = {"session": owner.welcome["session"], "token": token}
        hello = {"protocol": 1, "token": os.urandom(32), "resume": resume}
        assert company.connect().refused("hello", **hello) == "bad-token"
    for wrong in (b"", bytes(31), "x" * 32, None):
        resume = {"session": owner.welcome["session"], "token": wrong}
        hello = {"protocol": 1, "token": os.urandom(32), "resume": resume}
        assert company.connect().refused("hello", **hello) == "bad-request"
    friend.ask("whisper", nick="owner", text="still there?")
    owner.hears("still there?")
    assert owner.ask("ping")["heads"]


def test_a_token_replaced_by_a_resume_is_worth_nothing(company: Company) -> None:
    """One that was overheard once is good until the next resume, no longer."""
    owner = company.arrive("rotator")
    session, stolen = owner.welcome["session"], owner.token
    again = company.connect()
    assert again.hello(resume={"session": session, "token": stolen})["resumed"]
    assert {reply.get("notice") for reply in owner.receive()} == {"taken-over"}
    hello = {"protocol": 1, "token": os.urandom(32)}
    resume = {"session": session, "token": stolen}
    assert company.connect().refused("hello", **hello, resume=resume) == "bad-token"
    assert owner.refused("say", room="lobby", text="?") == "taken-over"


def test_the_next_owner_of_a_nick_after_bye_reads_nothing_of_the_last(company: Company) -> None:
    """The mailbox is the guest's session, never the nick."""
    first, friend = company.arrive("bob", "den"), company.arrive("bobs-friend", "den")
    friend.ask("whisper", nick="bob", text=SECRET)
    friend.say("den", SECRET)
    first.hears(SECRET)
    first.ask("bye")
    assert_reads_nothing_of(first, company.arrive("bob"))


def test_the_next_owner_of_a_nick_after_the_grace_reads_nothing_of_the_last(
    brief: Company,
) -> None:
    """The same where the first did not say goodbye."""
    first, friend = brief.arrive("bob", "den"), brief.arrive("friend", "den")
    friend.ask("whisper", nick="bob", text=SECRET)
    friend.say("den", SECRET)
    first.hears(SECRET)
    first.close()
    friend.until(lambda: "quit" in [event["kind"] for event in friend.heard["den"]])
    second = brief.arrive("bob")
    assert_reads_nothing_of(first, second)
    friend.ask("whisper", nick="bob", text="and who are you?")
    assert second.hears("and who are you?")["to"] == second.welcome["user"]


def test_a_nick_is_its_owners_during_the_grace(company: Company) -> None:
    """A connection that breaks for a moment must not cost the name."""
    owner, witness = company.arrive("dropped", "den"), company.arrive(None, "den")
    owner.close()
    witness.until(lambda: "away" in [event["kind"] for event in witness.heard["den"]])
    for nick in ("dropped", "DROPPED"):
        hello = {"protocol": 1, "token": os.urandom(32), "nick": nick}
        assert company.connect().refused("hello", **hello) == "nick-taken"
    back = company.connect()
    back.hello(resume={"session": owner.welcome["session"], "token": owner.token})
    assert back.welcome["nick"] == "dropped"


def assert_reads_nothing_of(first: RawPeer, second: RawPeer) -> None:
    """The predecessor's whispers, rooms and keys are not the successor's."""
    assert second.welcome["user"] != first.welcome["user"]
    assert second.welcome["rooms"] == []
    assert second.welcome["inbox"]["key"] not in first.keys.values()
    assert second.welcome["inbox"]["topic"] not in first.topics.values()
    assert SECRET not in [event.get("text") for event in second.history(INBOX)]
    for room in first.topics.keys() - {INBOX}:
        assert second.refused("history", stream=room) == "not-a-member"
