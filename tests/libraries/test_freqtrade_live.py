"""freqtrade with real orders, unchanged: its worker trades at a stand-in of Binance, and ccxt's hooks count them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from freqtrade_bots import TRADE, configured
from venues._serving import serving
from venues.binance import PRICE, Binance
from venues.binance_shapes import SYMBOLS, milliseconds

from bot_support import assert_held, assert_nothing_planted, environment, unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

_MINUTE = 60_000


class Venue(Binance):
    """Has candles, deep books, and the balances that its fills lead to."""

    def answer(self, method: str, path: str, given: dict[str, str]) -> Any:
        if path == "klines":
            last = milliseconds() // _MINUTE
            rows = range(last - int(given.get("limit", 500)) + 1, last + 1)
            return [_candle(row * _MINUTE) for row in rows]
        if path == "depth":
            return {"lastUpdateId": 1, "bids": [[str(PRICE), "9"]], "asks": [[str(PRICE), "9"]]}
        return super().answer(method, path, given)

    def _account(self) -> Any:
        held = dict.fromkeys(("USDT", "BTC", "ETH"), 0.0) | {"USDT": 1000.0}
        for order in self.orders.values():
            sign = 1 if order.side == "BUY" else -1
            for fill in order.fills:
                held[SYMBOLS[order.symbol][0]] += sign * float(fill["qty"])
                held["USDT"] -= sign * float(fill["qty"]) * float(fill["price"]) + float(fill["commission"])
        return super()._account() | {
            "balances": [{"asset": name, "free": f"{value:.8f}", "locked": "0"} for name, value in held.items()]
        }

    @property
    def fills(self) -> int:
        """How many executions there were."""
        return sum(len(order.fills) for order in self.orders.values())

    def fees(self, symbol: str) -> float:
        """What it took for the orders of one market."""
        orders = [order for order in self.orders.values() if order.symbol == symbol]
        return sum(float(fill["commission"]) for order in orders for fill in order.fills)


def _candle(moment: int) -> list[Any]:
    price = str(PRICE)
    return [moment, price, price, price, price, "10", moment + _MINUTE - 1, "1000", 10, "5", "500", "0"]


@pytest.mark.timeout(240)
def test_a_bot_with_real_orders_and_prometheus_agree(stack: Stack, tmp_path: Path) -> None:
    venue = Venue()
    with serving(venue.app) as place:
        configured(tmp_path, f"http://{place}", dry_run=False)
        text = TRADE.replace("FOLDER", str(tmp_path))
        with unchanged(tmp_path, "freqtrade-live", text, environment(stack)) as log:
            own = '$,trading_mode="live",trading_strategy_name="Own",trading_venue_name="binance"'
            assert log["closed"]
            assert log["fills"] == len(venue.orders)
            # freqtrade books the fee of an entry with its exit, the venue when it takes it
            profit = log["profit"] - venue.fees("ETHUSDT")
            expected = {
                f"sum(trading_order_requests_total{{{own},trading_order_operation='new'}})": len(venue.orders),
                f"sum(trading_execution_fills_total{{{own}}})": venue.fills,
                f"sum(trading_trade_closures_total{{{own}}})": log["closed"],
                f"abs(trading_portfolio_pnl{{{own},trading_pnl_type='realized'}} - {profit}) < bool 1e-3": 1,
                f"trading_strategy_iteration_duration_seconds_count{{{own}}}": log["loops"],
            }
            assert_held(stack, "freqtrade-live", expected)
            assert_nothing_planted(stack, "freqtrade-live")
