"""Where this system keeps a user's data and state. Names the folders; makes none."""

from __future__ import annotations

from pathlib import Path

__all__ = ["default_data", "default_state"]


def default_data() -> Path:
    """The folder of the broker's journal."""
    from platformdirs import user_data_path

    return user_data_path("zchat", appauthor=False)


def default_state() -> Path:
    """The folder of what a client remembers between runs: lines typed."""
    from platformdirs import user_state_path

    return user_state_path("zchat", appauthor=False)
