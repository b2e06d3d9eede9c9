"""One sender of each bad kind beside twenty good ones, through the real Collector: the good ones lose nothing."""

from __future__ import annotations

import contextlib
import itertools
import time
import urllib.error
import urllib.request
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from otel_trading.stack import Ports, up
from stack_support import metric, post, prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_GOOD, _ROUNDS, _HOUR = 20, 3, 3600 * 10**9


def _changed(kind: str, **point: Any) -> dict[str, Any]:
    """Return a request of one counter of which something is not as it has to be."""
    request = metric(f"bad-{kind}", f"bad.{kind}", 1)
    (found,) = _metric(request)["sum"]["dataPoints"]
    found.update(point)
    return request


def _metric(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
    return found


def _of(kind: str, **data: Any) -> dict[str, Any]:
    """Return a request of one metric with other data."""
    request = metric(f"bad-{kind}", f"bad.{kind}", 1)
    del _metric(request)["sum"]
    _metric(request).update(data)
    return request


def _label(key: str, value: str) -> dict[str, Any]:
    return {"attributes": [{"key": key, "value": {"stringValue": value}}]}


def _delta() -> Iterator[Any]:
    for temporality in (0, 1):
        request = _changed("delta")
        _metric(request)["sum"]["aggregationTemporality"] = temporality
        yield request


def _empty() -> Iterator[Any]:
    yield {}
    yield {"resourceMetrics": [{}]}
    yield _of("nothing")
    yield _of("empty", sum={"aggregationTemporality": 2, "dataPoints": []})
    yield _of("nameless", name="", gauge={"dataPoints": [{"timeUnixNano": str(time.time_ns()), "asDouble": 1}]})


def _clocks() -> Iterator[Any]:
    now = time.time_ns()
    for at in (0, 1, now - 30 * 24 * _HOUR, now - 2 * _HOUR, now + 6 * 60 * 10**9, now + _HOUR, 2**63):
        yield _changed("clock", timeUnixNano=str(at))


def _twice() -> Iterator[Any]:
    now = str(time.time_ns())
    for value in (1, 2, 3):  # one after the other, in the same millisecond
        yield _changed("twice", timeUnixNano=now, asDouble=value)
    both = _changed("both", timeUnixNano=now)
    (point,) = _metric(both)["sum"]["dataPoints"]
    _metric(both)["sum"]["dataPoints"].append({**point, "asDouble": 7})
    yield both


def _many() -> Iterator[Any]:
    request = metric("bad-many", "bad.many", 1)
    (point,) = _metric(request)["sum"]["dataPoints"]
    points = [{**point, **_label("id", f"{point['timeUnixNano']}-{number}")} for number in range(1000)]
    _metric(request)["sum"]["dataPoints"] = points
    yield request


def _odd_numbers() -> Iterator[Any]:
    for value in ("NaN", "Infinity", "-Infinity", 1.7976931348623157e308, -1):
        yield _changed("number", asDouble=value)


def _odd_names() -> Iterator[Any]:
    for name in ("💥", " ", "a b\n", "1st", "__name__", "bad.odd/\x00", "x" * 10_000):
        request = _changed("name", **_label("k", "v"))
        _metric(request)["name"] = name
        yield request
    for key in ("", "日本", "__name__", "le", "job", "instance", "service_name", "a\x00b", "k" * 10_000):
        yield _changed("key", **_label(key, "v"))
    one, other = _label("a.b", "1")["attributes"], _label("a_b", "2")["attributes"]
    yield _changed("alike", attributes=one + other)
    yield _changed("again", attributes=one + one)


def _enormous() -> Iterator[Any]:
    yield _changed("enormous", **_label("k", "v" * 2_000_000))


def _broken() -> Iterator[Any]:
    now = str(time.time_ns())
    bare = {"timeUnixNano": now, "count": "9", "sum": 1, "bucketCounts": ["1"], "explicitBounds": [3, 2, 1]}
    scaled = {"timeUnixNano": now, "count": "1", "scale": -11, "positive": {"offset": 2**31 - 1, "bucketCounts": ["1"]}}
    yield _of("histogram", histogram={"aggregationTemporality": 2, "dataPoints": [bare]})
    yield _of("exponential", exponentialHistogram={"aggregationTemporality": 2, "dataPoints": [scaled]})
    yield _of("summary", summary={"dataPoints": [{"timeUnixNano": now, "quantileValues": [{"quantile": -1}]}]})
    yield b"\x0a\xff\xff\xff\xff\x0f garbage"


def _not_utf8() -> Iterator[Any]:
    request = ExportMetricsServiceRequest()
    every = request.resource_metrics.add()
    every.resource.attributes.add(key="service.name").value.string_value = "bad-utf8"
    found = every.scope_metrics.add().metrics.add(name="bad.utf8")
    point = found.gauge.data_points.add(time_unix_nano=time.time_ns(), as_double=1)
    point.attributes.add(key="marker").value.string_value = "marker"
    yield request.SerializeToString().replace(b"marker", b"\xff\xfe\xc3(\xed\xa0")


BAD: Final[tuple[Callable[[], Iterator[Any]], ...]] = (
    _delta,
    _empty,
    _clocks,
    _twice,
    _many,
    _odd_numbers,
    _odd_names,
    _enormous,
    _broken,
    _not_utf8,
)


def _send(url: str, body: Any) -> None:
    """Send what may be refused, and does not care."""
    with contextlib.suppress(urllib.error.HTTPError):
        if isinstance(body, bytes):
            request = urllib.request.Request(url, body, {"Content-Type": "application/x-protobuf"})
            with urllib.request.urlopen(request, timeout=10):
                return
        post(url, body)


def _held(stack: Stack, service: str) -> dict[int, float]:
    rows = prometheus_query(stack, f'beside_poison_total{{service_name="{service}"}}[5m]')
    return {round(at * 1000): float(value) for row in rows for at, value in row["values"] if float(value)}


def test_good_senders_lose_nothing_beside_bad_ones(stack_home: Path) -> None:
    stack = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    url, begun = f"{stack.otlp_endpoint}/v1/metrics", time.time_ns()
    sent: dict[str, dict[int, float]] = {f"good-{number}": {} for number in range(_GOOD)}
    for turn in range(1, _ROUNDS + 1):
        poison = itertools.chain.from_iterable(bad() for bad in BAD)
        for service, mine in sent.items():
            request = metric(service, "beside.poison", turn, begun)
            (point,) = _metric(request)["sum"]["dataPoints"]
            assert post(url, request) == 200
            mine[int(point["timeUnixNano"]) // 10**6] = turn
            for body in itertools.islice(poison, 3):
                _send(url, body)
    for service, mine in sent.items():
        wait_until(partial(_all_there, stack, service, mine), 20, f"{service}: {mine}")


def _all_there(stack: Stack, service: str, mine: dict[int, float]) -> bool:
    return _held(stack, service) == mine
