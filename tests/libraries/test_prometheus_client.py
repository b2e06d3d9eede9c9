"""An unchanged app full of prometheus_client metrics: the real Prometheus holds over OTLP what its /metrics shows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from prometheus_client.parser import text_string_to_metric_families

from bot_support import environment, unchanged
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

SCRIPT: Final = """
import json
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary, generate_latest

trades = Counter("app_trades_total", "Trades.", ["symbol", "side"])
trades.labels("BTC/USD", "buy").inc(3)
trades.labels('quo"te\\\\ \\u20ac', "sell").inc(0.5, {"trace_id": "0af7651916cd43dd8448eb211c80319c"})
Gauge("app_equity_usd", "Equity.").set(-12.5)
Gauge("app_depth", "By callback.").set_function(lambda: 7)
latency = Histogram("app_latency_seconds", "Latency.", ["op"], buckets=(0.1, 1, 10), unit="seconds")
for seconds in (0.05, 0.5, 0.7, 99):
    latency.labels("order").observe(seconds)
Summary("app_size", "Sizes.").observe(4)
Info("app_build", "Build.").info({"version": "1.2"})
Enum("app_state", "State.", states=["running", "halted"]).state("halted")
own = CollectorRegistry()
Counter("own_orders", "In a registry of the app's own.", registry=own).inc(2)
Gauge("app_equity_usd", "Known from the default registry.", registry=own).set(99)
class Broken:
    def collect(self):
        raise RuntimeError("PLANTED")
broken = CollectorRegistry(auto_describe=False)
broken.register(Broken())
from prometheus_client import REGISTRY
print(json.dumps(generate_latest(REGISTRY).decode()), flush=True)
input()
"""
#: Values of the process itself: they move.
MOVING: Final = ("process_", "python_gc_")


def test_every_series_arrives_as_it_is(stack: Stack, tmp_path: Path) -> None:
    with unchanged(tmp_path, "legacy", SCRIPT, environment(stack)) as text:
        samples = [
            sample
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if not sample.name.endswith("_created") and not sample.name.startswith(MOVING)
        ]
        assert len(samples) > 15
        wait_until(partial(prometheus_query, stack, 'own_orders_total{service_name="legacy"} == 2'), 30, "the last one")
        held = {
            (one["metric"].pop("__name__"), _own_labels(one["metric"])): float(one["value"][1])
            for one in prometheus_query(stack, '{service_name="legacy"}')
        }
        for sample in samples:
            assert held.get((sample.name, _as_over_otlp(sample.labels))) == sample.value, sample
        rate = prometheus_query(stack, 'rate(app_trades_total{service_name="legacy"}[1m])')
        assert all(float(one["value"][1]) >= 0 for one in rate)
        assert "PLANTED" not in str(held)
        lost = 'trading_sdk_dropped_total{service_name="legacy",trading_sdk_reason="internal_error"} > 0'
        assert wait_until(partial(prometheus_query, stack, lost), 30, "the broken registry to be counted")


def _as_over_otlp(labels: dict[str, str]) -> frozenset[tuple[str, str]]:
    """The one difference: Prometheus writes a bound that comes over OTLP as 1, one that it scrapes as 1.0."""
    bound = {"le": labels["le"].removesuffix(".0")} if "le" in labels else {}
    return frozenset({**labels, **bound}.items())


def _own_labels(metric: dict[str, Any]) -> frozenset[tuple[str, str]]:
    resource = ("job", "instance", "service_", "deployment_", "telemetry_", "process_", "host_")
    return frozenset((name, value) for name, value in metric.items() if not name.startswith(resource))
