"""The real Alertmanager with the shipped configuration: what is delivered, and what mutes what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alert_support import Alertmanager, Endpoints, endpoints

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOST = {"alertname": "VenueConnectionLost", "severity": "critical", "team": "trading"}
STALE = {"alertname": "MarketDataStale", "severity": "critical", "team": "trading"}
REJECTED = {"alertname": "OrderRejectionRateHigh", "severity": "warning", "team": "trading"}
BREACHED = {"alertname": "DailyLossLimitBreached", "severity": "critical", "team": "trading"}


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
        ("labels that are missing on both sides are not equal", [LOST, STALE, REJECTED], set()),
        (
            "a page that is not about the venue mutes nothing there",
            [BREACHED, {**REJECTED, "trading_venue_name": "kraken"}],
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
