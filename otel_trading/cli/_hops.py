"""The hops from a bot to a board and what stands beside them, each with its evidence or its fix."""

from __future__ import annotations

import json
import secrets
import socket
import time
from base64 import b64encode
from dataclasses import dataclass
from importlib.metadata import entry_points, version
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote, urlsplit

from otel_trading import _context, environment
from otel_trading.cli._around import BESIDE
from otel_trading.errors import ConfigError
from otel_trading.instrumentation import supported
from otel_trading.semconv import attributes as a
from otel_trading.stack import loopback, operator_access

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_trading.stack import ServiceStatus

__all__ = ["Hop", "Targets", "follow"]

CANARY: Final = "otel_trading.doctor.canary"
BOARD: Final = "otel-trading-overview"
_PATIENCE: Final = 15.0
#: Prometheus discovers its Alertmanagers some five seconds after its start.
_DISCOVERY: Final = 8.0
_POLL: Final = 0.3


@dataclass(frozen=True, slots=True)
class Targets:
    """Where each server answers; None where there is none to ask.

    Args:
        otlp: Base URL of the Collector's OTLP receiver over HTTP.
        prometheus: Base URL of Prometheus.
        alertmanager: Base URL of Alertmanager.
        grafana: Base URL of Grafana, or None when the stack runs without one.
        grafana_password: File with its admin password, or None.
        gate: How what lets other machines in is, or None.
    """

    otlp: str
    prometheus: str
    alertmanager: str
    grafana: str | None
    grafana_password: Path | None = None
    gate: ServiceStatus | None = None


@dataclass(frozen=True, slots=True)
class Hop:
    """What was found at one hop.

    Args:
        name: The hop.
        state: ok, broken, absent (not there, which breaks nothing), or unchecked (an earlier hop is broken).
        evidence: What was seen.
        fix: What to do, when it is not ok.
    """

    name: str
    state: Literal["ok", "broken", "absent", "unchecked"]
    evidence: str
    fix: str = ""


class _BrokenError(Exception):
    """A hop that is broken: evidence and fix."""

    def __init__(self, evidence: str, fix: str) -> None:
        super().__init__(evidence)
        self.evidence, self.fix = evidence, fix


class _DoubtfulError(_BrokenError):
    """Something that may be missing, while every hop may still be whole."""


class _AbsentError(Exception):
    """A hop that this stack does not have."""


def follow(targets: Targets) -> Iterator[Hop]:
    """Follow one canary from here to the board, and stop blaming at the first break."""
    canary = _Canary(targets)
    hops: tuple[tuple[str, Callable[[], str]], ...] = (
        ("environment", _environment),
        ("distro", _distro),
        ("libraries", _libraries),
        ("OTLP reachable", canary.reach),
        ("Collector accepted", canary.send),
        ("Prometheus has the series", canary.arrive),
        ("rules loaded", lambda: _rules(targets)),
        ("Alertmanager reachable", lambda: _alertmanager(targets)),
        *((name, _beside(look, targets)) for name, look in BESIDE.items()),
        ("Grafana has the boards", lambda: _grafana(targets)),
    )
    if (gate := targets.gate) is not None:
        hops += (("other machines let in", lambda: _gate(gate)),)
    broken = False
    for name, check in hops:
        if broken:
            yield Hop(name, "unchecked", "an earlier hop is broken")
            continue
        hop = _look(name, check)
        broken = hop.state == "broken"
        yield hop
    canary.end()


def _look(name: str, check: Callable[[], str]) -> Hop:
    try:
        return Hop(name, "ok", check())
    except _AbsentError as absent:
        return Hop(name, "absent", str(absent))
    except _DoubtfulError as doubt:
        return Hop(name, "absent", doubt.evidence, doubt.fix)
    except _BrokenError as broken:
        return Hop(name, "broken", broken.evidence, broken.fix)
    except ConfigError as error:
        return Hop(name, "broken", str(error), "otel-trading env shows every setting.")


def _environment() -> str:
    from otel_trading.sdk import token  # noqa: PLC0415  the SDK loads late
    from otel_trading.sdk.readers import check_standard, exporter_names  # noqa: PLC0415

    environment.check()
    check_standard()
    token.check()
    mode = _context.current().values.get(a.MODE.name, "live")
    return f"every OTEL_TRADING_* setting is good; mode {mode}; metrics leave by {', '.join(exporter_names())}"


def _distro() -> str:
    names = sorted(point.name for point in entry_points(group="opentelemetry_distro"))
    if "otel_trading" not in names:
        message = "the entry point opentelemetry_distro: otel_trading is not installed"
        raise _BrokenError(message, "pip install otel-trading into the environment of the bot.")
    others = [name for name in names if name != "otel_trading"]
    note = f"; also installed: {', '.join(others)} (otel-trading run selects ours)" if others else ""
    return f"otel_trading on opentelemetry-sdk {version('opentelemetry-sdk')}{note}"


def _libraries() -> str:
    libraries = supported.installed()
    doubts = [f"{one.name} {one.version}: {one.why}" for one in libraries if one.state in {"missed", "untested"}]
    if doubts:
        raise _DoubtfulError("; ".join(doubts), "Telemetry of these may be missing: see Zero code in the README.")
    return ", ".join(f"{one.name} {one.version}" for one in libraries) + " are instrumented"


class _Canary:
    """One gauge with a value that nobody else has, sent by the same exporter that a bot uses."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._value = secrets.randbelow(2**40)
        self._provider: Any = None

    def reach(self) -> str:
        parts = urlsplit(self._targets.otlp)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            with socket.create_connection((parts.hostname or "", port), timeout=3):
                return f"{self._targets.otlp} takes connections"
        except OSError as error:
            evidence = f"{self._targets.otlp} does not answer: {error.strerror or error}"
            fix = "otel-trading up, or point OTEL_EXPORTER_OTLP_ENDPOINT at your Collector."
            raise _BrokenError(evidence, fix) from error

    def send(self) -> str:
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415  the SDK loads late
        from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

        from otel_trading.sdk import token  # noqa: PLC0415
        from otel_trading.sdk.exporter import EndingExporter  # noqa: PLC0415

        results: list[MetricExportResult] = []

        class Noting(EndingExporter):
            def export(self, *args: Any, **kwargs: Any) -> MetricExportResult:
                results.append(super().export(*args, **kwargs))
                return results[-1]

        with token.in_headers():
            exporter = Noting(endpoint=f"{self._targets.otlp.rstrip('/')}/v1/metrics", timeout=5)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
        resource = Resource.create({"service.name": "otel-trading-doctor"})
        self._provider = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self._provider.get_meter("otel_trading.doctor").create_gauge(CANARY).set(self._value)
        self._provider.force_flush()
        if results != [MetricExportResult.SUCCESS]:
            fix = "Read the Collector's log (otel-trading status shows where it runs) and its configuration."
            evidence = f"the Collector refused the canary {self._value}"
            raise _BrokenError(evidence, fix)
        return f"canary {self._value} was accepted"

    def arrive(self) -> str:
        name = CANARY.replace(".", "_")
        begin = time.monotonic()
        url = f"{self._targets.prometheus.rstrip('/')}/api/v1/query?query={quote(f'{name} == {self._value}')}"
        if not _await(lambda: _json(url, "Prometheus")["data"]["result"], _PATIENCE):
            evidence = f"canary {self._value} did not arrive within {_PATIENCE:g} s"
            raise _BrokenError(evidence, "Read the Collector's log: its queue to Prometheus holds the data back.")
        return f"canary {self._value} arrived after {time.monotonic() - begin:.1f} s"

    def end(self) -> None:
        if self._provider is not None:
            self._provider.shutdown(timeout_millis=2_000)


def _rules(targets: Targets) -> str:
    groups = _json(f"{targets.prometheus.rstrip('/')}/api/v1/rules", "Prometheus")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    failing = [rule["name"] for rule in rules if rule.get("health") == "err"]
    if failing:
        evidence = f"{', '.join(failing)} cannot be evaluated"
        raise _BrokenError(evidence, "Correct the rule: otel-trading up checks it.")
    alerts = [rule["name"] for rule in rules if rule["type"] == "alerting"]
    if not alerts:
        evidence = "Prometheus has no alert rules"
        raise _BrokenError(evidence, "Start it with ours: otel-trading up, or copy alerts/rules.")
    return f"{len(alerts)} alerts and {len(rules) - len(alerts)} recording rules, none failing"


def _alertmanager(targets: Targets) -> str:
    about = _json(f"{targets.alertmanager.rstrip('/')}/api/v2/status", "Alertmanager")
    url = f"{targets.prometheus.rstrip('/')}/api/v1/alertmanagers"
    if not _await(lambda: _json(url, "Prometheus")["data"]["activeAlertmanagers"], _DISCOVERY):
        evidence = "Alertmanager answers, but Prometheus sends alerts to none"
        raise _BrokenError(evidence, "Look at collector/targets/alertmanager.yaml in the stack's home.")
    return f"Alertmanager {about['versionInfo']['version']} gets the alerts of Prometheus"


def _beside(look: Callable[[Callable[[str], Any]], tuple[str, str]], targets: Targets) -> Callable[[], str]:
    """Return a check that breaks nothing, also not where what speaks Prometheus' API lacks a part of it."""
    base = targets.prometheus.rstrip("/")

    def _check() -> str:
        try:
            evidence, fix = look(lambda path: _json(f"{base}/api/v1/{path}", "Prometheus")["data"])
        except (_BrokenError, KeyError) as error:
            message = f"Prometheus does not tell: {error}"
            raise _AbsentError(message) from error
        if fix:
            raise _DoubtfulError(evidence, fix)
        return evidence

    return _check


def _grafana(targets: Targets) -> str:
    if targets.grafana is None:
        message = "this stack runs without Grafana: put `grafana` on PATH, or use the docker kind"
        raise _AbsentError(message)
    base = targets.grafana.rstrip("/")
    about = _json(f"{base}/api/health", "Grafana", loopback.ask)
    if targets.grafana_password is None:
        return f"Grafana {about.get('version', '')} answers; its boards were not looked at: no password file"
    pair = f"admin:{targets.grafana_password.read_text(encoding='utf-8').strip()}".encode()
    headers = {"Authorization": f"Basic {b64encode(pair).decode()}"}
    try:
        loopback.ask(f"{base}/api/dashboards/uid/{BOARD}", 5, headers=headers)
    except OSError as error:
        evidence = f"Grafana answers, but has no board {BOARD}: {error}"
        raise _BrokenError(evidence, "Provision dashboards/json: otel-trading up does.") from error
    return f"Grafana {about.get('version', '')} has {base}/d/{BOARD}"


def _gate(gate: ServiceStatus) -> str:
    what, _, fix = gate.note.partition("; ")
    if gate.state != "healthy":
        evidence = ", ".join(filter(None, [f"{gate.url} is {gate.state}", what]))
        raise _BrokenError(evidence, fix or "otel-trading up")
    if what:
        raise _DoubtfulError(what, fix)
    return f"{gate.url} shows its certificate"


def _await(look: Callable[[], Any], seconds: float) -> bool:
    """Look again until there is something, for at most some seconds."""
    deadline = time.monotonic() + seconds
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def _json(url: str, who: str, ask: Callable[[str, float], bytes] = operator_access.ask) -> Any:
    try:
        return json.loads(ask(url, 5))
    except ConfigError:
        raise  # which is a ValueError, too
    except (OSError, ValueError) as error:
        parts = urlsplit(url)
        evidence = f"{who} does not answer at {parts.scheme}://{parts.netloc}: {error}"
        raise _BrokenError(evidence, f"otel-trading status shows the stack; start {who} or name its URL.") from error
