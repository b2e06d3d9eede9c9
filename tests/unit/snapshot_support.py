"""A portfolio that trades everything there is, and all that is seen of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from unit_support import Clock, attributes

from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker
from otel_trading.trackers.portfolio import Contract, _picture

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.semconv import Metric

DAY = 86_400.0
START = DAY * 20_445.3  # 2025-12-23: a year ends soon
SYMBOLS = ("ACME", "XBTUSD", "ES")
CURRENCY = {"ACME": "USD", "XBTUSD": "XBT", "ES": "EUR"}


def new_tracker(clock: Clock, cost: str) -> PortfolioTracker:
    return PortfolioTracker(clock, cost="fifo" if cost == "fifo" else "average")


def terms(tracker: PortfolioTracker) -> None:
    tracker.contract(attributes(symbol="XBTUSD"), Contract(Decimal(1), inverse=True))
    tracker.contract(attributes(symbol="ES"), Contract(Decimal(50), signed=True))


_TAKE: dict[str, Callable[..., None]] = {
    "mark": lambda tracker, key, price: tracker.marked(attributes(symbol=key.get(a.SYMBOL)), price),
    "fund": PortfolioTracker.booked,
    "fee": PortfolioTracker.booked,
    "deposit": PortfolioTracker.paid_in,
    "split": lambda tracker, key, ratio: tracker.split(attributes(symbol=key.get(a.SYMBOL)), ratio),
    "state": PortfolioTracker.positioned,
    "equity": PortfolioTracker.valued,
    "report": lambda tracker, key, *figures: tracker.reported(key, "combined", *figures),
    "liquidation": PortfolioTracker.liquidated_at,
    "rate": lambda tracker, key, rate: tracker.converted(key.get(a.CURRENCY), "USD", rate),
}


def take(tracker: PortfolioTracker, clock: Clock, step: tuple[Any, ...], number: int = 0) -> None:
    kind, symbol, *rest = step
    if kind == "pass":
        clock.now += symbol
        return
    key = attributes(symbol=symbol, currency=CURRENCY[symbol], account="acct")
    if kind == "fill":
        quantity, price, fee = rest
        tracker.filled(key, quantity, price, fee, f"e{number}")
    else:
        _TAKE[kind](tracker, key, *rest)


def seen(tracker: PortfolioTracker) -> dict[Metric, list[tuple[tuple[tuple[str, str], ...], float]]]:
    """Every figure that a collection shows."""
    rows = {metric: tracker._rows(metric) for metric in _picture.METRICS}
    return {
        metric: sorted((tuple(sorted(key.values.items())), value) for key, value in found)
        for metric, found in rows.items()
    }


def month() -> tuple[PortfolioTracker, Clock]:
    """A month of trading with something of everything."""
    clock = Clock(START)
    tracker = new_tracker(clock, "fifo")
    terms(tracker)
    for number in range(120):
        symbol = SYMBOLS[number % 3]
        take(tracker, clock, ("deposit", symbol, 500.0))
        take(tracker, clock, ("fill", symbol, 3 if number % 5 else -4, 100.0 + number % 7, 0.25), number)
        take(tracker, clock, ("mark", symbol, 99.0 + number % 11))
        take(tracker, clock, ("liquidation", symbol, 50.0))
        take(tracker, clock, ("pass", DAY / 4))
    take(tracker, clock, ("rate", "ES", 1.25))
    return tracker, clock
