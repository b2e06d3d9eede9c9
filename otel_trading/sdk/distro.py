"""The entry points for auto-instrumentation: `OTEL_PYTHON_DISTRO` and `OTEL_PYTHON_CONFIGURATOR` = otel_trading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]  # it has no __all__
from opentelemetry.sdk._configuration import _OTelSDKConfigurator

from otel_trading.sdk import exit as ending
from otel_trading.sdk import logs, setup

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["TradingConfigurator", "TradingDistro"]


class TradingDistro(BaseDistro):  # type: ignore[misc]  # untyped upstream
    """A few defaults, each of which the user's own environment overrides."""

    def _configure(self, **kwargs: Any) -> None:
        del kwargs
        setup.set_environment_defaults()

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one instrumentor; the app's own warnings stay on stderr."""
        super().load_instrumentor(entry_point, **kwargs)
        logs.keep_last_resort()


class TradingConfigurator(_OTelSDKConfigurator):
    """Builds the providers with our views; a declarative file (OTEL_CONFIG_FILE) is left to OpenTelemetry."""

    def _configure(self, **kwargs: Any) -> None:
        if setup.declarative():
            super()._configure(**kwargs)  # type: ignore[no-untyped-call]
            return
        setup.configure(**kwargs)
        ending.exit_on_sigterm()
