"""Writes the overview's PromQL from semconv records: one expression for every figure, one for every curve.

Each part is told apart by the label `figure`, so that a refresh asks once and not thirty times.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading.semconv import Level, execution, market_data, order, portfolio, risk, sdk, strategy
from otel_trading.semconv import attributes as a
from otel_trading.semconv.prometheus import label_name

if TYPE_CHECKING:
    from otel_trading.semconv import Attribute, Metric

__all__ = ["FIGURE", "SERVICE", "WINDOW", "Filters", "curves", "figures"]

FIGURE: Final = "figure"
SERVICE: Final = label_name("service.name")
#: Orders and losses of telemetry speak of so long.
WINDOW: Final = "5m"
_CANARY: Final = "otel_trading_canary_time_seconds"
_NEW: Final = {a.ORDER_OPERATION: "new"}
#: What our own checks or a client library denied stands in no request.
_REFUSED: Final = {a.REJECT_SOURCE: "venue|broker"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What is shown; None is everything.

    Args:
        mode: One at a time: paper money and real money never meet in a sum.
        strategy: Name.
        venue: Name.
        service: `service.name` of a bot.
    """

    mode: str = "live"
    strategy: str | None = None
    venue: str | None = None
    service: str | None = None

    @property
    def labels(self) -> dict[str, str]:
        """What was chosen, by label."""
        chosen = {a.STRATEGY.prometheus: self.strategy, a.VENUE.prometheus: self.venue, SERVICE: self.service}
        return {label: value for label, value in chosen.items() if value is not None}

    def select(self, metric: Metric, part: str = "", where: dict[Attribute, str] | None = None) -> str:
        """Return the selector of a metric; a series without an optional label stays, as on the boards."""
        always = {use.attribute.prometheus: use.level is Level.REQUIRED for use in metric.uses} | {SERVICE: True}
        matchers = [f"{a.MODE.prometheus}={_quoted(self.mode)}"]
        matchers += [
            f"{label}={_quoted(value)}" if always[label] else f"{label}=~{_quoted(re.escape(value) + '|')}"
            for label, value in self.labels.items()
            if label in always
        ]
        if a.CURRENCY_CONVERTED in metric.attributes:
            matchers.append(f'{a.CURRENCY_CONVERTED.prometheus}!="true"')  # the same money once more, converted
        for attribute, value in (where or {}).items():
            matchers.append(f"{attribute.prometheus}{'=~' if '|' in value else '='}{_quoted(value)}")
        return f"{metric.prometheus}{part}{{{', '.join(matchers)}}}"


def figures(chosen: Filters) -> str:
    """Return the one expression of every figure."""
    beat = (SERVICE, a.STRATEGY)
    feed = (a.DATA_SOURCE, a.DATA_KIND, a.CONNECTION)
    position = (a.SYMBOL, a.STRATEGY, a.VENUE)
    limit = (a.RISK_LIMIT, a.LIMIT_UNIT, a.STRATEGY, a.ACCOUNT)
    connection = (a.VENUE, a.CONNECTION, a.CONNECTION_STATE)
    acknowledged = _over(order.ACKNOWLEDGEMENT_DURATION, chosen, "_bucket", ("le",))
    return _union(
        equity=_now(portfolio.VALUE, chosen),
        session_pnl=_now(portfolio.SESSION_PNL, chosen),
        drawdown=_now(portfolio.DRAWDOWN, chosen, how="max"),
        exposure=_now(portfolio.EXPOSURE, chosen, (a.EXPOSURE_TYPE,)),
        quantity=_now(portfolio.POSITION_QUANTITY, chosen, position),
        position_pnl=_now(portfolio.POSITION_PNL, chosen, position),
        usage=_now(risk.USAGE, chosen, limit, "max"),
        limit=_now(risk.LIMIT, chosen, limit, "max"),
        utilization=_now(risk.UTILIZATION, chosen, limit, "max"),
        kill_switch=_now(risk.KILL_SWITCH_STATUS, chosen, (a.KILL_SWITCH_SCOPE, a.KILL_SWITCH_STATE)) + " > 0",
        strategy=_now(strategy.STATUS, chosen, (*beat, a.STRATEGY_STATE)) + " > 0",
        heartbeat=f"time() - {_now(strategy.HEARTBEAT_TIME, chosen, beat, 'min')}",  # the one that stands still
        period=_now(strategy.HEARTBEAT_PERIOD, chosen, beat, "max"),
        feed=_now(market_data.AGE, chosen, feed, "max"),
        feed_allowed=f"min by ({a.DATA_KIND.prometheus}) (trading:threshold_in_force:market_data_age_seconds)",
        connection=_now(market_data.CONNECTION_STATUS, chosen, connection) + " > 0",
        sent=_over(order.REQUESTS, chosen, where=_NEW),
        rejected=_over(order.REJECTIONS, chosen, where=_REFUSED),
        fills=_over(execution.FILLS, chosen),
        acknowledged=f"histogram_quantile(0.95, {acknowledged})",
        canary=f"time() - max({_CANARY})",
        canary_allowed="min(trading:threshold_in_force:canary_age_seconds)",
        lost=_over(sdk.DROPPED, chosen),
        # Which modes have anything at all: an empty picture can then say which one to ask for.
        mode=f"group by ({a.MODE.prometheus}) ({strategy.STATUS.prometheus} or {order.REQUESTS.prometheus} "
        f"or {portfolio.VALUE.prometheus} or {market_data.AGE.prometheus})",
    )


def curves(chosen: Filters) -> str:
    """Return the one expression of every sparkline."""
    return _union(equity=_now(portfolio.VALUE, chosen), session_pnl=_now(portfolio.SESSION_PNL, chosen))


def _union(**parts: str) -> str:
    return " or ".join(f'label_replace({part}, "{FIGURE}", "{name}", "", "")' for name, part in parts.items())


def _by(metric: Metric, by: tuple[Attribute | str, ...]) -> str:
    labels = [label if isinstance(label, str) else label.prometheus for label in by]
    if a.CURRENCY in metric.attributes:
        labels.append(a.CURRENCY.prometheus)  # money of two currencies is never added
    return f"by ({', '.join(labels)}) " if labels else ""


def _now(metric: Metric, chosen: Filters, by: tuple[Attribute | str, ...] = (), how: str = "sum") -> str:
    return f"{how} {_by(metric, by)}({chosen.select(metric)})"


def _over(
    metric: Metric,
    chosen: Filters,
    part: str = "",
    by: tuple[Attribute | str, ...] = (),
    where: dict[Attribute, str] | None = None,
) -> str:
    return f"sum {_by(metric, by)}(increase({chosen.select(metric, part, where)}[{WINDOW}]))"


def _quoted(text: str) -> str:
    """Return a string as PromQL writes it; its escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False)
