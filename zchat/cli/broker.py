"""``zchat broker``: a broker in the foreground, until a signal stops it."""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
from contextlib import ExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zchat.config import Settings, load

from . import output
from .data import default_data
from .options import examples
from .version import AGENT

if TYPE_CHECKING:
    from zchat.broker.server import Server

__all__ = ["LogLevel", "broker", "register"]


class LogLevel(StrEnum):
    """How much is said on stderr."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog=examples(
            "zchat broker",
            "zchat broker --data /var/lib/zchat",
            "zchat broker --bind tcp://0.0.0.0:5555 --publish tcp://0.0.0.0:5556 --insecure",
            "ZCHAT_MAX_TEXT=1000 zchat broker --message-log said.txt",
        )
    )(broker)


def broker(
    bind: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help=f"Where to listen.  [default: {Settings().bind}]"),
    ] = None,
    publish: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help=f"Where to publish.  [default: {Settings().publish}]"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="ZCHAT_DATA",
            metavar="DIR",
            help="The folder of the journal.  [default: where this system keeps data]",
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(envvar="ZCHAT_CONFIG", metavar="FILE", help="Settings, as TOML."),
    ] = None,
    journal: Annotated[
        str,
        typer.Option(envvar="ZCHAT_JOURNAL", metavar="URL", help="sqlite: or memory:"),
    ] = "sqlite:",
    insecure: Annotated[
        bool | None,
        typer.Option(
            "--insecure", help="Let other machines in: who is on the way can read and forge."
        ),
    ] = None,
    message_log: Annotated[
        Path | None,
        typer.Option(
            envvar="ZCHAT_MESSAGE_LOG",
            metavar="FILE",
            help="Write what is said in rooms to a file, too.",
        ),
    ] = None,
    log_level: Annotated[
        LogLevel, typer.Option(envvar="ZCHAT_LOG_LEVEL", help="How much to say on stderr.")
    ] = LogLevel.INFO,
) -> None:
    """Start a broker. SIGTERM, SIGHUP or Ctrl-C stops it: clients are told, and nothing is lost.

    A setting is taken from its flag, else from its variable ZCHAT_…, else from the file.
    """
    settings = load({"bind": bind, "publish": publish, "insecure": insecure}, os.environ, config)
    _log_to_stderr(log_level)
    with _open(settings, journal, data or default_data(), message_log) as server:
        _stop_on_signals(server)
        output.line(f"listening on {server.endpoint}, publishing on {server.publishes_at}")
        server.run()


def _open(settings: Settings, journal: str, data: Path, message_log: Path | None) -> Server:
    from zchat.broker.logbook import MessageLog
    from zchat.broker.server import Server
    from zchat.journal import open_journal

    with ExitStack() as undo:
        messages = None if message_log is None else MessageLog(message_log)
        if messages is not None:
            undo.callback(messages.close)
        kept = open_journal(journal, data)
        undo.callback(kept.close)
        server = Server(settings, kept, agent=AGENT, message_log=messages)
        undo.pop_all()
    return server


def _log_to_stderr(level: LogLevel) -> None:
    handler = logging.StreamHandler(sys.stderr)
    form = logging.Formatter("%(asctime)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler.setFormatter(form)
    logging.basicConfig(level=level.upper(), handlers=[handler])


def _stop_on_signals(server: Server) -> None:
    def stopping(_signal: int, _frame: object) -> None:
        # The byte that asks `run` to drain is written by the interpreter. A second signal
        # is the operating system's: it ends the process, which the journal survives.
        for each in signals:
            signal.signal(each, signal.SIG_DFL)

    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as under nohup
        signals.append(signal.SIGHUP)
    signal.set_wakeup_fd(server.stop_fd)
    for each in signals:
        signal.signal(each, stopping)
