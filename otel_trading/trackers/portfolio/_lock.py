"""One lock around all arithmetic: only one thread at a time, and never with the bot's own decimal context."""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Context,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)

from otel_trading._locks import Lock

__all__ = ["ExactLock"]


class ExactLock:
    """A lock that may be taken again by who holds it; inside, decimals have 28 digits.

    A bot that rounds its prices with `getcontext().prec = 8`, or traps what is inexact, would else round our sums of
    money too, or make us raise.
    """

    __slots__ = ("_context", "_lock", "_outer")

    def __init__(self) -> None:
        self._lock = Lock()
        self._outer: list[Context] = []
        traps = [InvalidOperation, DivisionByZero, Overflow]
        self._context = Context(28, ROUND_HALF_EVEN, -999_999, 999_999, 1, 0, [], traps)

    def __enter__(self) -> None:
        self._lock.__enter__()
        self._outer.append(getcontext())
        setcontext(self._context)

    def __exit__(self, *_: object) -> None:
        setcontext(self._outer.pop())
        self._lock.__exit__()
