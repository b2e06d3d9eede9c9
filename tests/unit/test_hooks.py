"""Hooks on functions and methods: what is wrapped stays what it was for everybody who looks."""

from __future__ import annotations

import asyncio
import functools
import inspect
import pickle
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading.instrumentation._hooks import LazyInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import ClassVar

SOURCE = """
def function(x): return "function", x
class Owner:
    def method(self, x): return "method", x
    @classmethod
    def of_class(cls, x): return cls.__name__, x
    @staticmethod
    def static(x): return "static", x
class Heir(Owner): pass
class Waiting:
    async def answers(self, x): return "answers", x
    async def seen_at_once(self, x): return "seen_at_once", x
    def yields(self, x): yield "yields", x
"""
NAMES = ("function", "Owner.method", "Owner.of_class", "Owner.static")
seen: list[str] = []


def _see(wrapped: Callable[..., Any], _instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    seen.append(wrapped.__name__)
    return wrapped(*args, **kwargs)


async def _see_async(
    wrapped: Callable[..., Any], _instance: object, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    answer = await wrapped(*args, **kwargs)
    seen.append(wrapped.__name__)
    return answer


class Hooked(LazyInstrumentor):
    versions = "wrapt"
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "hooked_library": dict.fromkeys((*NAMES, "of_another_version", "Owner.of_another", "Another.method"), _see)
        | {"Waiting.answers": _see_async, "Waiting.seen_at_once": _see, "Waiting.yields": _see}
    }


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    module = ModuleType("hooked_library")
    exec(SOURCE, vars(module))  # noqa: S102  a library that nobody imported before
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(Hooked, "_instance", None)  # else it would hook the module of the test before
    seen.clear()
    instrumentor = Hooked()
    instrumentor.instrument()
    yield module
    instrumentor.uninstrument()


def _ways(library: Any) -> list[Callable[[int], Any]]:
    heir = library.Heir()
    return [library.function, heir.method, library.Heir.of_class, heir.of_class, library.Owner.static, heir.static]


def test_what_is_hooked_is_pickled_as_ever(library: Any) -> None:
    answers = [pickle.loads(pickle.dumps(way))(1) for way in _ways(library)]  # noqa: S301  our own

    assert answers == [(name, 1) for name in ("function", "method", "Heir", "Heir", "static", "static")]
    assert seen == ["function", "method", "of_class", "of_class", "static", "static"]


def test_what_was_hooked_is_again_what_it_was(library: Any) -> None:
    Hooked().uninstrument()

    assert [way(1) for way in _ways(library)] == [
        (name, 1) for name in ("function", "method", "Heir", "Heir", "static", "static")
    ]
    assert seen == []
    assert isinstance(vars(library.Owner)["static"], staticmethod)


def test_somebody_elses_hook_upon_ours_stays(library: Any) -> None:
    ours = vars(library.Owner)["method"]

    def theirs(self: object, x: int) -> Any:
        return "theirs", ours.__get__(self)(x)

    library.Owner.method = theirs
    Hooked().uninstrument()

    assert library.Owner().method(1) == ("theirs", ("method", 1))


def test_what_waits_or_yields_is_known_to_do_so_and_its_hook_runs_when_it_did(library: Any) -> None:
    waiting = library.Waiting()

    assert all(map(inspect.iscoroutinefunction, (waiting.answers, waiting.seen_at_once)))
    assert inspect.isgeneratorfunction(waiting.yields)
    answers = waiting.answers(1), waiting.seen_at_once(1)
    assert seen == ["seen_at_once"]
    assert [asyncio.run(answer) for answer in answers] == [("answers", 1), ("seen_at_once", 1)]
    assert [*waiting.yields(1)] == [("yields", 1)]
    assert seen == ["seen_at_once", "answers", "yields"]


def test_what_is_hooked_looks_as_before(library: Any) -> None:
    method = library.Owner.method

    assert (method.__qualname__, str(inspect.signature(method))) == ("Owner.method", "(self, x)")
    assert method(library.Owner(), x=1) == ("method", 1)


def test_a_wrapper_that_copies_what_stands_on_ours_stays(library: Any) -> None:
    ours = vars(library.Owner)["method"]

    @functools.wraps(ours)
    def theirs(self: object, x: int) -> Any:
        return "theirs", ours(self, x)

    library.Owner.method = theirs
    Hooked().uninstrument()

    assert library.Owner().method(1) == ("theirs", ("method", 1))
