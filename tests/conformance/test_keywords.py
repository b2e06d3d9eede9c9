"""One word may mean different attributes in different helpers: the one table says which, and is true."""

from __future__ import annotations

import inspect
from typing import Final

import pytest

from otel_trading import backtest, meter, semconv
from otel_trading._attributes import WORDS, Keywords
from otel_trading._carried import IDS
from otel_trading.semconv import attributes as a

ROWS: Final = [(helper, row) for helper, row in sorted(Keywords.table.items()) if helper != "row"]
#: What a helper says itself: the block its error, the verb its outcome.
_BY_ID: Final = {"status", "side", "type", "strategy", "account"}  # a known order brings them itself
SAID_BY_THE_HELPER: Final = {
    "timed": {"error"},
    "iteration": {"error"},
    "indicator": {"error"},
    "venue_call": {"error"},
    "rate_limit_wait": {"error"},
    "market_data_fetch": {"error"},
    "order_request": {"error"},
    "cache_hit": {"outcome"},
    "funding_paid": {"direction"},
    "funding_received": {"direction"},
    "cache_missed": {"outcome"},
    "before_sleep": {"error"},
    "event_handler": {"error"},
    "backtest.run": {"error"},
    "order_acknowledged": _BY_ID,
    "order_canceled": _BY_ID,
    "order_expired": _BY_ID,
    "order_denied": {"source"},
    "reconciled (by symbol)": {"symbol"},
    "intent_ended": {"state", "venue", "symbol", "strategy", "account"},  # its id brings all of them
}
#: Parameters that are no attributes: figures, times, ids, and what the helper turns into an attribute itself.
FIGURES: Final = frozenset({
    "at_venue", "benchmark_price", "boundaries", "calendar", "channel", "client_id", "comparer", "complete", "debt",
    "decision_price", "description", "execution_id", "expected_price", "fee", "filled", "free", "intent_id",
    "inverse", "last_price", "limit", "local", "multiplier", "ok", "order_id", "original_client_id", "period",
    "position_id", "price",
    "quantity", "rate", "ratio", "received", "remaining", "reporting_currency", "result", "score", "seconds",
    "sequence", "session", "signal_id", "signed_price", "symbols", "time", "until", "usage", "used", "value",
    "venue_order_id", "venue_time",
})  # fmt: skip
#: What watchers attach to, and how a run ends.
ATTACHED: Final = {"breaker", "bus", "enabled", "flush", "process", "publish", "queue_size", "size", "subscribers"}
NOT_RECORDING: Final = {
    "counter", "gauge", "histogram", "up_down_counter", "defaults", "scope", "portfolio_snapshot", "restore_portfolio",
}  # fmt: skip


def _helper(name: str) -> str:
    return name.split(" ", 1)[0]  # `risk_limit (unit=currency)` is a second row of risk_limit


def _parameters(helper: str) -> set[str]:
    function = backtest.run if helper == "backtest.run" else getattr(meter, helper)
    return set(inspect.signature(function).parameters)


@pytest.mark.parametrize(("helper", "row"), ROWS, ids=[helper for helper, _ in ROWS])
def test_a_row_belongs_to_a_helper_and_its_keywords_are_parameters(helper: str, row: Keywords) -> None:
    assert _helper(helper) in {*meter.__all__, "backtest.run"}
    said = SAID_BY_THE_HELPER.get(helper, set())
    assert set(row.attributes) - said <= _parameters(_helper(helper))


@pytest.mark.parametrize("helper", sorted({*meter.__all__, "backtest.run"} - NOT_RECORDING))
def test_every_parameter_is_an_attribute_of_the_table_or_a_figure(helper: str) -> None:
    rows = [row for name, row in ROWS if _helper(name) == helper]
    known = {keyword for row in rows for keyword in row.attributes}

    assert rows, f"{helper} has no row in the table. Name it in its Keywords."
    assert _parameters(helper) - known <= FIGURES | ATTACHED


@pytest.mark.parametrize(("helper", "row"), ROWS, ids=[helper for helper, _ in ROWS])
def test_common_words_mean_the_same_in_every_helper(helper: str, row: Keywords) -> None:
    del helper
    assert all(row.attributes.get(word, attribute) is attribute for word, attribute in WORDS.items())


@pytest.mark.parametrize(("helper", "row"), ROWS, ids=[helper for helper, _ in ROWS])
def test_every_attribute_of_a_row_stands_in_the_convention(helper: str, row: Keywords) -> None:
    del helper
    assert all(a.ALL[attribute.name] is attribute for attribute in row.attributes.values())


def test_every_attribute_of_the_convention_can_be_said_or_is_derived() -> None:
    said = {attribute for _, row in ROWS for attribute in row.attributes.values()}
    derived = {
        a.MODE,  # of the process
        a.ORDER_STAGE, a.DIRECTION, a.MARKOUT_HORIZON, a.POSITION_SIDE, a.EXPOSURE_TYPE, a.HEALTH_STATE,  # from figures
        a.BREAK_TYPE,  # by the comparer
        a.BALANCE_STATE, a.WINDOW, a.CURRENCY_CONVERTED,
        a.SDK_ATTRIBUTE, a.SDK_REASON,  # our own health
    }  # fmt: skip
    carried = {attribute for metric in semconv.ALL for attribute in metric.attributes}
    carried |= {attribute for span in semconv.spans.ALL for attribute in span.attributes}
    carried |= {attribute for event in semconv.events.ALL for attribute in event.attributes}
    ids = {attribute for attribute in carried if attribute.name in IDS.values()}
    assert ids == {a.ALL[name] for name in IDS.values()}

    assert carried - ids == said | derived
