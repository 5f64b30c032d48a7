from __future__ import annotations

import os
import subprocess
import sys

import pytest
import zmq

from tests.broker import stranger
from tests.broker.shell import Shell

MIB = 1024 * 1024

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts the bytes")


def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("kind", ["DEALER", "SUB"])
@pytest.mark.parametrize("size", [0, 380])
def test_a_message_without_end_is_shut(shell: Shell, kind: str, size: int) -> None:
    """Its parts pass libzmq's limits unseen: 800 MB in 0.7 s when nobody looks."""
    before = peak = resident()
    attacker = subprocess.Popen(
        [sys.executable, stranger.__file__, str(shell.port(kind)), kind, str(size), "5"],
        stdout=subprocess.PIPE,
        text=True,
    )

    def watch() -> None:
        nonlocal peak
        peak = max(peak, resident())

    took = shell.until(lambda: attacker.poll() is not None, doing=watch)
    out, _ = attacker.communicate()
    print(kind, size, f"{took:.2f} s", (peak - before) // MIB, "MiB", out)
    assert out.startswith("shut")
    assert shell.guard.shut == 1
    assert peak - before < 300 * MIB
