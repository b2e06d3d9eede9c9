from __future__ import annotations

from typing import Any

import pytest

from otel_trading.demo.market_data import Tick
from otel_trading.demo.venue.book import Book
from otel_trading.demo.venue.engine import Engine
from otel_trading.demo.venue.orders import Order, RejectError, parse


@pytest.fixture
def reports() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def engine(reports: list[dict[str, Any]]) -> Engine:
    engine = Engine([Book("AAPL")], reports.append)
    tick(engine, 100.0)
    return engine


def tick(engine: Engine, price: float, size: int = 1000) -> None:
    engine.take(Tick("AAPL", price, size, "2008-09-25"))


def order(client_id: str = "1", **changes: Any) -> Order:
    return parse(
        {"client_id": client_id, "symbol": "AAPL", "side": "buy", "type": "market", "quantity": 100, **changes}
    )


def fills(reports: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [report for report in reports if report["type"] == "fill"]


def test_a_market_order_pays_the_touch_plus_impact_and_the_taker_fee(
    engine: Engine, reports: list[dict[str, Any]]
) -> None:
    engine.place(order())
    engine.match(engine.books["AAPL"])
    (fill,) = fills(reports)
    assert fill["price"] == pytest.approx(100.02 * (1 + 0.0004 * 0.1), abs=1e-4)
    assert fill["fee"] == pytest.approx(fill["price"] * 100 * 0.0003)
    assert (fill["liquidity"], fill["complete"]) == ("taker", True)
    assert engine.account.cash == pytest.approx(100_000 - fill["price"] * 100 - fill["fee"])


def test_more_than_is_quoted_fills_in_parts(engine: Engine, reports: list[dict[str, Any]]) -> None:
    tick(engine, 100.0, size=60)
    engine.place(order())
    engine.match(engine.books["AAPL"])
    assert engine.orders["1"].status == "partially_filled"
    tick(engine, 100.0, size=60)
    assert [(fill["quantity"], fill["complete"]) for fill in fills(reports)] == [(60, False), (40, True)]


def test_a_limit_order_rests_until_the_other_side_comes_then_earns_the_rebate(
    engine: Engine, reports: list[dict[str, Any]]
) -> None:
    engine.place(order(type="limit", price=99.0))
    engine.match(engine.books["AAPL"])
    tick(engine, 99.5)
    assert not fills(reports)
    tick(engine, 98.5)
    (fill,) = fills(reports)
    assert (fill["price"], fill["liquidity"]) == (99.0, "maker")
    assert fill["fee"] < 0


def test_an_order_that_must_fill_at_once_expires_otherwise(engine: Engine, reports: list[dict[str, Any]]) -> None:
    engine.place(order(type="limit", price=99.0, time_in_force="ioc"))
    engine.match(engine.books["AAPL"])
    assert reports[-1]["status"] == "expired"
    assert engine.open_orders() == []


def test_the_same_order_again_is_the_same_order(engine: Engine) -> None:
    first = engine.place(order())
    assert engine.place(order()) is first
    with pytest.raises(RejectError) as reject:
        engine.place(order(quantity=101))
    assert reject.value.reason == "duplicate"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"symbol": "NOPE"}, "unknown_symbol"),
        ({"type": "limit", "price": 89.0}, "price_band"),
        ({"quantity": 1001}, "insufficient_funds"),
        ({"side": "sell"}, "insufficient_funds"),
        ({"quantity": 5001}, "size_limit"),
        ({"quantity": 0}, "invalid_order"),
        ({"quantity": float("nan")}, "invalid_order"),
        ({"quantity": True}, "invalid_order"),
        ({"side": "up"}, "invalid_order"),
        ({"type": "limit"}, "invalid_order"),
        ({"client_id": ""}, "invalid_order"),
    ],
)
def test_a_bad_order_is_rejected_with_a_reason(engine: Engine, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(RejectError) as reject:
        engine.place(order(**changes))
    assert reject.value.reason == reason


def test_an_account_knows_what_its_holding_cost(engine: Engine) -> None:
    for client_id, price in (("1", 100.0), ("2", 110.0)):
        tick(engine, price)
        engine.place(order(client_id))
        engine.match(engine.books["AAPL"])
    (position,) = engine.account.positions()
    assert position["price"] == pytest.approx(105.0, abs=0.1)
    engine.place(order("3", side="sell", quantity=200))
    engine.match(engine.books["AAPL"])
    assert engine.account.positions() == []
    assert engine.account.equity(engine.books) == pytest.approx(engine.account.cash)


def test_canceling_ends_an_order_once(engine: Engine, reports: list[dict[str, Any]]) -> None:
    engine.place(order(type="limit", price=99.0))
    assert engine.cancel("1") is not None
    assert engine.cancel("1") is None
    assert reports[-1]["status"] == "canceled"
