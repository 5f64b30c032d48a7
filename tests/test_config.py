"""Settings: which source wins, and that a wrong one is named with where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from zchat.config import Settings, load
from zchat.errors import UsageError


def test_flags_before_environment_before_file_before_defaults(tmp_path: Path) -> None:
    """An operator would change a value in one place and another would hold."""
    file = tmp_path / "zchat.toml"
    file.write_text("page = 1\nrate = 1\nburst = 1\n")
    found = load({"page": 3, "rate": None}, {"ZCHAT_PAGE": "2", "ZCHAT_RATE": "2"}, file)
    assert (found.page, found.rate, found.burst, found.max_rooms) == (
        3, 2, 1, Settings().max_rooms,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("toml", "sentence"),
    [
        ("max_text = -1", "max_text in {file} cannot be -1: expected int >= 1"),
        ("max_text = 'a'", "max_text in {file} cannot be 'a': expected int"),
        ("max_text = [1]", "max_text in {file} cannot be [1]: expected int"),
        ("insecure = 'maybe'", "insecure in {file} cannot be 'maybe': expected bool"),
        ("max-text = 1", "{file} sets 'max-text', and there is no such setting; did you mean max_text?"),
        ("[broker]", "{file} sets 'broker', and there is no such setting"),
        ("{", "{file} is not TOML: Invalid statement (at line 1, column 1)"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_what_and_where(toml: str, sentence: str, tmp_path: Path) -> None:
    """One would search forty settings in three places for ``$.max_text``."""
    file = tmp_path / "zchat.toml"
    file.write_text(toml)
    with pytest.raises(UsageError) as caught:
        load({}, {}, file)
    assert str(caught.value) == sentence.format(file=file)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("ZCHAT_MAX_TEXT", "abc", "int"),
        ("ZCHAT_MAX_TEXT", "", "int"),
        ("ZCHAT_HEARTBEAT_MS", "0", "int >= 100"),
        ("ZCHAT_RETRY_MS", "0", "int >= 100"),
        ("ZCHAT_GRACE_MS", "99999999999999999999", "int <= 2147483647"),
        ("ZCHAT_PUBLISHER_HWM", "2147483648", "int <= 2147483647"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, expected: str) -> None:
    """A number no frame can carry would end the broker at its first client."""
    with pytest.raises(UsageError) as caught:
        load({}, {variable: value})
    assert str(caught.value) == f"{variable} cannot be {value!r}: expected {expected}"
