"""Limits, venues, strategies and health: trackers that hold the last word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit_support import Clock, attributes, losses, series

from otel_trading.semconv import attributes as a
from otel_trading.trackers import HealthTracker, LimitTracker, StrategyTracker, VenueTracker, _tables

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

LIMIT = attributes(risk_limit="daily_loss", limit_unit="currency", currency="USD", account="acct")
BUDGET = attributes(rate_limit="request_weight", venue="kraken")
STRATEGY = attributes(strategy="momentum")
CHECK = attributes(health_check="order_api")


def test_a_limit_shows_usage_limit_and_share(capmeter: CapturingMeter) -> None:
    limits = LimitTracker()
    limits.set(LIMIT, None, 200.0)
    limits.set(LIMIT, 50.0, None)

    assert capmeter.value("trading.risk.usage", currency="USD") == 50
    assert capmeter.value("trading.risk.limit") == 200
    assert capmeter.value("trading.risk.utilization", limit="daily_loss") == 0.25
    capmeter.assert_conforms()


def test_usage_alone_is_shown_without_a_share(capmeter: CapturingMeter) -> None:
    limits = LimitTracker()
    limits.set(LIMIT, 50.0, None)

    assert capmeter.value("trading.risk.usage") == 50
    assert capmeter.samples("trading.risk.utilization") == []


def test_a_limit_of_zero_has_no_old_share_left(capmeter: CapturingMeter) -> None:
    limits = LimitTracker()
    limits.set(LIMIT, 50.0, 200.0)
    limits.set(LIMIT, 50.0, 0.0)

    assert capmeter.value("trading.risk.limit") == 0
    assert capmeter.samples("trading.risk.utilization") == []


def test_a_budget_keeps_its_limit_between_headers(capmeter: CapturingMeter) -> None:
    venues = VenueTracker()
    venues.budget(BUDGET, 10, 100)
    venues.budget(BUDGET, 90, None)

    assert capmeter.value("trading.rate_limit.limit") == 100
    assert capmeter.value("trading.rate_limit.utilization", rate_limit="request_weight") == 0.9
    capmeter.assert_conforms()


def test_a_clock_offset_is_signed(capmeter: CapturingMeter) -> None:
    venues = VenueTracker()
    venues.clock(attributes(venue="kraken"), -0.25)

    assert capmeter.value("trading.venue.clock.offset", venue="kraken") == -0.25


def test_a_strategy_that_beats_is_running(capmeter: CapturingMeter) -> None:
    strategies = StrategyTracker(Clock(1234.0), Clock(34.0))
    strategies.beat(STRATEGY, 5.0)

    assert capmeter.value("trading.strategy.heartbeat.time", strategy="momentum") == 1234
    assert capmeter.value("trading.strategy.heartbeat.period") == 5
    assert capmeter.value("trading.strategy.start.time") > 0
    assert series(capmeter, "trading.strategy.status", a.STRATEGY_STATE.name) == {
        "running": 1,
        "paused": 0,
        "reducing": 0,
        "stopped": 0,
    }
    capmeter.assert_conforms()


@pytest.mark.parametrize("step", [3600, -3600])
def test_a_loop_is_as_old_as_the_time_that_passed_wherever_the_clock_was_set(
    capmeter: CapturingMeter, step: float
) -> None:
    clock, passed = Clock(10_000.0), Clock(34.0)
    strategies = StrategyTracker(clock, passed)
    strategies.beat(STRATEGY)
    passed.now += 5
    clock.now += 5 + step

    assert clock.now - capmeter.value("trading.strategy.heartbeat.time") == 5


def test_a_beat_does_not_end_a_pause(capmeter: CapturingMeter) -> None:
    strategies = StrategyTracker()
    strategies.changed(STRATEGY, "paused")
    strategies.beat(STRATEGY)

    assert capmeter.value("trading.strategy.status", state="paused") == 1
    assert capmeter.value("trading.strategy.status", state="running") == 0


def test_a_clean_exit_stops_every_strategy(capmeter: CapturingMeter) -> None:
    strategies = StrategyTracker()
    for name in ("one", "two"):
        strategies.changed(attributes(strategy=name), "running")
    strategies.stop_all()

    assert capmeter.value("trading.strategy.status", state="stopped") == 2
    assert capmeter.value("trading.strategy.status", state="running") == 0


@pytest.mark.parametrize("ok", [True, False])
def test_a_health_check_passes_or_fails(capmeter: CapturingMeter, ok: bool) -> None:  # noqa: FBT001
    health = HealthTracker()
    health.checked(CHECK, ok=not ok)
    health.checked(CHECK, ok=ok, seconds=0.5)

    assert series(capmeter, "trading.resilience.health_check.status", a.HEALTH_STATE.name) == {
        "pass": float(ok),
        "fail": float(not ok),
    }
    assert [row.sum for row in capmeter.samples("trading.resilience.health_check.duration")] == [0.5]
    capmeter.assert_conforms()


def test_tables_are_bounded_and_count_what_they_refuse(
    production: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_tables, "_MAX_ROWS", 2)
    health, venues = HealthTracker(), VenueTracker()

    for number in range(3):
        health.checked(attributes(health_check=str(number)), ok=True)
        venues.clock(attributes(venue=str(number)), 0.0)
    health.checked(attributes(health_check="0"), ok=False)

    assert production.value("trading.resilience.health_check.status", health_check="0", state="fail") == 1
    assert len(production.samples("trading.venue.clock.offset")) == 2
    assert losses(production) == {"series_limit": 2}
