"""A bot without any care: it leaves secrets in every place it has. Its own stdout tells where it planted which."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import sys
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import aiohttp
import httpx
import prometheus_client
import requests
import websockets.sync.client
from opentelemetry import metrics, trace
from opentelemetry.instrumentation import dbapi

from otel_trading import meter

PLANTED: dict[str, str] = dict(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
TAIL = "aB3dE5gH7jK9mN1pQ2sT4vW6yZ8bC0dF2hJ4"
LONG = {place: secret + TAIL for place, secret in PLANTED.items()}
USED: list[str] = []
log = logging.getLogger("leaky")
logging.basicConfig(level=logging.INFO, filename=os.devnull)


def planted(place: str) -> str:
    """Return the short secret of a place, recognised by what stands beside it only."""
    USED.append(place)
    return PLANTED[place]


def long(place: str) -> str:
    """Return the secret of a place as a key of an exchange looks, recognised by itself."""
    USED.append(place)
    return LONG[place]


class Venue(BaseHTTPRequestHandler):
    """Answers, redirects and sets cookies."""

    def do_GET(self) -> None:
        moved = self.path.startswith("/moved")
        self.send_response(302 if moved else 200)
        if moved:
            self.send_header("Location", f"/order?signature={PLANTED['redirect location']}")
        self.send_header("Set-Cookie", f"session={PLANTED['set-cookie']}; Path=/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815  what the server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def with_requests(url: str, headers: dict[str, str], data: dict[str, str]) -> None:
    requests.post(url, headers=headers, data=data, timeout=5)


def with_httpx(url: str, headers: dict[str, str], data: dict[str, str]) -> None:
    httpx.post(url, headers=headers, data=data, follow_redirects=True)


def with_aiohttp(url: str, headers: dict[str, str], data: dict[str, str]) -> None:
    async def call() -> None:
        async with aiohttp.ClientSession() as session, session.post(url, headers=headers, data=data):
            pass

    asyncio.run(call())


def http() -> None:
    """Call a venue, and one that is not there, by three libraries."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Venue)
    Thread(target=server.serve_forever, daemon=True).start()
    USED.extend(("redirect location", "set-cookie"))
    for name, call in (("requests", with_requests), ("httpx", with_httpx), ("aiohttp", with_aiohttp)):
        basic = b64encode(f"user:{planted(f'{name} basic')}".encode()).decode()
        headers = {
            "X-MBX-APIKEY": planted(f"{name} header"),
            "API-Sign": planted(f"{name} sign header"),
            "Cookie": f"sid={planted(f'{name} cookie')}; b=c",
            "Authorization": f"Basic {basic}",
        }
        order = {"symbol": "BTC/USDT", "signature": planted(f"{name} body")}
        for port, at in ((server.server_port, ""), (1, " refused")):
            user, query, path = (planted(f"{name} {place}{at}") for place in ("userinfo", "query", "path"))
            for page in ("order", "moved"):
                url = f"http://user:{user}@127.0.0.1:{port}/{page}/{path}{TAIL}?a=1&signature={query}"
                try:
                    call(url, headers, order)
                except Exception:
                    log.exception("no answer of %s with %s", url, headers)
    server.shutdown()


def sockets() -> None:
    """Open feeds that are not there."""
    for url in (
        f"ws://127.0.0.1:1/ws/{long('websocket listen key')}",
        f"ws://127.0.0.1:1/ws?token={planted('websocket query')}",
        f"ws://user:{planted('websocket userinfo')}@127.0.0.1:1/ws",
    ):
        try:
            websockets.sync.client.connect(url, open_timeout=2)
        except OSError:  # noqa: PERF203  each of them
            log.exception("no feed of %s", url)


def records() -> None:
    """Log as people do."""
    secret = planted
    log.info("apiKey=%s", secret("log argument"))
    log.info("{'apiKey': '%s', 'symbol': 'A'}", secret("log dict"))
    log.info('{"secret": "%s", "symbol": "A"}', secret("log json"))
    log.info(json.dumps(json.dumps({"apiSecret": secret("log json in json")})))
    log.info("headers %s", {"Authorization": f"Token {secret('log header')}"})
    log.info("headers %s", [(b"authorization", f"Bearer {secret('log header tuple')}".encode())])
    log.info("Cookie: a=b; sid=%s", secret("log cookie"))
    log.info("Authorization: Bearer %s", secret("log bearer"))
    log.info("connecting to postgres://bot:%s@db/trades", secret("log dsn"))
    log.info("started with --api-key %s --fast", secret("log argv"))
    log.info("started with --password=%s", secret("log argv equals"))
    log.info("<password>%s</password>", secret("log xml"))
    log.info("invalid signature %s", secret("log prose") + "777777")
    log.info("my api key is %s", secret("log prose is") + "777777")
    log.info("passphrase: '%s and more'", secret("log passphrase"))
    log.info("key %s", long("log bare long"))
    log.info("told https://api.telegram.org/bot123456789:%s/sendMessage", long("log telegram"))
    log.info("eyJhbGciOiJIUzI1NiJ9.%s.c2ln", secret("log jwt"))
    log.info("-----BEGIN EC PRIVATE KEY-----\n%s\n-----END EC PRIVATE KEY-----", secret("log pem"))
    log.info("env %s", os.environ["EXCHANGE_API_SECRET"])
    log.info("dsn password %s", PLANTED["environment url"])
    log.info("extra", extra={"api_key": secret("log extra")})
    log.info("extra", extra={"order": {"symbol": "A", "apiKey": secret("log extra dict")}})
    log.info("extra", extra={"note": f"token={secret('log extra text')}"})
    log.info("extra", extra={"argv": ["--secret", secret("log extra list")]})
    log.info({"password": secret("log message dict")})


def traces() -> None:
    """Trace by hand."""
    tracer, secret = trace.get_tracer("leaky"), planted
    with tracer.start_as_current_span(f"GET /order?signature={secret('span name')}") as span:
        span.set_attribute("api_key", secret("span attribute"))
        span.set_attribute("exchange.secret.value", secret("span attribute secret"))
        span.set_attribute("note", f"password={secret('span attribute text')}")
        span.set_attribute("bare", long("span attribute bare"))
        span.set_attribute("http.request.header.ok_access_sign", [secret("span attribute header")])
        span.set_attribute("argv", ["bot", "--api-key", secret("span attribute list")])
        span.set_attribute("env", os.environ["EXCHANGE_API_SECRET"])
        span.add_event(f"token={secret('event name')}", {"signature": secret("event attribute")})
        span.add_event("order", {"params": f"{{'apiKey': '{secret('event attribute text')}'}}"})
        span.set_status(trace.StatusCode.ERROR, f"apiSecret={secret('status')}")
    context = trace.SpanContext(1, 2, is_remote=False)
    with tracer.start_as_current_span("linked", links=[trace.Link(context, {"apiKey": secret("link attribute")})]):
        pass
    for error in (
        ValueError(f"signature={secret('exception text')}"),
        ValueError("refused", {"apiKey": secret("exception arguments")}),
        KeyError(long("exception bare")),
        ConnectionError(f"wss://bot:{secret('exception url')}@venue/ws"),
    ):
        fail(tracer, error)


def fail(tracer: trace.Tracer, error: Exception) -> None:
    """Raise it in a span, log it, and log it once more as the cause of another."""
    try:
        with tracer.start_as_current_span("failing"):
            raise error  # noqa: TRY301  in the span
    except Exception as caught:
        log.exception("failed")
        again = RuntimeError("again")
        again.__cause__ = caught
        log.warning("chained", exc_info=again)


def measurements() -> None:
    """Measure with a secret in what should be a name."""
    secret, known = planted, os.environ["EXCHANGE_API_SECRET"]
    with meter.order_request(
        client_id=f"signature={secret('client id')}",
        symbol=f"apiKey={secret('symbol')}",
        side="buy",
        quantity=1,
        account=long("account"),
    ):
        pass
    meter.order_rejected(symbol="A", strategy=f"wss://bot:{secret('strategy')}@venue", account=f"token={known}")
    meter.counter("leaky.calls").add(1, api_key=secret("custom named"), note=f"password={secret('custom text')}")
    own = metrics.get_meter("leaky").create_counter("leaky.own")
    with trace.get_tracer("leaky").start_as_current_span("exemplar"):
        own.add(1, {"signature": long("metric named"), "url": f"http://v/?key={secret('metric url')}"})
        own.add(1, {"authorization": f"Bearer {secret('metric header')}", "bare": long("metric bare")})
        own.add(1, {"env": known})
    app = prometheus_client.Counter("leaky_app", "Of the app.", ["api_key", "note"])
    app.labels(secret("app label named"), f"secret={secret('app label text')}").inc()


def statements() -> None:
    """Keep keys in a table."""
    dbapi.trace_integration(sqlite3, "connect", "sqlite", capture_parameters=True)  # type: ignore[arg-type]  # a module
    cursor = sqlite3.connect(":memory:").cursor()
    cursor.execute("create table keys (key text)")
    cursor.execute(f"insert into keys values ('{planted('sql literal')}')")  # noqa: S608  so it is
    cursor.execute("insert into keys values (?)", (planted("sql parameter"),))
    try:
        cursor.execute(f"select nothing from keys where key = 'password={planted('sql failing')}'")  # noqa: S608
    except sqlite3.Error:
        log.exception("no row for secret=%s", planted("sql logged"))


if __name__ == "__main__":
    USED.extend(("environment", "environment url", "argument", "argument equals", "argument url"))
    USED.extend(("resource named", "resource text", "resource url"))
    for leak in (http, sockets, records, traces, measurements, statements):
        leak()
    sys.stdout.write(json.dumps(USED) + "\n")
