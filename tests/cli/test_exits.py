"""A command that fails says one sentence and ends with the code for it."""

from __future__ import annotations

import asyncio

import pytest

from zchat.cli.exits import Terminated, ended, exit_code
from zchat.cli.output import OutputClosed
from zchat.errors import (
    JournalLocked,
    OutcomeUnknown,
    PortInUse,
    ProtocolError,
    Refused,
    Unreachable,
    UsageError,
)

ERRORS = [
    (UsageError("that is off"), 2),
    (Refused("nick-taken", nick="al"), 1),
    (OutcomeUnknown("say hi"), 1),
    (PortInUse("tcp://127.0.0.1:1"), 1),
    (JournalLocked("/j", "another has it"), 1),
    (ProtocolError("bytes"), 1),
    (Unreachable("tcp://127.0.0.1:1"), 69),
]


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_an_error_is_a_code_and_a_sentence(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script could not tell a refusal from a broker that is away, a person saw a traceback."""

    def fail() -> None:
        raise error

    assert ended(fail) == code
    out, err = capsys.readouterr()
    assert (out, err) == ("", f"zchat: {error}\n")


def test_an_error_of_a_task_is_that_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Asyncio wraps it in a group, whose sentence is about sub-exceptions."""

    async def fail() -> None:
        raise Unreachable("tcp://x:1")

    async def both() -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail())

    assert ended(lambda: asyncio.run(both())) == 69
    assert capsys.readouterr().err.startswith("zchat: no broker answers at tcp://x:1;")


def test_what_others_wrote_is_cleaned_in_sentences_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A refusal repeats what was asked for, and a hostile broker writes its own."""

    def fail() -> None:
        raise Refused("bad-text", "\x1b]0;root\x07\nzchat: all is well")

    assert ended(fail) == 1
    assert capsys.readouterr().err == "zchat: ␛]0;root␇⏎zchat: all is well\n"


def test_a_defect_keeps_its_traceback() -> None:
    """A programming error that looks like a refusal would never be found."""
    with pytest.raises(ZeroDivisionError):
        ended(lambda: 1 // 0)


@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (OutputClosed(), 141), (Terminated(15), 143)]
)
def test_codes_of_signals(error: BaseException, code: int) -> None:
    assert exit_code(error) == code
