"""A client whose machine is silent and whose connection is not closed is noticed all the same."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.scenarios.bare_wire.siege import Siege
from tests.scenarios.rawpeer import Company

SLEEPER = """
import sys
from tests.scenarios.rawpeer import Company
with Company(sys.argv[1]) as company:
    company.arrive("sleeper", "dormitory")
    sys.stdin.read()
"""
LIMIT_S = 10 + 20
"""A ZMTP PING after 10 s without a word, and 20 s for its answer."""


@pytest.mark.long
def test_a_stopped_client_is_away_within_the_heartbeat(siege: Siege, company: Company) -> None:
    """Its TCP acknowledges everything, so without ZMTP's heartbeat it would be here for ever."""
    witness = company.arrive("dorm-witness", "dormitory")
    sleeper = subprocess.Popen(
        [sys.executable, "-c", SLEEPER, siege.broker.address],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
    )

    def kinds() -> list[str]:
        return [e["kind"] for e in witness.heard["dormitory"] if e["nick"] == "sleeper"]

    try:
        witness.until(lambda: "joined" in kinds())
        sleeper.send_signal(signal.SIGSTOP)
        start = time.monotonic()
        while "away" not in kinds():
            assert time.monotonic() - start < LIMIT_S + 2, "nobody noticed"
            witness.draw(1_000)
        assert time.monotonic() - start > 5, "it was no heartbeat that noticed"
    finally:
        sleeper.kill()
        sleeper.communicate()
