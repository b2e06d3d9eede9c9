"""From samples to the numbers on the board: sums, states, and rates between an earlier fetch and this one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv import execution, market_data, order, portfolio, risk, sdk, strategy, venue

if TYPE_CHECKING:
    from otel_trading.demo.board.source import Sample, Samples
    from otel_trading.semconv import Attribute, Metric

__all__ = ["SHOWN", "Connection", "Feed", "Figures", "Position", "figures", "quantile"]

#: Every metric that stands on the board.
SHOWN: Final = (
    portfolio.VALUE, portfolio.SESSION_PNL, portfolio.DRAWDOWN,
    portfolio.POSITION_QUANTITY, portfolio.POSITION_PNL, risk.LIMIT, risk.USAGE,
    order.REQUESTS, order.REJECTIONS, execution.FILLS, execution.SLIPPAGE,
    venue.REQUEST_DURATION, venue.RATE_LIMIT_UTILIZATION, venue.RATE_LIMIT_REJECTIONS,
    market_data.AGE, market_data.MESSAGES, market_data.GAPS, market_data.CONNECTION_STATUS,
    market_data.CONNECTION_RECONNECTS, strategy.STATUS, strategy.ITERATION_DURATION, sdk.DROPPED, sdk.EXPORT_DURATION,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Position:
    """One open position: signed size, P&L in its currency."""

    symbol: str
    quantity: float
    pnl: float


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed: what it carries on which connection, seconds since its last message, messages per second."""

    connection: str
    kind: str
    age: float
    rate: float


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection and its state."""

    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What the board shows; None where nothing has arrived."""

    equity: float | None
    session_pnl: float | None
    drawdown: float | None
    loss_usage: float | None
    loss_limit: float | None
    positions: tuple[Position, ...]
    orders: float
    order_rate: float
    rejections: float
    reasons: tuple[tuple[str, float], ...]
    fills: float
    fill_rate: float
    slippage: float | None
    latency: float | None
    loop: float | None
    rate_limit: float | None
    rate_limited: float
    feeds: tuple[Feed, ...]
    gaps: float
    connections: tuple[Connection, ...]
    reconnects: float
    state: str
    dropped: float
    exports: float
    failed_exports: float


def figures(now: Samples, before: Samples) -> Figures:
    """Turn two fetches into the board's numbers.

    Args:
        now: The latest.
        before: One of some seconds earlier; rates and quantiles speak of the time between.
    """
    return Figures(
        equity=now.total(portfolio.VALUE),
        session_pnl=now.total(portfolio.SESSION_PNL),
        drawdown=_largest(now, portfolio.DRAWDOWN),
        loss_usage=now.total(risk.USAGE, **_DAILY_LOSS),
        loss_limit=now.total(risk.LIMIT, **_DAILY_LOSS),
        positions=_positions(now),
        orders=now.total(order.REQUESTS, **_NEW) or 0.0,
        order_rate=_rate(now, before, order.REQUESTS, **_NEW),
        rejections=now.total(order.REJECTIONS) or 0.0,
        reasons=tuple(sorted(_by(now, order.REJECTIONS, a.REJECT_REASON).items(), key=lambda row: -row[1])),
        fills=now.total(execution.FILLS) or 0.0,
        fill_rate=_rate(now, before, execution.FILLS),
        slippage=_slippage(now),
        latency=quantile(0.95, now, before, venue.REQUEST_DURATION),
        loop=quantile(0.95, now, before, strategy.ITERATION_DURATION),
        rate_limit=_largest(now, venue.RATE_LIMIT_UTILIZATION),
        rate_limited=now.total(venue.RATE_LIMIT_REJECTIONS) or 0.0,
        feeds=_feeds(now, before),
        gaps=now.total(market_data.GAPS) or 0.0,
        connections=_connections(now),
        reconnects=now.total(market_data.CONNECTION_RECONNECTS) or 0.0,
        state=next((_label(row, a.STRATEGY_STATE) for row in now.of(strategy.STATUS) if row.value == 1), "unknown"),
        dropped=now.total(sdk.DROPPED) or 0.0,
        exports=now.total(sdk.EXPORT_DURATION, "_count") or 0.0,
        failed_exports=sum(row.value for row in now.of(sdk.EXPORT_DURATION, "_count") if _label(row, a.ERROR_TYPE)),
    )


_DAILY_LOSS: Final = {a.RISK_LIMIT.prometheus: "daily_loss"}
_NEW: Final = {a.ORDER_OPERATION.prometheus: "new"}


def quantile(share: float, now: Samples, before: Samples, metric: Metric) -> float | None:
    """Return a quantile of what a histogram took between two fetches, as Prometheus' histogram_quantile does.

    Args:
        share: 0 to 1.
        now: The latest fetch.
        before: The earlier one.
        metric: A histogram.
    """
    earlier = _buckets(before, metric)
    counts = sorted((bound, count - earlier.get(bound, 0.0)) for bound, count in _buckets(now, metric).items())
    if not counts or counts[-1][1] <= 0:
        return None
    rank = share * counts[-1][1]
    low, below = 0.0, 0.0
    for bound, count in counts:
        if count >= rank:
            return low if bound == float("inf") else low + (bound - low) * (rank - below) / (count - below)
        low, below = bound, count
    return None


def _buckets(samples: Samples, metric: Metric) -> dict[float, float]:
    buckets: dict[float, float] = defaultdict(float)
    for sample in samples.of(metric, "_bucket"):
        buckets[float(sample.labels["le"])] += sample.value
    return buckets


def _rate(now: Samples, before: Samples, metric: Metric, **labels: str) -> float:
    seconds = now.time - before.time
    grown = (now.total(metric, **labels) or 0.0) - (before.total(metric, **labels) or 0.0)
    return max(grown, 0.0) / seconds if before and seconds > 0 else 0.0


def _largest(samples: Samples, metric: Metric) -> float | None:
    return max((sample.value for sample in samples.of(metric)), default=None)


def _label(sample: Sample, attribute: Attribute) -> str:
    return sample.labels.get(attribute.prometheus, "")


def _by(samples: Samples, metric: Metric, attribute: Attribute) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    for sample in samples.of(metric):
        sums[_label(sample, attribute)] += sample.value
    return sums


def _positions(now: Samples) -> tuple[Position, ...]:
    pnl = _by(now, portfolio.POSITION_PNL, a.SYMBOL)
    quantities = _by(now, portfolio.POSITION_QUANTITY, a.SYMBOL)
    return tuple(Position(symbol, quantity, pnl[symbol]) for symbol, quantity in sorted(quantities.items()))


def _slippage(now: Samples) -> float | None:
    """Return the signed mean: what was worse than expected minus what was better, per fill."""
    count = now.total(execution.SLIPPAGE, "_count")
    if not count:
        return None
    adverse, favorable = (
        now.total(execution.SLIPPAGE, "_sum", **{a.DIRECTION.prometheus: way}) or 0.0
        for way in ("adverse", "favorable")
    )
    return (adverse - favorable) / count


def _feeds(now: Samples, before: Samples) -> tuple[Feed, ...]:
    feeds = [
        Feed(
            connection=_label(row, a.CONNECTION),
            kind=_label(row, a.DATA_KIND),
            age=row.value,
            rate=_rate(
                now,
                before,
                market_data.MESSAGES,
                **{key.prometheus: _label(row, key) for key in (a.CONNECTION, a.DATA_KIND)},
            ),
        )
        for row in now.of(market_data.AGE)
    ]
    return tuple(sorted(feeds, key=lambda feed: (feed.connection, feed.kind)))


def _connections(now: Samples) -> tuple[Connection, ...]:
    rows = [row for row in now.of(market_data.CONNECTION_STATUS) if row.value == 1]
    return tuple(
        sorted((Connection(_label(row, a.CONNECTION), _label(row, a.CONNECTION_STATE)) for row in rows), key=str)
    )
