"""Events: log records with a name, one for each thing that somebody will want to read about afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import completed
from otel_trading.semconv._signals import Event, Severity

if TYPE_CHECKING:
    from otel_trading.semconv._model import Attribute, Use

__all__ = [
    "ALL",
    "BACKTEST_COMPLETED",
    "BREAKER_STATE_CHANGED",
    "BREAK_FOUND",
    "BREAK_RESOLVED",
    "CONNECTION_STATE_CHANGED",
    "EXECUTION_FILLED",
    "INSTRUMENT_STATUS_CHANGED",
    "KILL_SWITCH_CHANGED",
    "MARKET_DATA_GAP_DETECTED",
    "ORDER_REJECTED",
    "ORDER_STATUS_CHANGED",
    "RISK_LIMIT_BREACHED",
    "SESSION_ROLLED",
    "STRATEGY_STATE_CHANGED",
]


def _event(  # noqa: PLR0917  a declaration reads as a row of a table
    name: str,
    severity: Severity,
    brief: str,
    attributes: tuple[Attribute | Use, ...],
    note: str = "",
    pending: str = "",
) -> Event:
    return Event(name, brief, completed(attributes, a.COMMON), note, pending, severity)


ORDER_STATUS_CHANGED: Final = _event(
    "trading.order.status_changed",
    Severity.INFO,
    "An order entered a state.",
    (
        a.required(a.ORDER_STATUS),
        a.conditional(a.ORDER_CLIENT_ID),
        a.ORDER_SIDE,
        a.ORDER_TYPE,
        a.opt_in(a.ORDER_ID),
        a.opt_in(a.ORDER_VENUE_ID),
    ),
    "An error when the order is lost (FIX 39).",
)
ORDER_REJECTED: Final = _event(
    "trading.order.rejected",
    Severity.WARN,
    "Somebody said no to an order.",
    (
        a.required(a.REJECT_SOURCE),
        a.required(a.REJECT_REASON),
        a.conditional(a.ORDER_CLIENT_ID),
        a.ORDER_SIDE,
        a.ORDER_TYPE,
        a.opt_in(a.ORDER_ID),
        a.opt_in(a.ORDER_VENUE_ID),
    ),
    "Denied by our own check (source=risk) or rejected by the venue (source=venue, FIX 39=8, 103).",
)
EXECUTION_FILLED: Final = _event(
    "trading.execution.filled",
    Severity.INFO,
    "The venue reported an execution.",
    (
        a.conditional(a.ORDER_CLIENT_ID),
        a.ORDER_SIDE,
        a.ORDER_TYPE,
        a.LIQUIDITY,
        a.CURRENCY,
        a.opt_in(a.EXECUTION_ID),
        a.opt_in(a.POSITION_ID),
    ),
)
KILL_SWITCH_CHANGED: Final = _event(
    "trading.kill_switch.changed",
    Severity.ERROR,
    "A kill switch entered a state.",
    (a.required(a.KILL_SWITCH_SCOPE), a.required(a.KILL_SWITCH_STATE), a.conditional(a.KILL_SWITCH_TRIGGER)),
)
RISK_LIMIT_BREACHED: Final = _event(
    "trading.risk.limit_breached",
    Severity.WARN,
    "A limit was reached.",
    (a.required(a.RISK_LIMIT), a.required(a.LIMIT_UNIT), a.conditional(a.CURRENCY)),
)
BREAK_FOUND: Final = _event(
    "trading.reconciliation.break_found",
    Severity.ERROR,
    "Our books and the venue's differ.",
    (
        a.required(a.RECONCILIATION_OBJECT),
        a.required(a.BREAK_TYPE),
        a.opt_in(a.ORDER_CLIENT_ID),
        a.opt_in(a.EXECUTION_ID),
    ),
)
BREAK_RESOLVED: Final = _event(
    "trading.reconciliation.break_resolved",
    Severity.INFO,
    "Our books and the venue's agree again.",
    (
        a.required(a.RECONCILIATION_OBJECT),
        a.required(a.BREAK_TYPE),
        a.opt_in(a.ORDER_CLIENT_ID),
        a.opt_in(a.EXECUTION_ID),
    ),
)
CONNECTION_STATE_CHANGED: Final = _event(
    "trading.connection.state_changed",
    Severity.INFO,
    "A connection entered a state.",
    (
        a.required(a.CONNECTION),
        a.required(a.CONNECTION_STATE),
        a.required(a.TRANSPORT),
        a.conditional(a.ERROR_TYPE),
    ),
)
MARKET_DATA_GAP_DETECTED: Final = _event(
    "trading.market_data.gap_detected",
    Severity.WARN,
    "Sequence numbers of a feed skipped.",
    (a.required(a.DATA_SOURCE), a.DATA_KIND, a.CONNECTION),
)
INSTRUMENT_STATUS_CHANGED: Final = _event(
    "trading.instrument.status_changed",
    Severity.INFO,
    "An instrument or its whole venue entered a trading status.",
    (a.required(a.TRADING_STATUS),),
    "Told by the venue; the hours of a calendar are no news.",
)
STRATEGY_STATE_CHANGED: Final = _event(
    "trading.strategy.state_changed",
    Severity.INFO,
    "A strategy entered a state.",
    (a.required(a.STRATEGY_STATE),),
)
BACKTEST_COMPLETED: Final = _event(
    "trading.backtest.completed",
    Severity.INFO,
    "A backtest came to its end.",
    (a.required(a.BACKTEST_ID), a.TIMEFRAME, a.conditional(a.ERROR_TYPE)),
)
BREAKER_STATE_CHANGED: Final = _event(
    "trading.resilience.circuit_breaker.state_changed",
    Severity.INFO,
    "A circuit breaker entered a state.",
    (a.required(a.BREAKER), a.required(a.BREAKER_STATE)),
)
SESSION_ROLLED: Final = _event(
    "trading.session.rolled",
    Severity.INFO,
    "A trading session ended and the next one began.",
    (a.CURRENCY,),
    "Per account, strategy and currency; told with the first collection of the next one.",
)

#: Every event of the convention.
ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Event))
