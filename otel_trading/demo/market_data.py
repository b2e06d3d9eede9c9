"""Real market data: daily prices of five US stocks, and the ticks that we make of them.

Source: the PyPI package `bokeh_sampledata` (BSD-3-Clause), file `stocks.csv.gz`: Quandl WIKI Prices, which their
publisher put into the public domain (https://web.archive.org/web/20150411011214/https://www.quandl.com/data/WIKI).
Releases before 2026.1 carried Yahoo exports without such terms, hence the floor. Prices are unadjusted, so the replay
stays clear of splits. We found no intraday prices under a permissive licence; ticks walk through each real daily bar.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import random
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

from otel_trading.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["START", "SYMBOLS", "TICKS_PER_DAY", "Bar", "Tick", "bars", "path", "replay"]

#: Listed in 2008; the fifth of the file (FB) came in 2012.
SYMBOLS: Final = ("AAPL", "GOOG", "IBM", "MSFT")
#: Ten days after Lehman Brothers failed: real prices that put every limit to the test.
START: Final = "2008-09-25"
TICKS_PER_DAY: Final = 60
_PACKAGE: Final = "bokeh_sampledata"
_FILE: Final = "_data/stocks.csv.gz"


@dataclass(frozen=True, slots=True)
class Bar:
    """One trading day of one symbol, prices in USD, volume in shares."""

    symbol: str
    date: str
    open: float
    high: float
    low: float
    close: float
    volume: int


@dataclass(frozen=True, slots=True)
class Tick:
    """One trade of the replay: a price in USD, a size in shares, and the day that it walks through."""

    symbol: str
    price: float
    size: int
    date: str


def bars(symbol: str, *, start: str = START) -> list[Bar]:
    """Return the daily bars of a symbol in order of time.

    Args:
        symbol: AAPL, FB, GOOG, IBM or MSFT.
        start: First day, ISO 8601.

    Raises:
        StackError: The data package is missing or too old; says how to get it.
    """
    with gzip.open(_open_file(), "rt", encoding="utf-8", newline="") as file:
        return [_bar(row) for row in csv.DictReader(file) if row["Ticker"] == symbol and row["Date"] >= start]


def path(bar: Bar, rng: random.Random, ticks: int = TICKS_PER_DAY) -> list[float]:
    """Return prices that walk through a bar: begin at its open, touch high and low, end at its close.

    A falling day makes its high first, a rising day its low. Between those four points goes a random walk that never
    leaves the bar.

    Args:
        bar: The day.
        rng: Where the randomness comes from: the same state gives the same path.
        ticks: How many prices, at least 4.
    """
    turns = (bar.low, bar.high) if bar.close >= bar.open else (bar.high, bar.low)
    points = [bar.open, *turns, bar.close]
    places = [0, *sorted(rng.sample(range(1, ticks - 1), 2)), ticks - 1]
    prices = [bar.open]
    for (start, end), (begin, until) in zip(itertools.pairwise(points), itertools.pairwise(places), strict=True):
        prices += _bridge(start, end, until - begin, (bar.high - bar.low) / 40, rng)
    return [round(min(max(price, bar.low), bar.high), 2) for price in prices]


def replay(symbol: str, *, seed: int, start: str = START) -> Iterator[Tick]:
    """Yield the ticks of a symbol for ever: after its last day, the first comes again.

    Args:
        symbol: Which stock.
        seed: The same seed gives the same ticks.
        start: First day, ISO 8601.
    """
    rng = random.Random(f"{seed}/{symbol}")  # noqa: S311  a replay, not a secret
    for bar in itertools.cycle(bars(symbol, start=start)):
        for price in path(bar, rng):
            yield Tick(symbol, price, rng.randint(1, 20) * 100, bar.date)


def _bridge(start: float, end: float, steps: int, noise: float, rng: random.Random) -> Iterator[float]:
    """Walk from start (left out) to end (reached exactly) in so many steps."""
    price = start
    for left in range(steps, 0, -1):
        price += (end - price) / left + (rng.gauss(0, noise) if left > 1 else 0.0)
        yield price


def _open_file() -> str:
    try:
        file = resources.files(_PACKAGE).joinpath(_FILE)
    except ModuleNotFoundError as error:
        message = "The demo's market data is not installed. Get it: pip install 'otel-trading[demo]'"
        raise StackError(message) from error
    if not file.is_file():
        message = (
            f"This release of {_PACKAGE} has no {_FILE}. Get a newer one: pip install --upgrade 'otel-trading[demo]'"
        )
        raise StackError(message)
    return str(file)


def _bar(row: dict[str, str]) -> Bar:
    return Bar(
        symbol=row["Ticker"],
        date=row["Date"],
        open=float(row["Open"]),
        high=float(row["High"]),
        low=float(row["Low"]),
        close=float(row["Close"]),
        volume=int(row["Volume"]),
    )
