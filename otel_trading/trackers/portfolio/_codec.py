"""Values as plain JSON and back, checked one by one; numbers are text, because other writers of JSON round them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import Any, Final, TypeVar

from otel_trading._attributes import AttributeSet
from otel_trading.trackers.portfolio._contract import Contract
from otel_trading.trackers.portfolio._depth import Depth
from otel_trading.trackers.portfolio._fifo import MAX_LOTS
from otel_trading.trackers.portfolio._history import MAX_DAYS, Day, Growth, History
from otel_trading.trackers.portfolio._returns import Returns
from otel_trading.trackers.portfolio._trades import Trades

__all__ = ["DamagedError", "instance", "item", "mapping", "money", "pairs", "plain", "rows", "table", "text"]

T = TypeVar("T")
Reader = Callable[[Any], Any]

_MAX_TEXT: Final = 64
#: No sum of money has more digits before or behind its point; thousands of them would overflow a product.
_MAX_EXPONENT: Final = 2_000
_known: Final[dict[type[Any], tuple[str, ...]]] = {}


class DamagedError(ValueError):
    """What was given is no snapshot; the message goes on from "it"."""


def plain(value: Any) -> Any:
    """Return a value as strings, whole numbers, true, false, null, lists and objects."""
    if isinstance(value, (Decimal, float)):
        return str(value)
    kind = value.__class__
    if names := _names(kind):
        return {name: plain(getattr(value, name)) for name in names}
    if kind in {list, tuple, deque}:
        return [plain(part) for part in value]
    if kind is dict:
        return {key: plain(part) for key, part in value.items()}
    return dict(value.values) if kind is AttributeSet else value


def _names(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of a dataclass's fields: `fields` looks them up anew each time."""
    if kind not in _known:
        _known[kind] = tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
    return _known[kind]


def instance(raw: object, kind: type[T]) -> T:
    """Return what was read if it is of this kind.

    Raises:
        DamagedError: Else, as every reader here.
    """
    if not isinstance(raw, kind):
        message = f"it has {str(raw)[:_MAX_TEXT]!r} where a {kind.__name__} should be"
        raise DamagedError(message)
    return raw


def mapping(raw: Any) -> dict[str, Any]:
    """Return what was read if it is an object."""
    instance(raw, dict)
    found: dict[str, Any] = raw
    return found


def rows(raw: Any) -> list[Any]:
    """Return what was read if it is a list."""
    instance(raw, list)
    found: list[Any] = raw
    return found


def text(raw: object) -> str:
    """Return what was read if it is a text that an attribute may have: a lone surrogate would fail a whole export."""
    found = instance(raw, str)
    if not found.encode():
        message = "it has an empty text"
        raise DamagedError(message)
    return found


def _decimal(raw: object) -> Decimal:
    value = Decimal(instance(raw, str)[: _MAX_TEXT + 1])
    if not value.is_finite() or len(str(raw)) > _MAX_TEXT or abs(value.adjusted()) > _MAX_EXPONENT:
        message = f"it has {str(raw)[:_MAX_TEXT]!r} where a number should be"
        raise DamagedError(message)
    return value


def _float(raw: object) -> float:
    value = float(instance(raw, str)[:_MAX_TEXT])
    if not math.isfinite(value):
        message = f"it has {value!r} where a finite number should be"
        raise DamagedError(message)
    return value


def _count(raw: object) -> int:
    if type(raw) is not int or not 0 <= raw < 1 << 53:
        message = f"it has {str(raw)[:_MAX_TEXT]!r} where a count should be"
        raise DamagedError(message)
    return raw


def money(raw: object) -> dict[str, Decimal]:
    """Return sums of money by name."""
    return {instance(name, str): _decimal(value) for name, value in mapping(raw).items()}


def pairs(raw: object, first: Reader, second: Reader, most: int) -> list[tuple[Any, Any]]:
    """Return rows of two, each read by its own reader."""
    found = rows(raw)
    if len(found) > most:
        message = f"it has {len(found)} rows where {most} are the most"
        raise DamagedError(message)
    return [(first(left), second(right)) for left, right in found]


def table(raw: object, key: Reader, value: Reader, most: int) -> dict[Any, Any]:
    """Return rows of two as a table; no key stands there twice."""
    listed = pairs(raw, key, value, most)
    found = dict(listed)
    if len(found) < len(listed):
        message = "it has a row twice"
        raise DamagedError(message)
    return found


def item(kind: type[T], raw: object) -> T:
    """Return a dataclass, every field of it read by its annotation and none left out or added."""
    values, wanted = mapping(raw), {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    if values.keys() != wanted.keys():
        message = f"it has a {kind.__name__} of {sorted(map(str, values))}"
        raise DamagedError(message)
    made = object.__new__(kind)  # as it was: construction would begin a history anew
    for name, annotation in wanted.items():
        object.__setattr__(made, name, _FIELDS[str(annotation)](values[name]))
    return made


def _days(raw: object) -> deque[Day]:
    listed = rows(raw)
    days = deque((item(Day, day) for day in listed), maxlen=MAX_DAYS)
    if len(days) < len(listed):
        message = f"it has {len(listed)} sessions where {MAX_DAYS} are the most"
        raise DamagedError(message)
    return days


def _optional(reader: Reader) -> Reader:
    return lambda raw: None if raw is None else reader(raw)


#: How a field is read, by its annotation; one of a type that is not here fails every test that restores.
_FIELDS: Final[dict[str, Reader]] = {
    "bool": lambda raw: instance(raw, bool),
    "int": _count,
    "float": _float,
    "float | None": _optional(_float),
    "Decimal": _decimal,
    "Decimal | None": _optional(_decimal),
    "dict[str, Decimal]": money,
    "deque[tuple[Decimal, Decimal]]": lambda raw: deque(pairs(raw, _decimal, _decimal, MAX_LOTS)),
    "deque[Day]": _days,
    "Contract": lambda raw: item(Contract, raw),
    "Depth": lambda raw: item(Depth, raw),
    "Growth": lambda raw: item(Growth, raw),
    "History": lambda raw: item(History, raw),
    "Returns": lambda raw: item(Returns, raw),
    "Trades": lambda raw: item(Trades, raw),
}
