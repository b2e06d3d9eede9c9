"""The entry points for auto-instrumentation: `OTEL_PYTHON_DISTRO` and `OTEL_PYTHON_CONFIGURATOR` = otel_trading."""

from __future__ import annotations

import logging
import os
import sys
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Final

from opentelemetry.instrumentation.distro import BaseDistro  # type: ignore[attr-defined]  # it has no __all__
from opentelemetry.sdk._configuration import _OTelSDKConfigurator
from wrapt import register_post_import_hook, wrap_function_wrapper

from otel_trading.errors import ConfigError
from otel_trading.instrumentation import supported
from otel_trading.sdk import exit as ending
from otel_trading.sdk import logs, setup
from otel_trading.sdk.resource import is_worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

__all__ = ["TradingConfigurator", "TradingDistro"]

_USAGE: Final = 2
_log: Final = logging.getLogger("otel_trading")


class TradingDistro(BaseDistro):  # type: ignore[misc]  # untyped upstream
    """A few defaults, each of which the user's own environment overrides."""

    _loaded: ClassVar[set[str]] = set()

    def _configure(self, **kwargs: Any) -> None:
        del kwargs
        setup.set_environment_defaults()

    def load_instrumentor(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        """Load one instrumentor, OpenTelemetry's only once the bot imports its library: they import it themselves."""
        module = supported.module_of(entry_point)
        if module is None:
            self._load(entry_point, **kwargs)
            return
        late = partial(self._load_late, entry_point, kwargs)
        if entry_point.name == "django":
            register_post_import_hook(partial(_before_middleware, late), "django.core.handlers.base")
            return
        register_post_import_hook(late, module)
        # A bot may import the instrumentation by itself, which imports the library before it is whole; and that of
        # httpx is that of httpx2 too, which need not be there.
        if find_spec(module):
            register_post_import_hook(late, entry_point.module)

    def _load_late(self, entry_point: EntryPoint, kwargs: dict[str, Any], imported: Any) -> None:
        begun = imported.__name__ != entry_point.module and sys.modules.get(entry_point.module)
        if entry_point.name in self._loaded or (begun and getattr(begun.__spec__, "_initializing", False)):
            return
        self._loaded.add(entry_point.name)
        try:
            self._load(entry_point, **kwargs)
        except Exception:  # noqa: BLE001  the bot's import goes on
            _log.exception("Instrumenting %s failed; the bot runs without.", entry_point.name)

    def _load(self, entry_point: EntryPoint, **kwargs: Any) -> None:
        if entry_point.name == "logging":
            kwargs = {**logs.CORRELATION, **kwargs}
        if entry_point.value.startswith("otel_trading."):
            # The loader checked what our package requires, which is none of the libraries: each of ours checks its own.
            kwargs = {**kwargs, "skip_dep_check": False, "raise_exception_on_conflict": True}
        super().load_instrumentor(entry_point, **kwargs)
        logs.keep_last_resort()  # the app's own warnings stay on stderr


def _before_middleware(late: Callable[[Any], None], module: Any) -> None:
    """Load Django's instrumentation when an app builds its handler: earlier, it would settle settings not yet made."""

    def build(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        late(module)
        return wrapped(*args, **kwargs)

    wrap_function_wrapper(module, "BaseHandler.load_middleware", build)


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
