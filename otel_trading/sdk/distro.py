"""The entry points for auto-instrumentation: `OTEL_PYTHON_DISTRO` and `OTEL_PYTHON_CONFIGURATOR` = otel_trading."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]  # it has no __all__
from opentelemetry.sdk._configuration import _OTelSDKConfigurator

from otel_trading.errors import ConfigError
from otel_trading.instrumentation import supported
from otel_trading.sdk import exit as ending
from otel_trading.sdk import logs, setup
from otel_trading.sdk.resource import is_worker

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

__all__ = ["TradingConfigurator", "TradingDistro"]

_USAGE: Final = 2


class TradingDistro(BaseDistro):  # type: ignore[misc]  # untyped upstream
    """A few defaults, each of which the user's own environment overrides."""

    def _configure(self, **kwargs: Any) -> None:
        del kwargs
        setup.set_environment_defaults()

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one instrumentor; the app's own warnings stay on stderr."""
        if entry_point.value.startswith("otel_trading."):
            # The loader checked what our package requires, which is none of the libraries: each of ours checks its own.
            kwargs = {**kwargs, "skip_dep_check": False, "raise_exception_on_conflict": True}
        super().load_instrumentor(entry_point, **kwargs)
        logs.keep_last_resort()


class TradingConfigurator(_OTelSDKConfigurator):
    """Builds the providers with our views; a declarative file (OTEL_CONFIG_FILE) is left to OpenTelemetry."""

    def _configure(self, **kwargs: Any) -> None:
        if setup.declarative():
            self._declarative(kwargs)
            return
        try:
            on = setup.configure(**kwargs)
        except ConfigError as error:
            _refuse(str(error))
            return
        if on and not is_worker():
            setup.say(*supported.checklist())
        ending.exit_on_sigterm()

    def _declarative(self, arguments: dict[str, Any]) -> None:
        try:
            super()._configure(**arguments)  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001  unreadable, malformed or without its package: all end the start
            _refuse(f"OTEL_CONFIG_FILE is {os.environ['OTEL_CONFIG_FILE']!r}, which cannot be used: {error}")


def _refuse(why: str) -> None:
    """End before the bot begins: auto-instrumentation would log two tracebacks and let it trade blind.

    Nothing runs yet that an ordinary exit could clean up, and `SystemExit` in a sitecustomize is a fatal error. A
    worker of a bot that trades already goes on without telemetry.
    """
    sys.stderr.write(f"otel-trading: {why}\n")
    sys.stderr.flush()
    if not is_worker():
        os._exit(_USAGE)
