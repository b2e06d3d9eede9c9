"""What tests of a bot on the real stack need: start it as a user would, and read what Prometheus holds of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import time
import urllib.parse
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from otel_trading.stack import loopback
from stack_support import json_lines, logs, post, prometheus_query, spans, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.stack import Stack

__all__ = [
    "COMMAND",
    "assert_held",
    "assert_nothing_planted",
    "bot",
    "environment",
    "finish",
    "prometheus_get",
    "running",
    "series",
    "serving",
    "start",
    "unchanged",
]

COMMAND = Path(sysconfig.get_path("scripts")) / "otel-trading"
#: Lines around what a test's bot does: it says that it is there, and goes on until its standard input ends.
_FRAME = "import sys, time\nfrom otel_trading import meter\n{body}\nprint('ready', flush=True)\nsys.stdin.read()\n"
_SECONDS_TO_END = 60
#: Longer than a bot of the tests keeps spans and log records (`environment`).
_EXPORTED = 0.5
#: Every series that a rule of the stack records.
_COMPUTED = {
    rule["record"]
    for file in (Path(__file__).parents[1] / "alerts").rglob("*.yaml")
    for group in yaml.safe_load(file.read_text(encoding="utf-8")).get("groups", ())
    for rule in group["rules"]
    if "record" in rule
}


def environment(stack: Stack | str | None, /, **variables: str) -> dict[str, str]:
    """Return this process's environment without any setting of telemetry, then those of the test."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "_OTEL_", "PYTEST_", "PYTHONWARNINGS"))
    }
    fast = {"OTEL_METRIC_EXPORT_INTERVAL": "500", "OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_BLRP_SCHEDULE_DELAY": "200"}
    fast["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = "system_metrics"  # most tests look at our series, and at no other
    if stack is not None:
        fast["OTEL_EXPORTER_OTLP_ENDPOINT"] = stack if isinstance(stack, str) else stack.otlp_endpoint
    return {**kept, **fast, **variables}


def start(folder: Path, service: str, text: str, variables: dict[str, str]) -> subprocess.Popen[str]:
    """Start a script under `otel-trading run`; its name is the service's."""
    script = folder / f"{service}.py"
    script.write_text(text, encoding="utf-8")
    return subprocess.Popen(
        [COMMAND, "run", sys.executable, script],
        env=variables,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[str, str]:
    """End the bot's standard input and return what it said on stdout and stderr."""
    return process.communicate(timeout=_SECONDS_TO_END)


def bot(folder: Path, service: str, text: str, variables: dict[str, str]) -> tuple[int, str, str]:
    """Run a script to its end; returns exit code, stdout and stderr."""
    process = start(folder, service, text, variables)
    with _ended(process):
        out, err = finish(process)
    return process.returncode, out, err


@contextmanager
def running(folder: Path, service: str, body: str, variables: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Run a bot that does `body` and stays; inside the block it is past that."""
    process = start(folder, service, _FRAME.format(body=body), variables)
    with _ended(process):
        assert process.stdout is not None
        said = process.stdout.readline()
        assert said == "ready\n", (said, process.communicate(timeout=_SECONDS_TO_END))
        yield process
        if process.poll() is None:
            finish(process)


@contextmanager
def unchanged(folder: Path, service: str, text: str, variables: dict[str, str]) -> Iterator[Any]:
    """Run an unchanged script that prints one line of JSON, its own log of what it did, and stays; gives that."""
    process = start(folder, service, text, variables)
    with _ended(process):
        assert process.stdout is not None
        said = process.stdout.readline()
        try:
            log = json.loads(said)
        except json.JSONDecodeError:
            process.kill()
            pytest.fail(f"{said!r} {process.communicate(timeout=_SECONDS_TO_END)}")
        yield log


@contextmanager
def serving(folder: Path, service: str, text: str, variables: dict[str, str]) -> Iterator[int]:
    """Run an unchanged app that prints the port on which it listens and then serves; gives that port."""
    with unchanged(folder, service, text, variables) as port:
        yield int(port)


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    with process:  # closes its pipes
        try:
            yield
        finally:
            if process.poll() is None:
                process.kill()


def prometheus_get(stack: Stack, path: str, **query: str) -> Any:
    """Return the data of a GET on the real Prometheus's API."""
    answer = json.loads(loopback.ask(f"{stack.urls['prometheus']}/api/v1/{path}?{urllib.parse.urlencode(query)}", 10))
    assert answer["status"] == "success", answer
    return answer["data"]


def series(stack: Stack, service: str) -> list[dict[str, str]]:
    """Return the labels of every series that a bot sent; those that rules computed from them are left out."""
    found: list[dict[str, str]] = prometheus_get(stack, "series", **{"match[]": f'{{service_name="{service}"}}'})
    return [one for one in found if one["__name__"] not in _COMPUTED and not one["__name__"].startswith("ALERTS")]


def assert_held(stack: Stack, service: str, expected: dict[str, float], timeout: float = 30) -> None:
    """Wait until the real Prometheus holds these values of a bot.

    Args:
        stack: Whose Prometheus.
        service: The bot.
        expected: By PromQL, in which `$` stands for the matcher of the bot; each must give one sample.
        timeout: Seconds, for all together.
    """
    deadline = time.monotonic() + timeout
    for query, value in expected.items():
        asked = query.replace("$", f'service_name="{service}"')

        def holds(asked: str = asked, value: float = value) -> bool:
            return [float(one["value"][1]) for one in prometheus_query(stack, asked)] == [value]

        wait_until(holds, max(1.0, deadline - time.monotonic()), f"{asked} to be {value}")


def assert_nothing_planted(stack: Stack, service: str, word: str = "PLANTED") -> None:
    """Look for a secret in all that was recorded of a bot: series, spans and what they carry, and events of ours.

    Args:
        stack: Whose files and Prometheus.
        service: The bot.
        word: What was planted in URLs, headers, orders and exceptions.
    """
    held = series(stack, service)
    assert held
    assert word not in str(held)
    for kind, made in (("traces", spans), ("logs", logs)):
        file, mark = stack.home / "data" / "collector" / kind / f"{kind}.jsonl", f"after {service} {time.time_ns()}"
        time.sleep(_EXPORTED)
        post(f"{stack.otlp_endpoint}/v1/{kind}", made("marker", mark))
        wait_until(partial(_tells, file, mark), 20, f"{mark} in {file}")
        own = [
            scope for line in json_lines(file) for scope in _scopes(line, service) if kind == "traces" or _ours(scope)
        ]
        assert word not in json.dumps(own), next(scope for scope in own if word in json.dumps(scope))


def _tells(file: Path, mark: str) -> bool:
    return mark in str(json_lines(file))


def _scopes(line: dict[str, list[dict[str, Any]]], service: str) -> Iterator[dict[str, Any]]:
    mine = {"key": "service.name", "value": {"stringValue": service}}
    for parts in line.values():
        for part in parts:
            if mine in part["resource"]["attributes"]:
                yield from part.get("scopeSpans", part.get("scopeLogs", ()))


def _ours(scope: dict[str, Any]) -> bool:
    """Whether log records are events of ours; what the bot and its libraries write themselves is their own word."""
    return bool(scope["scope"].get("name", "").startswith("otel_trading"))
