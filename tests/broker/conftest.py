"""Shells for the tests of this folder, closed behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.broker.shell import Shell


@pytest.fixture
def make_shell() -> Iterator[Callable[..., Shell]]:
    made: list[Shell] = []

    def make(**settings: Any) -> Shell:
        made.append(Shell(**settings))
        return made[-1]

    yield make
    for shell in made:
        shell.close()


@pytest.fixture
def shell(make_shell: Callable[..., Shell]) -> Shell:
    return make_shell()
