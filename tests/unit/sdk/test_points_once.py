"""Assets stay apart on a metric's labels, and points that differ by a secret only leave once."""

from __future__ import annotations

from typing import Any

import prometheus_client
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_trading import _guard
from otel_trading._secrets import MASK
from otel_trading.sdk import bridge
from otel_trading.sdk.redaction import clean_metrics

KEYS = ("aB3dE5gH7jK9mN1pQ2", "zB3dE5gH7jK9mN1pQ2")


def _sent(kind: str, name: str, values: tuple[str, ...]) -> list[Any]:
    """The points that leave of an instrument that recorded 1 under each value of a label."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    api = provider.get_meter("of the bot")
    for value in values:
        if kind == "counter":
            api.create_counter("x").add(1, {name: value})
        else:
            api.create_histogram("x").record(1, {name: value})
    data = reader.get_metrics_data()
    assert data is not None
    return list(clean_metrics(data).resource_metrics[0].scope_metrics[0].metrics[0].data.data_points)


@pytest.mark.parametrize("name", ["token", "base_token", "bot_signal"])
def test_assets_stay_apart(name: str) -> None:
    assert [point.attributes for point in _sent("counter", name, ("USDC", "WETH"))] == [{name: "USDC"}, {name: "WETH"}]


@pytest.mark.parametrize("name", ["token", "api_key"])
def test_totals_that_differ_by_a_secret_only_are_added_up(name: str) -> None:
    assert [(point.attributes, point.value) for point in _sent("counter", name, KEYS)] == [({name: MASK}, 2)]


def test_of_what_cannot_be_added_up_the_first_leaves_and_the_rest_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[str] = []
    monkeypatch.setattr(_guard, "count", counted.append)
    assert [(point.attributes, point.count) for point in _sent("histogram", "api_key", KEYS)] == [
        ({"api_key": MASK}, 1)
    ]
    assert counted == ["duplicate"]


def test_a_label_of_the_apps_own_registry_names_its_asset() -> None:
    family = prometheus_client.Gauge("x", "Of the app.", ["token", "api_key"], registry=None)
    family.labels("USDC", "P").set(1)
    (made,) = (metric for one in family.collect() for metric in bridge._gauges(one, 1))
    held = {one.key: one.value.string_value for one in made.gauge.data_points[0].attributes}
    assert held == {"token": "USDC", "api_key": MASK}
