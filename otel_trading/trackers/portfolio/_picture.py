"""The portfolio at one moment, as the series of every metric."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from otel_trading.semconv import Metric
from otel_trading.semconv import attributes as a
from otel_trading.semconv import portfolio as metrics
from otel_trading.trackers.portfolio._position import ZERO

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from otel_trading._attributes import AttributeSet
    from otel_trading.trackers.portfolio._book import Book
    from otel_trading.trackers.portfolio._position import Position

    Row: TypeAlias = "tuple[AttributeSet, float]"
    Rows: TypeAlias = "dict[Metric, list[Row]]"
    Money: TypeAlias = "dict[str, Decimal]"

__all__ = ["METRICS", "taken"]

#: Everything that is observed here.
METRICS: Final = (
    metrics.VALUE,
    metrics.PNL,
    metrics.SESSION_PNL,
    metrics.RETURN,
    metrics.DRAWDOWN,
    metrics.MAX_DRAWDOWN,
    metrics.SHARPE_RATIO,
    metrics.SORTINO_RATIO,
    metrics.CALMAR_RATIO,
    metrics.PROFIT_FACTOR,
    metrics.EXPECTANCY,
    metrics.WIN_RATE,
    metrics.EXPOSURE,
    metrics.LEVERAGE,
    metrics.POSITION_COUNT,
    metrics.POSITION_QUANTITY,
    metrics.POSITION_PNL,
    metrics.POSITION_EXPOSURE,
    metrics.LIQUIDATION_DISTANCE,
)
_BOOK: Final = metrics.VALUE.keys - {a.SYMBOL.name}
_ACCOUNT: Final = metrics.DRAWDOWN.keys - {a.SYMBOL.name}


def taken(
    positions: Mapping[AttributeSet, Position],
    books: Mapping[AttributeSet, Book],
    per_year: int,
    reporting: str | None,
    rates: Mapping[str, Decimal],
) -> Rows:
    """Return the series of every metric.

    Args:
        positions: Open positions.
        books: Books of money; every position with a currency has one.
        per_year: Sessions in a year.
        reporting: Currency of the converted series, or None for none.
        rates: Price of one unit of each currency in the reporting currency.
    """
    rows: Rows = defaultdict(list)
    exposures = _positions(rows, positions, books)
    money: dict[AttributeSet, dict[Metric, Money]] = {}
    deepest: dict[AttributeSet, float] = {}
    for key, book in books.items():
        exposure = exposures[key]
        money[key] = {metrics.PNL: book.figures, metrics.SESSION_PNL: book.session, metrics.EXPOSURE: exposure}
        if book.equity is not None:
            money[key][metrics.VALUE] = {"": book.equity}
            _growth(rows, key, book, exposure["gross"])
            _deepen(deepest, key.only(_ACCOUNT), book)
        _statistics(rows, key, book, per_year)
    rows[metrics.DRAWDOWN] = list(deepest.items())
    for key, figures in money.items():
        _add(rows, key, figures)
    for key, figures in _converted(money, reporting, rates).items():
        _add(rows, key, figures)
    return rows


def _positions(
    rows: Rows, positions: Mapping[AttributeSet, Position], books: Mapping[AttributeSet, Book]
) -> dict[AttributeSet, Money]:
    """Add the positions, largest first because a cap on series drops the tail; returns the exposure of each book."""
    # An account without a position has an exposure of zero, not none.
    exposures: dict[AttributeSet, Money] = defaultdict(lambda: dict.fromkeys(a.EXPOSURE_TYPE.values, ZERO))
    sides: dict[AttributeSet, list[int]] = {key: [0, 0] for key in books}
    quantities, results = rows[metrics.POSITION_QUANTITY], rows[metrics.POSITION_PNL]
    valued = [(position.exposure, key, position) for key, position in positions.items()]
    valued.sort(key=lambda row: -abs(row[0]))
    for value, key, position in valued:
        book = key.only(_BOOK)
        quantities.append((key, float(position.quantity)))
        sides.setdefault(book, [0, 0])[position.quantity < 0] += 1
        distance = position.liquidation_distance
        if distance is not None:
            rows[metrics.LIQUIDATION_DISTANCE].append((key, _float(distance)))
        if book not in books:  # money without a currency says nothing
            continue
        rows[metrics.POSITION_EXPOSURE].append((key, _float(value)))
        results.append((key.plus(a.PNL_TYPE, "realized"), _float(position.realized)))
        results.append((key.plus(a.PNL_TYPE, "unrealized"), _float(position.unrealized)))
        exposure = exposures[book]
        exposure["gross"] += abs(value)
        exposure["net"] += value
        exposure["long" if value > 0 else "short"] += abs(value)
    for book, (longs, shorts) in sides.items():
        rows[metrics.POSITION_COUNT].append((book.plus(a.POSITION_SIDE, "long"), float(longs)))
        rows[metrics.POSITION_COUNT].append((book.plus(a.POSITION_SIDE, "short"), float(shorts)))
    return exposures


def _growth(rows: Rows, key: AttributeSet, book: Book, gross: Decimal) -> None:
    """Add what equity tells."""
    for window, change in book.history.changes(book.growth).items():
        rows[metrics.RETURN].append((key.plus(a.WINDOW, window), change))
    for window, depth in book.history.depths(book.growth).items():
        if depth.peak > 0:
            rows[metrics.MAX_DRAWDOWN].append((key.plus(a.WINDOW, window), _float(depth.worst)))
    if book.equity is not None and book.equity > 0:
        rows[metrics.LEVERAGE].append((key, float(gross / book.equity)))


def _deepen(deepest: dict[AttributeSet, float], account: AttributeSet, book: Book) -> None:
    """Let the worst currency of an account speak: it has one drawdown, without a currency to keep them apart."""
    deepest[account] = max(deepest.get(account, 0.0), float(book.growth.drawdown))


def _statistics(rows: Rows, key: AttributeSet, book: Book, per_year: int) -> None:
    """Add the ratios of trades and of session returns, where there are any."""
    found: list[tuple[Metric, str, float | None]] = []
    for window, trades in book.history.trades().items():
        found.append((metrics.WIN_RATE, window, trades.win_rate))
        found.append((metrics.PROFIT_FACTOR, window, trades.profit_factor))
        found.append((metrics.EXPECTANCY, window, trades.expectancy))
    for window, returns in book.history.sampled().items():
        found.append((metrics.SHARPE_RATIO, window, returns.sharpe(per_year)))
        found.append((metrics.SORTINO_RATIO, window, returns.sortino(per_year)))
        found.append((metrics.CALMAR_RATIO, window, returns.calmar(per_year)))
    for metric, window, value in found:
        if value is not None:
            rows[metric].append((key.plus(a.WINDOW, window), value))


def _add(rows: Rows, key: AttributeSet, figures: dict[Metric, Money]) -> None:
    for metric, money in figures.items():
        kind = a.EXPOSURE_TYPE if metric is metrics.EXPOSURE else a.PNL_TYPE
        for name, value in money.items():
            rows[metric].append((key.plus(kind, name) if name else key, _float(value)))


def _converted(
    books: dict[AttributeSet, dict[Metric, Money]], reporting: str | None, rates: Mapping[str, Decimal]
) -> dict[AttributeSet, dict[Metric, Money]]:
    """Return the books of each account added up in the reporting currency; none where a rate is missing."""
    accounts: dict[AttributeSet, list[tuple[Decimal | None, dict[Metric, Money]]]] = defaultdict(list)
    for key, figures in books.items() if reporting is not None else ():
        rate = Decimal(1) if key.get(a.CURRENCY) == reporting else rates.get(key.get(a.CURRENCY) or "")
        account = key.without(a.CURRENCY).plus(a.CURRENCY, reporting or "").plus(a.CURRENCY_CONVERTED, "true")
        accounts[account].append((rate, figures))
    return {account: _summed(parts) for account, parts in accounts.items() if all(rate for rate, _ in parts)}


def _summed(parts: list[tuple[Decimal | None, dict[Metric, Money]]]) -> dict[Metric, Money]:
    totals: dict[Metric, Money] = {}
    for metric in {metric for _, figures in parts for metric in figures}:
        moneys = [(rate or ZERO, figures[metric]) for rate, figures in parts if metric in figures]
        if metric is metrics.VALUE and len(moneys) < len(parts):
            continue  # equity of some currencies only is not the account's
        one = any("combined" in money for _, money in moneys)  # never beside the other two
        total = totals[metric] = {}
        for rate, money in moneys:
            for name, value in money.items():
                to = "combined" if one else name
                total[to] = total.get(to, ZERO) + rate * value
    return totals


def _float(value: Decimal) -> float:
    return float(value) + 0.0  # minus zero is no sum of money
