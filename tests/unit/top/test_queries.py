from __future__ import annotations

import promql_parser
import pytest

from otel_trading.semconv import BY_SERIES, portfolio, sdk, strategy
from otel_trading.top.queries import Filters, curves, figures

NASTY = Filters("paper", strategy='a"b\\c{}|.*', venue="株式", service="bot 1")


@pytest.mark.parametrize("chosen", [Filters(), NASTY])
def test_the_expressions_are_promql(chosen: Filters) -> None:
    for expression in (figures(chosen), curves(chosen)):
        assert promql_parser.parse(expression)


def test_a_required_label_is_matched_exactly_and_an_optional_one_may_be_missing() -> None:
    assert NASTY.select(sdk.DROPPED) == 'trading_sdk_dropped_total{trading_mode="paper", service_name="bot 1"}'
    value = NASTY.select(portfolio.VALUE)
    assert r'trading_strategy_name=~"a\"b\\\\c\\{\\}\\|\\.\\*|"' in value
    assert 'trading_currency_converted!="true"' in value
    assert 'service_name="bot 1"' in NASTY.select(strategy.STATUS)


def test_what_never_left_is_no_share_of_what_was_sent() -> None:
    assert 'trading_order_reject_source=~"venue|broker"' in figures(Filters())


def test_money_keeps_its_currency_and_everything_keeps_its_mode() -> None:
    for part in figures(Filters()).split("label_replace(")[1:]:
        money = [
            name for name, metric in BY_SERIES.items() if f"({name}{{" in part and "{currency}" in str(metric.unit)
        ]
        assert not money or "trading_currency_code) " in part, part
        assert "trading_mode" in part or "canary" in part or "threshold_in_force" in part
