"""What the package says it exports is what it has, and what it has is documented."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import TYPE_CHECKING, Final

import pytest

import otel_trading
from otel_trading import meter, semconv

if TYPE_CHECKING:
    from types import FunctionType, ModuleType

#: The builders of the boards are a room of their own, with their own tests; they need an extra and Python 3.11.
APART: Final = (".demo.", ".servers", ".dashboards.")
NAMES: Final = sorted(
    module.name
    for module in pkgutil.walk_packages(otel_trading.__path__, "otel_trading.")
    if not module.name.endswith("__main__") and not any(part in module.name for part in APART)
)
MODULES: Final = [importlib.import_module(name) for name in ("otel_trading", *NAMES)]
DECLARED: Final = [module for module in MODULES if hasattr(module, "__all__")]
HELPERS: Final = sorted(meter.__all__)
SIGNALS: Final = {signal.name for signal in (*semconv.spans.ALL, *semconv.events.ALL)}
DECLARING: Final = {"counter", "gauge", "histogram", "up_down_counter", "defaults", "scope"}


def _ids(modules: list[ModuleType]) -> list[str]:
    return [module.__name__ for module in modules]


def _public_functions(module: ModuleType) -> list[tuple[str, FunctionType]]:
    """Functions and methods that a user of the module may call, defined there."""
    found: list[tuple[str, FunctionType]] = []
    for name in getattr(module, "__all__", []):
        value = getattr(module, name)
        if inspect.isfunction(value) and value.__module__ == module.__name__:
            found.append((name, value))
        if inspect.isclass(value) and value.__module__ == module.__name__:
            methods = [(key, item) for key, item in vars(value).items() if inspect.isfunction(item)]
            found += [(f"{name}.{key}", item) for key, item in methods if not key.startswith("_")]
    return found


FUNCTIONS: Final = [
    pytest.param(function, id=f"{module.__name__}.{name}")
    for module in DECLARED
    for name, function in _public_functions(module)
]


def _documented(text: str) -> list[str]:
    section = text.partition("Args:\n")[2]
    indent = re.match(r" *", section)
    width = len(indent.group()) if indent else 0
    block = section.split("\n\n", 1)[0]
    return re.findall(rf"^ {{{width}}}(\w+):", block, re.MULTILINE)


@pytest.mark.parametrize("module", DECLARED, ids=_ids(DECLARED))
def test_every_exported_name_exists_once_and_in_order(module: ModuleType) -> None:
    exported = list(module.__all__)

    assert len(set(exported)) == len(exported)
    assert [name for name in exported if not hasattr(module, name)] == []


@pytest.mark.parametrize("module", DECLARED, ids=_ids(DECLARED))
def test_every_public_function_and_class_of_a_module_is_exported(module: ModuleType) -> None:
    own = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isfunction(value) or inspect.isclass(value))
        and value.__module__ == module.__name__
    }

    assert own - set(module.__all__) == set()


@pytest.mark.parametrize("module", MODULES, ids=_ids(MODULES))
def test_every_module_says_what_it_is_for(module: ModuleType) -> None:
    assert (module.__doc__ or "").strip()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_arguments_are_documented_all_of_them_or_none_at_all(function: FunctionType) -> None:
    text = inspect.getdoc(function) or ""
    parameters = [name for name in inspect.signature(function).parameters if name not in {"self", "cls"}]
    documented = _documented(text)

    assert text, "Say in one sentence what it does."
    assert documented in ([], parameters)


@pytest.mark.parametrize("helper", HELPERS)
def test_a_helper_documents_every_argument(helper: str) -> None:
    function = getattr(meter, helper)

    assert _documented(inspect.getdoc(function) or "") == list(inspect.signature(function).parameters)


@pytest.mark.parametrize("helper", sorted(set(HELPERS) - DECLARING))
def test_a_helper_says_what_it_emits_and_every_name_exists(helper: str) -> None:
    text = inspect.getdoc(getattr(meter, helper)) or ""
    emits = text.partition("Emits:")[2]

    assert emits, f"{helper} needs a line `Emits: ...`."
    for name in re.findall(r"`(trading\.[a-z_.]+)`", emits):
        assert semconv.find(name) is not None or name in SIGNALS, name


@pytest.mark.parametrize("helper", HELPERS)
def test_a_helper_takes_keywords_only(helper: str) -> None:
    kinds = {parameter.kind for parameter in inspect.signature(getattr(meter, helper)).parameters.values()}
    named = {"timed", "counter", "gauge", "histogram", "up_down_counter"}  # their name comes first
    named |= {"watch_breaker", "watch_event_bus"}  # what they attach to comes first

    assert kinds <= {inspect.Parameter.KEYWORD_ONLY} or helper in named
