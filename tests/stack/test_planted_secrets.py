"""An unchanged bot plants more than 100 secrets wherever it can: not one byte of them leaves it or the Collector."""

from __future__ import annotations

import ast
import gzip
import json
import re
import secrets
import subprocess
import sys
import time
import urllib.request
from base64 import b64encode
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import pytest

from bot_support import COMMAND, environment, prometheus_get, series
from stack_support import logs, metric, post, spans, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

BOT: Final = Path(__file__).with_name("leaky_bot.py")
#: What every secret begins with; of a value in base64 only that of a header by name is possible.
MARK: Final = "SEEDLING"
_IN_BASE64: Final = [b64encode(b"x" * before + MARK.encode() + b"xx")[2:-4] for before in range(3)]
_CLIENTS: Final = ("requests", "httpx", "aiohttp")
_PER_CLIENT: Final = ("basic", "header", "sign header", "cookie", "body")
_PER_CALL: Final = ("userinfo", "query", "path")


def _places() -> list[str]:
    """Every place that the bot names, taken from its own text."""
    named = {
        node.args[0].value
        for node in ast.walk(ast.parse(BOT.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"planted", "secret", "long"}
        if node.args and isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str)
    }
    calls = [f"{one} {place}{at}" for one in _CLIENTS for place in _PER_CALL for at in ("", " refused")]
    calls += [f"{one} {place}" for one in _CLIENTS for place in _PER_CLIENT]
    given = ["redirect location", "set-cookie", "environment", "environment url", "argument", "argument equals"]
    given += ["argument url", "resource named", "resource text", "resource url"]
    return sorted({*named, *calls, *given})


@contextmanager
def _recorded(to: str) -> Iterator[tuple[str, list[bytes]]]:
    """Hand on to the Collector what a bot sends; gives the address and every byte that came."""
    seen: list[bytes] = []

    class Wire(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
            seen.append(f"{self.requestline}\n{self.headers}".encode() + plain)
            kept = {name: self.headers[name] for name in ("Content-Type", "Content-Encoding") if self.headers[name]}
            with urllib.request.urlopen(urllib.request.Request(to + self.path, body, kept), timeout=10) as answer:
                said = answer.read()
            self.send_response(200)
            self.send_header("Content-Type", kept["Content-Type"])
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Wire) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()


def _found(where: bytes, planted: dict[str, str]) -> list[str]:
    """Places whose secret is there, with what stands around it."""
    hits = [where[max(0, hit.start() - 60) : hit.end() + 12] for hit in re.finditer(MARK.encode(), where)]
    hits += [encoded for encoded in _IN_BASE64 if encoded in where]
    place = {secret: name for name, secret in planted.items()}
    return [f"{next((name for secret, name in place.items() if secret.encode() in hit), '?')}: {hit!r}" for hit in hits]


def _kept(stack: Stack, since: float) -> dict[str, bytes]:
    """Every byte that the stack wrote since then, by file."""
    return {
        str(file.relative_to(stack.home)): file.read_bytes()
        for file in stack.home.rglob("*")
        if file.is_file() and file.stat().st_mtime >= since
    }


def _held(stack: Stack, since: float) -> bytes:
    """All that Prometheus tells of every series, exemplars included."""
    everything = {"match[]": '{__name__=~".+"}'}
    exemplars = {"query": '{__name__=~".+"}', "start": str(since), "end": str(time.time() + 60)}
    return json.dumps(
        [
            prometheus_get(stack, "series", **everything),
            prometheus_get(stack, "query_exemplars", **exemplars),
            prometheus_get(stack, "metadata"),
            prometheus_get(stack, "status/config"),
        ]
    ).encode()


def test_none_of_a_hundred_planted_secrets_leaves(stack: Stack, tmp_path: Path) -> None:
    begun = time.time() - 1
    planted = {place: f"{MARK}{secrets.token_hex(3)}" for place in _places()}
    assert len(planted) >= 100
    (tmp_path / "settings.json").write_text(json.dumps(planted))
    with _recorded(stack.otlp_endpoint) as (endpoint, wire):
        own = environment(
            endpoint,
            OTEL_SERVICE_NAME="leaky",
            OTEL_RESOURCE_ATTRIBUTES=(
                f"api_key={planted['resource named']},note=password:{planted['resource text']},"
                f"dsn=postgres://bot:{planted['resource url']}@db/x"
            ),
            OTEL_EXPERIMENTAL_RESOURCE_DETECTORS="otel,process",
            OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_REQUEST=".*",
            OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_CLIENT_RESPONSE=".*",
            OTEL_METRICS_EXEMPLAR_FILTER="always_on",
            EXCHANGE_API_SECRET=planted["environment"],
            DATABASE_URL=f"postgres://bot:{planted['environment url']}@db/x",
        )
        command: list[str | Path] = [
            COMMAND,
            "run",
            sys.executable,
            BOT,
            tmp_path / "settings.json",
            "--api-key",
            planted["argument"],
        ]
        command += [f"--password={planted['argument equals']}", f"wss://bot:{planted['argument url']}@venue/ws"]
        done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == set(planted), "a place where nothing was planted"

    sent = b"\n".join(wire)
    for shown in (b"leaky.own", b"leaky_app", b"exemplar", b"url.full", b"db.query.text", b"exception.stacktrace"):
        assert shown in sent, f"{shown!r} did not leave, so the test shows nothing"
    assert sent.count(b"***") > len(planted)
    assert _found(sent, planted) == []

    file = stack.home / "data" / "collector" / "logs" / "logs.jsonl"
    wait_until(lambda: "no row for" in file.read_text(), 20, "the last log record")
    wait_until(lambda: any(one["__name__"] == "leaky_own_total" for one in series(stack, "leaky")), 20, "the metrics")
    assert _found(_held(stack, begun), planted) == []
    for name, content in _kept(stack, begun).items():
        assert _found(content, planted) == [], name


def _holds(file: Path, text: str) -> bool:
    return file.exists() and text in file.read_text()


def _attribute(name: str, text: str) -> dict[str, Any]:
    return {"key": name, "value": {"stringValue": text}}


def test_what_another_sender_leaks_ends_at_the_collector(stack: Stack) -> None:
    begun = time.time() - 1
    texts = [
        f"http://bot:{MARK}1@venue/order?signature={MARK}2",
        f"{{'apiKey': '{MARK}3'}}",
        f"Authorization: Bearer {MARK}4",
        f"--api-key {MARK}5",
        f"Cookie: a=b; sid={MARK}6",
        f"-----BEGIN PRIVATE KEY-----\n{MARK}7\n-----END PRIVATE KEY-----",
    ]
    leaks = [_attribute(f"text.{number}", text) for number, text in enumerate(texts)]
    leaks += [_attribute(name, f"{MARK}8") for name in ("api_key", "http.request.header.ok-access-sign", "password")]
    leaks.append({"key": "process.command_args", "value": {"arrayValue": {"values": [{"stringValue": f"{MARK}9"}]}}})
    of_metric, of_span, of_log = (
        metric("sloppy", "sloppy.calls", 1),
        spans("sloppy", texts[0]),
        logs("sloppy", texts[1]),
    )
    point = of_metric["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"][0]
    span = of_span["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    record = of_log["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    point["attributes"] = [_attribute("kept", "as it is"), _attribute("base_token", "USDC"), *leaks]
    span |= {"attributes": leaks, "status": {"code": 2, "message": texts[2]}}
    span["events"] = [{"name": "sloppy", "timeUnixNano": span["startTimeUnixNano"], "attributes": leaks}]
    record["attributes"] = leaks
    for signal, request in (("metrics", of_metric), ("traces", of_span), ("logs", of_log)):
        (kind,) = request
        request[kind][0]["resource"]["attributes"] += leaks
        assert post(f"{stack.otlp_endpoint}/v1/{signal}", request) == 200

    folder = stack.home / "data" / "collector"
    for name in ("traces/traces.jsonl", "logs/logs.jsonl"):
        file = folder / name
        wait_until(partial(_holds, file, "sloppy"), 20, f"a line in {file}")
    held = wait_until(lambda: series(stack, "sloppy"), 20, "the metric")
    (found,) = [one for one in held if one["__name__"] == "sloppy_calls_total"]
    assert found["base_token"] == "USDC", "without it all assets would be one series"
    assert (found["kept"], found["text_0"], found["text_1"]) == ("as it is", "http://venue/order", "{'apiKey': ***}")
    assert _found(_held(stack, begun), {}) == []
    for name, content in _kept(stack, begun).items():
        assert _found(content, {}) == [], name
