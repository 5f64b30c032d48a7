"""How a command ends: an error becomes an exit code and one sentence on stderr, never a traceback.

Only errors that zchat raises on purpose are turned into sentences; anything else is a
defect, and its traceback is wanted.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

import typer
from typer.exceptions import TyperException

from zchat.errors import Unreachable, UsageError, ZchatError

from . import output
from .output import OutputClosed, OutputFailed

__all__ = [
    "INTERRUPTED",
    "NO_BROKER",
    "PIPE_CLOSED",
    "REFUSED",
    "USAGE",
    "Terminated",
    "ended",
    "exit_code",
    "run",
]

R = TypeVar("R")

REFUSED: Final = 1
"""The broker said no, or the machine did: a nick taken, a port in use, a full disk."""
USAGE: Final = 2
"""The command line is off."""
NO_BROKER: Final = 69
"""Nobody answers (EX_UNAVAILABLE of sysexits.h)."""
INTERRUPTED: Final = 130
"""Ctrl-C: 128 + SIGINT, as a shell reports it."""
PIPE_CLOSED: Final = 141
"""Whoever read our output had enough: 128 + SIGPIPE, as a shell reports it."""


class Terminated(Exception):
    """A signal ended the command; ``number`` says which."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def run(talk: Coroutine[Any, Any, R]) -> R:
    """Run it as `asyncio.run` does. SIGTERM and SIGHUP end it as Ctrl-C would.

    So who closes a terminal says goodbye, and may come back at once under the same nick.
    Raises `Terminated`, unless a signal is ignored, as under ``nohup``.
    """
    return asyncio.run(_until_signal(talk))


async def _until_signal(talk: Coroutine[Any, Any, R]) -> R:
    loop, task, came = asyncio.get_running_loop(), asyncio.current_task(), list[int]()
    assert task is not None

    def end(number: int) -> None:
        came.append(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            loop.add_signal_handler(number, end, number)
    try:
        return await talk
    except BaseException:
        if came:  # a terminal that is gone fails in ways of its own
            raise Terminated(came[0]) from None
        raise


def exit_code(error: BaseException) -> int:
    """The code a command ends with for this error."""
    match error:
        case UsageError():
            return USAGE
        case Unreachable():
            return NO_BROKER
        case KeyboardInterrupt() | typer.Abort():  # the latter: Ctrl-D at a question
            return INTERRUPTED
        case Terminated():
            return 128 + error.number
        case OutputClosed():
            return PIPE_CLOSED
        case TyperException():
            return error.exit_code
        case _:
            return REFUSED


def ended(run: Callable[[], object]) -> int:
    """Run a command to its end; the exit code. What went wrong is said on stderr."""
    try:
        code = _ungrouped(run)
        output.finish()
    except (ZchatError, TyperException) as error:
        if _is_help(error):
            output.page(str(error))
        else:
            output.complain(_sentence(error))
        return exit_code(error)
    except (KeyboardInterrupt, typer.Abort, Terminated, OutputClosed) as error:
        with suppress(OutputClosed, OutputFailed):
            output.finish()
        return exit_code(error)
    return code if isinstance(code, int) else 0


def _ungrouped(run: Callable[[], object]) -> object:
    """Run it; of the errors that tasks raised together, raise the one that matters."""
    try:
        return run()
    except ExceptionGroup as group:
        raise _first(group) from None


def _first(group: ExceptionGroup) -> Exception:
    """The error that matters of those that tasks raised together."""
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error


def _is_help(error: Exception) -> bool:
    """Whether typer only wants to show the help: a command line of no words."""
    context = getattr(error, "ctx", None)
    return context is not None and str(error) == context.get_help()


def _sentence(error: ZchatError | TyperException) -> str:
    if isinstance(error, ZchatError):
        return str(error)
    sentence = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    if context is None:
        return sentence
    return f"{sentence[:1].lower()}{sentence[1:]}; see: {context.command_path} --help"
