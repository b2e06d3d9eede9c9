"""Where metrics leave: one reader per name in OTEL_METRICS_EXPORTER."""

from __future__ import annotations

import math
import os
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from opentelemetry.sdk.metrics.export import ConsoleMetricExporter, MetricReader

from otel_trading.errors import ConfigError
from otel_trading.sdk import token
from otel_trading.sdk.exporter import EndingExporter
from otel_trading.sdk.prometheus import ScrapeReader
from otel_trading.sdk.reader import SurvivingReader

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

__all__ = ["check_standard", "endpoint", "exporter_names", "readers"]

_GRPC: Final = "otlp_proto_grpc"
_OWN: Final = ("otlp", "prometheus", "console", "none")
_PORTS: Final = range(65_536)
_SELDOM: Final = 20.0
_EXEMPLAR_FILTERS: Final = ("trace_based", "always_on", "always_off")


def readers(*, worker: bool = False) -> tuple[list[MetricReader], list[str]]:
    """Build the readers; returns them with one phrase each for the start line.

    Args:
        worker: Whether it is for a forked worker, which has no port of its own to be scraped at.

    Raises:
        ConfigError: For an exporter that does not exist or an endpoint that cannot be opened.
    """
    # The endpoint first: its port may be taken, and then no thread of another reader may run already.
    names = sorted(exporter_names(), key=lambda name: name != "prometheus")
    left_out = {"none", "prometheus"} if worker else {"none"}
    with token.in_headers():
        built = [_BUILD[name]() if name in _BUILD else _foreign(name) for name in names if name not in left_out]
    return [reader for reader, _ in built], [phrase for _, phrase in built]


def exporter_names(signal: str = "metrics") -> list[str]:
    """Return the names in OTEL_METRICS_EXPORTER, or in that of traces or logs; otlp when it is unset."""
    text = os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip() or "otlp"
    return list(dict.fromkeys(name.strip().lower() for name in text.split(",") if name.strip()))


def endpoint() -> str:
    """Return the base URL to which OTLP goes."""
    return os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip() or "http://localhost:4318"


def check_standard() -> None:
    """Refuse what the SDK would accept and then lose silently.

    Raises:
        ConfigError: For delta temporality, an interval that is no positive number, a malformed endpoint or port, an
            exporter that is not installed, or an exemplar filter that does not exist.
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
    for signal in ("", "METRICS_", "TRACES_", "LOGS_"):
        _check_url(f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT")
        _check_protocol(f"OTEL_EXPORTER_OTLP_{signal}PROTOCOL")
    _check_exemplar_filter()
    for signal in ("metrics", "traces", "logs"):
        for name in exporter_names(signal):
            _check_exporter(signal, name)


def _check_exporter(signal: str, name: str) -> None:
    if signal == "metrics" and name == "prometheus":
        _address()
    elif name not in {"otlp", "console", "none"}:
        _entry_point(name, signal)


def _check_protocol(name: str) -> None:
    text = os.environ.get(name, "").strip()
    installed = list(entry_points(group="opentelemetry_metrics_exporter", name=_GRPC))
    if text not in {"", "http/protobuf", "grpc"} or (text == "grpc" and not installed):
        message = (
            f"{name} is {text!r}. Allowed: http/protobuf, or grpc where opentelemetry-exporter-otlp-proto-grpc is "
            f"installed. Unset it or install that package."
        )
        raise ConfigError(message)


def _check_milliseconds(name: str) -> None:
    text = os.environ.get(name, "").strip()
    try:
        good = not text or 0 < float(text) < math.inf
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


def _check_exemplar_filter() -> None:
    text = os.environ.get("OTEL_METRICS_EXEMPLAR_FILTER", "").strip()
    if text not in {"", *_EXEMPLAR_FILTERS}:
        message = (
            f"OTEL_METRICS_EXEMPLAR_FILTER is {text!r}. Allowed: {', '.join(_EXEMPLAR_FILTERS)}. "
            f"Correct it or unset it."
        )
        raise ConfigError(message)
    if not text:
        os.environ.pop("OTEL_METRICS_EXEMPLAR_FILTER", None)  # the SDK refuses an empty one


def _otlp() -> tuple[MetricReader, str]:
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol == "grpc":
        return _foreign(_GRPC)
    where = os.environ.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") or endpoint()
    return SurvivingReader(EndingExporter()), f"OTLP {where} {_every()}"


def _every() -> str:
    seconds = float(os.environ["OTEL_METRIC_EXPORT_INTERVAL"]) / 1000
    # Two exports make an increase, and OpenTelemetry's own charts and operators set a minute.
    rare = f", too seldom for alerts that count within a minute: {_SELDOM:g} s at most" if seconds > _SELDOM else ""
    return f"every {seconds:g} s{rare}"


def _prometheus() -> tuple[MetricReader, str]:
    reader = ScrapeReader(*_address())
    return reader, f"Prometheus endpoint {reader.url}"


def _address() -> tuple[str, int]:
    host = os.environ.get("OTEL_EXPORTER_PROMETHEUS_HOST", "").strip() or "localhost"
    text = os.environ.get("OTEL_EXPORTER_PROMETHEUS_PORT", "").strip() or "9464"
    if not text.isdecimal() or int(text) not in _PORTS:
        message = f"OTEL_EXPORTER_PROMETHEUS_PORT is {text!r}. Allowed: 0 to 65535. Correct it or unset it."
        raise ConfigError(message)
    return host, int(text)


def _console() -> tuple[MetricReader, str]:
    return SurvivingReader(ConsoleMetricExporter()), f"console {_every()}"


def _foreign(name: str) -> tuple[MetricReader, str]:
    """Load an exporter of another package."""
    exporter = _entry_point(name).load()()
    return (exporter, name) if isinstance(exporter, MetricReader) else (SurvivingReader(exporter), name)


def _entry_point(name: str, signal: str = "metrics") -> EntryPoint:
    found = list(entry_points(group=f"opentelemetry_{signal}_exporter", name=name))
    if not found:
        own = [one for one in _OWN if one != "prometheus" or signal == "metrics"]
        message = (
            f"OTEL_{signal.upper()}_EXPORTER names {name!r}, which is not installed. Allowed: {', '.join(own)}, or the "
            f"exporter of an installed package. Correct it or install the package."
        )
        raise ConfigError(message)
    return found[0]


_BUILD: Final[dict[str, Callable[[], tuple[MetricReader, str]]]] = {
    "otlp": _otlp,
    "prometheus": _prometheus,
    "console": _console,
}
