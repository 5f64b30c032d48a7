"""What is public is listed, in order, once, and says what it does."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import Counter
from collections.abc import Iterator
from types import ModuleType

import pytest

import zchat

MODULES = sorted(
    [
        "zchat",
        *(
            m.name
            for m in pkgutil.walk_packages(zchat.__path__, "zchat.")
            if "__main__" not in m.name
        ),
    ]
)


def module(name: str) -> ModuleType:
    return importlib.import_module(name)


def own_names(mod: ModuleType) -> list[str]:
    return list(getattr(mod, "__all__", ()))


@pytest.mark.parametrize("name", MODULES)
def test_all_is_true(name: str) -> None:
    """A name in ``__all__`` that is not there breaks `from … import *` and every reference page."""
    mod = module(name)
    listed = own_names(mod)
    assert [each for each in listed if not hasattr(mod, each)] == []
    assert [each for each, times in Counter(listed).items() if times > 1] == []


@pytest.mark.parametrize("name", MODULES)
def test_all_is_in_order(name: str) -> None:
    """Constants, then classes, then functions, each by name: one finds what one looks for."""
    listed = own_names(module(name))
    rank = {each: (not each.isupper(), not each[:1].isupper(), each) for each in listed}
    assert listed == sorted(listed, key=rank.__getitem__)


def test_a_public_name_is_one_thing() -> None:
    """``zchat.X`` is the same object wherever it came from, and says nothing twice."""
    things = [id(thing) for each in own_names(zchat) if callable(thing := getattr(zchat, each))]
    assert len(set(things)) == len(things)


def undocumented(name: str) -> Iterator[str]:
    mod = module(name)
    if not mod.__doc__:
        yield name
    for each in own_names(mod):
        thing = getattr(mod, each)
        if not (inspect.isclass(thing) or inspect.isfunction(thing)):
            continue
        if not str(thing.__module__).startswith("zchat"):
            continue
        if not thing.__doc__:
            yield f"{name}.{each}"
        if inspect.isclass(thing):
            yield from (f"{name}.{each}.{method}" for method in silent_methods(thing))


def ports() -> list[type]:
    """Every public protocol class: what it says of a method holds for all its adapters."""
    public = {
        id(t): t
        for name in MODULES
        for each in own_names(module(name))
        if (t := getattr(module(name), each)) is not None
    }
    return [t for t in public.values() if inspect.isclass(t) and getattr(t, "_is_protocol", False)]


def silent_methods(cls: type) -> Iterator[str]:
    """Public methods of which neither they, nor a base or port they fulfil, says anything."""
    fulfilled = [
        port for port in ports() if all(hasattr(cls, each) for each in vars(port) if each[0] != "_")
    ]
    for method, raw in vars(cls).items():
        if method.startswith("_"):
            continue
        body = raw.__func__ if isinstance(raw, staticmethod | classmethod) else raw
        if not (inspect.isfunction(body) or isinstance(body, property)):
            continue
        said = [
            getattr(vars(base).get(method), "__doc__", None) for base in (*cls.__mro__, *fulfilled)
        ]
        if not any(said):
            yield method


@pytest.mark.parametrize("name", MODULES)
def test_what_is_public_says_what_it_does(name: str) -> None:
    """Somebody would have to read the code to use it."""
    assert list(undocumented(name)) == []
