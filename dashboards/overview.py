"""The overview board: eight questions, the first five answered on the first screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import dashboard

from dashboards import _board
from dashboards import _house as house
from dashboards.panels import (
    accounts,
    backtest,
    first_look,
    health,
    market_data,
    money,
    orders,
    plumbing,
    risk,
    strategy,
    telemetry,
    venue,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from grafana_foundation_sdk.models import dashboard as model

UID: Final = "otel-trading-overview"


def build() -> model.Dashboard:
    """Return the overview board."""
    board = _board.new(
        UID, "Trading overview", "Money, orders, data, venue, strategy and telemetry of one or all bots."
    )
    for title, panels in _ROWS.items():
        if title:
            board.with_row(dashboard.Row(title))
        for panel in panels:
            board.with_panel(panel())
    return _board.finished(board)


#: The panels by row; the first screen has no title, which would cost a line of it.
_ROWS: Final[dict[str, tuple[Callable[[], house.Panel], ...]]] = {
    "": (
        first_look.session_pnl,
        first_look.equity,
        first_look.drawdown,
        first_look.fills,
        first_look.late_strategies,
        first_look.feed_age,
        first_look.connections,
        first_look.orders_get_through,
        first_look.acknowledgement,
        first_look.limits_used,
        first_look.alerts,
    ),
    "Money": (
        money.equity_curve,
        money.pnl_by_strategy,
        money.session_pnl,
        money.drawdown,
        money.exposure,
        money.open_positions,
        money.positions,
        money.limits,
    ),
    "Risk and reconciliation": (
        risk.kill_switches,
        risk.activations,
        risk.checks,
        risk.value_at_risk,
        risk.active_breaks,
        risk.break_age,
        risk.discrepancy,
        risk.breaks_found,
        risk.runs,
    ),
    "Portfolio statistics and accounts": (
        accounts.statistics,
        accounts.returns,
        accounts.session_returns,
        accounts.converted_equity,
        accounts.balances,
        accounts.margin,
        accounts.leverage,
        accounts.liquidation_distance,
        accounts.funding_rate,
        accounts.funding,
    ),
    "Orders and fills": (
        orders.requests,
        orders.acknowledgement,
        orders.rejected_share,
        orders.transitions,
        orders.request_duration,
        orders.rejections,
        orders.active,
        orders.fill_duration,
        orders.unacknowledged_age,
        orders.rate_max,
        orders.intents,
        orders.intents_active,
        orders.intent_lag,
        orders.fills,
        orders.slippage,
        orders.slippage_size,
        orders.shortfall,
        orders.markout,
        orders.notional,
        orders.fees,
        orders.closures,
        orders.trade_return,
        orders.holding_time,
    ),
    "Market data and connections": (
        market_data.age,
        market_data.messages,
        market_data.delay,
        market_data.gaps,
        market_data.resyncs,
        market_data.uptime,
        market_data.reconnects,
        market_data.ping,
        market_data.fetches,
        market_data.fetches_failed,
        market_data.quality,
    ),
    "Venue": (
        venue.latency,
        venue.latency_by_operation,
        venue.errors,
        venue.budget_share,
        venue.budget,
        venue.refusals,
        venue.waits,
        venue.session,
        venue.clock_offset,
        venue.credentials,
    ),
    "Strategy": (
        strategy.status,
        strategy.heartbeat,
        strategy.iteration,
        strategy.uptime,
        strategy.signals,
        strategy.signal_execution,
        strategy.tick_to_trade,
        strategy.indicators,
    ),
    "Resilience": (
        health.checks,
        health.breakers,
        health.breaker_transitions,
        health.check_duration,
        health.breaker_calls,
        health.breaker_call_duration,
        health.retries,
        health.operations,
        health.operations_failed,
    ),
    "Plumbing": (
        plumbing.cache_hits,
        plumbing.cache_requests,
        plumbing.cache_size,
        plumbing.events,
        plumbing.events_failed,
        plumbing.queue,
        plumbing.handler_duration,
    ),
    "Backtest": (
        backtest.results,
        backtest.duration,
        backtest.runs,
    ),
    "Telemetry": (
        telemetry.dropped,
        telemetry.folded,
        telemetry.export_duration,
        telemetry.exports_failed,
        telemetry.collector_queue,
    ),
}
