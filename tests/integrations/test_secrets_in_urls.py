"""Query strings never leave: an unchanged bot plants secrets in every call, answered or not, and logs what it got."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_trading._secrets import without_secrets
from otel_trading.sdk.redaction import SpanRedaction

COMMAND: Final = Path(sysconfig.get_path("scripts")) / "otel-trading"
BOT: Final = """
import asyncio, logging, socket
from threading import Thread
import aiohttp, httpx, requests
from flask import Flask
from werkzeug.serving import make_server

logging.basicConfig(level=logging.INFO)
api = Flask("api")
api.add_url_rule("/api/v3/order", view_func=lambda: "done")
server = make_server("127.0.0.1", 0, api, threaded=True)
Thread(target=server.serve_forever, daemon=True).start()
with socket.create_server(("127.0.0.1", 0)) as taken:
    closed = taken.getsockname()[1]
QUERY = "/api/v3/order?symbols=['A']&signature=PLANTED&apikey=PLANTED"
KEY = {"X-MBX-APIKEY": "PLANTED"}

async def with_aiohttp(url):
    async with aiohttp.ClientSession(headers=KEY) as session:
        async with session.get(url) as reply:
            return reply.status

async def with_httpx(url):
    async with httpx.AsyncClient(headers=KEY) as client:
        return (await client.get(url)).status_code

CALLS = [
    lambda url: requests.get(url, headers=KEY, timeout=10).status_code,
    lambda url: httpx.get(url, headers=KEY).status_code,
    lambda url: asyncio.run(with_aiohttp(url)),
    lambda url: asyncio.run(with_httpx(url)),
]
for port in server.server_port, closed:
    for call in CALLS:
        try:
            print("answered", call(f"http://127.0.0.1:{port}{QUERY}"))
        except Exception:
            print("failed")
            logging.getLogger("bot").exception("no answer of %s", QUERY)
"""


def test_no_planted_secret_is_in_any_signal(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(BOT)
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "_OTEL_", "PYTEST_"))}
    console = {f"OTEL_{signal}_EXPORTER": "console" for signal in ("TRACES", "METRICS", "LOGS")}
    done = subprocess.run(
        [COMMAND, "run", sys.executable, tmp_path / "bot.py"],
        env={**clean, **console, "OTEL_METRIC_EXPORT_INTERVAL": "60000"},
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )

    assert (done.stdout.count("answered 200"), done.stdout.count("failed\n")) == (4, 4), done.stderr
    assert done.stdout.count('"url.full": "http://127.0.0.1:') == 8, "a span of each call"
    assert done.stdout.count('"url.path": "/api/v3/order"') == 4, "a span of each answer"
    assert "no answer of /api/v3/order" in done.stdout, "the log records"
    assert "http.client.request.duration" in done.stdout
    assert "PLANTED" in done.stderr, "the bot's own log stays as it is"
    assert "PLANTED" not in done.stdout


def test_a_users_own_span_loses_the_query_of_an_exception_and_nothing_else() -> None:
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SpanRedaction())
    provider.add_span_processor(SimpleSpanProcessor(kept))
    url = "/order?signature=PLANTED"
    with (
        pytest.raises(ValueError, match="PLANTED"),
        provider.get_tracer("bot").start_as_current_span("work", attributes={"why": "really?", "n": 1}),
    ):
        raise ValueError(url)

    (span,) = kept.get_finished_spans()
    assert dict(span.attributes or {}) == {"why": "really?", "n": 1}
    assert (span.events[0].attributes or {})["exception.message"] == "/order"
    assert span.status.description == "ValueError: /order"
    assert "PLANTED" not in span.to_json().replace("raise ValueError(url)", "")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("GET http://x/y?a=1&s=P HTTP/1.1", "GET http://x/y HTTP/1.1"),
        ("url: /y?s=['A']&signature=P (Caused by", "url: /y (Caused by"),
        ("Why? Because a = b", "Why? Because a = b"),
        ("", ""),
    ],
)
def test_only_queries_are_left_out(text: str, left: str) -> None:
    assert without_secrets(text) == left


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("insert into keys values (4711, 'a''b', :name, %s, ?)", "insert into keys values (?, ?, :name, %s, ?)"),
        ("select $tag$PLANTED 'x'$tag$ from t1", "select ? from t1"),
        ("select 'never ended PLANTED", "select ?"),
        ('select "order" from orders2 where q > 1.5e3', 'select "order" from orders2 where q > ?'),
    ],
)
@pytest.mark.parametrize("name", ["db.query.text", "db.statement"])
def test_values_leave_the_text_of_a_statement(name: str, statement: str, left: str) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SpanRedaction())
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer("db").start_span("query", attributes={name: statement}).end()
    (span,) = exporter.get_finished_spans()

    assert dict(span.attributes or {}) == {name: left}
