"""P6: libzmq still speaks ZMTP 1.0 and 2.0, and then does not say whose a frame is."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import pytest
import zmq

from tests.broker import stranger
from tests.broker.shell import Shell

REQUEST = b"\x91\x80"
ZMTP_2 = b"\xff" + bytes(7) + b"\x01\x7f\x01"  # https://rfc.zeromq.org/spec/15, greeting
DEALER, SUB, NO_IDENTITY = b"\x05", b"\x02", b"\x00\x00"


def old_1(body: bytes, _kind: bytes) -> bytes:
    """RFC 13: an empty identity, then a frame of length, flags and body."""
    return b"\x01\x00" + bytes([len(body) + 1, 0]) + body


def old_2(body: bytes, kind: bytes) -> bytes:
    """RFC 15: a greeting, an empty identity, then a frame of flags, length and body."""
    return ZMTP_2 + kind + NO_IDENTITY + bytes([0, len(body)]) + body


@pytest.mark.parametrize("speak", [old_1, old_2])
def test_a_request_by_an_old_zmtp_stops_nobody(
    shell: Shell, speak: Callable[[bytes, bytes], bytes]
) -> None:
    with socket.create_connection(("127.0.0.1", shell.port("DEALER"))) as old:
        old.sendall(speak(REQUEST, DEALER))
        assert shell.router.socket.poll(20_000)
        shell.turn()
        shell.peer(zmq.DEALER).send(REQUEST)
        shell.until(lambda: shell.arrived)
    assert [frame for _, frame in shell.arrived] == [REQUEST]


def test_who_goes_on_with_it_is_shut(make_shell: Callable[..., Shell]) -> None:
    """Nothing of it is delivered, so all that was received counts as unfinished."""
    shell = make_shell(guard_round_ms=0)
    with socket.create_connection(("127.0.0.1", shell.port("DEALER"))) as old:
        old.sendall(old_2(REQUEST, DEALER))
        old.setblocking(False)
        again = (bytes([0, 255]) + bytes(255)) * 64

        def pour() -> None:
            with contextlib.suppress(OSError):
                old.send(again)

        shell.until(lambda: shell.guard.shut, pour)
    assert shell.arrived == []


@pytest.mark.parametrize("speak", [old_1, old_2])
def test_its_junk_unpairs_the_grants_like_any_other(
    shell: Shell, speak: Callable[[bytes, bytes], bytes]
) -> None:
    """Or libzmq grants a topic to somebody else, and who asked stays deaf."""
    shell.living.add(7)
    honest = shell.stranger("SUB")
    shell.until(lambda: len(shell.connections) == 1)

    def confuse() -> None:
        """Have the junk and the honest peer's subscription wait together."""
        with socket.create_connection(("127.0.0.1", shell.port("SUB"))) as old:
            old.sendall(speak(b"\x09junk", SUB))
            assert shell.publisher.socket.poll(20_000)
            honest.sendall(stranger.frame(b"\1" + bytes([0, 0, 0, 7])))

    shell.until(lambda: shell.subscriptions.mispaired, doing=confuse)
