"""The documents say what the code does: every word of the wire, every example, every link."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import pytest
import typer

import zchat
from zchat.cli.app import app
from zchat.config import Settings
from zchat.errors import REFUSALS, Refused
from zchat.protocol import codec
from zchat.protocol.audience import audience_of
from zchat.protocol.events import EVENTS, Audience
from zchat.protocol.replies import REPLIES, Handout, Person, RoomInfo
from zchat.protocol.requests import REQUESTS, Appending

ROOT = Path(__file__).parent.parent
PROTOCOL = (ROOT / "docs/protocol.md").read_text("utf-8")
REFERENCE = (ROOT / "docs/reference.md").read_text("utf-8")
PAGES = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
)  # fmt: skip


def table(heading: str) -> dict[str, list[str]]:
    """The table whose first column has this heading: each word of that column → the row's cells."""
    lines = iter(PROTOCOL.splitlines())
    next(line for line in lines if line.startswith(f"| {heading} |"))
    found = {}
    for line in itertools.takewhile(lambda line: line.startswith("|"), lines):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        found.update(dict.fromkeys(re.findall(r"[\w-]+", cells[0]), cells))
    return found


def named(text: str) -> set[str]:
    """Every word in code font, also inside ``{a, b?}``."""
    return {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"[\w-]+", code)}


def fields(type_: type) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(type_)}


@pytest.mark.parametrize("op", REQUESTS)
def test_every_request_is_documented(op: str) -> None:
    """Nobody could write a client in another language."""
    type_ = REQUESTS[op]
    _, takes, reply, appends = table("op")[op]
    assert named(takes) >= fields(type_) - {"id", "serial"}
    assert reply == REPLIES[type_].__name__.lower()
    assert (appends == "yes") == issubclass(type_, Appending)
    assert f"C:{op}" in PROTOCOL


@pytest.mark.parametrize(
    "type_", sorted(set(REPLIES.values()), key=str), ids=lambda type_: type_.__name__
)
def test_every_reply_is_documented(type_: type) -> None:
    _, holds = table("reply")[type_.__name__.lower()]
    assert named(holds) >= fields(type_) - {"id"}


@pytest.mark.parametrize("type_", [Handout, RoomInfo, Person])
def test_every_part_of_a_reply_is_documented(type_: type) -> None:
    sets = [set(re.findall(r"\w+", inner)) for inner in re.findall(r"`\{([\w, ?]+)\}`", PROTOCOL)]
    assert any(each >= fields(type_) for each in sets)


def test_every_refusal_is_documented() -> None:
    """A program could not know what to do; or would wait for a code that no broker sends."""
    assert {code for code in table("code") if code.strip("-")} == set(REFUSALS)


@pytest.mark.parametrize("kind", EVENTS)
def test_every_event_is_documented(kind: str) -> None:
    marks = audience_of(EVENTS[kind])
    seen = {field for field, who in marks.items() if who is not Audience.BROKER}
    _, holds, _ = table("kind")[kind]
    assert named(holds) >= seen - {"position", "at", "user", "nick", "serial"}


def commands(at: Any, path: str = "zchat") -> Iterator[tuple[str, Any]]:
    """Every command that can be typed, by its path."""
    below = getattr(at, "commands", {})
    if not below:
        yield path, at
    for name, command in below.items():
        yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(commands(typer.main.get_command(app))), ids=str)
def test_every_command_is_documented(path: str, command: Any) -> None:
    """An operator would have to guess, or read the code."""
    assert f"`{path}" in REFERENCE
    options = {option for parameter in command.params for option in parameter.opts}
    assert {each for each in options if each[0] == "-" and f"`{each}" not in REFERENCE} == set()


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_every_setting_is_documented(name: str) -> None:
    default = getattr(Settings(), name)
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    assert f"| `{name}` | `{shown}` |" in REFERENCE


def examples() -> list[Any]:
    """Each piece of JSON in the protocol: the blocks, and what stands in a line and is no grammar."""
    found = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PROTOCOL, re.DOTALL)]
    for code in re.findall(r"`(\{\"[^`]*\})`", PROTOCOL):
        with contextlib.suppress(json.JSONDecodeError):
            found.append(json.loads(code))
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda each: json.dumps(each)[:30])
def test_every_example_decodes(example: Any) -> None:
    """The first thing a reader copies would be refused."""
    match example:
        case [*_]:
            read = codec.decode_requests(msgpack.packb(example))
            assert not any(isinstance(each, Refused) for each in read)
        case {"prev": _}:
            publication = codec.decode_publication(msgpack.packb(example))
            assert codec.placed(publication.events)[-1].position == publication.last
        case {"id": _}:
            codec.decode_replies(msgpack.packb([example]))
        case _:
            pytest.fail(f"what is this an example of? {example}")


def test_there_are_examples() -> None:
    assert len(examples()) >= 3


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_nobody_is_told_to_install_somebody_elses_package(page: Path) -> None:
    """``zchat`` on the index is another project."""
    for wanted in re.findall(r"(?:pip|pipx|uv tool) install ([^\n`]*)", page.read_text("utf-8")):
        assert not re.search(r"\bzchat\b(?!-broker)", wanted), wanted


def test_the_changelog_knows_this_version() -> None:
    version = zchat.__version__
    assert re.search(
        rf"^## \[{re.escape(version)}\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M
    )


def test_every_path_in_the_architecture_exists() -> None:
    """The reading order would send a newcomer to a file that is gone."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    paths = set(re.findall(r"`((?:zchat|tests|docs|examples)/[\w./-]*)`", text))
    assert paths
    assert {path for path in paths if not (ROOT / path).exists()} == set()
