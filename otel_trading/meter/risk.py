"""Risk: limits, pre-trade checks, the kill switch, and whether our books agree with the venue's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, spans, trackers
from otel_trading._attributes import OTHER, AttributeSet, Keywords
from otel_trading._guard import guarded, lose
from otel_trading._numbers import number
from otel_trading._timer import Timer, error_type
from otel_trading.semconv import attributes as a
from otel_trading.semconv import risk as metrics
from otel_trading.semconv import spans as declared

if TYPE_CHECKING:
    from otel_trading._numbers import Number
    from otel_trading._timer import Close
    from otel_trading.trackers.reconciliation import Comparing, View

__all__ = ["kill_switch_changed", "reconciled", "risk_checked", "risk_limit", "value_at_risk"]

_LIMIT: Final = Keywords(
    "risk_limit", name=a.RISK_LIMIT, unit=a.LIMIT_UNIT, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT
)
_MONEY_LIMIT: Final = Keywords(
    "risk_limit (unit=currency)",
    name=a.RISK_LIMIT,
    unit=a.LIMIT_UNIT,
    currency=a.CURRENCY,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_AT_RISK: Final = Keywords("value_at_risk", currency=a.CURRENCY, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT)
_CHECK: Final = Keywords(
    "risk_checked",
    check=a.RISK_CHECK,
    outcome=a.RISK_OUTCOME,
    symbol=a.SYMBOL,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_SWITCH: Final = Keywords(
    "kill_switch_changed",
    scope=a.KILL_SWITCH_SCOPE,
    state=a.KILL_SWITCH_STATE,
    trigger=a.KILL_SWITCH_TRIGGER,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_RUN: Final = Keywords(
    "reconciled",
    object=a.RECONCILIATION_OBJECT,
    error=a.ERROR_TYPE,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_BY_SYMBOL: Final = Keywords(
    "reconciled (by symbol)",
    object=a.RECONCILIATION_OBJECT,
    symbol=a.SYMBOL,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
#: What a switch does not depend on: pulled inside a strategy's block and released outside, it is still one switch.
_NOT_OF_SCOPE: Final = {"account": (a.STRATEGY,), "venue": (a.STRATEGY,), "global": (a.STRATEGY, a.VENUE)}


@guarded
def risk_limit(
    *,
    name: str,
    limit: Number | None = None,
    usage: Number | None = None,
    unit: a.LimitUnit = "currency",
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State a limit that the bot enforces, and how much of it is used; alerts then compare with the bot's own limit.

    Args:
        name: daily_loss, drawdown, max_order_value ...
        limit: The limit in force; a loss limit is positive.
        usage: How much is used, in the same unit; a loss is positive.
        unit: currency, ratio, order, message or quantity.
        currency: ISO 4217 or venue asset code, for unit=currency.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: the event `trading.risk.limit_breached` when the limit is reached; feeds `trading.risk.usage`, `.limit`,
    `.utilization`.
    """
    used = None if usage is None else number(usage, "usage")
    allowed = None if limit is None else number(limit, "limit", minimum=0)
    if unit == "currency":
        attributes = _MONEY_LIMIT.resolve(name, unit, currency, venue, strategy, account)
        if not attributes.get(a.CURRENCY):
            lose("invalid_value", "risk_limit(unit='currency') has no currency. Pass currency= or another unit=.")
            return
    else:
        attributes = _LIMIT.resolve(name, unit, venue, strategy, account)
    trackers.default().limits.set(attributes, used, allowed)


@guarded
def value_at_risk(
    *,
    value: Number,
    currency: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """State the value at risk of 95 % confidence over one day, which the bot or its risk desk reckons.

    Args:
        value: The loss that is exceeded on one day in twenty; a loss is positive.
        currency: ISO 4217 or venue asset code.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.risk.value_at_risk`.
    """
    worth = number(value, "value")
    attributes = _AT_RISK.resolve(currency, venue, strategy, account)
    if not attributes.get(a.CURRENCY):
        lose("invalid_value", "value_at_risk() has no currency. Pass currency= or set OTEL_TRADING_CURRENCY.")
    elif worth is not None:
        trackers.default().limits.at_risk(attributes, worth)


@guarded
def risk_checked(
    *,
    check: str,
    outcome: a.RiskOutcome = "pass",
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count a pre-trade check of the bot's own; say `order_denied` too for the order that it stopped.

    Args:
        check: price_collar, max_order_value, max_messages ...
        outcome: pass, deny or warn.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.risk.checks`.
    """
    attributes = _CHECK.resolve(check, outcome, symbol, venue, strategy, account)
    instruments.of(metrics.CHECKS).record(1, attributes)


@guarded
def kill_switch_changed(
    *,
    scope: a.KillSwitchScope,
    state: a.KillSwitchState,
    trigger: a.KillSwitchTrigger = "manual",
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Enter a kill switch into a state; say `armed` at the start, so that its absence can be told from its silence.

    Args:
        scope: strategy, account, venue or global; a switch of the account or the venue carries no strategy, a global
            one no venue either.
        state: armed, reducing (only closing orders) or halted.
        trigger: What pulled it: manual, daily_loss, drawdown, error_rate, stale_data, heartbeat or regulator.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.kill_switch.activations`, for each step towards halted, and the event `trading.kill_switch.changed`;
    feeds `trading.kill_switch.status`.
    """
    said = _SWITCH.resolve(scope, state, trigger, venue, strategy, account)
    foreign = _NOT_OF_SCOPE.get(said.values[a.KILL_SWITCH_SCOPE.name], ())
    attributes = said.without(a.KILL_SWITCH_STATE, a.KILL_SWITCH_TRIGGER, *foreign)
    entered, by = said.values[a.KILL_SWITCH_STATE.name], said.values[a.KILL_SWITCH_TRIGGER.name]
    trackers.default().kill_switches.changed(attributes, entered, by)


@guarded
def reconciled(
    *,
    object: a.ReconciliationObject,  # noqa: A002  the convention's word
    local: View | None = None,
    at_venue: View | None = None,
    comparer: Comparing | None = None,
    seconds: Number | None = None,
    error: str | BaseException | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Compare what we have with what the venue has: counts new breaks, ages the known, resolves those that are gone.

    Both views are numbers by symbol (positions, balances), records by id, a sequence of records, or a function that
    returns one of these; it is called here and its time counts. A record has any of `id`, `symbol`, `quantity`, `price`
    and `status`, as keys or attributes. In asyncio fetch first and pass `seconds=`; if that failed, pass `error=`.
    A run that fails changes no break: one that was not looked at is not resolved.

    Args:
        object: order, fill, position or balance.
        local: What we have.
        at_venue: What the venue has.
        comparer: `trackers.reconciliation.Comparer` with your tolerances, or a function `(object, local, venue)` that
            returns breaks.
        seconds: What you measured yourself, in addition.
        error: Why there is nothing to compare: an exception, a code, or None.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.reconciliation.duration`, `.breaks`, an event for each break that is found or resolved, and the span
    `trading.reconciliation.run`; feeds `.break.active`, `.break.age`, `.discrepancy`.
    """
    before = 0.0 if seconds is None else number(seconds, "seconds", minimum=0) or 0.0
    names = (venue, strategy, account)
    attributes = _RUN.resolve(object, None, *names)
    compared = attributes.get(a.RECONCILIATION_OBJECT)
    if compared is None:
        lose("invalid_value", f"reconciled(object={object!r}) says nothing. Pass what is compared: order, fill ...")
    if compared in {None, OTHER}:
        return

    def start() -> Close:
        return spans.start(declared.RECONCILIATION, attributes).enter().close

    def finish(took: float, failure: str | None) -> None:
        run = attributes if failure is None else _RUN.resolve(object, failure, *names)
        instruments.of(metrics.RECONCILIATION_DURATION).record(before + took, run)

    def by_symbol(symbol: str) -> AttributeSet:
        return _BY_SYMBOL.resolve(object, symbol, *names)

    if error is not None:
        finish(0.0, error_type(error))
        return
    with Timer(finish, start):
        trackers.default().reconciliation.compare(attributes, local, at_venue, comparer, by_symbol)
