from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from unit_support import losses

from otel_trading import backtest, instruments, meter
from otel_trading.errors import ConventionError
from trace_support import context, tracing

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.testing import CapturingMeter

SIGNALS = "trading.signal.emissions"
DURATION = "trading.backtest.duration"


def _signal() -> None:
    meter.signal_emitted(type="buy")


def _modes(captured: CapturingMeter, name: str = SIGNALS) -> dict[str, float]:
    found: dict[str, float] = {}
    for sample in captured.samples(name):
        mode = sample.attributes["trading.mode"]
        found[mode] = found.get(mode, 0) + sample.value
    return found


def _buy(quantity: float = 1) -> None:
    meter.order_filled(symbol="BTC/USD", side="buy", price=100, quantity=quantity, currency="USD")


def _run(strategy: str = "momentum") -> backtest.Run:
    return backtest.run(strategy=strategy, timeframe="1h", flush=False)


def test_the_mode_is_backtest_inside_only(capmeter: CapturingMeter) -> None:
    meter.defaults(strategy="other", venue="kraken")
    _signal()
    with _run():
        _signal()
        _signal()
    _signal()

    assert _modes(capmeter) == {"live": 2, "backtest": 2}
    assert capmeter.value(SIGNALS, strategy="momentum", venue="kraken") == 2
    capmeter.assert_conforms()


def test_tasks_inherit_the_run_and_tasks_beside_it_do_not(capmeter: CapturingMeter) -> None:
    async def later() -> None:
        await asyncio.sleep(0.01)
        _signal()

    async def day() -> None:
        beside = asyncio.create_task(later())
        with _run():
            await asyncio.gather(later(), later(), asyncio.to_thread(_signal))
        await beside

    asyncio.run(day())

    assert _modes(capmeter) == {"live": 1, "backtest": 3}


def test_a_thread_inherits_nothing_until_it_is_given_a_wrapped_function(capmeter: CapturingMeter) -> None:
    with _run() as run:
        for target in (_signal, run.wrap(_signal)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join(10)

    assert _modes(capmeter) == {"live": 1, "backtest": 1}


def test_a_pool_runs_wrapped_functions_at_the_same_time(capmeter: CapturingMeter) -> None:
    meet = threading.Barrier(4, timeout=10)

    def simulate(size: int, *, factor: int = 1) -> int:
        meet.wait()
        _signal()
        return size * factor

    with _run() as run, ThreadPoolExecutor(4) as pool:
        fourth = pool.submit(run.wrap(simulate), 3, factor=2)
        assert list(pool.map(run.wrap(simulate), range(3))) == [0, 1, 2]
        assert fourth.result(10) == 6

    assert _modes(capmeter) == {"backtest": 4}


def test_wrapping_outside_the_run_is_refused(capmeter: CapturingMeter) -> None:
    del capmeter
    run = _run()
    with pytest.raises(ConventionError, match="outside its run"):
        run.wrap(_signal)


@pytest.mark.seed("S0-13", "S1-15", "S1-16")
def test_a_run_is_timed_and_counted_with_its_error(capmeter: CapturingMeter) -> None:
    with _run():
        pass
    with pytest.raises(ZeroDivisionError), _run():
        _ = 1 / 0

    assert capmeter.value(DURATION, strategy="momentum", timeframe="1h") == 2
    assert capmeter.value(DURATION, type="ZeroDivisionError") == 1
    assert _modes(capmeter, DURATION) == {"backtest": 2}
    capmeter.assert_conforms()


@pytest.mark.seed("S1-17", "S1-18", "S1-19")
def test_the_results_of_the_latest_run_of_a_strategy_are_shown(capmeter: CapturingMeter) -> None:
    for sharpe in (0.5, -1.25):
        with _run() as run:
            run.result(sharpe_ratio=sharpe, max_drawdown="0.12", total_return=-0.1, win_rate=0.4, trades=7)
    with _run("reversal") as run:
        run.result(trades=3)

    assert capmeter.value("trading.backtest.sharpe_ratio", strategy="momentum") == -1.25
    assert capmeter.value("trading.backtest.max_drawdown", timeframe="1h") == 0.12
    assert capmeter.value("trading.backtest.return") == -0.1
    assert capmeter.value("trading.backtest.win_rate") == 0.4
    assert capmeter.value("trading.backtest.trades", strategy="momentum") == 7
    assert capmeter.value("trading.backtest.trades", strategy="reversal") == 3
    assert set(_modes(capmeter, "trading.backtest.trades")) == {"backtest"}
    capmeter.assert_conforms()


def test_results_of_a_run_that_is_over_are_its_latest(capmeter: CapturingMeter) -> None:
    with _run() as run:
        run.result(trades=7, total_return=0.1)
    backtest.result(strategy="momentum", timeframe="1h", trades=3)

    assert capmeter.value("trading.backtest.trades", strategy="momentum", timeframe="1h") == 3
    assert capmeter.value("trading.backtest.return") == 0.1
    assert _modes(capmeter, "trading.backtest.trades") == {"backtest": 3}
    assert capmeter.value(DURATION) == 1
    capmeter.assert_conforms()


def test_what_runs_inside_a_run_or_apart_of_it_knows(capmeter: CapturingMeter) -> None:
    assert capmeter
    assert not backtest.inside()
    with _run(), ThreadPoolExecutor(1) as pool:
        assert backtest.inside()
        assert not pool.submit(backtest.inside).result(10)
    with backtest.part():
        assert backtest.inside()
    assert not backtest.inside()


def test_results_stated_on_another_thread_are_of_the_run(capmeter: CapturingMeter) -> None:
    with _run() as run, ThreadPoolExecutor(1) as pool:
        pool.submit(run.result, trades=1).result(10)

    assert _modes(capmeter, "trading.backtest.trades") == {"backtest": 1}


def test_results_that_are_no_numbers_or_have_no_strategy_are_counted(production: CapturingMeter) -> None:
    with _run() as run:
        run.result(sharpe_ratio=float("nan"), max_drawdown=-12, trades=5)
    with backtest.run(flush=False) as run:
        run.result(trades=1)

    assert production.value("trading.backtest.trades") == 5
    assert losses(production) == {"non_finite": 1, "invalid_value": 2}


def test_state_of_a_run_and_of_the_live_bot_never_meet_and_ends_with_the_run(capmeter: CapturingMeter) -> None:
    meter.defaults(strategy="momentum", account="a", venue="kraken")
    _buy()
    with _run():
        _buy(5)
        quantities = {s.attributes["trading.mode"]: s.value for s in capmeter.samples("trading.position.quantity")}
        assert quantities == {"live": 1, "backtest": 5}

    assert _modes(capmeter, "trading.position.quantity") == {"live": 1}
    assert set(_modes(capmeter, "trading.portfolio.pnl")) == {"live"}
    assert _modes(capmeter, "trading.execution.fills") == {"live": 1, "backtest": 1}


def test_orders_of_two_runs_may_have_the_same_id(capmeter: CapturingMeter) -> None:
    for _ in range(2):
        with _run():
            meter.order_sent(client_id="1", symbol="BTC/USD", side="buy", type="market", quantity=1)
            assert capmeter.value("trading.order.active") == 1

    assert capmeter.value("trading.order.requests") == 2
    assert [s for s in capmeter.samples("trading.order.active") if s.value] == []


def test_runs_beside_each_other_keep_their_own_books(capmeter: CapturingMeter) -> None:
    meet = threading.Barrier(2, timeout=10)
    seen: dict[str, dict[str, float]] = {}

    def simulate(strategy: str, quantity: float) -> None:
        with _run(strategy):
            _buy(quantity)
            meet.wait()
            samples = capmeter.samples("trading.position.quantity")
            seen[strategy] = {s.attributes["trading.strategy.name"]: s.value for s in samples}
            meet.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(simulate, ("one", "two"), (1, 2)))

    assert seen == {"one": {"one": 1, "two": 2}, "two": {"one": 1, "two": 2}}


def test_a_run_leaves_nothing_behind_even_when_its_context_is_held(capmeter: CapturingMeter) -> None:
    del capmeter
    meter.health(name="x", ok=True)
    held: list[Callable[[], None]] = []
    before = {metric: len(sources) for metric, sources in instruments._State.sources.items()}
    for _ in range(3):
        with _run() as run:
            held.append(run.wrap(_buy))
            _buy()

    assert {metric: len(sources) for metric, sources in instruments._State.sources.items()} == before


class _Provider(MeterProvider):
    """Counts its flushes, and takes as long for them as it is told."""

    def __init__(self) -> None:
        super().__init__([InMemoryMetricReader()], shutdown_on_exit=False)
        self.flushes = 0
        self.answers = threading.Event()
        self.answers.set()

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        self.flushes += 1
        self.answers.wait(60)
        return super().force_flush(timeout_millis)


@pytest.fixture
def provider(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> _Provider:
    del capmeter
    made = _Provider()
    monkeypatch.setattr(backtest, "get_meter_provider", lambda: made)
    return made


def test_the_end_of_a_run_flushes(provider: _Provider) -> None:
    with backtest.run(strategy="s"):
        assert provider.flushes == 0
    assert provider.flushes == 1
    with pytest.raises(KeyError), backtest.run(strategy="s"):
        raise KeyError
    assert provider.flushes == 2


def test_a_collector_that_does_not_answer_is_waited_for_once(
    provider: _Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest, "BOUND", 0.2)
    provider.answers.clear()
    begin = time.perf_counter()
    for _ in range(5):
        with backtest.run(strategy="s"):
            pass
    took = time.perf_counter() - begin
    provider.answers.set()

    assert provider.flushes == 1
    assert 0.2 <= took < 0.6


def test_a_provider_without_flush_is_none_of_our_business(capmeter: CapturingMeter) -> None:
    assert not hasattr(metrics.NoOpMeterProvider(), "force_flush")
    with backtest.run(strategy="s"):
        pass

    assert capmeter.value(DURATION) == 1


def test_nested_runs_return_to_the_outer_one(capmeter: CapturingMeter) -> None:
    with _run("outer"):
        with _run("inner"):
            _buy(2)
        _buy(1)
        assert capmeter.value("trading.position.quantity", strategy="outer") == 1
        _signal()

    assert capmeter.value(SIGNALS, strategy="outer") == 1


def test_a_run_is_a_span_and_ends_in_an_event_with_its_id(capmeter: CapturingMeter) -> None:
    assert capmeter
    with tracing() as traced:
        run = _run()
        with pytest.raises(KeyError), run, traced.tracer.start_as_current_span("inside"):
            raise KeyError

    span, event = traced.span("trading.backtest.run"), traced.event("trading.backtest.completed")
    inside = traced.span("inside").parent
    assert inside is not None
    assert inside.span_id == context(span).span_id == event.span_id
    for carried in (span.attributes, event.attributes):
        assert carried is not None
        assert (carried["trading.backtest.id"], carried["error.type"]) == (run.id, "KeyError")
        assert (carried["trading.mode"], carried["trading.timeframe"]) == ("backtest", "1h")
