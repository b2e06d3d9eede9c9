"""What the helpers of the five older systems did, said with ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_trading import meter

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter


@pytest.mark.seed("S0-02")
def test_each_strategy_has_its_pnl(capmeter: CapturingMeter) -> None:
    meter.pnl(value=120, strategy="momentum", currency="USD")
    meter.pnl(value=-30, strategy="dip_buyer", currency="USD")

    assert capmeter.value("trading.portfolio.pnl", strategy="momentum", currency="USD") == 120
    assert capmeter.value("trading.portfolio.pnl", strategy="dip_buyer", currency="USD") == -30


@pytest.mark.seed("S1-11", "S3-02")
def test_fills_give_open_positions_and_the_total_pnl(capmeter: CapturingMeter) -> None:
    meter.defaults(currency="USD")
    meter.order_filled(symbol="AAPL", side="buy", price=100, quantity=2)
    meter.order_filled(symbol="IBM", side="sell", price=100, quantity=2)
    meter.order_filled(symbol="AAPL", side="sell", price=110, quantity=1)

    assert capmeter.value("trading.position.count", side="long") == 1
    assert capmeter.value("trading.position.count", side="short") == 1
    assert sum(s.value for s in capmeter.samples("trading.portfolio.pnl")) == 10 + 10  # earned and still held


@pytest.mark.seed("S4-18", "S4-19")
def test_every_event_counts_and_all_of_an_interval_leave_as_one_point(capmeter: CapturingMeter) -> None:
    for _ in range(1_000):
        meter.market_data_received(source="kraken", kind="trade")

    (sample,) = capmeter.samples("trading.market_data.messages")
    assert sample.value == 1_000
