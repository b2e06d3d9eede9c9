"""Of every library, in each version: what is hooked twice is hooked once, and what was hooked is again what it was.

LIBRARY names the one whose environment this is; without it, those that are installed here are looked at.
"""

from __future__ import annotations

import importlib
import os
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest
from packaging.requirements import Requirement

from otel_trading.instrumentation.ccxt import CcxtInstrumentor, _owner
from otel_trading.instrumentation.supported import ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.instrumentation._hooks import LazyInstrumentor
    from otel_trading.testing import CapturingMeter

_LIBRARY = os.environ.get("LIBRARY")
pytestmark = pytest.mark.filterwarnings("ignore")


def _is_here(instrumentor: type[LazyInstrumentor]) -> bool:
    if _LIBRARY is None:
        return any(find_spec(module.partition(".")[0]) for module in instrumentor.hooks)
    return bool(instrumentor.versions) and Requirement(instrumentor.versions).name == _LIBRARY


def _module(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module(name)
        except ImportError:
            return None  # of another version


def _places(instrumentor: type[LazyInstrumentor]) -> Iterator[tuple[Any, str]]:
    """Give what holds each function that is hooked, and the name under which."""
    for name, hooks in instrumentor.hooks.items():
        module = _module(name)
        for hook in hooks if module else ():
            owner, _, attribute = (hook if instrumentor is not CcxtInstrumentor else _in_ccxt(module, hook)).rpartition(
                "."
            )
            holder = getattr(module, owner, None) if owner else module
            if holder is not None and hasattr(holder, attribute):
                yield holder, attribute


def _in_ccxt(module: Any, hook: str) -> str:
    """Its hooks name methods of whichever class a module declares."""
    return f"{_owner(module)}.{hook}"


def _now(places: list[tuple[Any, str]]) -> list[Any]:
    return [vars(holder).get(attribute) for holder, attribute in places]


def _are(places: list[tuple[Any, str]], wanted: list[Any]) -> bool:
    return all(one is other for one, other in zip(_now(places), wanted, strict=True))


@pytest.fixture(params=[one for one in ours().values() if _is_here(one)], ids=lambda one: one.__name__)
def instrumentor(request: pytest.FixtureRequest, capmeter: CapturingMeter) -> Iterator[Any]:
    """One instrumentor after the other, off before and after."""
    assert capmeter
    one = request.param()
    if one.is_instrumented_by_opentelemetry:
        one.uninstrument()
    yield one
    if one.is_instrumented_by_opentelemetry:
        one.uninstrument()


def test_there_is_one() -> None:
    assert any(_is_here(one) for one in ours().values())


def test_twice_is_once_and_off_is_as_before(instrumentor: Any) -> None:
    places = list(_places(type(instrumentor)))
    before = _now(places)
    assert places
    for _ in range(2):
        instrumentor.instrument(skip_dep_check=True)
        hooked = _now(places)
        assert not _are(places, before)
        instrumentor.instrument(skip_dep_check=True)
        assert _are(places, hooked)
        instrumentor.uninstrument()
        assert _are(places, before)
    instrumentor.uninstrument()
    assert _are(places, before)


def test_a_method_that_the_users_class_has_of_its_own_stays(instrumentor: Any) -> None:
    def own(*_: object) -> str:
        return "mine"

    classes = []
    for holder, attribute in _places(type(instrumentor)):
        try:
            made = type(holder)("Own", (holder,), {attribute: own}) if isinstance(holder, type) else None
        except TypeError:  # a class that nobody can inherit
            made = None
        if made is not None:
            classes.append((made, attribute))
    instrumentor.instrument(skip_dep_check=True)
    assert all(vars(made)[attribute] is own for made, attribute in classes)
    instrumentor.uninstrument()
    assert all(vars(made)[attribute] is own for made, attribute in classes)
