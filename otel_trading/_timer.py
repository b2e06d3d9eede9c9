"""Timing as a `with` block or a decorator, sync and async; never changes what the block returns or raises."""

from __future__ import annotations

import functools
import inspect
import time
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from otel_trading import _guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import TypeAlias

    from typing_extensions import Self

    Close: TypeAlias = "Callable[[str | None], None]"

__all__ = ["Timer", "error_type", "timer"]

P = ParamSpec("P")
F = TypeVar("F", bound="Callable[..., Any]")


class Timer:
    """Measures one block, or every call of what it decorates.

    Neither function breaks the block: both are guarded here, once, because to guard a function costs more than it does.

    Args:
        finish: Called with the seconds and the `error.type`, or None, at the end of each block.
        start: Called at the beginning of each block; returns what is called after `finish`, with the `error.type`.
    """

    __slots__ = ("_begin", "_close", "_finish", "_start")

    def __init__(
        self, finish: Callable[[float, str | None], None], start: Callable[[], Close | None] | None = None
    ) -> None:
        self._finish = finish
        self._start = start
        self._close: Close | None = None
        self._begin = 0.0

    def __enter__(self) -> Self:
        if self._start is not None:
            self._close = _begin(self._start)
        self._begin = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        failed = error_type(kind)
        try:
            _end(self._finish, time.perf_counter() - self._begin, failed)
        finally:
            if self._close is not None:
                self._close(failed)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def __call__(self, function: F) -> F:
        """Return the function, timed at each call; a coroutine function is timed until it returns."""
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def timed_async(*args: Any, **kwargs: Any) -> Any:
                with Timer(self._finish, self._start):
                    return await function(*args, **kwargs)

            return cast("F", timed_async)

        @functools.wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with Timer(self._finish, self._start):
                return function(*args, **kwargs)

        return cast("F", timed)


@_guard.guarded
def _begin(start: Callable[[], Close | None]) -> Close | None:
    return start()


@_guard.guarded
def _end(finish: Callable[[float, str | None], None], seconds: float, error: str | None) -> None:
    finish(seconds, error)


def timer(helper: Callable[P, Timer]) -> Callable[P, Timer]:
    """Keep every exception of a timing helper away from its caller, who gets a timer that records nothing.

    Used bare, as `@meter.iteration` without parentheses, it still hands back the function and never swallows it.
    """
    safe = _guard.guarded(helper)
    bare = cast("Callable[..., Any]", safe)  # what it misses when called bare is for the guard to say

    @functools.wraps(helper)
    def call(*args: P.args, **kwargs: P.kwargs) -> Timer:
        if args and callable(args[0]):
            return cast("Timer", (bare() or Timer(_ignore))(args[0]))
        return safe(*args, **kwargs) or Timer(_ignore)

    return call


def error_type(error: object) -> str | None:
    """Return the `error.type` of an exception or its class, of a name or a code, or of None.

    Source: https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/
    """
    kind = type(error) if isinstance(error, BaseException) else error
    if isinstance(kind, type):
        # by name too: until Python 3.11 asyncio and concurrent.futures had classes of their own
        return "timeout" if issubclass(kind, TimeoutError) or kind.__name__ == "TimeoutError" else kind.__qualname__
    return None if kind is None else str(kind) or None


def _ignore(seconds: float, error: str | None) -> None:
    """Stand where a helper was called wrongly: its loss is counted already."""
