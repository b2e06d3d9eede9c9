"""The metric names of five older systems: each is recreated by a rule, is ours as well, or says why not."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from otel_trading.check import promql
from otel_trading.semconv import BY_SERIES, Kind, venue
from otel_trading.semconv import attributes as a

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final[list[dict[str, Any]]] = [
    rule
    for group in yaml.safe_load((ROOT / "alerts" / "rules" / "compatibility.yaml").read_text())["groups"]
    for rule in group["rules"]
]
RECORDED: Final = {rule["record"] for rule in RULES}
PROVEN: Final = {
    case["expr"]
    for file in (ROOT / "tests" / "rules").glob("compatibility.*.test.yaml")
    for test in yaml.safe_load(file.read_text())["tests"]
    for case in test["promql_expr_test"]
}
#: What contrib's instrumentations and the Collector's receivers send, by name and by the labels that the rules read.
FOREIGN: Final = {
    **{
        f"http_server_request_duration_seconds_{end}": {
            "http_request_method",
            "http_route",
            "http_response_status_code",
        }
        for end in ("bucket", "count", "sum")
    },
    "process_memory_usage_bytes": set[str](),
    "system_cpu_utilization_ratio": {"cpu", "state"},
    "system_memory_utilization_ratio": {"state"},
    "redis_clients_connected": set[str](),
    "postgresql_backends": set[str](),
    "db_client_operation_duration_seconds_count": {"db_system_name"},
    "db_client_operation_duration_seconds_bucket": {"db_system_name", "le"},
}
#: Their counters and gauges, by id.
SINGLE: Final = {
    "S1-01": "api_gateway_requests_total",
    "S1-03": "api_gateway_service_health_status",
    "S1-04": "api_gateway_rate_limit_exceeded_total",
    "S1-06": "core_indicator_calculation_total",
    "S1-07": "core_memory_usage_bytes",
    "S1-09": "trading_signal_generation_total",
    "S1-11": "trading_active_positions",
    "S1-12": "trading_position_pnl",
    "S1-13": "trading_portfolio_value",
    "S1-14": "trading_drawdown_percentage",
    "S1-16": "backtest_execution_total",
    "S1-17": "backtest_sharpe_ratio",
    "S1-18": "backtest_max_drawdown",
    "S1-19": "backtest_total_return",
    "S1-20": "data_fetch_total",
    "S1-22": "data_cache_hit_ratio",
    "S1-23": "data_cache_size_bytes",
    "S1-24": "data_quality_score",
    "S1-25": "service_requests_total",
    "S2-01": "order_intents_created_total",
    "S2-02": "order_intents_duplicate_total",
    "S2-03": "order_intents_error_total",
    "S2-04": "order_intents_pending",
    "S2-05": "order_intents_planned",
    "S2-06": "order_intents_ready",
    "S2-07": "order_intents_sent",
    "S2-12": "daily_pnl",
    "S2-13": "position_reconciliation_discrepancy",
    "S2-14": "avg_slippage_pct",
    "S3-01": "trading_trades_executed_total",
    "S3-02": "trading_total_pnl",
    "S3-03": "trading_win_rate",
    "S3-04": "trading_total_return_pct",
    "S3-05": "trading_max_drawdown",
    "S3-06": "trading_sharpe_ratio",
    "S3-07": "trading_avg_slippage_bps",
    "S3-08": "trading_daily_loss",
    "S3-09": "trading_portfolio_value",
    "S3-10": "trading_cumulative_return",
    "S3-11": "system_cpu_usage",
    "S3-12": "system_memory_usage",
    "S3-14": "system_api_errors_total",
    "S3-16": "redis_connected_clients",
    "S3-17": "redis_memory_used_bytes",
    "S3-18": "postgres_connections",
    "S3-19": "postgres_slow_queries_total",
    "S4-01": "circuit_breaker_state",
    "S4-02": "circuit_breaker_transitions_total",
    "S4-03": "circuit_breaker_failures_total",
    "S4-04": "circuit_breaker_successes_total",
    "S4-06": "event_bus_events_published_total",
    "S4-07": "event_bus_events_processed_total",
    "S4-08": "event_bus_queue_size",
    "S4-10": "event_bus_subscribers_gauge",
}
#: Their histograms, by id.
HISTOGRAMS: Final = {
    "S1-02": "api_gateway_request_duration_seconds",
    "S1-05": "core_indicator_calculation_duration_seconds",
    "S1-08": "core_vectorization_duration_seconds",
    "S1-10": "trading_signal_execution_duration_seconds",
    "S1-15": "backtest_execution_duration_seconds",
    "S1-21": "data_fetch_duration_seconds",
    "S1-25 too": "service_request_latency",
    "S2-08": "api_request_duration_seconds",
    "S3-13": "system_request_latency_ms",
    "S3-15": "system_request_duration_seconds",
    "S4-05": "circuit_breaker_latency_seconds",
    "S4-09": "event_bus_processing_duration_seconds",
}
#: Rows of theirs that are metrics and have no name to recreate.
NAMELESS: Final = {
    "helpers that named no series": ["S0-01", "S0-02", "S0-03", "S0-04", "S0-05", "S0-06", "S0-09", "S0-10", "S0-11"],
    "read by eye, no name given": ["S0-07", "S0-08", "S0-12", "S0-13"],
    "planned there, never named": ["S2-09", "S2-10", "S2-11"],
}
SERIES: Final = {
    **SINGLE,
    **{f"{row} {end}": name + end for row, name in HISTOGRAMS.items() for end in ("_bucket", "_count", "_sum")},
}
#: Names of theirs that are the names of ours, or of a receiver that we recommend.
EQUAL: Final = {*BY_SERIES, "redis_memory_used_bytes"}
COUNTED: Final = re.compile(r"\w+_(total|bucket|count|sum)")
VALUES: Final = {attribute.prometheus: attribute.values for attribute in a.ALL.values()}
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["record"])


@pytest.mark.parametrize("row", SERIES)
def test_every_name_of_theirs_is_recreated_or_ours_as_well(row: str) -> None:
    there = (SERIES[row] in RECORDED) + (SERIES[row] in EQUAL)

    assert there == 1, SERIES[row]


def test_nothing_else_is_recreated_and_every_metric_row_is_dealt_with() -> None:
    nameless = [row for rows in NAMELESS.values() for row in rows]

    assert set(SERIES.values()) >= RECORDED
    assert len({*SINGLE, *HISTOGRAMS, *nameless}) == len(SINGLE) + len(HISTOGRAMS) + len(nameless) == 82


@each_rule
def test_a_rule_selects_what_is_there(rule: dict[str, Any]) -> None:
    query = promql.read(rule["expr"])

    assert query.selectors
    for selector in query.selectors:
        metric = BY_SERIES.get(selector.name)
        own = {attribute.prometheus for attribute in metric.attributes} if metric else FOREIGN[selector.name]
        assert {matcher.label for matcher in selector.matchers} <= own | {"le"}
        for matcher in selector.matchers:
            given = matcher.value.split("|") if "~" in matcher.operator else [matcher.value]
            assert not VALUES.get(matcher.label) or set(given) <= {*VALUES[matcher.label], ""}
        live = selector.value("trading_mode") == "live"
        assert live is (metric is not None and not selector.name.startswith("trading_backtest_"))
    known = {*VALUES, *(label for labels in FOREIGN.values() for label in labels)}
    assert query.labels - query.made <= known | {"le"}


@each_rule
def test_a_label_read_stands_on_the_metric(rule: dict[str, Any]) -> None:
    query = promql.read(rule["expr"])
    own = {
        attribute.prometheus
        for selector in query.selectors
        for attribute in (BY_SERIES[selector.name].attributes if selector.name in BY_SERIES else ())
    }
    own |= {label for selector in query.selectors for label in FOREIGN.get(selector.name, ())}

    assert query.labels - query.made <= own | {"le"}


@each_rule
def test_a_counter_is_renamed_and_never_aggregated(rule: dict[str, Any]) -> None:
    for selector in promql.read(rule["expr"]).selectors:
        metric = BY_SERIES.get(selector.name)
        counts = metric.kind in {Kind.COUNTER, Kind.HISTOGRAM} if metric else bool(COUNTED.fullmatch(selector.name))
        if COUNTED.fullmatch(rule["record"]):
            assert counts, "a counter of theirs comes from a counter of ours"
            assert set(selector.functions) <= {"label_join", "label_replace"}
            assert not selector.aggregations, "a restart would be counted as traffic"
        else:
            assert counts is ("rate" in selector.functions)


@each_rule
def test_every_label_is_kept_but_the_one_that_theirs_never_had(rule: dict[str, Any]) -> None:
    dropped = {
        label
        for selector in promql.read(rule["expr"]).selectors
        for around in selector.aggregations
        for label in (around.labels if around.without else {"everything else"})
    }
    allowed = {
        a.PNL_TYPE.prometheus,  # theirs is the total
        a.POSITION_SIDE.prometheus,
        a.DIRECTION.prometheus,  # theirs is signed
        a.CACHE_OUTCOME.prometheus,  # theirs is the ratio
        a.CACHE_LEVEL.prometheus,
        "cpu",
        "state",
        *(name for name in VALUES if name.endswith("circuit_breaker_state")),  # theirs is a code
    }

    assert dropped <= allowed


@each_rule
def test_every_rule_is_proven(rule: dict[str, Any]) -> None:
    assert [query for query in PROVEN if re.search(rf"\b{rule['record']}\b", query)]


def test_the_buckets_in_milliseconds_are_all_of_ours() -> None:
    rules = [rule for rule in RULES if rule["record"] == "system_request_latency_ms_bucket"]
    named = [float(rule.get("labels", {}).get("le", "inf")) for rule in rules]
    read = [promql.read(rule["expr"]).selectors[0].matchers for rule in rules]
    ours = [next(m.value for m in matchers if m.label == "le").split("|")[0] for matchers in read]

    assert named == [*(bound * 1000 for bound in venue.REQUEST_DURATION.boundaries), float("inf")]
    assert [float(bound) * 1000 for bound in ours] == named
