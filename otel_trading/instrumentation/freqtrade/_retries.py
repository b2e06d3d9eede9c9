"""What freqtrade tries again: the functions that its `retrier` decorators make."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from otel_trading import meter
from otel_trading._timer import error_type
from otel_trading.instrumentation._hooks import quietly

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["retrier", "retrier_async", "switch"]


class _Switch:
    """Whether retries are counted: what was decorated once stays so."""

    on = False


def switch(*, on: bool) -> None:
    """Count retries from now on, or no more."""
    _Switch.on = on


def retrier(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `retrier`, with and without parentheses."""
    if args and callable(args[0]):
        return _counting(functools.partial(wrapped, *args[1:], **kwargs), args[0])
    decorate = wrapped(*args, **kwargs)
    return functools.partial(_counting, decorate) if callable(decorate) else decorate


def retrier_async(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Hook `retrier_async`."""
    if not args:
        return wrapped(*args, **kwargs)
    plain, function = wrapped(*args, **kwargs), args[0]

    @functools.wraps(plain)
    async def call(*args: Any, **kwargs: Any) -> Any:
        if not _Switch.on:
            return await plain(*args, **kwargs)
        last = _Last(function)

        @functools.wraps(function)
        async def attempt(*args: Any, **kwargs: Any) -> Any:
            last.again(args)
            try:
                return await function(*args, **kwargs)
            except Exception as error:
                last.failed(error)
                raise

        return await wrapped(attempt)(*args, **kwargs)

    return call


def _counting(decorate: Callable[..., Any], function: Callable[..., Any]) -> Any:
    plain = decorate(function)

    @functools.wraps(plain)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not _Switch.on:
            return plain(*args, **kwargs)
        last = _Last(function)

        @functools.wraps(function)
        def attempt(*args: Any, **kwargs: Any) -> Any:
            last.again(args)
            try:
                return function(*args, **kwargs)
            except Exception as error:
                last.failed(error)
                raise

        return decorate(attempt)(*args, **kwargs)

    return call


class _Last:
    """The attempt before, of one call: only freqtrade knows whether there will be another one."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._error: str | None = None

    @quietly
    def again(self, args: tuple[Any, ...]) -> None:
        """Count an attempt that is not the first."""
        if self._error is not None:
            venue = getattr(getattr(self._function, "__self__", args[0] if args else None), "id", None)
            meter.retried(
                operation=self._function.__name__, error=self._error, venue=venue if isinstance(venue, str) else None
            )

    @quietly
    def failed(self, error: Exception) -> None:
        """Keep what it failed with; not the exception, which would keep all that it passed through."""
        self._error = error_type(error)
