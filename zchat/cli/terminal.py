"""A terminal to type in: editing, history and completion, with lines coming in above the prompt."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import patch_stdout

from zchat.protocol.text import displayable

from .conversation import Conversation
from .data import default_state
from .slash import COMMANDS

__all__ = ["Words", "ask_nick", "lines"]

INTERRUPTED: Final = "\x03"
"""The prompt's result after Ctrl-C: no line can be this. An exception in a task would end the loop."""


async def lines(conversation: Conversation) -> AsyncGenerator[str]:
    """Each line the person enters. Ends at Ctrl-D; Ctrl-C on an empty line is a KeyboardInterrupt.

    Meanwhile whatever is printed appears above the prompt and leaves it whole.
    """
    entered: asyncio.Queue[str | None] = asyncio.Queue()

    def accept(buffer: Buffer) -> bool:
        # The prompt stays: what is typed while a line is being worked on is not lost.
        entered.put_nowait(buffer.text)
        return False  # empty the line; it is shown when it comes back with its position

    session: PromptSession[str] = PromptSession(
        lambda: _prompt(conversation),
        completer=Words(conversation),
        complete_while_typing=False,
        history=_history(default_state() / "history"),
        key_bindings=_keys(),
        erase_when_done=True,
        enable_suspend=True,  # Ctrl-Z, as in every program of a shell
    )
    session.default_buffer.accept_handler = accept
    with patch_stdout(raw=True):
        typing = asyncio.create_task(session.prompt_async())
        typing.add_done_callback(lambda _: entered.put_nowait(None))
        try:
            while (line := await entered.get()) is not None:
                yield line
                session.app.invalidate()  # nick or room may be others now
            with suppress(EOFError):
                if await typing == INTERRUPTED:
                    raise KeyboardInterrupt
        finally:
            typing.cancel()
            await asyncio.wait([typing])


async def ask_nick(sentence: str, *, offer_login: bool = False) -> str:
    """Ask who one is. Raises `EOFError` at Ctrl-D, `KeyboardInterrupt` at Ctrl-C."""
    session: PromptSession[str] = PromptSession()
    offered = _login() if offer_login else ""
    nick = ""
    while not nick:
        nick = (await session.prompt_async(sentence, default=offered)).strip()
    return nick


class Words(Completer):
    """Completes slash commands where a line begins, and nicks and rooms behind them."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation

    def get_completions(self, document: Document, _event: CompleteEvent) -> Iterator[Completion]:
        """What the word before the cursor may become."""
        before = document.text_before_cursor
        word = before.rpartition(" ")[2]
        first = word == before
        for candidate in sorted(self._candidates(first=first, slash=before.startswith("/"))):
            if candidate.casefold().startswith(word.casefold()):
                yield Completion(candidate + " ", -len(word), display=candidate)

    def _candidates(self, *, first: bool, slash: bool) -> Iterable[str]:
        if first and slash:
            return [f"/{command.name}" for command in COMMANDS]
        nicks = self._conversation.nicks
        if first:
            return {f"{nick}:" for nick in nicks}
        return nicks | set(self._conversation.chat.rooms) if slash else nicks


def _prompt(conversation: Conversation) -> str:
    return displayable(f"{conversation.chat.nick}@{conversation.room or '-'}> ")


def _keys() -> KeyBindings:
    keys = KeyBindings()

    @keys.add("c-c")
    def _(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            event.app.exit(result=INTERRUPTED)

    return keys


def _history(file: Path) -> History:
    """Lines of earlier runs; where they cannot be kept, of this one."""
    with suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)  # whispers are among them
        return FileHistory(str(file))
    return InMemoryHistory()


def _login() -> str:
    with suppress(OSError, KeyError):  # a user id without a name, as in containers
        return getpass.getuser()
    return ""
