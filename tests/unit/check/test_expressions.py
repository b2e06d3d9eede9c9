"""What is wrong with an expression, in the words that a user reads."""

from __future__ import annotations

import pytest

from otel_trading.check.expressions import complaints
from otel_trading.check.names import Names

LIVE = '{trading_mode="live"}'
AGE, REQUESTS = "trading_market_data_age_seconds", "trading_order_requests_total"
BUCKETS, PNL = "trading_order_request_duration_seconds_bucket", "trading_portfolio_session_pnl"
LISTING = "all of them: otel-trading metrics"


def said(expression: str, names: Names | None = None) -> list[str]:
    return [complaint.text for complaint in complaints(expression, names or Names())]


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        (
            f"trading_order_request_total{LIVE} > 1",
            f"there is no series trading_order_request_total (did you mean {REQUESTS}?); {LISTING}",
        ),
        (
            f"increase(tradng_order_requests_total{LIVE}[5m]) > 1",
            f"there is no series tradng_order_requests_total (did you mean {REQUESTS}?); {LISTING}",
        ),
        (
            "trading_order_fill_duration_seconds > 1",
            (
                "there is no series trading_order_fill_duration_seconds (did you mean "
                "trading_order_fill_duration_seconds_bucket or trading_order_fill_duration_seconds_count or "
                f"trading_order_fill_duration_seconds_sum?); {LISTING}"
            ),
        ),
        (
            "trading:threshold_in_force:daily_los",
            (
                "there is no series trading:threshold_in_force:daily_los (did you mean "
                f"trading:threshold_in_force:daily_loss?); {LISTING}"
            ),
        ),
        (
            '{__name__=~"trading_.*"}',
            "a selector without a name reads every series there is; put the name of one series before the braces",
        ),
        (
            f"sum by (strategy) (trading_portfolio_drawdown_ratio{LIVE})",
            (
                "trading_portfolio_drawdown_ratio has no label strategy (did you mean trading_strategy_name?); it has "
                "trading_account_id, trading_instrument_symbol, trading_mode, "
                "trading_strategy_name, trading_venue_name: "
                "take one of them or none"
            ),
        ),
        (
            'trading_kill_switch_activations_total{trading_mode="live",trading_order_side="buy"}',
            (
                "trading_kill_switch_activations_total has no label trading_order_side; it has trading_account_id, "
                "trading_instrument_symbol, trading_kill_switch_scope, trading_kill_switch_trigger, trading_mode, "
                "trading_strategy_name, trading_venue_name: take one of them or none"
            ),
        ),
        (
            f"{AGE}{LIVE} > on (trading_venue) group_left () up",
            (
                "there is no label trading_venue (did you mean trading_venue_name?); "
                "all of them: otel-trading metrics --markdown"
            ),
        ),
        (
            f"{AGE}{LIVE} > on (desk) group_left () trading:threshold_in_force:market_data_age_seconds",
            "there is no label desk; all of them: otel-trading metrics --markdown",
        ),
        (
            'trading_connection_status{trading_mode="live",trading_connection_state="lost"}',
            (
                "trading_connection_state is never 'lost'; allowed are connecting, connected, degraded, disconnected: "
                "take one of them"
            ),
        ),
        (
            f'{AGE}{{trading_mode="live",trading_data_kind=~"quote|tradee"}}',
            (
                "trading_data_kind is never 'tradee' (did you mean trade?); allowed are trade, quote, order_book, bar, "
                "ticker, funding, account, news, other: take one of them"
            ),
        ),
        (
            f'{AGE}{{trading_mode="live",trading_data_kind=~"(qoute.*)"}}',
            (
                "trading_data_kind is never '(qoute.*)'; allowed are trade, quote, order_book, bar, "
                "ticker, funding, account, news, other: take one of them"
            ),
        ),
        (
            f'{AGE}{{trading_mode=~"live|paper"}} > 3',
            f'{AGE} is not limited to one mode, so that a backtest counts as live; write {AGE}{{trading_mode="live"}}',
        ),
        (
            f"{REQUESTS}{LIVE} > 5",
            (
                f"{REQUESTS} is a counter: it only grows and starts again with the process, so that its value says "
                f"nothing; use rate({REQUESTS}[5m]) or increase"
            ),
        ),
        (
            f"rate({AGE}{LIVE}[5m])",
            f"{AGE} is a gauge, and rate takes each fall of it for a restart; use the value itself, delta or deriv",
        ),
        (
            f"sum by (job) ({PNL}{LIVE}) < 0",
            f"{PNL} is added up over currencies; keep them apart: by (trading_currency_code, ...)",
        ),
        (
            f"histogram_quantile(0.9, sum by (job) (rate({BUCKETS}{LIVE}[5m])))",
            f"{BUCKETS} loses le, without which its buckets say nothing; keep it: by (le, ...)",
        ),
        (
            "min(trading:threshold:order_rejection_ratio)",
            (
                "trading:threshold:order_rejection_ratio without its scope mixes defaults with overrides; "
                "read trading:threshold_in_force:order_rejection_ratio, which is the one that holds"
            ),
        ),
        (
            "sum(rate(mine_retries_total[5m])",
            (
                "this is no PromQL: unclosed left parenthesis, got 'sum(rate(mine_retries_total[5m])'; "
                "allowed is what Prometheus evaluates: correct it"
            ),
        ),
        (
            'up{a="1" or b="2"}',
            (
                "this is no PromQL: unexpected 'or' between label matchers, expected ',', got "
                '\'up{a="1" or b="2"}\'; '
                "allowed is what Prometheus evaluates: correct it"
            ),
        ),
    ],
)
def test_a_bad_expression_is_refused(expression: str, sentence: str) -> None:
    assert sentence in said(expression)


@pytest.mark.parametrize(
    "expression",
    [
        f"sum by (job, trading_currency_code) ({PNL}{LIVE}) < -500",
        f'sum({PNL}{{trading_mode="live",trading_currency_code="USD"}}) < -500',
        f"histogram_quantile(0.9, sum by (le) (rate({BUCKETS}{LIVE}[5m]))) > 1",
        f"absent({REQUESTS}{LIVE})",
        f"count by (job) ({REQUESTS}{LIVE}) > 3",
        'trading_backtest_sharpe_ratio{trading_strategy_name="a"} < 1',
        # Labels that another series brings, and those that the expression makes.
        f"sum by (desk) ({AGE}{LIVE} * on (job) group_left (desk) desk_info)",
        f'label_replace({AGE}{LIVE}, "short", "$1", "trading_venue_name", "(.).*")',
        # What only says whether another series counts is not aggregated with it.
        f"max by (trading_data_source) ({AGE}{LIVE} unless on (job, instance) trading_sdk_running{LIVE} == 0)",
        # Series and labels of one's own.
        "sum by (reason) (rate(mybot_rebalances_total[5m])) > 1",
        'mine:open_orders:limit{desk="a"}',
        'rate(http_server_request_duration_seconds_count{http_route="/"}[5m])',
        # Missing labels are matched by the empty value, and a regular expression by any value that it fits.
        f'{AGE}{{trading_mode="live",trading_data_kind=~"|quote"}}',
        f'{AGE}{{trading_mode="live",trading_data_kind!~"(quo|ord).+"}}',
        # Grafana's variables.
        f'topk($n, sum by ($group) (rate({REQUESTS}{{trading_mode="$mode",trading_order_side=~"$side"}}[$__range])))',
        f'avg_over_time({AGE}{{trading_mode="${{mode}}"}}[${{window}}:$step] offset $delay) * $__interval_ms',
    ],
)
def test_a_good_expression_passes(expression: str) -> None:
    assert said(expression) == []


def test_strict_refuses_what_nobody_declares() -> None:
    assert said("mybot_rebalances > 1", Names(strict=True)) == [f"there is no series mybot_rebalances; {LISTING}"]


def test_what_a_rule_records_is_known() -> None:
    names = Names(strict=True).and_rules([{"record": "mybot:rebalances", "expr": "1", "labels": {"desk": "a"}}])

    assert said('sum by (desk) (mybot:rebalances{desk="a"}) * on (desk) group_left () up', names) == []


@pytest.mark.parametrize(
    ("expression", "complained"),
    [
        (f'sum by (trading_mode) (rate({REQUESTS}{{trading_mode=~".+"}}[5m]))', False),
        (f'sum by (job) (rate({REQUESTS}{{trading_mode=~".+"}}[5m]))', True),
        (f"sum by (trading_mode) (rate({REQUESTS}[5m]))", True),
    ],
)
def test_modes_stand_side_by_side_only_where_they_are_recorded(expression: str, *, complained: bool) -> None:
    def mode(*, recorded: bool) -> bool:
        return "mode" in {complaint.kind for complaint in complaints(expression, Names(), recorded=recorded)}

    assert mode(recorded=True) is complained
    assert mode(recorded=False)
