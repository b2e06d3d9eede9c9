"""A Collector in a thread, over HTTP or gRPC: keeps what processes send it, or does not answer."""

from __future__ import annotations

import socket
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import grpc  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2_grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

__all__ = ["Collector", "collector", "grpc_collector", "half_open"]


class Collector:
    """What arrived: the last point of each series of each instance; how many spans and log records, by their text."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: Counter[str] = Counter()
        self.logs: Counter[str] = Counter()
        self._last: dict[str, dict[str, dict[bytes, NumberDataPoint]]] = defaultdict(lambda: defaultdict(dict))

    def take(self, path: str, body: bytes) -> None:
        """Keep what one request holds."""
        if path == "/v1/metrics":
            self._take_metrics(ExportMetricsServiceRequest.FromString(body))
        elif path == "/v1/traces":
            self._take_spans(ExportTraceServiceRequest.FromString(body))
        elif path == "/v1/logs":
            self._take_logs(ExportLogsServiceRequest.FromString(body))

    def _take_spans(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            self.spans.update(span.name for scope in resource.scope_spans for span in scope.spans)

    def _take_logs(self, request: ExportLogsServiceRequest) -> None:
        for resource in request.resource_logs:
            self.logs.update(one.body.string_value for scope in resource.scope_logs for one in scope.log_records)

    def _take_metrics(self, request: ExportMetricsServiceRequest) -> None:
        for resource in request.resource_metrics:
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
            kept.take(self.path, body)
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
def grpc_collector() -> Iterator[Collector]:
    """Run a Collector that answers over gRPC."""
    kept = Collector()

    def answering(path: str, reply: Any) -> Any:
        def export(request: Any, context: object) -> Any:
            del context
            kept.take(path, request.SerializeToString())
            return reply()

        return type("Servicer", (), {"Export": staticmethod(export)})()

    server = grpc.server(ThreadPoolExecutor(4))
    services: tuple[tuple[str, Any, Any], ...] = (
        ("/v1/metrics", metrics_service_pb2_grpc.add_MetricsServiceServicer_to_server, ExportMetricsServiceResponse),
        ("/v1/traces", trace_service_pb2_grpc.add_TraceServiceServicer_to_server, ExportTraceServiceResponse),
        ("/v1/logs", logs_service_pb2_grpc.add_LogsServiceServicer_to_server, ExportLogsServiceResponse),
    )
    for path, add, reply in services:
        add(answering(path, reply), server)
    kept.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield kept
    finally:
        server.stop(None).wait(10)


@contextmanager
def half_open() -> Iterator[str]:
    """Give the URL of a port that accepts and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
