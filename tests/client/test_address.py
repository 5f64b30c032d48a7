"""What people write as an address, and where the publications then are."""

from __future__ import annotations

import pytest

from zchat.client.address import DEFAULT, parse, publications
from zchat.errors import UsageError


@pytest.mark.parametrize(
    "address",
    [DEFAULT, "tcp://chat.example:1", "tcp://10.0.0.7:65535", "tcp://[::1]:5555", "tcp://[fe80::1%eth0]:5555"],
)  # fmt: skip
def test_an_address_is_taken_as_it_is(address: str) -> None:
    assert parse(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "", "localhost", "localhost:5555", "tcp://", "tcp://host", "tcp://host:", "tcp://host:0",
        "tcp://host:65536", "tcp://host:99999999", "tcp://:5555", "tcp://*:5555", "tcp://%eth0:5555", "tcp://höst:5555", "tcp://a b:5555",
        "ipc:///tmp/x", "http://host:5555", " tcp://host:5555", "tcp://host:5555/", "tcp://::1:5555",
        "tcp://host:5555\n", "tcp://host:٥٥٥٥", "TCP://host:5555",
    ],
)  # fmt: skip
def test_what_is_no_address_is_answered_with_what_one_looks_like(address: str) -> None:
    """ZeroMQ would answer `Invalid argument`, or wait for ever for a host that is none."""
    with pytest.raises(UsageError, match=r"write tcp://host:port, as in tcp://127\.0\.0\.1:5555"):
        parse(address)


def test_an_invitation_is_known_for_one() -> None:
    """Who was sent one should learn what to ask for instead."""
    with pytest.raises(UsageError, match="invitation"):
        parse("zchat://chat.example:5555/?key=abc")


@pytest.mark.parametrize(
    ("told", "reached", "publications_at"),
    [
        ("tcp://127.0.0.1:5556", "tcp://127.0.0.1:5555", "tcp://127.0.0.1:5556"),
        ("tcp://*:5556", "tcp://chat.example:5555", "tcp://chat.example:5556"),
        ("tcp://*:5556", "tcp://[::1]:5555", "tcp://[::1]:5556"),
        ("tcp://other.example:1", "tcp://chat.example:5555", "tcp://other.example:1"),
    ],
)
def test_a_star_is_the_host_already_reached(told: str, reached: str, publications_at: str) -> None:
    """Section 1: a broker on all addresses cannot know under which one it was found."""
    assert publications(told, reached) == publications_at
