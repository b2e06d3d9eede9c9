from __future__ import annotations

import gc
import itertools
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, get_args

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from unit_support import attributes, losses, series

from otel_trading import instruments, meter, semconv, trackers
from otel_trading._attributes import OTHER, AttributeSet
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a
from otel_trading.testing import CapturingMeter

if TYPE_CHECKING:
    from collections.abc import Iterator

QUANTITY = semconv.portfolio.POSITION_QUANTITY


class Source:
    def __init__(self, *rows: tuple[AttributeSet, float], error: Exception | None = None) -> None:
        self.rows = rows
        self.error = error

    def read(self) -> Iterator[tuple[AttributeSet, float]]:
        yield from self.rows
        if self.error is not None:
            raise self.error


@pytest.fixture
def three_series(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three series per metric."""
    monkeypatch.setenv("OTEL_TRADING_MAX_SERIES", "3")


@pytest.fixture
def foreign() -> Iterator[CapturingMeter]:
    """A provider that knows nothing of our views."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    before, state = instruments.bind(provider), trackers.set_default(None)
    yield CapturingMeter(reader)
    trackers.set_default(state)
    instruments.restore(before)
    provider.shutdown()


@pytest.mark.seed("S4-20")
@pytest.mark.usefixtures("three_series")
def test_a_counter_beyond_its_cap_folds_and_its_sum_holds(capmeter: CapturingMeter) -> None:
    for number in range(10):
        meter.signal_emitted(type="buy", symbol=f"S{number}", strategy=f"s{number}")

    found = capmeter.samples("trading.signal.emissions")
    assert len(found) == 4
    assert capmeter.value("trading.signal.emissions") == 10
    assert capmeter.value("trading.signal.emissions", symbol=OTHER, strategy=OTHER, type="buy") == 7
    assert capmeter.value("trading.sdk.attribute.overflows", attribute=a.SYMBOL.name) == 7
    capmeter.assert_conforms()


@pytest.mark.usefixtures("three_series")
def test_closed_sets_alone_do_not_multiply_beyond_the_cap(capmeter: CapturingMeter) -> None:
    kinds = [
        {"side": side, "type": type_, **({} if force is None else {"time_in_force": force})}
        for side, type_, force in itertools.product(
            get_args(a.OrderSide), get_args(a.OrderType), (None, *get_args(a.TimeInForce))
        )
    ]
    for number, words in enumerate(kinds):
        meter.order_sent(**words, error="429" if number % 2 else None)

    found, over = capmeter.samples("trading.order.requests"), len(kinds) - 93
    assert len(found) == 3 + 90 + 2 < len(kinds)
    assert capmeter.value("trading.order.requests") == len(kinds)
    bare = [one for one in found if one.attributes.get(a.ORDER_OPERATION.name) == OTHER]
    assert {one.attributes.get(a.ERROR_TYPE.name): one.value for one in bare} == {
        OTHER: over - over // 2,
        None: over // 2,
    }
    assert not any({a.ORDER_SIDE.name, a.ORDER_TYPE.name} & one.attributes.keys() for one in bare)
    assert capmeter.value("trading.sdk.attribute.overflows", attribute=a.ORDER_SIDE.name) == over


@pytest.mark.usefixtures("three_series")
def test_a_known_series_goes_on_beyond_the_cap(capmeter: CapturingMeter) -> None:
    for _ in range(2):
        for number in range(5):
            meter.signal_emitted(type="buy", symbol=f"S{number}")

    assert capmeter.value("trading.signal.emissions", symbol="S0") == 2


@pytest.mark.usefixtures("three_series")
def test_a_histogram_beyond_its_cap_folds(capmeter: CapturingMeter) -> None:
    for number in range(5):
        with meter.timed(f"block {number}"):
            pass

    assert capmeter.value("trading.operation.duration", operation=OTHER) == 2


@pytest.mark.usefixtures("three_series")
def test_a_gauge_beyond_its_cap_drops_the_smallest_and_counts_it(production: CapturingMeter) -> None:
    for number in range(1, 6):
        meter.position(symbol=f"S{number}", quantity=number, price=10, currency="USD")

    assert series(production, QUANTITY.name, a.SYMBOL.name) == {"S5": 5, "S4": 4, "S3": 3}
    assert losses(production)["series_limit"] >= 2


def test_a_missing_required_attribute_raises_in_strict_mode() -> None:
    with pytest.raises(ConventionError, match=r"trading.execution.fee needs trading.currency.code"):
        instruments.of(semconv.execution.FEE).record(1, attributes(fee_type="commission"))


def test_attributes_that_a_metric_does_not_carry_are_left_out_without_our_views(foreign: CapturingMeter) -> None:
    meter.order_filled(symbol="BTC", side="buy", price=1, quantity=1, currency="USD", liquidity="maker")

    foreign.assert_conforms()


def test_boundaries_hold_without_our_views() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    before = instruments.bind(provider)
    try:
        instruments.of(semconv.execution.SLIPPAGE).record(
            0.001, attributes(direction="adverse", benchmark="arrival", order_side="buy")
        )
        data = reader.get_metrics_data()
    finally:
        instruments.restore(before)
        provider.shutdown()

    assert data is not None
    points = [
        point
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
        if metric.name == semconv.execution.SLIPPAGE.name
    ]
    assert [tuple(getattr(point, "explicit_bounds", ())) for point in points] == [semconv.execution.SLIPPAGE.boundaries]


def test_a_source_that_raises_silences_no_other(capmeter: CapturingMeter) -> None:
    rows = [(attributes(symbol=name), 1.0) for name in ("A", "B")]
    broken, sound = Source(rows[0], error=KeyError("boom")), Source(rows[1])
    instruments.observe(QUANTITY, broken.read)
    instruments.observe(QUANTITY, sound.read)

    assert set(series(capmeter, QUANTITY.name, a.SYMBOL.name)) == {"A", "B"}
    assert losses(capmeter)["internal_error"] >= 1


def test_a_source_ends_with_its_object(capmeter: CapturingMeter) -> None:
    source = Source((attributes(symbol="A"), 1.0))
    instruments.observe(QUANTITY, source.read)
    assert capmeter.value(QUANTITY.name, symbol="A") == 1

    del source
    gc.collect()

    assert not capmeter.samples(QUANTITY.name)
    assert not instruments._State.sources[QUANTITY]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_a_state_that_is_not_finite_is_never_exported(capmeter: CapturingMeter, value: float) -> None:
    source = Source((attributes(symbol="A"), value), (attributes(symbol="B"), 1.0))
    instruments.observe(QUANTITY, source.read)

    assert series(capmeter, QUANTITY.name, a.SYMBOL.name) == {"B": 1}
    assert losses(capmeter)["non_finite"] >= 1


def test_an_observed_row_without_a_required_attribute_is_dropped_and_counted(production: CapturingMeter) -> None:
    source = Source((attributes(venue="kraken"), 1.0), (attributes(symbol="B"), 1.0))
    instruments.observe(QUANTITY, source.read)

    assert series(production, QUANTITY.name, a.SYMBOL.name) == {"B": 1}
    assert losses(production)["invalid_value"] >= 1


def test_up_down_counters_of_one_series_add_up_and_gauges_do_not(capmeter: CapturingMeter) -> None:
    source = Source(
        (attributes(order_status="new", symbol="A"), 1.0), (attributes(order_status="new", symbol="A"), 2.0)
    )
    instruments.observe(semconv.order.ACTIVE, source.read)

    assert capmeter.value("trading.order.active", status="new") == 3


def test_a_collection_during_first_use_never_deadlocks() -> None:
    """Registration waits for a running collection, which must not wait for what registration holds."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    before = instruments.bind(provider)
    collecting, released = threading.Event(), threading.Event()

    class Slow:
        def read(self) -> Iterator[tuple[AttributeSet, float]]:
            collecting.set()
            released.wait(20)
            yield attributes(symbol="A"), float("nan")  # counted, inside the collection

    class Late:
        def read(self) -> Iterator[tuple[AttributeSet, float]]:
            yield attributes(symbol="A", currency="USD"), 1.0

    slow, late = Slow(), Late()
    instruments.observe(QUANTITY, slow.read)
    collector = threading.Thread(target=reader.get_metrics_data, daemon=True)
    starter = threading.Thread(target=instruments.observe, args=(semconv.portfolio.VALUE, late.read), daemon=True)
    collector.start()
    assert collecting.wait(20)
    starter.start()
    starter.join(0.2)  # it waits for the collection now, and holds our lock
    released.set()
    collector.join(20)
    starter.join(20)
    stuck = collector.is_alive() or starter.is_alive()
    instruments.restore(before)

    assert not stuck


def test_whatever_text_a_bot_passes_the_batch_can_be_encoded() -> None:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    before = instruments.bind(provider)
    try:
        meter.signal_emitted(type="buy", symbol="\ud800\x00")
        meter.counter("my.things").add(2**62, note="\udfff")
        data = reader.get_metrics_data()
        assert data is not None
        assert encode_metrics(data).SerializeToString()
    finally:
        instruments.restore(before)
        provider.shutdown()


def test_binding_anew_forgets_and_restoring_brings_back(capmeter: CapturingMeter) -> None:
    meter.signal_emitted(type="buy")
    other = InMemoryMetricReader()
    provider = MeterProvider([other], shutdown_on_exit=False)

    before = instruments.bind(provider)
    meter.signal_emitted(type="buy")
    instruments.restore(before)
    meter.signal_emitted(type="buy")

    assert CapturingMeter(other).value("trading.signal.emissions") == 1
    assert capmeter.value("trading.signal.emissions") == 2
    provider.shutdown()


PROXIES = """
from opentelemetry import metrics
from otel_trading import meter
meter.signal_emitted(type="buy")
meter.health(name="api", ok=True)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from otel_trading.testing import CapturingMeter
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader], shutdown_on_exit=False))
meter.signal_emitted(type="buy")
captured = CapturingMeter(reader)
assert captured.value("trading.signal.emissions") == 1, captured.samples()
assert captured.value("trading.resilience.health_check.status", state="pass") == 1, captured.samples()
"""


def test_a_provider_set_after_the_first_record_is_used() -> None:
    done = subprocess.run([sys.executable, "-c", PROXIES], check=False, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stderr
