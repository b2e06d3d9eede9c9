"""What a helper costs beside the bare SDK instruments that it drives: ratios from one interleaved run.

    python benchmarks/record.py [--rounds 200] [--mode replay]

Both sides record the same values with the same attributes through the same views into the same kind of provider. It is
CPU time, and the ratio is the median over short rounds in which the two sides alternate, so that a busy machine slows
both; the last column is the middle half of the rounds. In mode live up to five markouts follow a fill later, as
recordings of their own; in mode replay none does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Literal

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_trading import instruments, meter, semconv, trackers
from otel_trading.sdk.views import views
from otel_trading.semconv import Kind, execution, market_data, plumbing, strategy

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 300
COMMON = {"trading.venue.name": "kraken", "trading.strategy.name": "bench"}
SYMBOL = {"trading.instrument.symbol": "BTC/USD"}


def provider() -> MeterProvider:
    return MeterProvider([InMemoryMetricReader()], views=views(), shutdown_on_exit=False)


def bare(mode: str) -> dict[str, Callable[[], None]]:
    """The same records by hand, attributes built once: the cheapest that an app could write."""
    own, common = provider().get_meter("bare"), {"trading.mode": mode, **COMMON}
    made = {}
    for metric in semconv.ALL:
        if metric.kind is Kind.COUNTER:
            made[metric] = own.create_counter(metric.name, str(metric.unit)).add
        elif metric.kind is Kind.HISTOGRAM:
            made[metric] = own.create_histogram(metric.name, str(metric.unit)).record
    signal = {**common, **SYMBOL, "trading.signal.type": "buy"}
    hit = {**common, "trading.cache.name": "bars", "trading.cache.outcome": "hit"}
    feed = {**common, **SYMBOL, "trading.data.source": "kraken", "trading.data.kind": "trade"}
    delay = {key: value for key, value in feed.items() if key != "trading.data.kind"}
    fill = {**common, **SYMBOL, "trading.order.side": "buy"}
    money = {**fill, "trading.currency.code": "USD"}
    fee = {**common, **SYMBOL, "trading.currency.code": "USD", "trading.fee.type": "commission"}
    slip = {**fill, "trading.execution.benchmark": "arrival", "trading.execution.direction": "adverse"}

    def message() -> None:
        made[market_data.MESSAGES](1, feed)
        made[market_data.DELAY](0.01, delay)

    def filled() -> None:
        made[execution.FILLS](1, fill)
        made[execution.NOTIONAL](100.0, money)
        made[execution.FEE](0.1, fee)
        made[execution.SLIPPAGE](0.0001, slip)

    return {
        "signal_emitted": lambda: made[strategy.SIGNAL_EMISSIONS](1, signal),
        "cache_hit": lambda: made[plumbing.CACHE_REQUESTS](1, hit),
        "market_data_received": message,
        "order_filled": filled,
    }


def helpers(mode: Literal["live", "replay"] = "live") -> dict[str, Callable[[], None]]:
    """The same through the front door; `order_filled` also keeps the position."""
    instruments.bind(provider())
    meter.defaults(mode=mode, venue="kraken", strategy="bench", currency="USD")
    now = time.time()
    return {
        "signal_emitted": lambda: meter.signal_emitted(type="buy", symbol="BTC/USD"),
        "cache_hit": lambda: meter.cache_hit(name="bars"),
        "market_data_received": lambda: meter.market_data_received(
            source="kraken", kind="trade", symbol="BTC/USD", venue_time=now
        ),
        "order_filled": lambda: meter.order_filled(
            symbol="BTC/USD", side="buy", price=100.0, quantity=1.0, fee=0.1, expected_price=99.99
        ),
    }


def microseconds(call: Callable[[], None]) -> float:
    begin = time.thread_time()
    for _ in range(CALLS):
        call()
    trackers.default().flush()  # what a collection would record
    return (time.thread_time() - begin) / CALLS * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--mode", choices=["live", "replay"], default="live")
    arguments = parser.parse_args()
    rounds, ours, theirs = arguments.rounds, helpers(arguments.mode), bare(arguments.mode)
    print(f"{'helper':22} {'bare us':>8} {'ours us':>8} {'ratio':>6}  middle half")
    for name, call in ours.items():
        pairs = [(microseconds(theirs[name]), microseconds(call)) for _ in range(rounds)]
        low, high = (statistics.median(side) for side in zip(*pairs, strict=True))
        first, middle, third = statistics.quantiles([mine / its for its, mine in pairs], n=4)
        print(f"{name:22} {low:8.2f} {high:8.2f} {middle:6.2f}  {first:.2f} to {third:.2f}")


if __name__ == "__main__":
    main()
