"""Telemetry never breaks trading: catch, warn once per call site, count; raise in strict mode and tests."""

from __future__ import annotations

import functools
import logging
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from otel_trading import _locks, environment
from otel_trading.errors import ConfigError, ConventionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.semconv.attributes import SdkReason

__all__ = ["count", "guarded", "lose", "overflow", "set_counters", "strict"]

P = ParamSpec("P")
R = TypeVar("R")

_MAX_SITES: Final = 1000
_MAX_MESSAGE: Final = 500
_log: Final = logging.getLogger("otel_trading")
_warned: Final[set[tuple[str, int, str]]] = set()
_PACKAGE: Final = os.path.dirname(__file__) + os.sep  # noqa: PTH120  compared with co_filename, which is text


class _Listener:
    """Who counts losses; `instruments` sets itself here, because this layer knows no instruments."""

    loss: Callable[[str], None] | None = None
    overflow: Callable[[str], None] | None = None


def set_counters(loss: Callable[[str], None], overflow: Callable[[str], None]) -> None:
    """Name the functions that count each loss by its reason and each folded value by its attribute."""
    _Listener.loss = loss
    _Listener.overflow = overflow


def overflow(attribute: str) -> None:
    """Count one value that was folded into `_other_` because its attribute has too many."""
    _tell(_Listener.overflow, attribute)


def strict() -> bool:
    """Return whether a wrong measurement raises: OTEL_TRADING_STRICT, else whether a pytest test runs here."""
    if os.environ.get(environment.OTEL_TRADING_STRICT.name, "").strip():
        try:
            return environment.OTEL_TRADING_STRICT.get()
        except ConfigError:
            return False  # configure() has said so, or will; recording stays silent
    return "PYTEST_CURRENT_TEST" in os.environ and "pytest" in sys.modules


def lose(reason: SdkReason, message: str) -> None:
    """Count one loss and warn once per call site.

    Args:
        reason: Why, as it stands in `trading.sdk.dropped`.
        message: What, got, allowed, do this.

    Raises:
        ConventionError: In strict mode, with the message.
    """
    if strict():
        raise ConventionError(message)
    count(reason)
    _warn(message)


def guarded(function: Callable[P, R]) -> Callable[P, R | None]:
    """Keep every exception of a recording function away from its caller, a wrong keyword included."""
    can_wait = getattr(function, "__annotations__", {}).get("return") == "None"

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R | None:
        if can_wait and _locks.busy():  # a signal handler or a finalizer, in the middle of another call
            _locks.later(call, *args, **kwargs)
            return None
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  whatever it is, the order still goes out
            _survive(error)
            return None

    return call


def _survive(error: Exception) -> None:
    if strict():
        raise error
    count("invalid_value" if isinstance(error, (TypeError, ValueError)) else "internal_error")
    text = type(error).__name__
    with suppress(Exception):  # an exception may be unable to say what it is
        text += f": {error}"
    _warn(text)


def count(reason: SdkReason) -> None:
    """Count one loss, without a word."""
    _tell(_Listener.loss, reason)


_locks.set_listener(functools.partial(count, "queue_full"))


def _tell(listener: Callable[[str], None] | None, value: str) -> None:
    if listener is not None:
        with suppress(Exception):  # the counter itself failed: there is nobody left to tell
            listener(value)


def _warn(message: str) -> None:
    file, line = _caller()
    site = (file, line, message[:40])
    if site in _warned or len(_warned) >= _MAX_SITES:
        return
    _warned.add(site)
    said = message[:_MAX_MESSAGE]
    with suppress(Exception):  # a handler of the user's own failed
        _log.warning("%s (first seen at %s:%d; counted in trading.sdk.dropped, not repeated)", said, file, line)


def _caller() -> tuple[str, int]:
    """Return the first place outside this package: the line that the user can change."""
    frame = sys._getframe()  # noqa: SLF001  the documented way to the caller without building a stack
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame.f_code.co_filename, frame.f_lineno
