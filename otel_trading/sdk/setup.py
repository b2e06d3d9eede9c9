"""`configure()`: one provider with our views and readers; traces and logs through OpenTelemetry's own configurator."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider
from opentelemetry.sdk._configuration import _initialize_components
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider

from otel_trading import _accounts, _context, environment, spans
from otel_trading.errors import ConfigError
from otel_trading.sdk import exit as ending
from otel_trading.sdk import fork, readers, token, trust
from otel_trading.sdk.heartbeat import Heartbeat
from otel_trading.sdk.redaction import LogRedaction, SpanRedaction
from otel_trading.sdk.resource import is_worker, resource
from otel_trading.sdk.sampling import sampler
from otel_trading.sdk.views import views
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

__all__ = ["configure", "declarative", "say", "set_environment_defaults"]

#: What our distro sets unless the user has: a line each, and why.
DEFAULTS: Final = {
    "OTEL_METRICS_EXPORTER": "otlp",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_LOGS_EXPORTER": "otlp",
    "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",  # the stock default is gRPC, which needs another package
    "OTEL_METRIC_EXPORT_INTERVAL": "10000",  # a minute is too long for money at risk
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http,database",  # the stable names, before any instrumentor loads
}


def declarative() -> bool:
    """Return whether OTEL_CONFIG_FILE names a file, which then is the whole configuration."""
    return bool(os.environ.get("OTEL_CONFIG_FILE", "").strip())


class _State:
    configured = False


def set_environment_defaults() -> None:
    """Set the defaults of OpenTelemetry's own variables; what the user set stays."""
    for name, value in DEFAULTS.items():
        if not os.environ.get(name, "").strip():  # OpenTelemetry: an empty variable is an unset one
            os.environ[name] = value


def configure(**arguments: Any) -> bool:
    """Check the environment, build the providers, say what is on. The second call changes nothing.

    Args:
        arguments: For OpenTelemetry's configurator; `resource_attributes` goes into the resource.

    Returns:
        Whether telemetry was switched on by this call.

    Raises:
        ConfigError: For any setting that cannot be used.
    """
    if _State.configured:
        return False
    environment.check()
    _accounts.check()
    set_environment_defaults()
    readers.check_standard()
    token.check()
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        say("off: OTEL_SDK_DISABLED is true")
        return False
    version = arguments.pop("auto_instrumentation_version", None)
    extra = {**arguments.pop("resource_attributes", {}), **({"telemetry.auto.version": version} if version else {})}
    own = resource(extra)
    provider, phrases = _metrics(own)
    _State.configured = True
    arguments.setdefault("sampler", sampler())
    arguments.setdefault("exporter_args_map", _exporter_arguments())
    # First of all processors: the exporters come after it.
    arguments["span_processors"] = [SpanRedaction(), *arguments.get("span_processors", ())]
    arguments["log_record_processors"] = [LogRedaction(), *arguments.get("log_record_processors", ())]
    with _no_second_metrics_exporter(), token.in_headers():
        _initialize_components(resource_attributes=dict(own.attributes), **arguments)
    spans.bind(trace.get_tracer_provider())
    ending.close_at_exit(Heartbeat(), _shutdowns(provider))
    fork.follow(provider, extra, functools.partial(_shutdowns, provider))
    if not is_worker():
        say(_line(own, phrases))
    return True


def _metrics(own: Resource) -> tuple[MeterProvider, list[str]]:
    if isinstance(metrics.get_meter_provider(), MeterProvider):
        message = (
            "A MeterProvider is set already and OpenTelemetry keeps the first one. Leave yours out, or do not call "
            "configure(): the helpers record into yours as it is."
        )
        raise ConfigError(message)
    built, phrases = readers.readers()
    provider = MeterProvider(metric_readers=built, resource=own, views=views(), shutdown_on_exit=False)
    metrics.set_meter_provider(provider)
    return provider, phrases


def _exporter_arguments() -> dict[type[Any], dict[str, Any]]:
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter  # noqa: PLC0415
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return {OTLPSpanExporter: trust.options("traces"), OTLPLogExporter: trust.options("logs")}


@contextmanager
def _no_second_metrics_exporter() -> Generator[None, None, None]:
    """Let the parent configurator see no metrics exporter, and keep its one expected complaint from the user."""

    def unexpected(record: logging.LogRecord) -> bool:
        return "Overriding of current MeterProvider" not in record.getMessage()

    log = logging.getLogger("opentelemetry.metrics._internal")
    wanted = os.environ["OTEL_METRICS_EXPORTER"]
    os.environ["OTEL_METRICS_EXPORTER"] = "none"
    log.addFilter(unexpected)
    try:
        yield
    finally:
        log.removeFilter(unexpected)
        os.environ["OTEL_METRICS_EXPORTER"] = wanted


def _shutdowns(provider: MeterProvider) -> list[Callable[[], None]]:
    """Return how to end each provider; the SDK's own unbounded handlers give way to ours.

    Ours is given more than the exit waits for, so that it does not call done what never left.
    """
    shutdowns: list[Callable[[], None]] = [lambda: provider.shutdown(timeout_millis=ending.BOUND * 2000)]
    for other in (trace.get_tracer_provider(), get_logger_provider()):
        if isinstance(other, (TracerProvider, LoggerProvider)):
            atexit.unregister(other.shutdown)
            shutdowns.append(other.shutdown)
    return shutdowns


def _line(own: Resource, phrases: list[str]) -> str:
    mode = _context.current().values.get(a.MODE.name, "live")
    said = "" if os.environ.get(environment.OTEL_TRADING_MODE.name) else " (default: set OTEL_TRADING_MODE)"
    account = _context.current().values.get(a.ACCOUNT.name)
    traded = f", account {account}" if account else ""
    return (
        f"on: mode {mode}{said}{traded}, service {own.attributes[SERVICE_NAME]!s}, "
        f"metrics -> {', '.join(phrases) or 'nowhere'}, "
        f"{_others()}, instance {str(own.attributes[SERVICE_INSTANCE_ID])[:8]}"
    )


def _others() -> str:
    """Return where traces and logs go, one phrase when it is the same place."""
    ways: dict[str, list[str]] = {}
    for signal in ("traces", "logs"):
        for name in readers.exporter_names(signal):
            if name != "none":
                ways.setdefault(readers.endpoint() if name == "otlp" else name, []).append(signal)
    return ", ".join(f"{' and '.join(signals)} -> {way}" for way, signals in ways.items()) or "no traces, no logs"


def say(*lines: str) -> None:
    """Tell the person who starts the bot, on stderr."""
    if sys.stderr is not None:  # a daemon may have closed it
        sys.stderr.writelines(f"otel-trading: {line}\n" for line in lines)
