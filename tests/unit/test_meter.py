"""Every helper but those of orders: what it emits, and that it conforms."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from unit_support import losses

from otel_trading import meter, semconv
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading.testing import CapturingMeter


@pytest.fixture(autouse=True)
def conforms(capmeter: CapturingMeter) -> Iterator[None]:
    """Whatever a helper emits stands in the convention."""
    yield
    capmeter.assert_conforms()


def test_market_data_counts_and_keeps_an_age(capmeter: CapturingMeter) -> None:
    meter.market_data_subscribed(source="kraken", kind="trade", symbol="BTC")
    meter.market_data_received(source="kraken", kind="trade", symbol="BTC", venue_time=time.time() - 2, sequence=1)
    meter.market_data_received(source="kraken", kind="trade", symbol="BTC", venue_time=str(time.time()), sequence="4")

    assert capmeter.value("trading.market_data.messages", source="kraken", kind="trade", symbol="BTC") == 2
    assert capmeter.value("trading.market_data.gaps") == 1
    assert capmeter.value("trading.market_data.age") < 5
    (delay,) = capmeter.samples("trading.market_data.delay")
    assert delay.sum == pytest.approx(2, abs=1)

    meter.market_data_unsubscribed(source="kraken", kind="trade", symbol="BTC")
    assert capmeter.samples("trading.market_data.age") == []


def test_one_wrong_sequence_does_not_silence_a_feed(production: CapturingMeter) -> None:
    for sequence in ("one", 1, 2):
        meter.market_data_received(source="kraken", kind="trade", sequence=sequence)

    assert production.value("trading.market_data.messages") == 3
    assert losses(production) == {"invalid_value": 1}


def test_milliseconds_are_refused_instead_of_told_as_no_delay(production: CapturingMeter) -> None:
    meter.market_data_received(source="kraken", kind="trade", venue_time=time.time() * 1000)

    assert production.value("trading.market_data.messages") == 1
    assert production.samples("trading.market_data.delay") == []
    assert losses(production) == {"invalid_value": 1}


def test_a_connection_that_came_back_says_why_it_went(capmeter: CapturingMeter) -> None:
    meter.connection_changed(name="orders", state="connected", transport="fix")
    meter.connection_changed(name="orders", state="disconnected", transport="fix", error=ConnectionResetError())
    meter.connection_changed(name="orders", state="connected", transport="fix")

    assert capmeter.value("trading.connection.reconnects", connection="orders", type="ConnectionResetError") == 1
    assert capmeter.value("trading.connection.status", state="connected", transport="fix") == 1
    assert capmeter.value("trading.connection.uptime") >= 0


def test_errors_of_a_connection_are_capped_like_any_other_value(capmeter: CapturingMeter) -> None:
    for number in range(1_100):
        meter.connection_changed(name="orders", state="disconnected", error=f"refused {number}")
        meter.connection_changed(name="orders", state="connected")

    errors = {row.attributes[a.ERROR_TYPE.name] for row in capmeter.samples("trading.connection.reconnects")}
    assert len(errors) == 1_000  # the first one broke nothing that was up before
    assert "_other_" in errors


@pytest.mark.seed("S0-05")
def test_a_venue_call_is_timed(capmeter: CapturingMeter) -> None:
    with pytest.raises(TimeoutError), meter.venue_call(operation="fetch_balance", venue="Kraken"):
        raise TimeoutError

    assert capmeter.value("trading.venue.request.duration", operation="fetch_balance", venue="kraken") == 1
    assert capmeter.value("trading.venue.request.duration", error_type="timeout") == 1


def test_a_budget_and_its_refusals(capmeter: CapturingMeter) -> None:
    meter.rate_limit(name="request_weight", usage="60", limit=80, venue="kraken")
    meter.rate_limited(name="request_weight", error="429", venue="kraken")

    assert capmeter.value("trading.rate_limit.usage", rate_limit="request_weight") == 60
    assert capmeter.value("trading.rate_limit.limit") == 80
    assert capmeter.value("trading.rate_limit.utilization") == 0.75
    assert capmeter.value("trading.rate_limit.rejections", type="429") == 1


def test_a_clock_offset(capmeter: CapturingMeter) -> None:
    meter.clock_offset(seconds=-0.5, venue="kraken")

    assert capmeter.value("trading.venue.clock.offset", venue="kraken") == -0.5


def test_an_iteration_beats_and_runs(capmeter: CapturingMeter) -> None:
    with meter.iteration(period=5, strategy="one"):
        pass

    assert capmeter.value("trading.strategy.iteration.duration", strategy="one") == 1
    assert capmeter.value("trading.strategy.heartbeat.time", strategy="one") == pytest.approx(time.time(), abs=5)
    assert capmeter.value("trading.strategy.heartbeat.period", strategy="one") == 5
    assert capmeter.value("trading.strategy.status", strategy="one", state="running") == 1


@pytest.mark.parametrize("version", [None, "1f3c9a2"])
def test_a_state_set_beside_the_loop_is_the_state_of_the_same_series(
    capmeter: CapturingMeter, version: str | None
) -> None:
    """Alerts ask whether a state is 1: at 2 a hung loop is silent, and one that was stopped is missed."""
    meter.defaults(venue="kraken", strategy="one", account="acct")
    meter.strategy_state(state="running")
    with meter.iteration(strategy_version=version):
        pass
    assert capmeter.value("trading.strategy.status", state="running") == 1
    meter.strategy_state(state="stopped")

    assert capmeter.value("trading.strategy.status", state="running") == 0
    assert capmeter.value("trading.strategy.status", state="stopped") == 1


@pytest.mark.seed("S1-05", "S1-06", "S1-09")
def test_a_signal_and_an_indicator(capmeter: CapturingMeter) -> None:
    meter.signal_emitted(type="buy", confidence="high", symbol="BTC")
    with meter.indicator(name="rsi", symbol="BTC"):
        pass

    assert capmeter.value("trading.signal.emissions", type="buy", confidence="high", symbol="BTC") == 1
    assert capmeter.value("trading.indicator.calculation.duration", indicator="rsi", symbol="BTC") == 1


def test_health(capmeter: CapturingMeter) -> None:
    meter.health(name="order_api", ok=False, seconds=0.5)

    assert capmeter.value("trading.resilience.health_check.status", health_check="order_api", state="fail") == 1
    assert capmeter.value("trading.resilience.health_check.duration") == 1


def test_a_cache(capmeter: CapturingMeter) -> None:
    meter.cache_hit(name="bars", level="l1")
    meter.cache_missed(name="bars")

    assert capmeter.value("trading.cache.requests", cache="bars", outcome="hit", level="l1") == 1
    assert capmeter.value("trading.cache.requests", outcome="miss") == 1


@pytest.mark.seed("S0-03", "S1-12")
def test_a_stated_position_is_marked_and_closed(capmeter: CapturingMeter) -> None:
    meter.defaults(venue="kraken", strategy="one", currency="USD")
    meter.position(symbol="BTC", quantity="-2", price=100)
    meter.price_marked(symbol="BTC", price=90)

    assert capmeter.value("trading.position.quantity", symbol="BTC", strategy="one") == -2
    assert capmeter.value("trading.position.pnl", type="unrealized", currency="USD") == 20
    assert capmeter.value("trading.portfolio.pnl", type="unrealized") == 20
    assert capmeter.value("trading.portfolio.exposure", type="short") == 180

    meter.position(symbol="BTC", quantity=0)
    assert capmeter.samples("trading.position.quantity") == []
    assert capmeter.value("trading.portfolio.pnl") == 20


@pytest.mark.seed("S1-13", "S1-14", "S2-12", "S3-08", "S3-09")
def test_stated_pnl_and_equity(capmeter: CapturingMeter) -> None:
    meter.defaults(currency="USD", account="acct")
    meter.pnl(value=120, session=-80)
    meter.equity(value=1000)
    meter.equity(value=900)

    assert capmeter.value("trading.portfolio.pnl", type="combined", account="acct") == 120
    assert capmeter.value("trading.portfolio.session.pnl", type="combined") == -80
    assert capmeter.value("trading.portfolio.value", currency="USD") == 900
    assert capmeter.value("trading.portfolio.drawdown", account="acct") == 0.1


def test_the_figures_of_an_account_carry_the_same_labels(capmeter: CapturingMeter) -> None:
    """An alert divides one by the other."""
    meter.defaults(venue="kraken", strategy="one", account="acct", currency="USD")
    meter.pnl(session=-80)
    meter.equity(value=1000)
    meter.risk_limit(name="daily_loss", limit=100, usage=80)

    def labels(name: str) -> dict[str, str]:
        return {k: v for k, v in capmeter.samples(name)[0].attributes.items() if not k.startswith("trading.risk.")}

    session = labels("trading.portfolio.session.pnl")
    del session[a.PNL_TYPE.name]
    assert session == labels("trading.portfolio.value") == labels("trading.risk.limit")


def test_a_limit_in_money_carries_its_currency_and_any_other_does_not(capmeter: CapturingMeter) -> None:
    meter.defaults(currency="USD")
    meter.risk_limit(name="daily_loss", limit=100, usage=25)
    meter.risk_limit(name="drawdown", limit=0.2, usage=0.1, unit="ratio")

    found = {row.attributes[a.RISK_LIMIT.name]: row for row in capmeter.samples("trading.risk.utilization")}
    assert found["daily_loss"].value == 0.25
    assert found["daily_loss"].attributes[a.CURRENCY.name] == "USD"
    assert found["drawdown"].value == 0.5
    assert a.CURRENCY.name not in found["drawdown"].attributes


#: What is said once at start, and raises when it is wrong.
CONFIGURATION = ("defaults", "scope", "watch_market_hours")
OWN: dict[str, tuple[Callable[[], object], float]] = {
    "my.count": (lambda: meter.counter("my.count", unit="{thing}").add(2, venue="Kraken", flavor="x"), 2),
    "my.one": (lambda: meter.counter("my.one").add(venue="kraken", flavor="x"), 1),
    "my.level": (lambda: meter.up_down_counter("my.level").add(-3, venue="kraken", flavor="x"), -3),
    "my.gauge": (lambda: meter.gauge("my.gauge").set("1.5", venue="kraken", flavor="x"), 1.5),
    "my.time": (lambda: meter.histogram("my.time", boundaries=(1, 2)).record(1.5, venue="kraken", flavor="x"), 1),
}


@pytest.mark.seed("S1-25", "S3-49", "S3-50", "S3-51")
@pytest.mark.parametrize("name", OWN)
def test_an_own_instrument_records_with_known_words_and_own_ones(capmeter: CapturingMeter, name: str) -> None:
    call, expected = OWN[name]
    call()

    (sample,) = capmeter.samples(name)
    assert sample.value == expected
    assert sample.attributes[a.VENUE.name] == "kraken"
    assert sample.attributes["flavor"] == "x"
    assert sample.attributes[a.MODE.name] == "live"


def test_an_own_instrument_declared_twice_is_the_same_series(capmeter: CapturingMeter) -> None:
    meter.counter("my.things").add(1)
    meter.counter("my.things").add(1)

    assert capmeter.value("my.things") == 2


@pytest.mark.parametrize("strict", ["0", "1"])
@pytest.mark.parametrize(
    "declare",
    [
        lambda: meter.counter("trading.mine"),
        lambda: meter.counter("No Name"),
        lambda: meter.gauge("my.gauge", unit="parsec"),
        lambda: meter.histogram("my.time", boundaries=()),
        lambda: meter.counter("my.things_total"),
    ],
)
def test_a_wrong_declaration_raises_in_every_mode(
    monkeypatch: pytest.MonkeyPatch, strict: str, declare: Callable[[], object]
) -> None:
    monkeypatch.setenv("OTEL_TRADING_STRICT", strict)

    with pytest.raises(ConventionError):
        declare()


def test_in_production_no_helper_raises_whatever_it_is_given(production: CapturingMeter) -> None:
    words = ("side", "type", "price", "quantity", "name", "state", "symbol", "value", "source", "kind", "usage", "ok")
    for name in meter.__all__:
        helper: Any = getattr(meter, name)
        for value in (None, object(), [], float("nan"), "", -1, "x" * 10_000):
            if name not in {"counter", "gauge", "histogram", "up_down_counter", *CONFIGURATION}:
                helper(**dict.fromkeys(words, value))
                helper(value, value)

    assert semconv.sdk.DROPPED.name in {sample.name for sample in production.samples()}
