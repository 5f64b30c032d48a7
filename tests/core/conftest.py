"""Stages for the tests of this folder."""

from __future__ import annotations

import pytest

from tests.core.stage import Stage


@pytest.fixture
def stage() -> Stage:
    """A broker nobody has talked to."""
    return Stage()


@pytest.fixture
def company(stage: Stage) -> Stage:
    """Alice and bob, both in ops and in the lobby."""
    stage.user("alice", "lobby", "ops")
    stage.user("bob", "lobby", "ops")
    stage.hush()
    return stage
