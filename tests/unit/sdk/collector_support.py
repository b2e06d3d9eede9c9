"""A Collector in a thread: keeps what processes send it, or does not answer."""

from __future__ import annotations

import socket
import threading
from collections import defaultdict
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

__all__ = ["Collector", "collector", "half_open"]


class Collector:
    """What arrived: of each series of each instance the last point."""

    def __init__(self) -> None:
        self.url = ""
        self._last: dict[str, dict[str, dict[bytes, NumberDataPoint]]] = defaultdict(lambda: defaultdict(dict))

    def take(self, body: bytes) -> None:
        """Keep the points of one request."""
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            (instance,) = [
                pair.value.string_value for pair in resource.resource.attributes if pair.key == "service.instance.id"
            ]
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    points: Any = getattr(metric, metric.WhichOneof("data") or "gauge").data_points
                    for point in points:
                        key = b"\0".join(sorted(pair.SerializeToString() for pair in point.attributes))
                        self._last[metric.name][instance][key] = point

    def by_instance(self, metric: str) -> dict[str, float]:
        """Return the sum over the last values of a metric, by instance; what has ended is left out."""
        return {
            instance: sum(point.as_double or point.as_int for point in points.values() if not point.flags)
            for instance, points in self._last[metric].items()
        }

    def total(self, metric: str) -> float:
        """Return the sum over all instances."""
        return sum(self.by_instance(metric).values())


@contextmanager
def collector() -> Iterator[Collector]:
    """Run a Collector that answers."""
    kept = Collector()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/v1/metrics":
                kept.take(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    kept.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def half_open() -> Iterator[str]:
    """Give the URL of a port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
