from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import otel_trading

ROOT = Path(otel_trading.__file__).parent
MAY_KNOW_THE_SDK = ("sdk/", "testing.py", "cli/")
TARGETS = ("requests", "websockets", "aiohttp", "rich", "click")


def _imports(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_only_sdk_testing_and_cli_know_the_opentelemetry_sdk() -> None:
    knowing = {
        str(file.relative_to(ROOT))
        for file in ROOT.rglob("*.py")
        if any(name.startswith(("opentelemetry.sdk", "opentelemetry.exporter")) for name in _imports(file))
    }

    assert {name for name in knowing if not name.startswith(MAY_KNOW_THE_SDK)} == set()
    assert knowing, "the reader found no import at all"


def test_the_convention_stands_on_the_standard_library_alone() -> None:
    allowed = {*sys.stdlib_module_names, "otel_trading"}
    foreign = {
        name for file in (ROOT / "semconv").glob("*.py") for name in _imports(file) if name.split(".")[0] not in allowed
    }

    assert foreign == set()


@pytest.mark.parametrize("module", ["otel_trading.meter", "otel_trading.semconv", "otel_trading.trackers"])
def test_importing_it_loads_neither_the_sdk_nor_a_target_library(module: str) -> None:
    script = f"import sys, {module}; print('\\n'.join(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    names = loaded.stdout.split()

    assert module in names
    assert [name for name in names if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))] == []
    assert [name for name in names if name in TARGETS] == []


def test_what_runs_as_a_script_has_no_neighbour_that_python_itself_needs() -> None:
    # Canary and webhook are run by their path, so that their folder is the first place where an import looks.
    names = {file.stem for file in (ROOT / "stack").iterdir()}

    assert {"canary", "webhook"} <= names
    assert names & sys.stdlib_module_names == set()


def test_no_file_is_above_four_hundred_lines() -> None:
    repository = ROOT.parent
    files = [*ROOT.rglob("*.py"), *(repository / "tests").rglob("*.py"), *(repository / "dashboards").rglob("*.py")]
    long = {str(f.relative_to(repository)): n for f in files if (n := len(f.read_text("utf-8").splitlines())) > 400}

    assert long == {}
