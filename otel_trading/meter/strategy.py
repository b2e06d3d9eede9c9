"""Strategies: the loop, its signals, its indicators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, spans, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading._timer import Timer, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import spans as declared
from otel_trading.semconv import strategy as metrics

if TYPE_CHECKING:
    from otel_trading._numbers import Number
    from otel_trading._timer import Close

__all__ = ["indicator", "iteration", "signal_emitted", "strategy_state"]

_LOOP: Final = Keywords(
    "iteration",
    error=a.ERROR_TYPE,
    strategy=a.STRATEGY,
    strategy_version=a.STRATEGY_VERSION,
    venue=a.VENUE,
    account=a.ACCOUNT,
)
_STATE: Final = Keywords(
    "strategy_state", state=a.STRATEGY_STATE, strategy=a.STRATEGY, venue=a.VENUE, account=a.ACCOUNT
)
_SIGNAL: Final = Keywords(
    "signal_emitted",
    type=a.SIGNAL_TYPE,
    confidence=a.CONFIDENCE,
    symbol=a.SYMBOL,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_INDICATOR: Final = Keywords(
    "indicator", name=a.INDICATOR, error=a.ERROR_TYPE, symbol=a.SYMBOL, venue=a.VENUE, strategy=a.STRATEGY
)


@timer
def iteration(
    *,
    period: Number | None = None,
    strategy: str | None = None,
    strategy_version: str | None = None,
    venue: str | None = None,
    account: str | None = None,
) -> Timer:
    """Time one loop of a strategy and beat its heart at the end; a `with` block or a decorator.

    A loop that raised is timed with its `error.type` and does not count as a heartbeat.

    Args:
        period: Expected seconds between two loops, so that an alert knows when one is late.
        strategy: Name of the strategy.
        strategy_version: Version of its code, for instance a git commit; on the span.
        venue: ccxt id, ISO 10383 MIC or broker id.
        account: Alias of the account.

    Emits: `trading.strategy.iteration.duration` and the span `trading.strategy.iteration`; feeds
    `trading.strategy.heartbeat.time` and `.period`.
    """

    def start() -> Close:
        return (
            spans.start(declared.ITERATION, _LOOP.find(None, strategy, strategy_version, venue, account)).enter().close
        )

    def finish(seconds: float, error: str | None) -> None:
        attributes = _LOOP.resolve(error, strategy, strategy_version, venue, account)
        instruments.of(metrics.ITERATION_DURATION).record(seconds, attributes)
        if error is None:
            expected = None if period is None else number(period, "period", minimum=0)
            trackers.default().strategies.beat(attributes, expected)

    return Timer(finish, start)


@guarded
def strategy_state(
    *, state: a.StrategyState, strategy: str | None = None, venue: str | None = None, account: str | None = None
) -> None:
    """Enter a strategy into a state; a clean exit enters `stopped` by itself.

    Args:
        state: running, paused, reducing or stopped.
        strategy: Name of the strategy.
        venue: ccxt id, ISO 10383 MIC or broker id.
        account: Alias of the account.

    Emits: the event `trading.strategy.state_changed`; feeds `trading.strategy.status` and `.start.time`.
    """
    attributes = _STATE.resolve(state, strategy, venue, account)
    entered = attributes.values[a.STRATEGY_STATE.name]
    trackers.default().strategies.changed(attributes.without(a.STRATEGY_STATE), entered)


@guarded
def signal_emitted(
    *,
    type: a.SignalType,  # noqa: A002  the convention's word
    confidence: a.Confidence | None = None,
    signal_id: str | None = None,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count a trading signal.

    Args:
        type: buy, sell, hold, close or other.
        confidence: low, medium or high.
        signal_id: Any id of yours, said again to `order_request` or `order_sent`; never leaves as a label.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.signal.emissions`; with `signal_id=` also `trading.signal.execution.duration`, once the venue has an
    order that names it.
    """
    attributes = _SIGNAL.resolve(type, confidence, symbol, venue, strategy, account)
    instruments.of(metrics.SIGNAL_EMISSIONS).record(1, attributes)
    if signal_id is not None:
        trackers.default().signals.emitted(signal_id, attributes)


@timer
def indicator(*, name: str, symbol: str | None = None, venue: str | None = None, strategy: str | None = None) -> Timer:
    """Time one calculation of an indicator; a `with` block or a decorator.

    Args:
        name: Your name of the indicator.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.

    Emits: `trading.indicator.calculation.duration`.
    """

    def finish(seconds: float, error: str | None) -> None:
        attributes = _INDICATOR.resolve(name, error, symbol, venue, strategy)
        instruments.of(metrics.INDICATOR_DURATION).record(seconds, attributes)

    return Timer(finish)
