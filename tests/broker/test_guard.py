from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
import zmq

from tests.broker import stranger
from tests.broker.shell import Shell
from zchat.broker.descriptors import received

MIB = 1024 * 1024

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the bytes")


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def pour() -> Iterator[Callable[[Shell, str, int], None]]:
    attackers: list[subprocess.Popen[bytes]] = []

    def start(shell: Shell, kind: str, size: int) -> None:
        arguments = [stranger.__file__, str(shell.port(kind)), kind, str(size), "20"]
        attackers.append(subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL))

    yield start
    for attacker in attackers:
        attacker.kill()
        attacker.wait()


@pytest.mark.parametrize("kind", ["DEALER", "SUB"])
@pytest.mark.parametrize("size", [0, 380])
@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="as memory grows"),
        pytest.param({"guard_growth_bytes": 2**40, "guard_round_ms": 0}, id="in rounds"),
    ],
)
def test_a_message_without_end_is_shut(
    make_shell: Callable[..., Shell],
    pour: Callable[[Shell, str, int], None],
    kind: str,
    size: int,
    settings: dict[str, int],
) -> None:
    """Its parts pass libzmq's limits unseen: 800 MB in 0.7 s when nobody looks."""
    shell = make_shell(**settings)
    before = peak = resident()
    pour(shell, kind, size)

    def watch() -> None:
        nonlocal peak
        peak = max(peak, resident())

    shell.until(lambda: len(shell.connections) == 1)
    shell.until(lambda: len(shell.connections) == 0, doing=watch)
    assert shell.guard.shut == 1
    assert peak - before < 150 * MIB


def test_it_is_shut_though_others_keep_the_socket_busy(
    make_shell: Callable[..., Shell], pour: Callable[[Shell, str, int], None]
) -> None:
    """While whole messages wait, what is held may be whole: up to the high-water mark."""
    shell = make_shell(guard_growth_bytes=-1)
    shell.peer(zmq.DEALER).send(b"never read")
    assert shell.router.socket.poll(5_000)
    pour(shell, "DEALER", 380)
    deadline = time.monotonic() + 20
    while not shell.guard.shut:
        assert time.monotonic() < deadline
        shell.connections.monitors[0].poll(10)
        shell.connections.pump(shell.now_ms)
        shell.guard.check(shell.now_ms)
    assert shell.router.socket.recv_multipart()[1] == b"never read"


def test_many_large_requests_are_no_attack(make_shell: Callable[..., Shell]) -> None:
    """Whole messages wait under their own limits; a busy client must not be cut."""
    shell = make_shell(guard_growth_bytes=-1, router_receive_hwm=8)
    busy = shell.peer(zmq.DEALER, SNDHWM=0)
    for _ in range(300):
        busy.send(bytes(65_000))
    for _ in range(300):
        assert shell.router.socket.poll(5_000)
        assert shell.intake.drain(1)
        shell.guard.check(shell.now_ms)
    assert shell.guard.shut == 0
    assert shell.connections.pump(shell.now_ms) == []


def test_an_idle_peers_heartbeats_are_no_attack(make_shell: Callable[..., Shell]) -> None:
    """They are received and never delivered: within months they are over any fixed limit."""
    shell = make_shell(guard_growth_bytes=-1, max_unfinished_bytes=0)
    stream = shell.stranger("SUB")
    shell.until(lambda: len(shell.connections) == 1)
    day_ms = 86_400_000
    ping = stranger.frame(b"\x04PING\0\0", stranger.COMMAND)
    stream.sendall(ping * (day_ms // shell.settings.heartbeat_interval_ms))
    stream.settimeout(10)
    connection = next(iter(shell.connections.subscribers.by_fd.values()))
    while received(connection.fd) < len(ping) * 8_640:
        assert stream.recv(65_536), "closed"
    shell.guard.check(shell.now_ms + day_ms)
    assert shell.guard.shut == 0
    shell.guard.check(shell.now_ms)
    assert shell.guard.shut == 1
