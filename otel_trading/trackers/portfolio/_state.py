"""The state of a portfolio as plain JSON and back: exact, versioned, and sealed, so that damage is told from truth.

The seal is a CRC-32 of the canonical text of the rest; what passes it is still checked value by value.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from otel_trading._attributes import AttributeSet
from otel_trading.semconv import attributes as a
from otel_trading.semconv import portfolio as metrics
from otel_trading.trackers.portfolio._book import Book
from otel_trading.trackers.portfolio._codec import (
    DamagedError,
    instance,
    item,
    mapping,
    money,
    pairs,
    plain,
    rows,
    table,
    text,
)
from otel_trading.trackers.portfolio._contract import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from otel_trading.trackers.portfolio._position import Position

__all__ = ["MAX_EXECUTIONS", "MAX_ROWS", "DamagedError", "State", "read", "sealed", "written"]

FORMAT: Final = "otel-trading portfolio"
VERSION: Final = 1
#: Open positions, books and contracts that a tracker holds, each.
MAX_ROWS: Final = 10_000
#: Executions whose fills are known to be in the state.
MAX_EXECUTIONS: Final = 10_000
_KEYS: Final = {known.name: known for known in metrics.VALUE.attributes if known is not a.CURRENCY_CONVERTED}


@dataclass(slots=True)
class State:
    """Everything that a portfolio tracker knows."""

    positions: dict[AttributeSet, Position]
    books: dict[AttributeSet, Book]
    contracts: dict[tuple[str | None, str | None], Contract]
    reporting: str | None
    rates: dict[str, Decimal]
    executions: deque[tuple[AttributeSet, str]]


def written(state: State, cost: str) -> dict[str, Any]:
    """Return a state as JSON can hold it, no more moved by what happens next; `sealed` makes a snapshot of it."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "cost": cost,
        "positions": plain(list(state.positions.items())),
        "books": plain(list(state.books.items())),
        "contracts": plain(list(state.contracts.items())),
        "reporting": state.reporting,
        "rates": plain(state.rates),
        "executions": list(state.executions),
    }


def sealed(content: dict[str, Any]) -> dict[str, Any]:
    """Return what was written with its checksum; takes its time, outside of any lock."""
    content["executions"] = plain(content["executions"])
    return {**content, "checksum": _seal(content)}


def read(snapshot: object, cost: str, kind: type[Position]) -> State:
    """Return the state that a snapshot holds.

    Args:
        snapshot: What `written` returned, or its JSON as text.
        cost: How the tracker finds the entry price of a close: a snapshot of another way is refused.
        kind: Its class of positions.

    Raises:
        DamagedError: When it is anything else.
    """
    try:
        if isinstance(snapshot, (str, bytes)):
            import json  # noqa: PLC0415  only who keeps snapshots pays for it

            snapshot = json.loads(snapshot)
        return _read(snapshot, cost, kind)
    except DamagedError:
        raise
    except Exception as error:
        message = f"it cannot be read: {type(error).__name__}: {error}"
        raise DamagedError(message) from error


def _read(snapshot: object, cost: str, kind: type[Position]) -> State:
    content = dict(mapping(snapshot))
    if (content.get("format"), content.get("version")) != (FORMAT, VERSION):
        message = f"it is of format {content.get('format')!r} version {content.get('version')!r}, not {VERSION}"
        raise DamagedError(message)
    if content.pop("checksum", None) != _seal(content):
        message = "its checksum is wrong"
        raise DamagedError(message)
    if content["cost"] != cost:
        message = f"it was taken with cost={content['cost']!r}, this portfolio has {cost!r}"
        raise DamagedError(message)
    state = State(
        table(content["positions"], _position_key, lambda raw: item(kind, raw), MAX_ROWS),
        table(content["books"], _key, lambda raw: item(Book, raw), MAX_ROWS),
        table(content["contracts"], _venue_and_symbol, lambda raw: item(Contract, raw), MAX_ROWS),
        None if content["reporting"] is None else instance(content["reporting"], str),
        money(content["rates"]),
        deque(pairs(content["executions"], _key, _id, MAX_EXECUTIONS), maxlen=MAX_EXECUTIONS),
    )
    _check(state)
    return state


def _check(state: State) -> None:
    """Refuse what no trading could have led to, and what the reckoning would trip over later."""
    for book in state.books.values():
        date.fromordinal(book.day)
        growth, history = book.growth, book.history
        positive = [growth.before.peak, *([] if growth.base is None else [growth.base])]
        sums = [(returns.squares, returns.downside) for returns in (history.returns, history.year_returns)]
        whole = all(returns.peak > 0 for returns in (history.returns, history.year_returns))
        if min(positive) <= 0 or min(map(min, sums)) < 0 or not whole:
            message = f"its book {dict(book.figures)} has impossible statistics"
            raise DamagedError(message)
    contracts = [*state.contracts.values(), *(position.contract for position in state.positions.values())]
    if any(contract.multiplier <= 0 for contract in contracts) or any(rate <= 0 for rate in state.rates.values()):
        message = "it has a multiplier or a rate that is not above zero"
        raise DamagedError(message)


def _seal(content: Mapping[str, Any]) -> int:
    import json  # noqa: PLC0415  as above

    return zlib.crc32(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())


def _key(raw: object) -> AttributeSet:
    values = {name: text(value) for name, value in mapping(raw).items()}
    for name, value in values.items():
        allowed = _KEYS[name].values
        if allowed and value not in allowed:
            message = f"it has {value!r} as {name}"
            raise DamagedError(message)
    return AttributeSet(values)


def _id(raw: object) -> str:
    return instance(raw, str)


def _position_key(raw: object) -> AttributeSet:
    key = _key(raw)
    text(key.get(a.SYMBOL))
    return key


def _venue_and_symbol(raw: object) -> tuple[str | None, str | None]:
    venue, symbol = rows(raw)
    return None if venue is None else text(venue), None if symbol is None else text(symbol)
