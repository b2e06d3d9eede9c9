"""Endings of vanished series, with real OTLP requests made by the real SDK."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.metrics import CallbackOptions, Observation
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult

from otel_trading.sdk.exporter import NO_RECORDED_VALUE, EndingExporter, Endings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from opentelemetry.metrics import Meter


class _State:
    """What a bot would have: rows by symbol, observed by a gauge or an up-down counter."""

    def __init__(self, meter: Meter, name: str, *, adds: bool = False, rows: tuple[str, ...] = ("A", "B")) -> None:
        self.rows = dict.fromkeys(rows, 1.0)
        create = meter.create_observable_up_down_counter if adds else meter.create_observable_gauge
        create(name, [self._observe], unit="{share}", description="How many.")

    def _observe(self, options: CallbackOptions) -> Iterable[Observation]:
        del options
        return [Observation(value, {"symbol": symbol}) for symbol, value in self.rows.items()]


class _Bot:
    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader], shutdown_on_exit=False)
        self.meter = self.provider.get_meter("mine", "1.0")
        self.meter.create_counter("always").add(1)

    def request(self) -> ExportMetricsServiceRequest:
        data = self.reader.get_metrics_data()
        assert data is not None
        return encode_metrics(data)


@pytest.fixture
def bot() -> Iterator[_Bot]:
    made = _Bot()
    yield made
    made.provider.shutdown()


def _ended(request: ExportMetricsServiceRequest) -> list[tuple[str, str, str]]:
    """Return scope, metric and symbol of every ending in a request."""
    return sorted(
        (scope.scope.name, metric.name, point.attributes[0].value.string_value)
        for one in request.resource_metrics
        for scope in one.scope_metrics
        for metric in scope.metrics
        for kind in ("gauge", "sum")
        if metric.HasField(kind)
        for point in getattr(metric, kind).data_points
        if point.flags & NO_RECORDED_VALUE
    )


def _send(endings: Endings, bot: _Bot, *, arrives: bool = True) -> ExportMetricsServiceRequest:
    request = bot.request()
    endings.add_to(request)
    if arrives:
        endings.delivered()
    return request


@pytest.mark.parametrize("adds", [False, True], ids=["gauge", "up-down-counter"])
def test_a_vanished_series_gets_one_ending_and_only_one(bot: _Bot, adds: bool) -> None:  # noqa: FBT001
    endings, state = Endings(), _State(bot.meter, "size", adds=adds)
    assert _ended(_send(endings, bot)) == []
    del state.rows["A"]
    request = _send(endings, bot)

    assert _ended(request) == [("mine", "size", "A")]
    assert _ended(_send(endings, bot)) == []
    (size,) = [m for m in request.resource_metrics[0].scope_metrics[0].metrics if m.name == "size"]
    points = (size.sum if adds else size.gauge).data_points
    assert len(points) == 2
    assert len({point.time_unix_nano for point in points if point.time_unix_nano}) == 1, "at the time of this export"


def test_the_ending_of_a_metric_that_is_absent_altogether_keeps_its_name_and_unit(bot: _Bot) -> None:
    endings, state = Endings(), _State(bot.meter, "size", adds=True)
    _send(endings, bot)
    state.rows.clear()
    request = _send(endings, bot)

    assert _ended(request) == [("mine", "size", "A"), ("mine", "size", "B")]
    made = [m for m in request.resource_metrics[0].scope_metrics[0].metrics if m.name == "size"]
    assert {(m.unit, m.description, m.sum.aggregation_temporality) for m in made} == {("{share}", "How many.", 2)}
    assert all(point.time_unix_nano > 0 for m in made for point in m.sum.data_points)


def test_a_scope_that_is_absent_altogether_is_ended_too(bot: _Bot) -> None:
    endings, state = Endings(), _State(bot.provider.get_meter("other", "2.0"), "level", rows=("A",))
    _State(bot.meter, "level", rows=("A",))
    _send(endings, bot)
    state.rows.clear()
    request = _send(endings, bot)

    assert _ended(request) == [("other", "level", "A")], "the other scope's metric of the same name goes on"
    scopes = {scope.scope.name: scope.scope.version for scope in request.resource_metrics[0].scope_metrics}
    assert scopes == {"mine": "1.0", "other": "2.0"}


def test_an_ending_is_said_again_until_it_is_delivered(bot: _Bot) -> None:
    endings, state = Endings(), _State(bot.meter, "size")
    _send(endings, bot)
    del state.rows["A"]

    for _ in range(3):
        assert _ended(_send(endings, bot, arrives=False)) == [("mine", "size", "A")]
    assert _ended(_send(endings, bot)) == [("mine", "size", "A")]
    assert _ended(_send(endings, bot)) == []


def test_a_series_that_came_back_before_its_ending_was_delivered_lives(bot: _Bot) -> None:
    endings, state = Endings(), _State(bot.meter, "size")
    _send(endings, bot)
    del state.rows["A"]
    _send(endings, bot, arrives=False)
    state.rows["A"] = 7.0

    assert _ended(_send(endings, bot)) == []


def test_what_was_never_delivered_needs_no_ending(bot: _Bot) -> None:
    endings, state = Endings(), _State(bot.meter, "size")
    _send(endings, bot, arrives=False)
    state.rows.clear()

    assert _ended(_send(endings, bot)) == []


def test_counters_and_histograms_never_end(bot: _Bot) -> None:
    endings = Endings()
    full = bot.request()
    bot.meter.create_histogram("took").record(1)
    bot.meter.create_counter("seen").add(1, {"symbol": "A"})
    endings.add_to(bot.request())
    endings.delivered()
    endings.add_to(full)

    assert _ended(full) == []


class _Collector(HTTPServer):
    """A loopback OTLP receiver that keeps what it was sent and answers as the test says."""

    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.received: list[ExportMetricsServiceRequest] = []


class _Handler(BaseHTTPRequestHandler):
    server: _Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(ExportMetricsServiceRequest.FromString(body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its parent's name
        del format, args


@contextmanager
def _collector() -> Iterator[_Collector]:
    with _Collector() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


@pytest.mark.seed("S0-39")
def test_the_exporter_repeats_an_ending_that_the_collector_refused(bot: _Bot) -> None:
    state = _State(bot.meter, "size")
    with _collector() as collector:
        exporter = EndingExporter(endpoint=f"http://127.0.0.1:{collector.server_port}/v1/metrics", timeout=2)

        def export() -> MetricExportResult:
            data = bot.reader.get_metrics_data()
            assert data is not None
            return exporter.export(data)

        assert export() is MetricExportResult.SUCCESS
        state.rows.clear()
        collector.status = 400
        assert export() is MetricExportResult.FAILURE
        collector.status = 200
        assert export() is MetricExportResult.SUCCESS
        assert export() is MetricExportResult.SUCCESS
        exporter.shutdown()

    both = [("mine", "size", "A"), ("mine", "size", "B")]
    assert [_ended(request) for request in collector.received] == [[], both, both, []]
