"""What `import zchat` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

import zchat


def imported(line: str) -> set[str]:
    """The modules a fresh interpreter has after a line."""
    said = subprocess.run(
        [sys.executable, "-c", f"{line}\nimport sys\nprint(*sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(said.stdout.split())


@pytest.mark.parametrize("heavy", ["zmq", "msgspec", "cryptography", "asyncio", "typer"])
def test_importing_it_imports_nothing_heavy(heavy: str) -> None:
    """`zchat --help` would wait for a library it does not use."""
    assert heavy not in imported("import zchat")


@pytest.mark.parametrize("name", zchat.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(zchat, name) is not None


def test_a_name_that_is_not_there_is_said_so() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'tea'"):
        getattr(zchat, "tea")  # noqa: B009  # what is tested is the lookup
