"""The laws that a reader can check with a ruler: imports, purity, size, names."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "zchat"
FILES = sorted(PACKAGE.rglob("*.py"))

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "config": {"errors"},
    "protocol": {"errors", "config"},
    "core": {"protocol", "errors", "config"},
    "journal": {"protocol", "errors", "config"},
    "files": {"protocol", "errors", "config"},
    "security": {"protocol", "errors", "config"},
    "broker": {"core", "journal", "files", "security", "protocol", "errors", "config"},
    "client": {"files", "security", "protocol", "errors", "config"},
    "tui": {"client", "protocol", "errors", "config"},
    "gateways": {"client", "protocol", "errors", "config"},
    "cli": {
        "tui", "gateways", "client", "broker", "core", "journal", "files", "security",
        "protocol", "errors", "config",
    },
    "testing": {
        "cli", "tui", "gateways", "client", "broker", "core", "journal", "files", "security",
        "protocol", "errors", "config",
    },
    "__init__": {"client", "protocol", "errors", "config"},
    "__main__": {"cli"},
}  # fmt: skip
"""Layer → the layers it may import besides itself. What is not listed is refused."""

IMPURE = {
    "_thread", "asyncio", "concurrent", "contextvars", "getpass", "io", "locale", "logging",
    "multiprocessing", "os", "pathlib", "platform", "random", "secrets", "select", "selectors",
    "shutil", "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading",
    "time", "uuid", "zmq",
}  # fmt: skip
"""Modules through which the core could look at the world."""

IMPURE_CALLS = {"breakpoint", "input", "open", "print"}
IMPURE_METHODS = {"now", "today", "utcnow"}

FORBIDDEN = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
"""Words that say nothing about what a thing is for."""


def layer(path: Path) -> str:
    top = path.relative_to(PACKAGE).parts[0]
    return top.removesuffix(".py")


def imports(path: Path, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every module imported anywhere in the file, absolute, with its line."""
    package = path.relative_to(PACKAGE.parent).parent.parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            base += [node.module] if node.module else []
            for alias in node.names:
                yield node.lineno, ".".join([*base, alias.name])


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def strangers(path: Path, tree: ast.Module) -> list[str]:
    """The imports of a file that its layer may not have."""
    mine = layer(path)
    found = []
    for line, module in imports(path, tree):
        if module.split(".")[0] != "zchat":
            continue
        theirs = [*module.split("."), "__init__"][1]
        # `from zchat import Name` takes a public name of the package itself.
        theirs = theirs if theirs in MAY_IMPORT or (PACKAGE / theirs).exists() else "__init__"
        allowed = MAY_IMPORT.get(mine, set()) | {mine}
        allowed |= {"__init__"} if mine in {"cli", "testing"} else set()
        if theirs not in allowed:
            found.append(f"{path.relative_to(PACKAGE.parent)}:{line} imports {module}")
    return found


def impurities(tree: ast.Module) -> list[str]:
    """What a file does that a pure one does not."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found += [a.name for a in names if a.name.split(".")[0] in IMPURE]
            case ast.ImportFrom(module=str(module), level=0) if module.split(".")[0] in IMPURE:
                found.append(module)
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                found.append(f"{name}()")
            case ast.Call(func=ast.Attribute(attr=name)) if name in IMPURE_METHODS:
                found.append(f".{name}()")
            case _:
                pass
    return found


def names(path: Path, tree: ast.Module) -> Iterator[str]:
    """The words of the file, its folders, and what it defines."""
    definitions = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    defined = [*path.relative_to(PACKAGE).with_suffix("").parts]
    defined += [node.name for node in ast.walk(tree) if isinstance(node, definitions)]
    for name in defined:
        spaced = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
        yield from spaced.split("_")


def test_every_layer_is_in_the_table() -> None:
    """A folder nobody placed could import anything."""
    assert {layer(path) for path in FILES} <= set(MAY_IMPORT)


def test_imports_go_one_direction() -> None:
    """The client could be read only by reading the broker; the core could reach a socket."""
    assert [line for path in FILES for line in strangers(path, parse(path))] == []


def test_the_table_has_no_way_back() -> None:
    """A table with a circle allows what the test above is there to refuse."""
    settled: set[str] = set()
    while ready := {each for each in MAY_IMPORT.keys() - settled if MAY_IMPORT[each] <= settled}:
        settled |= ready
    assert settled == set(MAY_IMPORT)


@pytest.mark.parametrize("layer_", ["core", "protocol"])
def test_the_core_is_pure(layer_: str) -> None:
    """A clock or a die inside makes a failing seed of the simulation play differently."""
    found = {
        str(path.relative_to(PACKAGE)): impure
        for path in FILES
        if layer(path) == layer_ and (impure := impurities(parse(path)))
    }
    assert found == {}


def test_files_are_small() -> None:
    """One giant file is where a program stops being read."""
    long = {str(p): n for p in FILES if (n := len(p.read_text("utf-8").splitlines())) > 400}
    assert long == {}


def test_every_file_says_what_it_is_for() -> None:
    silent = [str(path) for path in FILES if not ast.get_docstring(parse(path))]
    assert silent == []


def test_names_mean_something() -> None:
    """`utils` is where things go that nobody can find again."""
    found = {
        str(path.relative_to(PACKAGE)): words
        for path in FILES
        if (words := FORBIDDEN & set(names(path, parse(path))))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("core/rooms.py", "from zchat.journal import base"),
        ("core/rooms.py", "from ..journal.base import Journal"),
        ("client/api.py", "import zchat.core.state"),
        ("client/api.py", "from zchat import broker"),
        ("protocol/codec.py", "def f():\n    from zchat.core import broker"),
        ("journal/sqlite.py", "from zchat.core.state import Record"),
        ("errors.py", "from zchat import config"),
    ],
)
def test_a_forbidden_import_is_seen(file: str, line: str) -> None:
    """The test of the test: however it is spelt."""
    assert strangers(PACKAGE / file, ast.parse(line))


@pytest.mark.parametrize(
    "line",
    ["import time", "from os import urandom", "import zmq.asyncio", "datetime.now()", "print(1)"],
)
def test_an_impurity_is_seen(line: str) -> None:
    """The test of the test."""
    assert impurities(ast.parse(line))


def test_the_standard_library_modules_exist() -> None:
    """A misspelt name in `IMPURE` would forbid nothing."""
    assert IMPURE - {"zmq"} <= sys.stdlib_module_names
