"""Run Python in a process of its own: configuration is once per process."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

__all__ = ["COMMAND", "QUIET", "clean_environment", "configured", "python"]

COMMAND = Path(sysconfig.get_path("scripts")) / "otel-trading"
#: Nothing leaves: for tests that look at something else.
QUIET = {"OTEL_METRICS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
_CONFIGURE = """
import sys, otel_trading
from otel_trading.errors import ConfigError
try:
    otel_trading.configure()
except ConfigError as error:
    sys.stdout.write(f'ConfigError: {error}')
    sys.exit(2)
"""


def clean_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without settings of telemetry or traces of pytest, then those of the test."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "_OTEL_", "PYTEST_"))
    }
    return {**inherited, **variables}


def python(code: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run code in a new interpreter with these variables only."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def configured(then: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Call `configure()` in a new interpreter, then run `then`; a ConfigError is on stdout, with exit code 2."""
    return python(_CONFIGURE + then, **variables)
