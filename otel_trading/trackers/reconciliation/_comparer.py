"""Two books side by side: what each of them holds, read into records, and where they differ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from otel_trading.errors import ConventionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import SupportsFloat

    from otel_trading.semconv import attributes as a

__all__ = ["Book", "Break", "Comparer", "Comparing", "Record", "View", "discrepancies", "read"]

#: What one side holds, as the user has it: numbers or records by id, or records, or a function that fetches them.
View: TypeAlias = (
    "Mapping[str, object] | Iterable[object] | Callable[[], Mapping[str, object]] | Callable[[], Iterable[object]]"
)
Book: TypeAlias = "Mapping[str, Record]"
Comparing: TypeAlias = "Callable[[a.ReconciliationObject, Book, Book], Iterable[Break]]"
#: What exists as an amount: of zero there is nothing, and two records of one id are one larger amount.
_NETTED: Final = frozenset({"position", "balance"})
#: Breaks that are differences in amount.
_AMOUNTS: Final = frozenset({"missing_local", "missing_venue", "quantity"})
#: Below what any venue counts; a sum of floats is off by less.
_DUST: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Record:
    """One order, fill, position or balance as one side knows it; what that side does not tell is None.

    Args:
        id: What both sides call it: client order id, execution id, the symbol of a position, the asset of a balance.
        symbol: Venue or ccxt symbol; asset code of a balance.
        quantity: Signed for positions: short is negative.
        price: Price per unit.
        status: In one vocabulary on both sides.
    """

    id: str
    symbol: str | None = None
    quantity: float | None = None
    price: float | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Break:
    """One difference.

    Args:
        type: How the sides differ.
        id: Id of the record.
        symbol: Its symbol.
        local: What we have: a quantity, a price or a status.
        venue: What the venue has.
    """

    type: a.BreakType
    id: str
    symbol: str | None = None
    local: float | str | None = None
    venue: float | str | None = None


@dataclass(frozen=True, slots=True)
class Comparer:
    """Compares two books record by record; any function of the same signature can stand in its place.

    A figure that one side does not tell is not compared. A position or a balance of zero is the same as none.

    Args:
        quantity_tolerance: Difference in quantity that is none, in units.
        price_tolerance: Difference in price that is none, as a share of the larger price.
        ours: Whether a record that only the venue has was made by us; if not, the break is external.

    Raises:
        ConventionError: For a tolerance that is negative or no number.

    Example:
        >>> ours = {"BTC/USD": Record("BTC/USD", quantity=0.5), "ETH/USD": Record("ETH/USD", quantity=2.0)}
        >>> theirs = {"BTC/USD": Record("BTC/USD", quantity=0.4)}
        >>> for found in Comparer(quantity_tolerance=0.001)("position", ours, theirs):
        ...     print(found.id, found.type, found.local, found.venue)
        BTC/USD quantity 0.5 0.4
        ETH/USD missing_venue 2.0 None
    """

    quantity_tolerance: float = _DUST
    price_tolerance: float = _DUST
    ours: Callable[[Record], bool] | None = None

    def __post_init__(self) -> None:
        if not (self.quantity_tolerance >= 0 and self.price_tolerance >= 0):
            message = f"{self} has a tolerance below zero or none at all. Use 0 or a positive number."
            raise ConventionError(message)

    def __call__(self, kind: a.ReconciliationObject, local: Book, venue: Book) -> Iterator[Break]:
        """Yield every difference.

        Args:
            kind: order, fill, position or balance.
            local: Our records by id.
            venue: The venue's.
        """
        for key in dict.fromkeys((*local, *venue)):
            mine, theirs = _existing(kind, local.get(key)), _existing(kind, venue.get(key))
            if mine is not None and theirs is not None:
                yield from self._beside(key, mine, theirs)
            elif mine is not None and not self._is_dust(kind, mine):
                yield Break("missing_venue", key, mine.symbol, mine.quantity, None)
            elif theirs is not None and not self._is_dust(kind, theirs):
                foreign = self.ours is not None and not self.ours(theirs)
                yield Break("external" if foreign else "missing_local", key, theirs.symbol, None, theirs.quantity)

    def _is_dust(self, kind: a.ReconciliationObject, alone: Record) -> bool:
        return kind in _NETTED and alone.quantity is not None and abs(alone.quantity) <= self.quantity_tolerance

    def _beside(self, key: str, mine: Record, theirs: Record) -> Iterator[Break]:
        if not _close(mine.quantity, theirs.quantity, amount=self.quantity_tolerance):
            yield Break("quantity", key, mine.symbol, mine.quantity, theirs.quantity)
        if not _close(mine.price, theirs.price, share=max(self.price_tolerance, _DUST)):
            yield Break("price", key, mine.symbol, mine.price, theirs.price)
        if None not in {mine.status, theirs.status} and mine.status != theirs.status:
            yield Break("status", key, mine.symbol, mine.status, theirs.status)


def read(kind: a.ReconciliationObject, view: View | None) -> dict[str, Record]:
    """Return what one side holds as records by id.

    Args:
        kind: order, fill, position or balance.
        view: Numbers or records by id, or records, or a function that returns them. A record is a `Record`, or anything
            with these fields as keys or attributes; a position or a balance without id goes by its symbol.

    Raises:
        ConventionError: When a record cannot be read. Half a book is none: it would resolve breaks that are there.
    """
    if callable(view):
        view = view()
    if isinstance(view, Mapping):
        items = list(cast("Mapping[object, object]", view).items())
    elif isinstance(view, Iterable) and not isinstance(view, (str, bytes)):
        items = [(None, item) for item in view]
    else:
        message = f"The {kind}s are a {type(view).__name__}. Pass a mapping, a sequence or a function that returns one."
        raise ConventionError(message)
    book: dict[str, Record] = {}
    for name, item in items:
        record = _record(kind, name, item)
        before = book.get(record.id) if kind in _NETTED else None
        book[record.id] = record if before is None else _netted(before, record)
    return book


def discrepancies(local: Book, venue: Book, breaks: Iterable[Break] | None = None) -> dict[str, float]:
    """Return local minus venue by symbol, zeros included; a record whose quantity a side does not tell is left out.

    Args:
        local: Our records by id.
        venue: The venue's.
        breaks: What counts as a difference, None for any: what is tolerated or was never ours (external) is none.
    """
    broken = {name for item in breaks or () if item.type in _AMOUNTS for name in (item.id, item.symbol)}
    found: dict[str, float] = {}
    for key in dict.fromkeys((*local, *venue)):
        mine, theirs = local.get(key), venue.get(key)
        symbol = (mine and mine.symbol) or (theirs and theirs.symbol)
        here, there = (0.0 if record is None else record.quantity for record in (mine, theirs))
        if symbol and here is not None and there is not None:
            counts = breaks is None or key in broken or symbol in broken
            gap = here - there if counts and not _close(here, there, amount=_DUST) else 0.0
            found[symbol] = found.get(symbol, 0.0) + gap
    return found


def _close(left: float | None, right: float | None, *, share: float = _DUST, amount: float = 0.0) -> bool:
    """Whether two figures are the same; one that is not known differs from nothing."""
    return left is None or right is None or math.isclose(left, right, rel_tol=share, abs_tol=amount)


def _existing(kind: a.ReconciliationObject, record: Record | None) -> Record | None:
    return None if record is None or (kind in _NETTED and record.quantity == 0) else record


def _netted(one: Record, other: Record) -> Record:
    both = one.quantity is not None and other.quantity is not None
    return replace(one, quantity=(one.quantity or 0.0) + (other.quantity or 0.0) if both else None, price=None)


def _record(kind: a.ReconciliationObject, name: object, item: object) -> Record:
    fields = _fields(item)
    symbol = _text(fields("symbol"))
    key = _text(name) or _text(fields("id")) or (symbol if kind in _NETTED else None)
    if key is None:
        message = f"A record of the {kind}s has no id: {item!r:.100}. Give it one, or pass a mapping by id."
        raise ConventionError(message)
    symbol = symbol or (key if kind in _NETTED else None)
    quantity, price = (_figure(key, word, fields(word)) for word in ("quantity", "price"))
    return Record(key, symbol, quantity, price, _text(fields("status")))


def _fields(item: object) -> Callable[[str], object]:
    if isinstance(item, Mapping):
        return cast("Mapping[str, object]", item).get
    if isinstance(item, str) or hasattr(item, "__float__"):  # much faster than a protocol's isinstance
        return {"quantity": item}.get
    return lambda word: getattr(item, word, None)


def _text(value: object) -> str | None:
    return None if value is None else str(value.value if isinstance(value, Enum) else value) or None


def _figure(key: str, word: str, value: object) -> float | None:
    if value is None:
        return None
    try:
        figure = float(cast("SupportsFloat", value))
    except (TypeError, ValueError, OverflowError):
        figure = math.nan
    if not math.isfinite(figure):
        message = f"{word}={value!r:.100} of {key!r} is not a finite number. Pass one, or None where it is not known."
        raise ConventionError(message)
    return figure
