from __future__ import annotations

import pytest

from otel_trading.semconv import prometheus

#: (kind, unit) -> what `trading.x.y` is called in Prometheus; the end-to-end test proves it against the real server.
GOLDEN = {
    ("counter", "1"): "trading_x_y_total",
    ("counter", "s"): "trading_x_y_seconds_total",
    ("counter", "By"): "trading_x_y_bytes_total",
    ("counter", "{order}"): "trading_x_y_total",
    ("counter", "{order}/s"): "trading_x_y_per_second_total",
    ("updowncounter", "1"): "trading_x_y",
    ("updowncounter", "s"): "trading_x_y_seconds",
    ("updowncounter", "By"): "trading_x_y_bytes",
    ("updowncounter", "{order}"): "trading_x_y",
    ("updowncounter", "{order}/s"): "trading_x_y_per_second",
    ("gauge", "1"): "trading_x_y_ratio",
    ("gauge", "s"): "trading_x_y_seconds",
    ("gauge", "By"): "trading_x_y_bytes",
    ("gauge", "{order}"): "trading_x_y",
    ("gauge", "{order}/s"): "trading_x_y_per_second",
    ("histogram", "1"): "trading_x_y",
    ("histogram", "s"): "trading_x_y_seconds",
    ("histogram", "By"): "trading_x_y_bytes",
    ("histogram", "{order}"): "trading_x_y",
    ("histogram", "{order}/s"): "trading_x_y_per_second",
}


@pytest.mark.parametrize(("kind", "unit"), GOLDEN)
def test_every_kind_and_unit_has_its_prometheus_name(kind: str, unit: str) -> None:
    assert prometheus.metric_name("trading.x.y", kind, unit) == GOLDEN[kind, unit]


def test_a_statistic_that_is_called_a_ratio_gets_no_second_one() -> None:
    assert prometheus.metric_name("trading.x.sharpe_ratio", "gauge", "1") == "trading_x_sharpe_ratio"


def test_a_histogram_has_three_series_and_any_other_kind_one() -> None:
    assert prometheus.series_names("x", "histogram") == ("x_bucket", "x_count", "x_sum")
    assert prometheus.series_names("x", "gauge") == ("x",)


@pytest.mark.parametrize(("attribute", "label"), [("trading.order.side", "trading_order_side"), ("a-b c", "a_b_c")])
def test_an_attribute_becomes_a_label(attribute: str, label: str) -> None:
    assert prometheus.label_name(attribute) == label
