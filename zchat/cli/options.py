"""What commands have in common: the options, and the examples at the end of their help."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

import typer

__all__ = ["DEFAULT_ADDRESS", "Connect", "Json", "Nick", "examples"]

DEFAULT_ADDRESS: Final = "tcp://127.0.0.1:5555"
"""Where a broker listens that nobody told otherwise."""

Connect: TypeAlias = Annotated[
    str,
    typer.Option(
        "--connect", envvar="ZCHAT_CONNECT", metavar="ADDRESS", help="The broker: tcp://HOST:PORT."
    ),
]
Nick: TypeAlias = Annotated[
    str | None,
    typer.Option(
        envvar="ZCHAT_NICK", metavar="NICK", help="What to be called; without it, a guest."
    ),
]
Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="One JSON object a line, for programs.")
]


def examples(*lines: str) -> str:
    """The end of a help text, its lines kept as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
