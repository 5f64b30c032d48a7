"""The list of commands, and the entry point. Each command is a file beside this one.

Nothing here, nor at the head of those files, imports sockets or terminals: ``zchat --help``
and shell completion answer at once.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper
from typing import Annotated

import typer

from . import broker, client, demo, exits, history, journal, lists, output, ping, send
from .options import examples
from .version import versions

__all__ = ["app", "main"]

app = typer.Typer(
    name="zchat",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback as everywhere, without the values of variables
    rich_markup_mode=None,  # plain text: it starts in half the time and reads well in a pager
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=examples(
        "zchat demo                      see what it is like: a broker, two people, and you",
        "zchat broker                    start a broker on this machine",
        "zchat client --nick alice       chat",
        "make 2>&1 | zchat send ops      tell a room",
        "zchat tail ops                  follow a room",
    ),
)


def say_versions(wanted: bool) -> None:  # a callback's shape
    """Print what this is made of, and end."""
    if wanted:
        output.line(versions())
        raise typer.Exit


@app.callback()
def zchat(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Say the versions and exit.", is_eager=True, callback=say_versions
        ),
    ] = False,
) -> None:
    """Chat in rooms. Nothing acknowledged is lost, and nobody listens in.

    Exit codes: 0 done, 1 refused, 2 the command line is off, 69 no broker answers.
    """


for noun in (broker, client, send, history, lists, ping, demo, journal):
    noun.register(app)


def main() -> None:
    """Run ``zchat`` with the arguments of this process, and exit."""
    output.open_missing()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # Somebody wrote a character that this terminal's encoding lacks: show that, go on.
            stream.reconfigure(errors="replace")
    sys.exit(exits.ended(lambda: app(prog_name="zchat", standalone_mode=False)))
