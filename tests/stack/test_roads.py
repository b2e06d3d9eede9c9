"""The scrape road and the OTLP road give one and the same series; console shows them."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from bot_support import bot, environment, prometheus_get, running, series
from otel_trading import semconv
from otel_trading.stack import loopback
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_DAY = "from otel_trading.testing import day_of_trading; day_of_trading(seed=1)"
_RESOURCE = "service.namespace=shop,service.version=1.2.3,deployment.environment.name=test"
#: An export is timed where there are exports: a scrape has none.
_OTLP_ONLY = set(semconv.sdk.EXPORT_DURATION.series)
_LAST = semconv.sdk.ATTRIBUTE_OVERFLOWS.series[0]


@contextmanager
def _scraped(
    stack: Stack, folder: Path, service: str, body: str, exporters: str = "prometheus", **more: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a bot that is scraped by the real Prometheus; gives it and its URL."""
    where = {"OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1", "OTEL_EXPORTER_PROMETHEUS_PORT": "0"}
    variables = environment(stack, OTEL_METRICS_EXPORTER=exporters, **where, **more)
    target = stack.bots / f"{service}.yaml"
    with running(folder, service, body, variables) as process:
        assert process.stderr is not None
        said = re.search(r"Prometheus endpoint (http://127\.0\.0\.1:(\d+)/metrics)", process.stderr.readline())
        assert said
        target.write_text(f"- targets: ['127.0.0.1:{said[2]}']\n")
        try:
            yield process, said[1]
        finally:
            target.unlink()


def _has_all(stack: Stack, service: str) -> bool:
    return _LAST in {one["__name__"] for one in series(stack, service)}


def _golden(stack: Stack, service: str) -> set[tuple[tuple[str, str], ...]]:
    """Return names and labels, with `le` as a number, and without what names one process."""
    found = [one for one in series(stack, service) if one["__name__"] not in {"target_info", *_OTLP_ONLY}]
    for one in found:
        assert one.pop("instance") == one.pop("service_instance_id") == f"{service}-1"
        assert one.pop("job") == f"shop/{one.pop('service_name')}"
        if "le" in one:
            one["le"] = str(float(one["le"]))
    return {tuple(sorted(one.items())) for one in found}


def test_both_roads_give_the_same_series_names_and_labels(stack: Stack, tmp_path: Path) -> None:
    own = [f"{_RESOURCE},service.instance.id=golden-{road}-1" for road in ("otlp", "scrape")]
    with (
        running(tmp_path, "golden-otlp", _DAY, environment(stack, OTEL_RESOURCE_ATTRIBUTES=own[0])),
        _scraped(stack, tmp_path, "golden-scrape", _DAY, OTEL_RESOURCE_ATTRIBUTES=own[1]),
    ):
        wait_until(lambda: _has_all(stack, "golden-otlp") and _has_all(stack, "golden-scrape"), 20, "both days")
        pushed, scraped = _golden(stack, "golden-otlp"), _golden(stack, "golden-scrape")
        types = prometheus_get(stack, "metadata")

    assert sorted(pushed - scraped) == []
    assert sorted(scraped - pushed) == []
    assert {dict(one)["__name__"] for one in pushed} | _OTLP_ONLY == {n for m in semconv.ALL for n in m.series}
    wanted = {"counter": "counter", "histogram": "histogram", "gauge": "gauge", "updowncounter": "gauge"}
    for metric in semconv.ALL:
        if metric is not semconv.sdk.EXPORT_DURATION:
            # OpenMetrics names the family of a counter without its suffix.
            (held,) = types.get(metric.prometheus) or types[metric.prometheus.removesuffix("_total")]
            assert held["type"] == wanted[metric.kind.data], metric


def test_process_and_host_have_their_standard_names_on_both_roads(stack: Stack, tmp_path: Path) -> None:
    with_host = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": ""}
    standard = {
        "system_cpu_utilization_ratio",
        "system_memory_utilization_ratio",
        "process_cpu_utilization_ratio",
        "process_memory_usage_bytes",
    }

    def held(service: str) -> set[str]:
        return {
            one["__name__"] for one in series(stack, service) if re.match("system_|process_|cpython_", one["__name__"])
        }

    with (
        running(tmp_path, "host-otlp", "", environment(stack, **with_host)),
        _scraped(stack, tmp_path, "host-scrape", "", **with_host),
    ):
        wait_until(lambda: held("host-otlp") and held("host-scrape"), 20, "both roads")
        pushed, scraped = held("host-otlp"), held("host-scrape")

    assert standard <= pushed
    assert pushed == scraped


def test_a_closed_position_is_gone_and_the_first_sell_is_an_increase_with_the_next_scrape(
    stack: Stack, tmp_path: Path
) -> None:
    fill = "meter.order_filled(symbol='A', side='{}', price=10, quantity=1, currency='USD', venue='v')"
    body = f"{fill.format('buy')}\nprint('ready', flush=True)\nsys.stdin.readline()\n{fill.format('sell')}"
    held = 'trading_position_quantity{service_name="scraped"}'
    sells = 'trading_execution_fills_total{service_name="scraped",trading_order_side="sell"}'
    with _scraped(stack, tmp_path, "scraped", body) as (process, _):
        wait_until(lambda: prometheus_query(stack, held), 15, "the position")
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
        wait_until(lambda: not prometheus_query(stack, held), 5, "the end of the position's series")
        wait_until(lambda: prometheus_query(stack, f"increase({sells}[1m]) > 0"), 5, "the first sell's increase")


@pytest.mark.seed("S0-28", "S1-48", "S4-13")
def test_both_roads_at_once_from_one_bot(stack: Stack, tmp_path: Path) -> None:
    body = "meter.signal_emitted(type='buy', strategy='s')"
    with _scraped(stack, tmp_path, "both", body, "otlp,prometheus") as (_, url):
        page = loopback.ask(url, 5).decode()
        wait_until(lambda: prometheus_query(stack, 'trading_signal_emissions_total{service_name="both"}'), 10, "OTLP")

    assert re.search(r'^trading_signal_emissions_total\{.*service_name="both".*\} 1\.0$', page, re.MULTILINE)


def test_console_shows_what_would_leave(tmp_path: Path) -> None:
    text = "from otel_trading import meter\nmeter.signal_emitted(type='buy', strategy='s')\n"
    variables = environment(
        None,
        OTEL_METRICS_EXPORTER="console",
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
        OTEL_METRIC_EXPORT_INTERVAL="3600000",  # the only export is that of the exit
    )
    code, out, err = bot(tmp_path, "console", text, variables)

    assert code == 0, err
    shown = json.loads(out)["resource_metrics"][0]["scope_metrics"][0]["metrics"]
    assert "trading.signal.emissions" in {metric["name"] for metric in shown}
    assert "metrics -> console every 3600 s, too seldom for alerts" in err
    assert "no traces, no logs" in err
