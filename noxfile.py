"""Every library that is instrumented, in its oldest and its newest tested version, each in an environment of its own.

`nox` runs all of them, `nox -s "libraries(ccxt-4.5.90)"` one, `nox -s cost` prints what each hook costs,
`nox -s "cost(ccxt)"` what one does. `nox -s sbom` writes what a plain installation is made of.
What a test needs besides the library stands in tests/libraries/NAME.txt; test_every_library.py runs in each.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nox
from packaging.requirements import Requirement

from otel_trading.instrumentation.supported import ours

nox.options.sessions = ["libraries", "data", "sbom"]
nox.options.default_venv_backend = "uv|virtualenv"

FOLDER = Path("tests/libraries")
_ROWS = Path(".nox/costs")
_HEAD = (
    "| call | alone us | of it the calling thread | added us | of it at collection | the same records by the bare SDK "
    "| added by all with traces | of it OpenTelemetry's own | ratio (of the medians) | to the calling thread's |\n"
    f"|{' --- |' * 10}"
)


def _cost(name: str) -> Path:
    return Path(f"benchmarks/libraries/cost_{name.replace('-', '_')}.py")


NAMES = {Requirement(one.versions).name: one.tested for one in ours().values() if one.versions}
TESTED = [(name, version) for name, versions in NAMES.items() for version in dict.fromkeys(versions)]
COSTED = [(name, versions[-1]) for name, versions in NAMES.items() if _cost(name).exists()]


def _install(session: nox.Session, name: str, version: str) -> None:
    more = FOLDER / f"{name}.txt"
    needed = ["-r", str(more)] if more.exists() else []
    session.install("-e", ".", "pytest", "pytest-timeout", f"{name}=={version}", *needed)


@nox.session
@nox.parametrize(("name", "version"), TESTED, ids=[f"{name}-{version}" for name, version in TESTED])
def libraries(session: nox.Session, name: str, version: str) -> None:
    """An unchanged script with the real library; the real Prometheus holds what it did."""
    _install(session, name, version)
    stem = f"test_{name.replace('-', '_')}"
    files = [FOLDER / f"{stem}.py", *FOLDER.glob(f"{stem}_*.py"), FOLDER / "test_every_library.py"]
    session.run("pytest", "-q", *map(str, files), *session.posargs, env={"LIBRARY": name})


@nox.session
def data(session: nox.Session) -> None:
    """An unchanged script with the libraries that OpenTelemetry instruments for the extra `data`, on real servers."""
    session.install("-e", ".[data]", "pytest", "pytest-timeout", "celery", "psycopg[binary]", "redis", "sqlalchemy")
    session.run("pytest", "-q", str(FOLDER / "test_data_clients.py"), *session.posargs)


@nox.session
def sbom(session: nox.Session) -> None:
    """What a plain `pip install otel-trading` is made of today, as CycloneDX in dist/."""
    session.install(".")
    out = Path("dist/otel-trading.python.cdx.json")
    out.parent.mkdir(exist_ok=True)
    of = ("environment", "--pyproject", "pyproject.toml", str(Path(session.bin) / "python"))
    session.run("cyclonedx-py", *of, "-o", str(out), external=True)


@nox.session
@nox.parametrize(("name", "version"), COSTED, ids=[name for name, _ in COSTED])
def cost(session: nox.Session, name: str, version: str) -> None:
    """What the hook adds to the library's hot call, with and without in one run."""
    _install(session, name, version)
    session.install("-e", ".[http]")  # OpenTelemetry's own instrumentation, whose cost is told beside ours
    row = _ROWS / f"{name}.md"
    row.parent.mkdir(parents=True, exist_ok=True)
    row.unlink(missing_ok=True)
    session.run("python", str(_cost(name)), *session.posargs, env={"OTEL_TRADING_COST_TABLE": str(row)})
    session.notify("costs")


@nox.session(python=False)
def costs(session: nox.Session) -> None:
    """The table of what was measured last."""
    del session
    rows = "".join(row.read_text("utf-8") for row in sorted(_ROWS.glob("*.md")))
    sys.stdout.write(f"{_HEAD}\n{rows}")
