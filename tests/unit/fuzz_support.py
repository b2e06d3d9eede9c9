"""Odd values through every helper: what a bot can pass by mistake, drawn at random and without end."""

from __future__ import annotations

import inspect
import math
import random
from contextlib import AbstractContextManager
from decimal import Decimal
from fractions import Fraction
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HELPERS", "calls"]


class Odd:
    """Raises from whatever is asked of it."""

    def __str__(self) -> str:
        message = "no text"
        raise RuntimeError(message)

    __repr__ = __format__ = __float__ = __int__ = __len__ = __iter__ = __bool__ = __str__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        message = "no equality"
        raise RuntimeError(message)

    __hash__ = None  # type: ignore[assignment]


#: Left out: they change the process for all that follows, wait, or take functions that are called at each collection.
_NOT: Final = {"defaults", "scope", "counter", "up_down_counter", "gauge", "histogram", "watch_market_hours"}
#: Takes the longer the more stands, and in a long run many thousand books do: after so many calls, one of a hundred.
_LONG, _SELDOM = "portfolio_snapshot", 0.01
_SHORT: Final = 5_000
VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 7.5, -0.0, 1e-320, 1e308, math.nan, math.inf, -math.inf, 2**63, 10**400, -(10**400)),
    *(Decimal(1), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1e999999"), Fraction(1, 3), 1j),
    *("", " ", "buy", "sell", "limit", "BTC/USD", "USD"),
    *("x" * 10_000, "\0", "\ud800", "é", "😀", "\u202e", "1e5", "nan"),
    *(b"", b"buy", bytearray(b"x"), (), [], {}, set(), [1], {"a": 1}, (1, 2), range(3), object(), Odd(), Odd, len),
    *(ValueError("broken"), KeyboardInterrupt(), Exception, Ellipsis, NotImplemented, type, inspect),
)


def _extra() -> Iterator[Any]:
    try:
        import numpy  # noqa: PLC0415, ICN001  only where it is installed
    except ImportError:
        return
    yield from (numpy.float64("nan"), numpy.int64(2**62), numpy.float32(1.5), numpy.bool_(1))
    yield from (numpy.array([1.0, 2.0]), numpy.array([]), numpy.datetime64("2026-01-01"), numpy.str_("buy"))


ALL_VALUES: Final = (*VALUES, *_extra())
HELPERS: Final[dict[str, Callable[..., Any]]] = {
    name: getattr(meter, name)
    for name in meter.__all__
    if callable(getattr(meter, name)) and not isinstance(getattr(meter, name), ModuleType) and name not in _NOT
}


def calls(seed: int, number: int) -> Iterator[str]:
    """Make so many random calls; yields the name of each helper after its call.

    Args:
        seed: Of everything that is drawn.
        number: How many.
    """
    dice = random.Random(seed)  # noqa: S311  no secret
    parameters = {name: list(inspect.signature(helper).parameters) for name, helper in HELPERS.items()}
    names = sorted(HELPERS)
    for done in range(number):
        name = dice.choice(names)
        while name == _LONG and done > _SHORT and dice.random() > _SELDOM:
            name = dice.choice(names)
        chosen = [one for one in parameters[name] if dice.random() < 0.7]
        words = {one: dice.choice(ALL_VALUES) for one in chosen}
        if dice.random() < 0.05:
            words["no_such_word"] = 1
        _use(HELPERS[name], words)
        yield name


def _use(helper: Callable[..., Any], words: dict[str, Any]) -> None:
    returned = helper(**words)
    if isinstance(returned, AbstractContextManager):
        with returned:
            pass
