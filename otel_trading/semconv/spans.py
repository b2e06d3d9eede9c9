"""Spans: how long a thing took and what it was part of, one trace per order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import completed
from otel_trading.semconv._signals import Span, SpanKind

if TYPE_CHECKING:
    from otel_trading.semconv._model import Attribute, Use

__all__ = ["ALL", "BACKTEST", "EXECUTION", "FETCH", "ITERATION", "LIFECYCLE", "ORDER", "RECONCILIATION"]


def _span(  # noqa: PLR0917  a declaration reads as a row of a table
    name: str,
    kind: SpanKind,
    brief: str,
    attributes: tuple[Attribute | Use, ...],
    note: str = "",
    detail: Attribute | None = None,
    pending: str = "",
) -> Span:
    return Span(name, brief, completed(attributes, a.COMMON), note, pending, kind, detail)


ITERATION: Final = _span(
    "trading.strategy.iteration",
    SpanKind.INTERNAL,
    "One loop of a strategy.",
    (a.conditional(a.ERROR_TYPE), a.opt_in(a.STRATEGY_VERSION)),
    "Sample it by ratio: OTEL_TRACES_SAMPLER=parentbased_traceidratio, OTEL_TRACES_SAMPLER_ARG=0.1.",
)
ORDER: Final = _span(
    "trading.order",
    SpanKind.CLIENT,
    "One order message, from the call to the venue's reply.",
    (
        a.required(a.ORDER_OPERATION),
        a.conditional(a.ORDER_CLIENT_ID),
        a.conditional(a.ERROR_TYPE),
        a.SYMBOL,
        a.ORDER_SIDE,
        a.ORDER_TYPE,
        a.TIME_IN_FORCE,
        a.INSTRUMENT_TYPE,
        a.opt_in(a.POST_ONLY),
        a.opt_in(a.ORDER_ID),
    ),
    "Parent of the HTTP span; a message that is only sent, without waiting for a reply, has no length.",
    detail=a.ORDER_OPERATION,
)
LIFECYCLE: Final = _span(
    "trading.order.lifecycle",
    SpanKind.INTERNAL,
    "One order, from sending it to the state that ends it.",
    (
        a.required(a.ORDER_STATUS),
        a.required(a.ORDER_CLIENT_ID),
        a.SYMBOL,
        a.ORDER_SIDE,
        a.ORDER_TYPE,
        a.opt_in(a.ORDER_ID),
        a.opt_in(a.ORDER_VENUE_ID),
    ),
    "Emitted at its end, with one span event per status and links to its iteration and requests, in the trace of its "
    "first request; kept whatever the sampler says when it was rejected, denied, lost or slow to be acknowledged.",
)
EXECUTION: Final = _span(
    "trading.execution.process",
    SpanKind.CONSUMER,
    "Handling of one fill.",
    (
        a.conditional(a.ORDER_CLIENT_ID),
        a.SYMBOL,
        a.ORDER_SIDE,
        a.ORDER_TYPE,
        a.LIQUIDITY,
        a.CURRENCY,
        a.conditional(a.ERROR_TYPE),
        a.opt_in(a.EXECUTION_ID),
        a.opt_in(a.POSITION_ID),
    ),
    "In the trace of its order, found by client order id, whichever thread or task it arrives on; linked to what it "
    "arrived in.",
)
RECONCILIATION: Final = _span(
    "trading.reconciliation.run",
    SpanKind.INTERNAL,
    "One comparison of our books with the venue's.",
    (a.required(a.RECONCILIATION_OBJECT), a.conditional(a.ERROR_TYPE)),
)
BACKTEST: Final = _span(
    "trading.backtest.run",
    SpanKind.INTERNAL,
    "One backtest.",
    (a.required(a.BACKTEST_ID), a.TIMEFRAME, a.conditional(a.ERROR_TYPE)),
)
FETCH: Final = _span(
    "trading.market_data.fetch",
    SpanKind.CLIENT,
    "One fetch of history or of a snapshot.",
    (a.required(a.DATA_SOURCE), a.conditional(a.ERROR_TYPE)),
    "Parent of the HTTP span.",
)

#: Every span of the convention.
ALL: Final = tuple(value for value in list(globals().values()) if isinstance(value, Span))
