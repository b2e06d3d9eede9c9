"""One refresh: two expressions and the alerts, turned into what is drawn or printed as JSON."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading.semconv import attributes as a
from otel_trading.top import alerts, queries
from otel_trading.top.queries import FIGURE, SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_trading.semconv import Attribute
    from otel_trading.top.alerts import Alert
    from otel_trading.top.prometheus import Prometheus, Row
    from otel_trading.top.queries import Filters

__all__ = [
    "Connection",
    "Feed",
    "Limit",
    "Money",
    "Monitoring",
    "Orders",
    "Picture",
    "Position",
    "Strategy",
    "look",
]

_CURVE: Final = (3_600, 60)
#: A loop is late after so many of its periods, as on the boards.
_LATE: Final = 3


@dataclass(frozen=True, slots=True)
class Money:
    """One currency; its figures are never added to those of another."""

    currency: str
    equity: float | None
    session_pnl: float | None
    exposure: dict[str, float]
    equity_curve: tuple[float, ...]
    session_pnl_curve: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Position:
    """One open position: signed size, and P&L by currency."""

    symbol: str
    strategy: str
    venue: str
    quantity: float
    pnl: dict[str, float]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit and how much of it is used, in its unit."""

    name: str
    unit: str
    strategy: str
    account: str
    currency: str
    usage: float | None
    limit: float | None
    utilization: float | None


@dataclass(frozen=True, slots=True)
class Strategy:
    """One strategy of one bot: seconds since its last finished loop, and how many are usual."""

    service: str
    name: str
    state: str
    heartbeat_age: float | None
    period: float | None

    @property
    def late(self) -> bool:
        """Whether its loop should have turned by now."""
        return bool(self.heartbeat_age and self.period and self.heartbeat_age > _LATE * self.period)


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed: seconds since its last message, and how many the strictest alert allows."""

    source: str
    kind: str
    connection: str
    age: float
    allowed: float | None


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection in one state; two bots may differ."""

    venue: str
    name: str
    state: str


@dataclass(frozen=True, slots=True)
class Orders:
    """The last five minutes: new orders, what was rejected, fills, seconds until 95 of 100 were acknowledged."""

    sent: float
    rejected: float
    rejected_share: float | None
    fills: float
    acknowledgement_p95: float | None


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The path itself: seconds since the canary came through, measurements lost, whether rules are evaluated."""

    canary_age: float | None
    canary_allowed: float | None
    lost: float
    rules: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that one refresh shows; None where nothing has arrived.

    Args:
        at: Unix seconds.
        modes: Every mode of which there is anything.
    """

    at: float
    modes: tuple[str, ...]
    money: tuple[Money, ...]
    drawdown: float | None
    positions: tuple[Position, ...]
    limits: tuple[Limit, ...]
    kill_switches: tuple[tuple[str, str], ...]
    strategies: tuple[Strategy, ...]
    feeds: tuple[Feed, ...]
    connections: tuple[Connection, ...]
    orders: Orders
    alerts: tuple[Alert, ...]
    monitoring: Monitoring

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing of what was chosen."""
        return not (self.money or self.positions or self.strategies or self.feeds or self.connections or self.limits)


def look(prometheus: Prometheus, chosen: Filters) -> Picture:
    """Ask Prometheus three times and return the picture.

    Raises:
        StackError: Prometheus does not answer.
    """
    rows = _Rows(prometheus.now(queries.figures(chosen)))
    curves = _Rows(prometheus.lately(queries.curves(chosen), *_CURVE))
    rules = prometheus.alerts()
    about = chosen.labels | {a.MODE.prometheus: chosen.mode}
    return Picture(
        at=time.time(),
        modes=tuple(sorted(filter(None, (_of(row, a.MODE) for row in rows.of("mode"))))),
        money=_money(rows, curves),
        drawdown=rows.one("drawdown"),
        positions=_positions(rows),
        limits=_limits(rows),
        kill_switches=tuple(
            sorted((_of(row, a.KILL_SWITCH_SCOPE), _of(row, a.KILL_SWITCH_STATE)) for row in rows.of("kill_switch"))
        ),
        strategies=_strategies(rows),
        feeds=_feeds(rows),
        connections=tuple(
            Connection(*(_of(row, key) for key in (a.VENUE, a.CONNECTION, a.CONNECTION_STATE)))
            for row in sorted(rows.of("connection"), key=_order)
        ),
        orders=_orders(rows),
        alerts=tuple(alerts.current(rules, **about)),
        monitoring=Monitoring(
            canary_age=rows.one("canary"),
            canary_allowed=rows.one("canary_allowed"),
            lost=rows.one("lost") or 0.0,
            rules=any(row["labels"]["alertname"] in alerts.NO_NEWS for row in rules),
        ),
    )


class _Rows:
    """A reply by figure; what is no number (a quantile of nothing) is left out."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._by: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            if not math.isnan(row.values[-1]):
                self._by[row.labels.get(FIGURE, "")].append(row)

    def of(self, figure: str) -> list[Row]:
        return self._by.get(figure, [])

    def one(self, figure: str) -> float | None:
        return next((row.values[-1] for row in self.of(figure)), None)

    def by(self, figure: str, *keys: Attribute | str) -> dict[tuple[str, ...], float]:
        return {tuple(_of(row, key) for key in keys): row.values[-1] for row in self.of(figure)}

    def curve(self, figure: str, currency: str) -> tuple[float, ...]:
        return next((row.values for row in self.of(figure) if _of(row, a.CURRENCY) == currency), ())


def _of(row: Row, key: Attribute | str) -> str:
    return row.labels.get(key if isinstance(key, str) else key.prometheus, "")


def _order(row: Row) -> list[str]:
    return [row.labels[key] for key in sorted(row.labels)]


def _money(rows: _Rows, curves: _Rows) -> tuple[Money, ...]:
    equity, session = rows.by("equity", a.CURRENCY), rows.by("session_pnl", a.CURRENCY)
    exposure: dict[str, dict[str, float]] = defaultdict(dict)
    for (currency, kind), value in sorted(rows.by("exposure", a.CURRENCY, a.EXPOSURE_TYPE).items()):
        exposure[currency][kind] = value
    return tuple(
        Money(
            currency=currency,
            equity=equity.get((currency,)),
            session_pnl=session.get((currency,)),
            exposure=exposure.get(currency, {}),
            equity_curve=curves.curve("equity", currency),
            session_pnl_curve=curves.curve("session_pnl", currency),
        )
        for currency in sorted(
            {key[0] for key in (*equity, *session)} | set(exposure), key=lambda code: ((code,) not in equity, code)
        )
    )


def _positions(rows: _Rows) -> tuple[Position, ...]:
    keys = (a.SYMBOL, a.STRATEGY, a.VENUE)
    pnl: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for (*key, currency), value in sorted(rows.by("position_pnl", *keys, a.CURRENCY).items()):
        pnl[tuple(key)][currency] = value
    held = sorted(rows.by("quantity", *keys).items())
    return tuple(Position(key[0], key[1], key[2], value, pnl.get(key, {})) for key, value in held if value)


def _limits(rows: _Rows) -> tuple[Limit, ...]:
    keys = (a.RISK_LIMIT, a.LIMIT_UNIT, a.STRATEGY, a.ACCOUNT, a.CURRENCY)
    usage, limit, share = (rows.by(figure, *keys) for figure in ("usage", "limit", "utilization"))
    found = (
        Limit(key[0], key[1], key[2], key[3], key[4], usage.get(key), limit.get(key), share.get(key))
        for key in sorted({*usage, *limit, *share})
    )
    return tuple(sorted(found, key=lambda one: -(one.utilization or 0.0)))  # the nearest first


def _strategies(rows: _Rows) -> tuple[Strategy, ...]:
    keys = (SERVICE, a.STRATEGY)
    age, period = rows.by("heartbeat", *keys), rows.by("period", *keys)
    state = {tuple(_of(row, key) for key in keys): _of(row, a.STRATEGY_STATE) for row in rows.of("strategy")}
    return tuple(
        Strategy(key[0], key[1], state.get(key, "unknown"), age.get(key), period.get(key))
        for key in sorted({*age, *state})
    )


def _feeds(rows: _Rows) -> tuple[Feed, ...]:
    allowed = rows.by("feed_allowed", a.DATA_KIND)
    found = rows.by("feed", a.DATA_SOURCE, a.DATA_KIND, a.CONNECTION).items()
    feeds = (Feed(key[0], key[1], key[2], age, allowed.get(key[1:2])) for key, age in found)
    return tuple(sorted(feeds, key=lambda feed: -feed.age))  # the oldest first


def _orders(rows: _Rows) -> Orders:
    sent, rejected = rows.one("sent") or 0.0, rows.one("rejected") or 0.0
    return Orders(
        sent=sent,
        rejected=rejected,
        rejected_share=rejected / sent if sent else None,
        fills=rows.one("fills") or 0.0,
        acknowledgement_p95=rows.one("acknowledged"),
    )
