"""The bot against the paper venue, and what meter holds of it."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading import meter
from otel_trading.demo.bot.bot import DAILY_LOSS, Bot
from otel_trading.demo.bot.client import Client, RateLimitedError, RefusedError, UnknownOrderError, VenueError
from otel_trading.demo.bot.stream import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from demo_support import VenueClient

    from otel_trading.testing import CapturingMeter

SYMBOLS = ["AAPL", "MSFT"]


@contextmanager
def trading(venue: VenueClient, patience: float = 5.0) -> Iterator[Bot]:
    meter.defaults(venue="paper", strategy="dip_buyer", account="demo", currency="USD")
    bot = Bot(Client(venue.url, "demo-key"), SYMBOLS)
    url, key = venue.stream_url, "demo-key"
    market: dict[str, Any] = {"symbols": tuple(SYMBOLS), "patience": patience}
    streams = [
        Stream("fills", f"{url}/v1/fills", key=key, received=bot.received),
        Stream("market_a", f"{url}/v1/market/a", key=key, received=bot.received, **market),
    ]
    with ExitStack() as ends:
        for stream in streams:
            stream.start()
            ends.callback(stream.stop)
        yield bot


def trade_until(bot: Bot, reached: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    checked = 0.0
    while not reached():
        assert time.monotonic() < until, "not reached in time"
        if time.monotonic() - checked > 0.5:
            checked = time.monotonic()
            bot.check()
        bot.step()
        time.sleep(0.02)


def has(capmeter: CapturingMeter, name: str, at_least: float = 1.0, **attributes: str) -> bool:
    try:
        return capmeter.value(name, **attributes) >= at_least
    except AssertionError:
        return False


def test_it_trades_and_what_it_says_is_what_the_venue_knows(
    own_venue: Callable[..., VenueClient], capmeter: CapturingMeter
) -> None:
    venue = own_venue("--no-faults", "--speed", "5")
    with trading(venue) as bot:
        trade_until(bot, lambda: has(capmeter, "trading.execution.fills", 6))
        bot.close()
        trade_until(bot, lambda: not venue.call("GET", "/v1/orders").json() and not bot._orders)
        held = {row["symbol"]: row["quantity"] for row in venue.call("GET", "/v1/positions").json()}
        told = {sample.attributes["trading.instrument.symbol"]: sample.value for sample in quantities(capmeter)}
        assert told == pytest.approx(held)
    assert has(capmeter, "trading.order.requests", 3, operation="new")
    assert has(capmeter, "trading.market_data.messages", 50, kind="quote")
    assert capmeter.value("trading.strategy.status", state="running") in {0, 1}
    assert has(capmeter, "trading.order.acknowledgement.duration")
    assert capmeter.value("trading.risk.limit", trading_risk_limit_name="daily_loss") == DAILY_LOSS
    capmeter.assert_conforms()


def quantities(capmeter: CapturingMeter) -> list[Any]:
    try:
        return capmeter.samples("trading.position.quantity")
    except AssertionError:
        return []


def test_rejects_are_counted_with_their_reason_and_trading_goes_on(
    own_venue: Callable[..., VenueClient], capmeter: CapturingMeter
) -> None:
    venue = own_venue("--no-faults", "--speed", "5")
    with trading(venue) as bot:
        venue.fault("reject_storm", seconds=600)
        trade_until(bot, lambda: has(capmeter, "trading.order.rejections", 2, source="venue"))
        assert not bot._orders
        assert not has(capmeter, "trading.execution.fills")


def test_over_the_loss_limit_it_reduces(own_venue: Callable[..., VenueClient], capmeter: CapturingMeter) -> None:
    venue = own_venue("--no-faults", "--speed", "5", "--seed", "2")
    with trading(venue) as bot:
        trade_until(bot, lambda: has(capmeter, "trading.strategy.status", state="reducing"))
    assert capmeter.value("trading.risk.usage", trading_risk_limit_name="daily_loss") > DAILY_LOSS


def test_a_cut_connection_comes_back_and_is_counted(
    own_venue: Callable[..., VenueClient], capmeter: CapturingMeter
) -> None:
    venue = own_venue("--no-faults")
    with trading(venue) as bot:
        trade_until(
            bot,
            lambda: has(capmeter, "trading.connection.status", state="connected", trading_connection_name="market_a"),
        )
        venue.fault("drop", line="a", seconds=1.0)
        trade_until(
            bot,
            lambda: has(
                capmeter, "trading.connection.status", state="disconnected", trading_connection_name="market_a"
            ),
        )
        trade_until(bot, lambda: has(capmeter, "trading.connection.reconnects", trading_connection_name="market_a"))


def test_a_silent_connection_is_not_trusted(own_venue: Callable[..., VenueClient], capmeter: CapturingMeter) -> None:
    venue = own_venue("--no-faults")
    with trading(venue, patience=1.0) as bot:
        trade_until(bot, lambda: has(capmeter, "trading.market_data.messages"))
        venue.fault("silence", line="a", seconds=2.5)
        trade_until(bot, lambda: has(capmeter, "trading.connection.reconnects", type="timeout"))


def test_being_rate_limited_is_counted_and_waited_out(
    own_venue: Callable[..., VenueClient], capmeter: CapturingMeter
) -> None:
    venue = own_venue("--no-faults")
    client = Client(venue.url, "demo-key")
    venue.fault("rate_limit", seconds=0.5)
    begun = time.monotonic()
    with pytest.raises(RateLimitedError):
        client.account()
    assert client.account()["equity"] == 100_000
    assert time.monotonic() - begun >= 1.0
    assert capmeter.value("trading.rate_limit.rejections", type="429") == 1
    assert has(capmeter, "trading.venue.request.duration", operation="fetch_balance", error_type="RateLimitedError")


def test_the_client_tells_refusals_apart(venue: VenueClient, capmeter: CapturingMeter) -> None:
    client = Client(venue.url, "demo-key")
    with pytest.raises(UnknownOrderError):
        client.order("nobody")
    with pytest.raises(RefusedError) as refused:
        client.create_order(client_id="big", symbol="AAPL", side="buy", type="market", quantity=6000)
    assert refused.value.reason == "size_limit"
    assert capmeter.value("trading.order.rejections", reason="size_limit") == 1
    with pytest.raises(VenueError):
        Client("http://127.0.0.1:9", "demo-key").account()


def test_without_a_venue_it_says_so() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "otel_trading.demo.bot", "--venue-url", "http://127.0.0.1:9"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 1
    assert "does not answer" in run.stderr
    assert "Traceback" not in run.stderr
