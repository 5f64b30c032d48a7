"""``zchat demo``: a broker of one's own, two people who talk, and you in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

import typer

from zchat.config import Settings

from . import exits
from .client import at_terminal
from .options import examples
from .version import AGENT

__all__ = ["demo", "register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=examples("zchat demo", "zchat demo < /dev/null"))(demo)


def demo() -> None:
    """Try zchat: a broker on free ports of this machine, two people who talk, and you.

    Without a terminal it prints a conversation as you would see it. Nothing of it is kept.
    """
    from .play import farewell, perform, take_part
    from .printer import Printer

    with _broker() as address:
        if not at_terminal():
            exits.run(perform(address))
            return
        with suppress(KeyboardInterrupt):  # one way to leave is as good as another
            exits.run(take_part(address))
    farewell(Printer())


@contextmanager
def _broker() -> Iterator[str]:
    """A real broker in a thread, with its journal in a folder that goes away; its address."""
    from zchat.broker.server import Server
    from zchat.journal import open_journal

    anywhere = "tcp://127.0.0.1:0"
    with TemporaryDirectory(prefix="zchat-demo-") as folder:
        settings = Settings(bind=anywhere, publish=anywhere)
        journal = open_journal("sqlite:", Path(folder))
        with Server(settings, journal, agent=AGENT) as server:
            serving = Thread(target=server.run, name="broker")
            serving.start()
            try:
                yield server.endpoint
            finally:
                server.stop()
                serving.join()
