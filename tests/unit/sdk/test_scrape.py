"""The scrape road in process: names and labels as on the OTLP road, and what must not break a scrape."""

from __future__ import annotations

import re
import socket
import threading
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource

from otel_trading import instruments
from otel_trading.errors import ConfigError
from otel_trading.sdk.prometheus import ScrapeReader
from otel_trading.sdk.views import views

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.metrics import Meter

_RESOURCE = {
    "service.name": "bot",
    "service.namespace": "shop",
    "service.instance.id": "i-1",
    "service.version": "3",
    "deployment.environment.name": "test",
    "host.name": "not-promoted",
}
_LABELS = {
    "job": "shop/bot",
    "instance": "i-1",
    "service_name": "bot",
    "service_namespace": "shop",
    "service_instance_id": "i-1",
    "service_version": "3",
    "deployment_environment_name": "test",
}


@contextmanager
def _serving(*more: View, resource: dict[str, str] | None = None) -> Iterator[tuple[Meter, str]]:
    reader = ScrapeReader("127.0.0.1", 0)
    provider = MeterProvider(
        [reader],
        resource=Resource(dict(_RESOURCE if resource is None else resource)),
        views=[*more, *views()],
        shutdown_on_exit=False,
    )
    before = instruments.bind(provider)
    try:
        yield provider.get_meter("test"), reader.url
    finally:
        instruments.restore(before)
        provider.shutdown()


def _scrape(
    url: str, accept: str = "application/openmetrics-text; version=1.0.0"
) -> list[tuple[str, dict[str, str], str]]:
    """Return name, labels and value of every line."""
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found: list[tuple[str, dict[str, str], str]] = []
    for line in lines:
        parts = re.fullmatch(r"([a-zA-Z_:]\w*)\{(.*)\} (\S+)", line)
        if parts and parts[1] != "target_info":
            found.append((parts[1], dict(re.findall(r'(\w+)="([^"]*)"', parts[2])), parts[3]))
    return found


def _named(found: Sequence[tuple[str, dict[str, str], str]], name: str) -> tuple[dict[str, str], str]:
    (one,) = [(labels, value) for each, labels, value in found if each == name]
    return one


def test_series_carry_the_promoted_resource_attributes_and_no_scope() -> None:
    with _serving() as (meter, url):
        meter.create_counter("a.b").add(2, {"trading.mode": "live"})
        labels, value = _named(_scrape(url), "a_b_total")

    assert labels == {**_LABELS, "trading_mode": "live"}
    assert float(value) == 2


def test_without_a_namespace_the_job_is_the_service() -> None:
    with _serving(resource={"service.name": "bot", "service.instance.id": "i"}) as (meter, url):
        meter.create_counter("a.b").add(1)
        labels, _ = _named(_scrape(url), "a_b_total")

    assert labels == {"job": "bot", "instance": "i", "service_name": "bot", "service_instance_id": "i"}


@pytest.mark.parametrize(
    ("unit", "name"), [("1", "x_y_ratio"), ("s", "x_y_seconds"), ("{order}", "x_y"), ("By", "x_y_bytes")]
)
def test_gauges_are_named_as_on_the_otlp_road(unit: str, name: str) -> None:
    with _serving() as (meter, url):
        meter.create_gauge("x.y", unit=unit).set(0.5)
        assert {each for each, _, _ in _scrape(url)} == {name}


def test_a_gauge_that_is_called_a_ratio_gets_no_second_one() -> None:
    with _serving() as (meter, url):
        meter.create_gauge("x.sharpe_ratio", unit="1").set(0.5)
        assert {each for each, _, _ in _scrape(url)} == {"x_sharpe_ratio"}


def test_an_up_down_counter_of_unit_1_is_no_ratio() -> None:
    with _serving() as (meter, url):
        meter.create_up_down_counter("x.y", unit="1").add(1)
        assert {each for each, _, _ in _scrape(url)} == {"x_y"}


def test_an_exponential_histogram_is_left_out_said_once_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    view = View(instrument_type=Histogram, instrument_name="mine", aggregation=ExponentialBucketHistogramAggregation())
    with _serving(view) as (meter, url):
        meter.create_histogram("mine").record(1)
        meter.create_counter("good").add(1)
        for _ in range(3):
            last = _scrape(url)

    assert _named(last, "good_total")
    assert float(_named(last, "trading_sdk_dropped_total")[1]) >= 1
    assert [one.getMessage() for one in caplog.records if "exponential histogram" in one.getMessage()] == [
        "mine is an exponential histogram, which this endpoint cannot show; use OTLP."
    ]


def test_counters_and_histograms_say_since_when_they_count() -> None:
    with _serving() as (meter, url):
        counter = meter.create_counter("a.b")
        counter.add(1, {"k": "old"})
        meter.create_histogram("h").record(1)
        first = {(name, labels.get("k")): float(value) for name, labels, value in _scrape(url)}
        counter.add(1, {"k": "new"})
        second = {(name, labels.get("k")): float(value) for name, labels, value in _scrape(url)}

    assert first["a_b_created", "old"] == second["a_b_created", "old"], "a start does not move"
    assert second["a_b_created", "new"] > second["a_b_created", "old"], "zero until the last scrape"
    assert first["h_created", None] == second["h_created", None]


def test_two_scrapes_at_once_both_see_everything_once(monkeypatch: pytest.MonkeyPatch) -> None:
    collect = ScrapeReader.collect
    both = threading.Barrier(2)

    def meet(reader: ScrapeReader, timeout_millis: float = 10_000) -> None:
        collect(reader, timeout_millis)
        try:
            both.wait(0.5)  # unguarded, both have collected now and neither has answered
        except threading.BrokenBarrierError:
            both.reset()

    monkeypatch.setattr(ScrapeReader, "collect", meet)
    pages: list[list[tuple[str, dict[str, str], str]]] = []
    with _serving() as (meter, url):
        for number in range(3):
            meter.create_counter("a.b").add(1, {"k": str(number)})
        threads = [threading.Thread(target=lambda: pages.append(_scrape(url))) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    assert [sorted(labels["k"] for name, labels, _ in page if name == "a_b_total") for page in pages] == [
        ["0", "1", "2"],
        ["0", "1", "2"],
    ]


def test_a_flush_leaves_nothing_for_the_next_scrape_to_show_twice() -> None:
    reader = ScrapeReader("127.0.0.1", 0)
    provider = MeterProvider([reader], resource=Resource(_RESOURCE), shutdown_on_exit=False)
    try:
        provider.get_meter("test").create_counter("a.b").add(1)
        assert provider.force_flush()
        names = [name for name, _, _ in _scrape(reader.url)]
    finally:
        provider.shutdown()

    assert names.count("a_b_total") == 1


def test_a_port_in_use_is_a_configuration_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"cannot listen on 127\.0\.0\.1:{port} .*OTEL_EXPORTER_PROMETHEUS_PORT"):
            ScrapeReader("127.0.0.1", port)


def test_the_port_is_free_again_after_shutdown() -> None:
    first = ScrapeReader("127.0.0.1", 0)
    port = int(first.url.split(":")[2].split("/")[0])
    MeterProvider([first], shutdown_on_exit=False).shutdown()
    second = ScrapeReader("127.0.0.1", port)
    MeterProvider([second], shutdown_on_exit=False).shutdown()

    assert second.url == first.url
