"""Where metrics leave: one reader per name in OTEL_METRICS_EXPORTER."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricReader

from otel_trading.errors import ConfigError
from otel_trading.sdk.exporter import EndingExporter
from otel_trading.sdk.prometheus import ScrapeReader
from otel_trading.sdk.reader import SurvivingReader

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_standard", "endpoint", "exporter_names", "readers"]

_OWN: Final = ("otlp", "prometheus", "console", "none")
_PORTS: Final = range(65_536)


def readers() -> tuple[list[MetricReader], list[str]]:
    """Build the readers; returns them with one phrase each for the start line.

    Raises:
        ConfigError: For an exporter that does not exist or an endpoint that cannot be opened.
    """
    built = [_BUILD[name]() if name in _BUILD else _foreign(name) for name in exporter_names() if name != "none"]
    return [reader for reader, _ in built], [phrase for _, phrase in built]


def exporter_names() -> list[str]:
    """Return the names in OTEL_METRICS_EXPORTER, otlp when it is unset."""
    text = os.environ.get("OTEL_METRICS_EXPORTER", "").strip() or "otlp"
    return list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))


def endpoint() -> str:
    """Return the base URL to which OTLP goes."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or "http://localhost:4318"


def check_standard() -> None:
    """Refuse what the SDK would accept and then lose silently.

    Raises:
        ConfigError: For delta temporality, an interval that is no positive number, or a malformed endpoint.
    """
    temporality = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "cumulative").strip().lower()
    if temporality not in {"", "cumulative"}:
        message = (
            f"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE is {temporality!r}. Allowed: cumulative, because "
            f"Prometheus refuses the whole request otherwise. Unset it."
        )
        raise ConfigError(message)
    _check_milliseconds("OTEL_METRIC_EXPORT_INTERVAL")
    _check_milliseconds("OTEL_METRIC_EXPORT_TIMEOUT")
    for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"):
        _check_url(name)


def _check_milliseconds(name: str) -> None:
    text = os.environ.get(name, "").strip()
    try:
        good = not text or float(text) > 0
    except ValueError:
        good = False
    if not good:
        message = f"{name} is {text!r}. Allowed: milliseconds above 0, for instance 10000. Correct it or unset it."
        raise ConfigError(message)


def _check_url(name: str) -> None:
    text = os.environ.get(name, "").strip()
    if not text:
        return
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 0) in _PORTS
    except ValueError:
        good = False
    if not good:
        message = f"{name} is {text!r}. Allowed: a URL such as http://localhost:4318. Correct it or unset it."
        raise ConfigError(message)


def _otlp() -> tuple[MetricReader, str]:
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol == "grpc":
        return _foreign("otlp_proto_grpc")
    where = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") or endpoint()
    return SurvivingReader(EndingExporter()), f"OTLP {where} {_every()}"


def _every() -> str:
    return f"every {float(os.environ['OTEL_METRIC_EXPORT_INTERVAL']) / 1000:g} s"


def _prometheus() -> tuple[MetricReader, str]:
    host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "").strip() or "localhost"
    text = os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "").strip() or "9464"
    if not text.isdecimal() or int(text) not in _PORTS:
        message = f"OTEL_EXPORTER_PROMETHEUS_PORT is {text!r}. Allowed: 0 to 65535. Correct it or unset it."
        raise ConfigError(message)
    reader = ScrapeReader(host, int(text))
    return reader, f"Prometheus endpoint {reader.url}"


def _console() -> tuple[MetricReader, str]:
    return SurvivingReader(ConsoleMetricExporter()), f"console {_every()}"


def _foreign(name: str) -> tuple[MetricReader, str]:
    """Load an exporter of another package by its entry point."""
    found = list(entry_points(group="opentelemetry_metrics_exporter", name=name))
    if not found:
        message = (
            f"OTEL_METRICS_EXPORTER names {name!r}, which is not installed. Allowed: {', '.join(_OWN)}, or the "
            f"exporter of an installed package. Correct it or install the package."
        )
        raise ConfigError(message)
    exporter = found[0].load()()
    return (exporter, name) if isinstance(exporter, MetricReader) else (SurvivingReader(exporter), name)


_BUILD: Final[dict[str, Callable[[], tuple[MetricReader, str]]]] = {
    "otlp": _otlp,
    "prometheus": _prometheus,
    "console": _console,
}
