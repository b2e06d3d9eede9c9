"""Mode and default attributes: process-wide once, and context-local within a block.

A `Defaults` is immutable and compared by identity, so that it can be part of a cache key on the hot path.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

from otel_trading import environment
from otel_trading._accounts import alias
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["Defaults", "current", "process", "scope", "set_defaults", "swap"]


class Defaults:
    """Attribute values that a call does not have to repeat, by OpenTelemetry name."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = dict(values)
        if account := self.values.get(a.ACCOUNT.name):
            self.values[a.ACCOUNT.name] = alias(account)

    def with_values(self, values: Mapping[str, str | None]) -> Defaults:
        """Return ours with the given values, None excepted; equal values give the same object each time."""
        merged = {**self.values, **{key: value for key, value in values.items() if value is not None}}
        key = tuple(sorted(merged.items()))
        if len(_interned) >= _MAX_INTERNED:
            _interned.clear()
        return _interned.setdefault(key, Defaults(merged))


_MAX_INTERNED: Final = 1000
_interned: Final[dict[tuple[tuple[str, str], ...], Defaults]] = {}


class _State:
    """The process-wide defaults; None until something asks, so that the environment is read late."""

    process: Defaults | None = None


_local: ContextVar[Defaults | None] = ContextVar("otel_trading_defaults", default=None)


def _from_environment() -> Defaults:
    settings = {
        a.MODE.name: environment.OTEL_TRADING_MODE.get(),
        a.ACCOUNT.name: environment.OTEL_TRADING_ACCOUNT.get(),
        a.STRATEGY.name: environment.OTEL_TRADING_STRATEGY.get(),
        a.VENUE.name: environment.OTEL_TRADING_VENUE.get(),
        a.CURRENCY.name: environment.OTEL_TRADING_CURRENCY.get(),
    }
    return Defaults({name: value for name, value in settings.items() if value})


def current() -> Defaults:
    """Return the defaults in force here: of the block, else of the process, else of the environment."""
    local = _local.get()
    return process() if local is None else local


def process() -> Defaults:
    """Return the defaults of the whole process, whatever block is open here."""
    if _State.process is None:
        _State.process = _from_environment()
    return _State.process


def set_defaults(values: Mapping[str, str | None]) -> None:
    """Set defaults for the whole process, every thread and task included; blocks that are open keep theirs."""
    _State.process = process().with_values(values)


@contextmanager
def scope(values: Mapping[str, str | None]) -> Generator[None, None, None]:
    """Set defaults inside the block, for this thread or task and the tasks that it starts."""
    token = _local.set(current().with_values(values))
    try:
        yield
    finally:
        _local.reset(token)


def swap(defaults: Defaults | None) -> Defaults | None:
    """Put other process-wide defaults in place, None to read the environment again; returns those before."""
    before, _State.process = _State.process, defaults
    return before
