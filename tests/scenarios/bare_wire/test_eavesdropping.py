"""Nobody reads a whisper or a room they are not in, whatever they subscribe to or keep."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from tests.broker import stranger
from tests.scenarios.bare_wire.siege import Siege
from tests.scenarios.rawpeer import Company, RawPeer, opened

WHISPER, SECRET, LAST = "for bob's eyes", "among ourselves", "the last word"


class Spy:
    """A stranger that keeps every byte it draws."""

    def __init__(self, siege: Siege, *asked: bytes) -> None:
        self._stream = siege.meet("SUB")
        self._stream.sendall(b"".join(stranger.frame(b"\1" + topic) for topic in asked))

    def drawn(self) -> bytes:
        """All bytes so far; it goes."""
        self._stream.setblocking(False)
        got = b""
        try:
            while piece := self._stream.recv(65_536):
                got += piece
        except BlockingIOError:
            pass
        self._stream.close()
        return got


def frames(data: bytes) -> Iterator[bytes]:
    """The messages in what ZMTP carried; commands are left out."""
    while data:
        long = data[0] & 2
        size = struct.unpack_from(">Q" if long else ">B", data, 1)[0]
        body, after = 9 if long else 2, (9 if long else 2) + size
        if not data[0] & 4:
            yield data[body:after]
        data = data[after:]


@pytest.fixture
def couple(company: Company) -> tuple[RawPeer, RawPeer]:
    """Alice and bob, in a room of their own."""
    alice = company.arrive(None, "tea")
    bob = company.arrive(None, "tea")
    return alice, bob


def talk(alice: RawPeer, bob: RawPeer) -> None:
    """Something in the room, a whisper; bob hears all of it, and what comes after."""
    alice.say("tea", SECRET)
    alice.ask("whisper", nick=bob.welcome["nick"], text=WHISPER)
    bob.hears(WHISPER)
    for word in (LAST, LAST + "!"):
        alice.say("tea", word)
        bob.hears(word)


def around(*people: RawPeer) -> list[bytes]:
    """Every topic a hundred below and above those of these people."""
    living = [topic for person in people for topic in person.topics.values()]
    numbers = range(min(living) - 100, max(living) + 100)
    return [(number % 2**32).to_bytes(4, "big") for number in numbers]


def assert_nothing_leaks(drawn: bytes, *people: RawPeer) -> None:
    for person in people:
        for secret in (*person.keys.values(), person.token):
            assert secret not in drawn
    for text in (WHISPER, SECRET, LAST):
        assert text.encode() not in drawn


def test_no_prefix_draws_anything(siege: Siege, couple: tuple[RawPeer, RawPeer]) -> None:
    """Any subscriber may ask for the empty prefix, and plain XPUB would give it everything."""
    topics = [number.to_bytes(4, "big") for peer in couple for number in peer.topics.values()]
    asked = {topic[:size] for topic in topics for size in (0, 1, 2, 3)}
    asked |= {bytes([first]) for first in range(256)} | {topic + b"\0" for topic in topics}
    # One each: after four frames that ask for no topic a connection is closed.
    spies = [Spy(siege, prefix) for prefix in sorted(asked)]
    talk(*couple)
    for spy in spies:
        assert list(frames(spy.drawn())) == []


def test_topics_counted_up_give_ciphertext_at_most(
    siege: Siege, company: Company, couple: tuple[RawPeer, RawPeer]
) -> None:
    """Topic numbers are dense and no secret; the seal is."""
    carol = company.arrive(None, "lobby", "not-tea")
    spy = Spy(siege, *around(carol, *couple))
    talk(*couple)
    drawn = spy.drawn()
    assert_nothing_leaks(drawn, *couple)
    sealed = list(frames(drawn))
    theirs = {topic for person in couple for topic in person.topics.values()}
    assert theirs <= {int.from_bytes(frame[:4], "big") for frame in sealed}, "nothing was tested"
    for topic in theirs:
        for key in carol.keys.values():
            tried = {(topic, number): key for number in range(10)}
            assert not any(opened(frame, tried) for frame in sealed)


def test_a_member_hears_the_room_and_no_inbox_but_their_own(
    company: Company, couple: tuple[RawPeer, RawPeer]
) -> None:
    """Every key she was given, on everything that can be drawn."""
    carol = company.arrive(None, "tea")
    for topic in around(carol, *couple):
        carol.subscribe(topic)
    talk(*couple)
    carol.hears(LAST + "!")
    assert carol.hears(SECRET)["room"] == "tea"
    inboxes = {peer.topics["@"].to_bytes(4, "big") for peer in couple}
    assert inboxes <= {frame[:4] for frame in carol.sealed}
    assert_nothing_leaks(b"".join(carol.sealed), *couple)
    assert WHISPER not in [event.get("text") for event in carol.history("tea")]
    assert carol.history("@") == []


@pytest.mark.parametrize("stream", ["tea", "#TEA"])
def test_only_members_read_history(
    company: Company, couple: tuple[RawPeer, RawPeer], stream: str
) -> None:
    """History is asked for over the other socket, where no key is needed."""
    couple[0].say("tea", SECRET)
    carol = company.arrive()
    assert carol.refused("history", stream=stream) == "not-a-member"
    carol.join("tea")
    assert SECRET in [event.get("text") for event in carol.history(stream)]
    carol.ask("leave", room="tea")
    assert carol.refused("history", stream=stream) == "not-a-member"
    assert carol.refused("say", room="tea", text="?") == "not-a-member"
    for other in (couple[1].welcome["user"], "@" + couple[1].welcome["nick"], "inbox", ""):
        assert carol.refused("history", stream=other) in ("bad-name", "no-such-room")


def test_one_who_left_hears_nothing_within_a_second(
    company: Company, couple: tuple[RawPeer, RawPeer]
) -> None:
    """A subscription cannot be taken back, so the key is: twice in a row, the second is coalesced."""
    alice, bob = couple
    carol = company.arrive()
    tea = alice.topics["tea"]
    for _ in range(2):
        carol.join("tea")
        newest = max(number for topic, number in bob.keys if topic == tea)
        carol.ask("leave", room="tea")
        took = bob.until(lambda: (tea, newest + 1) in bob.keys)  # noqa: B023
        assert took < 1 + 0.5, "rekey_ms, and what a busy machine takes"
    carol.heard.clear()
    talk(alice, bob)
    while carol.draw(100):
        pass
    assert tea.to_bytes(4, "big") in {frame[:4] for frame in carol.sealed}, "nothing was drawn"
    assert_nothing_leaks(b"".join(carol.sealed), alice, bob)
    assert LAST not in [event.get("text") for events in carol.heard.values() for event in events]
