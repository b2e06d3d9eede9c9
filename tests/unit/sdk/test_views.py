"""Views from the convention, through the real SDK: what stays, what is dropped, which buckets hold."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from otel_trading import meter, semconv
from otel_trading.sdk.views import views
from otel_trading.semconv import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics.export import Metric

    from otel_trading.testing import CapturingMeter


@contextmanager
def _provider() -> Iterator[tuple[Meter, Callable[[], dict[str, Metric]]]]:
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], views=views(), shutdown_on_exit=False)

    def held() -> dict[str, Metric]:
        data = reader.get_metrics_data()
        scopes = [scope for one in (data.resource_metrics if data else ()) for scope in one.scope_metrics]
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    try:
        yield provider.get_meter("test"), held
    finally:
        provider.shutdown()


def test_there_is_one_view_per_metric_and_none_matches_two() -> None:
    names = [view._instrument_name for view in views()]
    assert len(set(names)) == len(names)
    assert set(names) == {metric.name for metric in semconv.ALL} | {"db.client.operation.duration"}


def test_what_a_database_takes_is_told_in_fractions_of_a_second_with_all_its_attributes() -> None:
    with _provider() as (api, held):
        api.create_histogram("db.client.operation.duration", unit="s").record(0.02, {"db.system.name": "postgresql"})
        (point,) = held()["db.client.operation.duration"].data.data_points

    assert isinstance(point, HistogramDataPoint)
    assert {0.01, 0.025, 1.0} <= set(point.explicit_bounds)
    assert dict(point.attributes or {}) == {"db.system.name": "postgresql"}


def test_an_attribute_that_nobody_declared_is_dropped_and_its_series_are_added_up() -> None:
    with _provider() as (api, held):
        counter = api.create_counter("trading.execution.fills")
        for order in ("1", "2"):
            counter.add(1, {"trading.mode": "live", "order.id": order})
        (point,) = held()["trading.execution.fills"].data.data_points

    assert dict(point.attributes or {}) == {"trading.mode": "live"}
    assert getattr(point, "value", None) == 2


@pytest.mark.parametrize("metric", [m for m in semconv.ALL if m.kind is Kind.HISTOGRAM], ids=str)
def test_the_declared_boundaries_hold_whatever_the_instrument_advises(metric: semconv.Metric) -> None:
    with _provider() as (api, held):
        advised = api.create_histogram(metric.name, explicit_bucket_boundaries_advisory=[1.0, 2.0])
        advised.record(0.5)
        (point,) = held()[metric.name].data.data_points

    assert tuple(getattr(point, "explicit_bounds", ())) == metric.boundaries


@pytest.mark.seed("S1-51")
def test_a_disabled_metric_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_DISABLED_METRICS", "trading.execution.*, trading.order.active")
    with _provider() as (api, held):
        api.create_counter("trading.execution.fills").add(1)
        api.create_counter("trading.order.rejections").add(1)
        names = set(held())

    assert names == {"trading.order.rejections"}


def test_a_dropped_attribute_is_on_no_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_DROPPED_ATTRIBUTES", "trading.account.*")
    with _provider() as (api, held):
        gauge = api.create_gauge("trading.portfolio.value")
        gauge.set(1, {"trading.account.id": "secret", "trading.currency.code": "USD"})
        (point,) = held()["trading.portfolio.value"].data.data_points

    assert dict(point.attributes or {}) == {"trading.currency.code": "USD"}


def test_metrics_of_others_are_left_as_they_are(capmeter: CapturingMeter) -> None:
    meter.counter("shop.visits").add(1, page="home")

    assert capmeter.value("shop.visits", page="home") == 1
