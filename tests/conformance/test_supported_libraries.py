"""The README's table of support is what the code says, and each library that stands there has its test."""

from __future__ import annotations

import re
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from otel_trading import semconv
from otel_trading.instrumentation import supported
from otel_trading.instrumentation._hooks import LazyInstrumentor

ROOT = Path(__file__).parents[2]
OURS = supported.ours()
POINTS = tuple(entry_points(group="opentelemetry_instrumentor"))


def test_the_readme_carries_the_table() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = readme.partition(supported.BEGIN)[2].partition(supported.END)[0].strip()

    assert told == supported.markdown(), "python -m otel_trading.instrumentation README.md"


@pytest.mark.parametrize("name", OURS)
def test_an_instrumentor_says_what_it_supports_and_emits(name: str) -> None:
    instrumentor = OURS[name]

    assert issubclass(instrumentor, LazyInstrumentor)
    if instrumentor.versions:
        wanted = Requirement(instrumentor.versions)
        assert all(wanted.specifier.contains(one) for one in instrumentor.tested)
        assert any(one.operator == "<" for one in wanted.specifier), "a version that may break us is not hooked unseen"
    assert instrumentor.emits or instrumentor.gains
    assert set(instrumentor.emits) <= set(semconv.ALL)
    assert instrumentor.__doc__
    manual = __import__(instrumentor.__module__, fromlist=["__doc__"]).__doc__
    assert manual, "the docstring of the module is the manual"


@pytest.mark.parametrize("name", [name for name, one in OURS.items() if one.versions])
def test_an_instrumented_library_is_driven_by_a_script(name: str) -> None:
    library = supported._name(OURS[name])

    assert (ROOT / "tests" / "libraries" / f"test_{library.replace('-', '_')}.py").exists()


def test_the_launcher_tells_of_each_library(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "\n".join(supported.checklist())

    assert re.search(rf"instruments .*requests {version('requests')}", said)

    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "requests, venue_requests")
    assert "leaves alone requests" in "\n".join(supported.checklist())


OLD = ("0.1", "0.2")
DOUBTS = {
    "requests >= 2, < 3": "instruments, untested in this version, requests {}: 0.1 to 0.2 is tested",
    "requests >= 0.1, < 1": "cannot instrument requests {}: <1,>=0.1 is supported",
}


@pytest.mark.parametrize("versions", DOUBTS)
def test_a_doubtful_version_is_told(monkeypatch: pytest.MonkeyPatch, versions: str) -> None:
    monkeypatch.setattr(supported, "_points", lambda: [point for point in POINTS if point.name == "venue_requests"])
    monkeypatch.setattr(OURS["venue_requests"], "tested", OLD)
    monkeypatch.setattr(OURS["venue_requests"], "versions", versions)

    assert DOUBTS[versions].format(version("requests")) in list(supported.checklist())


def test_what_is_one_install_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = supported._version
    monkeypatch.setattr(supported, "_version", lambda name: None if name.endswith("-flask") else real(name))
    monkeypatch.setattr(supported, "_points", lambda: [point for point in POINTS if point.name != "flask"])
    told = list(supported.checklist())

    assert f"cannot instrument flask {version('flask')}: pip install 'otel-trading[http]'" in told
