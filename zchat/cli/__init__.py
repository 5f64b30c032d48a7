"""The command line, ``zchat``: one file per noun. It holds no rule of the chat and no socket.

Start at `app`, which lists the commands; `exits` says how each of them ends.
"""

from __future__ import annotations

from .app import main

__all__ = ["main"]
