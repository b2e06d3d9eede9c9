"""What the boards of the five older systems showed is there in the real Prometheus: on our board, and for theirs."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
import yaml
from board_support import BOARDS, asked, expressions, needs_dependency, panels, variables

from bot_support import environment, prometheus_get, running
from otel_trading.semconv.attributes import MODE
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

#: Theirs, by id, and what ours are called.
PANELS: Final = {
    "S0-22": ["Circuit breakers"],
    "S0-23": ["Order call"],
    "S0-24": ["Cache hits"],
    "S0-25": ["Order messages per second"],
    "S0-26": ["P&L by strategy"],
    "S0-27": ["Health checks"],
    "S1-31": ["Requests by route", "API request latency", "Rate limit: refused", "Health checks"],
    "S1-32": ["Trading signals", "Positions", "Drawdown", "Statistics"],
    "S1-34": ["Fetch time, p95", "Cache hits", "Data quality"],
    "S1-30": ["Uptime", "Health checks", "CPU over time", "Memory over time"],
    "S1-33": ["Backtest time, p95", "Backtest results", "Sharpe ratio"],
    "S2-23": ["Order messages per second", "P&L by strategy", "Fills"],
    "S2-24": ["Uptime", "Health checks", "Loop time"],
    "S2-25": ["Order intents", "Order intents by state", "Oldest intent not sent"],
    "S3-21": ["Statistics", "Win rate"],
    "S3-22": ["Total P&L"],
    "S3-23": ["Max drawdown"],
    "S3-24": ["Trades"],
    "S3-30": ["CPU"],
    "S3-31": ["Memory"],
    "S3-29": ["CPU", "Memory", "API latency", "Error rate"],
    "S3-32": ["API latency"],
    "S3-33": ["Error rate"],
    "S3-36": ["API request latency"],
    "S3-37": ["Error rate by route"],
    "S3-34": ["CPU over time"],
    "S3-35": ["Memory over time"],
    "S3-63": ["Strategy state", "P&L by strategy", "Kill switches", "Limits"],
    "S4-16": ["Circuit breakers", "Events", "Event handling, p95"],
    "S3-25": ["Equity curve"],
    "S3-26": ["Return by window"],
    "S3-27": ["Size of session returns"],
    "S3-28": ["Slippage", "Slippage, p95 by direction"],
}
#: Nothing of the kind happens on the day, or (the first) their label replaces the one that we look for.
NOT_ON_THAT_DAY: Final = {
    "api_gateway_service_health_status",
    "api_gateway_rate_limit_exceeded_total",
    "circuit_breaker_failures_total",
    "order_intents_duplicate_total",
    "order_intents_error_total",
    "system_api_errors_total",
}
#: A day of trading, and then what a good day leaves out.
DAY: Final = """
from contextlib import suppress
from threading import Thread
import requests
from flask import Flask
from werkzeug.serving import make_server
from otel_trading import backtest
from otel_trading.testing import day_of_trading
day_of_trading(seed=1)
meter.defaults(venue='kraken', strategy='day', account='acct-1', currency='USD')
meter.event_published(type='order_filled', error='QueueFull')
blocks = meter.event_handler(type='order_filled'), meter.timed('rebalance'), meter.venue_call(operation='balance')
for block in blocks:
    with suppress(TimeoutError), block:
        raise TimeoutError
meter.reconciled(object='position', local={'BTC/USD': 1}, at_venue={'BTC/USD': 2})
meter.deposited(value=1_000, currency='EUR', account='acct-eur')
meter.order_filled(symbol='SAP', side='buy', price=100, quantity=1, currency='EUR', account='acct-eur')
with backtest.run(strategy='day', timeframe='1h', flush=False):
    meter.order_filled(symbol='BTC/USD', side='buy', price=100, quantity=1, expected_price=99, client_id='b1')
api = Flask('api')
api.add_url_rule('/positions/<symbol>', view_func=lambda symbol: symbol)
server = make_server('127.0.0.1', 0, api, threaded=True)
Thread(target=server.serve_forever, daemon=True).start()
for path in 'positions/A', 'positions/B', 'nowhere':
    requests.get(f'http://127.0.0.1:{server.server_port}/{path}', timeout=10)
"""
#: Expressions that need what no bot of this test has, with what would fill them.
NOTHING_TO_SHOW: Final = {
    "Exports failed A": "a Collector that refuses: tests/stack/test_faults.py",
    "Notification time A": "an alert that fires",
    "Points sent B": "a Prometheus that refuses for good",
    "Points sent C": "a queue that takes nothing more: tests/stack/test_stack_harms.py",
    "Gate A": "an exposed stack: tests/stack/test_stack_harms.py",
    "Certificate lasts A": "an exposed stack: tests/stack/test_stack_harms.py",
    # Bands.
    **{
        f"{title}, as usual? {query}": "three days of history: tests/stack/test_bands_feed.py"
        for title in ("Session P&L", "Acknowledgement p95", "Messages")
        for query in "BC"
    },
}
SERVICE: Final = "day-for-panels"
#: This bot, everything else on All.
_THIS: Final = {"service": SERVICE}


@pytest.fixture(scope="module")
def day(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    """A stack with a bot that had a day of trading and still runs."""
    folder = tmp_path_factory.mktemp("panels")
    with running(folder, SERVICE, DAY, environment(stack, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="")):
        yield stack


@pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.seed(row)) for row in PANELS])
def test_a_panel_of_theirs_has_data_on_our_board(day: Stack, row: str) -> None:
    shown = panels()
    for title in PANELS[row]:
        for target in shown[title]["targets"]:
            query = asked(target["expr"], _THIS, "backtest" if row == "S1-33" else "live")
            found = wait_until(partial(prometheus_query, day, query), 15, f"data of {title}: {query}")
            assert not [one for one in found if math.isnan(float(one["value"][1]))]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_every_expression_of_a_board_has_data(day: Stack, board: Path) -> None:
    mode = "backtest" if board.stem == "otel-trading-backtest" else "live"

    def empty() -> set[str]:
        return {
            f"{title} {target['refId']}"
            for title, panel in panels(board).items()
            for target in panel["targets"]
            if f"{title} {target['refId']}" not in NOTHING_TO_SHOW
            and not needs_dependency(target["expr"])
            and not _shows(day, target["expr"], mode)
        }

    wait_until(lambda: not empty(), 25, f"data of every expression, at first without {sorted(empty())}")


def _shows(stack: Stack, expression: str, mode: str) -> bool:
    return bool(prometheus_query(stack, asked(expression, _THIS, mode)))


def _labels_of(answer: list[dict[str, Any]], *, label: str) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(one["metric"].items()) for one in answer if label in one["metric"]}


def _choices(stack: Stack) -> dict[str, tuple[str, str]]:
    """Return by variable its label and a value, and see that every variable of every board lists what is there."""
    found: dict[str, tuple[str, str]] = {}
    for query, name in variables().items():
        selector, _, label = asked(query, _THIS).removeprefix("label_values(").removesuffix(")").rpartition(", ")
        offered = prometheus_get(stack, f"label/{label}/values", **{"match[]": selector})
        counted = prometheus_query(stack, f"count by ({label}) ({selector})")
        there = {one["metric"][label] for one in counted if one["metric"]}
        assert there <= set(offered), f"{name} hides what is there: {query}"
        if offered:
            found[name] = label, SERVICE if SERVICE in offered else offered[0]
    return found


def test_a_chosen_value_shows_its_series_and_no_other(day: Stack) -> None:
    """Each variable on one value, the others on All: rows of that value stay, rows of other values go."""
    wait_until(lambda: {"strategy", "venue", "symbol", "account", "currency"} <= set(_choices(day)), 15, "values")
    everything = {each: prometheus_query(day, asked(each)) for each in expressions()}
    compared = 0
    for name, (label, value) in _choices(day).items():
        for each, rows in everything.items():
            if not re.search(rf"\$\{{?{name}\b", each) or not (shown := _labels_of(rows, label=label)):
                continue
            narrowed = _labels_of(prometheus_query(day, asked(each, {name: value})), label=label)
            mine = {row for row in shown if (label, value) in row}
            assert narrowed >= mine, f"{name}={value} hides its own rows: {each}"
            assert all((label, value) in row for row in narrowed), f"{name}={value} shows others: {each}"
            compared += bool(mine)
    assert compared > 50


@pytest.mark.parametrize("mode", MODE.values)
def test_every_expression_answers_in_every_mode(day: Stack, mode: str) -> None:
    for expression in expressions():
        for row in prometheus_query(day, asked(expression, _THIS, mode)):
            assert row["metric"].get(MODE.prometheus, mode) == mode, expression


@pytest.mark.seed("S0-21")
def test_the_overview_holds_the_six_panels_of_the_first_system() -> None:
    theirs = {title for row, titles in PANELS.items() if row.startswith("S0") for title in titles}

    assert len(theirs) == 6
    assert theirs <= set(panels(*(board for board in BOARDS if board.stem == "otel-trading-overview")))


@pytest.mark.seed("S3-20")
def test_the_portfolio_board_holds_the_cards_and_charts_of_theirs() -> None:
    theirs = {title for row, titles in PANELS.items() if "S3-21" <= row <= "S3-27" for title in titles}

    assert theirs <= set(panels(*(board for board in BOARDS if board.stem == "otel-trading-portfolio")))


def test_every_name_of_theirs_is_recreated_in_the_real_prometheus(day: Stack) -> None:
    text = (BOARDS[0].parents[2] / "alerts" / "rules" / "compatibility.yaml").read_text(encoding="utf-8")
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    # What instrumentations and receivers send, no day of trading brings.
    wanted = {rule["record"] for rule in rules if "trading_" in rule["expr"]}

    def missing() -> set[str]:
        held = prometheus_query(day, f'count by (__name__) ({{service_name="{SERVICE}"}})')
        return wanted - {one["metric"]["__name__"] for one in held} - NOT_ON_THAT_DAY

    wait_until(lambda: not missing(), 15, f"names of theirs, at first without {sorted(missing())}")
    assert prometheus_query(day, f'api_gateway_service_health_status{{job="{SERVICE}"}}')
