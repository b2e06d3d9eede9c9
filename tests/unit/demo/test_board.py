from __future__ import annotations

import io
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import requests
from rich.console import Console

from otel_trading.demo.board.alerts import Delivered
from otel_trading.demo.board.figures import SHOWN, figures, quantile
from otel_trading.demo.board.live import Board
from otel_trading.demo.board.render import View, draw
from otel_trading.demo.board.source import Endpoint, Prometheus, Sample, Samples
from otel_trading.semconv import execution, market_data, order, portfolio, strategy, venue
from otel_trading.top.alerts import Alert
from otel_trading.top.parts import sparkline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CONNECTION = "trading_connection_name"


def market(state: str = "connected", fills: float = 10.0, at: float = 0.0) -> Samples:
    status = {CONNECTION: "market_a", "trading_connection_state": state}
    feed = {CONNECTION: "market_a", "trading_data_kind": "quote"}
    return Samples(
        [
            Sample(portfolio.VALUE.prometheus, {}, 99_000.5),
            Sample(portfolio.SESSION_PNL.prometheus, {"trading_pnl_type": "realized"}, -700.0),
            Sample(portfolio.SESSION_PNL.prometheus, {"trading_pnl_type": "unrealized"}, -200.0),
            Sample(portfolio.POSITION_QUANTITY.prometheus, {"trading_instrument_symbol": "AAPL"}, 80.0),
            Sample(portfolio.POSITION_PNL.prometheus, {"trading_instrument_symbol": "AAPL"}, -12.5),
            Sample(order.REQUESTS.prometheus, {"trading_order_operation": "new"}, 2 * fills),
            Sample(order.REQUESTS.prometheus, {"trading_order_operation": "cancel"}, 3.0),
            Sample(order.REJECTIONS.prometheus, {"trading_order_reject_reason": "price_band"}, 2.0),
            Sample(execution.FILLS.prometheus, {}, fills),
            Sample(execution.SLIPPAGE.prometheus + "_count", {"trading_execution_direction": "adverse"}, 3.0),
            Sample(execution.SLIPPAGE.prometheus + "_sum", {"trading_execution_direction": "adverse"}, 0.0012),
            Sample(execution.SLIPPAGE.prometheus + "_count", {"trading_execution_direction": "favorable"}, 1.0),
            Sample(execution.SLIPPAGE.prometheus + "_sum", {"trading_execution_direction": "favorable"}, 0.0004),
            Sample(market_data.AGE.prometheus, feed, 33.0),
            Sample(market_data.MESSAGES.prometheus, feed, 20 * fills),
            Sample(market_data.CONNECTION_STATUS.prometheus, status, 1.0),
            Sample(strategy.STATUS.prometheus, {"trading_strategy_state": "running"}, 1.0),
            Sample(strategy.STATUS.prometheus, {"trading_strategy_state": "stopped"}, 0.0),
        ],
        at,
    )


def test_figures_add_up_and_rates_speak_of_the_time_between() -> None:
    now = figures(market(fills=20.0, at=5.0), market(fills=10.0, at=0.0))
    assert now.session_pnl == -900.0
    assert (now.orders, now.order_rate) == (40.0, 4.0)
    assert (now.fills, now.fill_rate) == (20.0, 2.0)
    assert now.slippage == pytest.approx(0.0002)
    assert now.reasons == (("price_band", 2.0),)
    assert [(feed.connection, feed.kind, feed.age, feed.rate) for feed in now.feeds] == [("market_a", "quote", 33, 40)]
    assert now.state == "running"
    assert now.latency is None


def test_a_quantile_is_that_of_the_calls_in_between() -> None:
    def buckets(*counts: float) -> Samples:
        series = venue.REQUEST_DURATION.prometheus + "_bucket"
        return Samples(Sample(series, {"le": le}, n) for le, n in zip(("0.1", "0.5", "+Inf"), counts, strict=True))

    assert quantile(0.5, buckets(100, 100, 100), buckets(100, 100, 100), venue.REQUEST_DURATION) is None
    assert quantile(0.5, buckets(100, 110, 110), buckets(100, 100, 100), venue.REQUEST_DURATION) == pytest.approx(0.3)
    assert quantile(0.95, buckets(100, 100, 110), buckets(100, 100, 100), venue.REQUEST_DURATION) == 0.5


def view(samples: Samples | None = None) -> View:
    alerts = [Alert("VenueConnectionLost", "firing", "critical", "market_b", time.time() - 33)]
    return View(
        title="otel-trading demo",
        elapsed=44,
        duration=60,
        source="from Prometheus, http://127.0.0.1:9090",
        figures=figures(samples, Samples()) if samples else None,
        equity=[1, 2, 3],
        alerts=alerts,
        delivered=alerts,
        footer="Ctrl-C ends.",
    )


def text(drawn: View, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(draw(drawn, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
def test_the_board_fits_its_width_and_says_what_counts(width: int) -> None:
    drawn = text(view(market("disconnected")), width)
    assert max(map(len, drawn.splitlines())) <= width
    for word in ("99,000.50", "-900.00", "market_a", "disconnected", "33.0 s old", "VenueConnectionLost", "33 s"):
        assert word in drawn
    assert "+2.00" in drawn  # basis points of slippage


def test_the_board_is_low_enough_for_a_small_terminal() -> None:
    assert len(text(view(market()), 80).splitlines()) <= 24


def test_before_the_first_samples_it_waits() -> None:
    assert "waiting for the first samples" in text(view(), 80)


def test_a_sparkline_shows_the_last_values_between_lowest_and_highest() -> None:
    assert sparkline([5, 0, 1], width=2) == "▁█"
    assert sparkline([3, 3]) == "▁▁"
    assert sparkline([]) == ""


def test_delivered_reads_what_is_new_and_whole(tmp_path: Path) -> None:
    def line(name: str, **labels: str) -> str:
        row = {
            "status": "firing",
            "labels": {"alertname": name, **labels},
            "startsAt": "2026-11-21T10:00:00.123456789Z",
        }
        return json.dumps(row) + "\n"

    file = tmp_path / "alerts.jsonl"
    file.write_text(line("Before", service_name="bot"))
    delivered = Delivered(file, "bot")
    assert delivered.read() == []
    with file.open("a") as log:
        log.write(line("Mine", service_name="bot", trading_connection_name="fills") + line("Other", service_name="x"))
        log.write(line("Watchdog") + '{"status": "fir')
    assert [(alert.name, alert.about) for alert in delivered.read()] == [("Mine", "fills")]
    assert delivered.read() == []
    assert [alert.name for alert in delivered.alerts] == ["Mine"]


class Api:
    """A server that answers as Prometheus does, with what the test puts in."""

    def __init__(self) -> None:
        self.samples = market()
        self.alerts: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.status = 200

    def answer(self, path: str) -> dict[str, Any]:
        if path.endswith("/alerts"):
            return {"alerts": self.alerts}
        samples = [sample for found in self.samples._by_series.values() for sample in found]
        result = [{"metric": dict(s.labels, __name__=s.series), "value": [0, str(s.value)]} for s in samples]
        return {"resultType": "vector", "result": result}


@pytest.fixture
def api() -> Iterator[tuple[Api, str]]:
    held = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            held.asked.append(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            body = json.dumps({"status": "success", "data": held.answer(self.path)}).encode()
            self.send_response(held.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815  the name that http.server calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield held, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def board(url: str) -> tuple[Board, io.StringIO]:
    out = io.StringIO()
    source = Prometheus(url, "demo-bot", SHOWN)
    return Board(Console(file=out, width=160), source, service="demo-bot", title="demo", where="Prometheus"), out


def test_without_a_terminal_it_says_one_line_per_change(api: tuple[Api, str]) -> None:
    held, url = api
    shown, out = board(url)
    with shown.shown():
        for state in ("connected", "connected", "disconnected", "connecting", "disconnected"):
            held.samples = market(state)
            shown.refresh()
        held.alerts = [
            {
                "labels": {"alertname": "Lost", "service_name": "demo-bot", "severity": "critical"},
                "state": "firing",
                "activeAt": "2026-11-21T10:00:00.5Z",
            }
        ]
        shown.refresh()
        held.alerts = []
        shown.refresh()
    said = [line.split("s  ", 1)[1].strip() for line in out.getvalue().splitlines()]
    assert said == [
        "strategy is running",
        "connection market_a is connected",
        "equity 99,000.50, session P&L -900.00, 20 orders (0.0/s), 2 rejected, 10 fills",
        "connection market_a is lost",
        "alert Lost is firing",
        "alert Lost is over",
    ]
    assert shown.fired == {"Lost"}
    assert "demo-bot" in held.asked[0]


def test_who_does_not_answer_is_named_once(api: tuple[Api, str]) -> None:
    held, url = api
    held.status = 500
    shown, out = board(url)
    shown.refresh()
    shown.refresh()
    assert out.getvalue().count("does not answer") == 1


def test_an_endpoint_that_is_gone_raises(api: tuple[Api, str]) -> None:
    with pytest.raises(requests.RequestException):
        Endpoint("http://127.0.0.1:9/metrics").fetch()
    assert api[1]
