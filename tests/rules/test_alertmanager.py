"""The real Alertmanager with the shipped configuration: what is delivered, and what mutes what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from alert_support import Alertmanager, Endpoints, endpoints
from otel_trading.check import promql
from otel_trading.stack._files import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOST = {"alertname": "VenueConnectionLost", "severity": "critical", "team": "trading"}
STALE = {"alertname": "MarketDataStale", "severity": "critical", "team": "trading"}
REJECTED = {"alertname": "OrderRejectionRateHigh", "severity": "warning", "team": "trading"}
BREACHED = {"alertname": "DailyLossLimitBreached", "severity": "critical", "team": "trading"}
SILENT = {"alertname": "FeedConnectedButSilent", "severity": "critical", "team": "trading"}
BURNT = {"alertname": "DailyLossBudgetBurn", "severity": "critical", "team": "trading"}
ACCOUNT = {"trading_account_id": "acct-1", "trading_currency_code": "USD"}
CONFIG = yaml.safe_load(shipped("alerts/alertmanager.yaml").read_text())
RULES = [
    rule
    for file in sorted(shipped("alerts/rules").glob("*.yaml"))
    for group in yaml.safe_load(file.read_text())["groups"]
    for rule in group["rules"]
]


@pytest.fixture(scope="module")
def services() -> Iterator[Endpoints]:
    with endpoints() as served:
        yield served


@pytest.fixture(scope="module")
def alertmanager(
    alertmanager_binary: Path, services: Endpoints, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Alertmanager]:
    running = Alertmanager(alertmanager_binary, tmp_path_factory.mktemp("alertmanager"), f"{services.url}/file")
    running.render()
    running.start()
    yield running
    running.stop()


@pytest.mark.seed("S1-45")
def test_a_page_reaches_the_webhook_with_its_labels(alertmanager: Alertmanager, services: Endpoints) -> None:
    alertmanager.fire({**BREACHED, "job": "delivery", "service_name": "bot"})
    while (sent := services.take("/file").body)["groupLabels"].get("alertname") != BREACHED["alertname"]:
        pass
    assert sent["receiver"] == "trading-critical"
    assert sent["groupLabels"] == {"alertname": "DailyLossLimitBreached", "service_name": "bot"}
    assert [alert["labels"]["job"] for alert in sent["alerts"]] == ["delivery"]


@pytest.mark.parametrize(
    ("name", "alerts", "muted"),
    [
        (
            "a lost connection mutes stale data of its venue, warnings and context",
            [
                {**LOST, "trading_venue_name": "kraken"},
                {**STALE, "trading_venue_name": "kraken"},
                {**REJECTED, "trading_venue_name": "kraken"},
                {"alertname": "Context", "severity": "info", "trading_venue_name": "kraken"},
            ],
            {"MarketDataStale", "OrderRejectionRateHigh", "Context"},
        ),
        (
            "another venue speaks for itself",
            [
                {**LOST, "trading_venue_name": "kraken"},
                {**STALE, "trading_venue_name": "binance"},
                {**REJECTED, "trading_venue_name": "binance", "trading_strategy_name": "momentum"},
            ],
            {"OrderRejectionRateHigh"},  # by the stale data of binance
        ),
        (
            "a lost connection never mutes what is at risk",
            [
                {**LOST, "trading_venue_name": "kraken"},
                {**BREACHED, "trading_venue_name": "kraken"},
                {**STALE, "alertname": "PositionUnprotected", "trading_venue_name": "kraken"},
                {**STALE, "alertname": "OrderUnacknowledged", "trading_venue_name": "kraken"},
                {**STALE, "alertname": "FeedConnectedButSilent", "trading_venue_name": "kraken"},
            ],
            {"FeedConnectedButSilent"},
        ),
        (
            "a bot that is gone does not hang, its other strategy may",
            [
                {**LOST, "alertname": "TelemetryLost", "trading_strategy_name": "momentum"},
                {**LOST, "alertname": "StrategyHung", "trading_strategy_name": "momentum"},
                {**LOST, "alertname": "NoActivityWhenExpected", "trading_strategy_name": "dip", "severity": "warning"},
                {**STALE, "trading_strategy_name": "momentum"},
            ],
            {"StrategyHung"},
        ),
        (
            "a bot that is gone for one account may hang for another one",
            [
                {**LOST, "alertname": "TelemetryLost", "trading_strategy_name": "m", "trading_account_id": "first"},
                {**LOST, "alertname": "StrategyHung", "trading_strategy_name": "m", "trading_account_id": "second"},
            ],
            set(),
        ),
        (
            "a bot that is gone is gone with all its strategies",
            [
                {**LOST, "alertname": "TelemetryLost"},
                {**LOST, "alertname": "NoActivityWhenExpected", "trading_strategy_name": "dip", "severity": "warning"},
            ],
            {"NoActivityWhenExpected"},
        ),
        ("labels that are missing on both sides are not equal", [LOST, STALE, REJECTED], set()),
        (
            "a page that is not about the venue mutes nothing there",
            [BREACHED, {**REJECTED, "trading_venue_name": "kraken"}],
            set(),
        ),
        (
            "a silent connection mutes what is stale over it and nothing else",
            [
                {**SILENT, "trading_connection_name": "ws"},
                {**STALE, "trading_connection_name": "ws", "trading_data_kind": "trade"},
                {**STALE, "trading_connection_name": "ws", "alertname": "SequenceGapBurst"},
            ],
            {"MarketDataStale"},
        ),
        (
            "stale data over another connection is told",
            [{**SILENT, "trading_connection_name": "ws"}, {**STALE, "trading_connection_name": "rest"}],
            set(),
        ),
        (
            "a breached limit mutes the budget of the same account",
            [{**BREACHED, **ACCOUNT}, {**BURNT, **ACCOUNT}, {**STALE, "alertname": "DrawdownFast", **ACCOUNT}],
            {"DailyLossBudgetBurn"},
        ),
        (
            "and both halves of it, the warning too",
            [{**BREACHED, **ACCOUNT}, {**BURNT, **ACCOUNT, "severity": "warning"}],
            {"DailyLossBudgetBurn"},
        ),
        ("another account's budget is told", [{**BREACHED, **ACCOUNT}, {**BURNT, "trading_account_id": "b"}], set()),
        (
            "another currency's budget is told",
            [{**BREACHED, **ACCOUNT}, {**BURNT, **ACCOUNT, "trading_currency_code": "EUR"}],
            set(),
        ),
        (
            "a strategy over its own limit leaves the budget of its account",
            [{**BREACHED, **ACCOUNT, "trading_strategy_name": "momentum"}, {**BURNT, **ACCOUNT}],
            set(),
        ),
        (
            "a warning never mutes a page",
            [{**REJECTED, "trading_venue_name": "kraken"}, {**STALE, "trading_venue_name": "kraken"}],
            {"OrderRejectionRateHigh"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_mutes_what(alertmanager: Alertmanager, name: str, alerts: list[dict[str, str]], muted: set[str]) -> None:
    alertmanager.fire(*({**labels, "job": name} for labels in alerts))
    assert alertmanager.muted(name, len(alerts)) == muted


def test_another_bot_speaks_for_itself(alertmanager: Alertmanager) -> None:
    alertmanager.fire(
        {**LOST, "job": "one", "trading_venue_name": "kraken"},
        {**STALE, "job": "two", "trading_venue_name": "kraken"},
    )
    assert alertmanager.muted("two", 1) == set()


@pytest.mark.parametrize(
    ("source", "muted"),
    [
        ({"alertname": "TelemetryPathBroken"}, {"MarketDataStale"}),
        ({"alertname": "StackDown", "job": "otel-collector"}, {"MarketDataStale"}),
        ({"alertname": "StackDown", "job": "alertmanager"}, set()),
        ({"alertname": "CollectorExportFailing", "job": "otel-collector"}, set()),  # perhaps another backend only
    ],
    ids=str,
)
def test_a_broken_road_is_one_page_and_not_one_per_bot(
    alertmanager: Alertmanager, source: dict[str, str], muted: set[str]
) -> None:
    name = f"road {source}"
    alertmanager.fire(
        {**STALE, "job": name, "trading_venue_name": "v"},
        {**BREACHED, "job": name, "trading_venue_name": "v"},
        {**source, "severity": "critical", "team": "platform"},
    )
    assert alertmanager.muted(name, 2) == muted
    alertmanager.fire({**source, "severity": "critical", "team": "platform"}, ended=True)


ONLY_BY_NAME = [rule for rule in CONFIG["inhibit_rules"] if "alertname" in str(rule["source_matchers"])]


def _names(matchers: list[str]) -> list[str]:
    """Return the names of alerts that matchers list; as they stand, for a pattern would hide a slip of the pen."""
    (listed,) = re.findall(r'alertname =~? "([^"]+)"', " ".join(matchers))
    return str(listed).split("|")


def _mutings() -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (source, target, tuple(rule.get("equal", ())))
        for rule in ONLY_BY_NAME
        for source in _names(rule["source_matchers"])
        for target in _names(rule["target_matchers"])
    ]


@pytest.mark.parametrize("name", sorted({name for source, target, _ in _mutings() for name in (source, target)}))
def test_what_mutes_and_what_is_muted_is_an_alert(name: str) -> None:
    assert name in {rule.get("alert") for rule in RULES}


@pytest.mark.parametrize(("source", "target", "equal"), _mutings())
def test_both_sides_of_a_muting_have_the_labels_that_it_compares(
    source: str, target: str, equal: tuple[str, ...]
) -> None:
    """What neither can have counts as equal, and would mute across everything that differs in it."""
    for alert in (source, target):
        labels = {label for rule in RULES if rule.get("alert") == alert for label in _labels(rule["expr"])}
        assert set(equal) <= labels, alert


def _labels(expression: str) -> set[str]:
    query = promql.read(expression)
    names = {selector.name for selector in query.selectors}
    inner = [_labels(rule["expr"]) for rule in RULES if rule.get("record") in names]
    return set(query.labels | query.brought).union(*inner)
