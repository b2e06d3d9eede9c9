"""Order intents: created, moved through the bot's own queue, over."""

from __future__ import annotations

from typing import Final

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading.semconv import attributes as a

__all__ = ["intent_created", "intent_ended", "intent_moved"]

_CREATED: Final = Keywords(
    "intent_created",
    outcome=a.INTENT_OUTCOME,
    state=a.INTENT_STATE,
    venue=a.VENUE,
    symbol=a.SYMBOL,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_MOVED: Final = Keywords(
    "intent_moved",
    "intent_ended",
    state=a.INTENT_STATE,
    venue=a.VENUE,
    symbol=a.SYMBOL,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)


@guarded
def intent_created(
    *,
    intent_id: str | None = None,
    state: a.IntentState = "pending",
    outcome: a.IntentOutcome = "created",
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count an order intent: an order that the strategy wants and that nobody has sent yet.

    Args:
        intent_id: The bot's own id; a second one with the same id counts as a duplicate by itself. It never leaves as
            a label.
        state: The state that it starts in: pending, planned, ready or sent.
        outcome: duplicate where the bot caught one itself, error where it could not be created.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.order.intents`; feeds `trading.order.intent.active` and `.intent.lag`.
    """
    attributes = _CREATED.resolve(outcome, state, venue, symbol, strategy, account)
    became, begins = attributes.values[a.INTENT_OUTCOME.name], attributes.values[a.INTENT_STATE.name]
    trackers.default().intents.created(intent_id, attributes.without(a.INTENT_OUTCOME, a.INTENT_STATE), became, begins)


@guarded
def intent_moved(
    *,
    intent_id: str,
    state: a.IntentState,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Enter an order intent into a state; one that nobody created here, as after a restart, is followed from now on.

    Args:
        intent_id: The bot's own id.
        state: pending, planned, ready or sent.
        symbol: Venue or ccxt symbol, when the intent is not known by its id; likewise the following.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.order.intent.active` and `.intent.lag`.
    """
    attributes = _MOVED.resolve(state, venue, symbol, strategy, account)
    moved = attributes.values[a.INTENT_STATE.name]
    trackers.default().intents.moved(intent_id, attributes.without(a.INTENT_STATE), moved)


@guarded
def intent_ended(*, intent_id: str) -> None:
    """End an order intent: its order is over, or it was given up.

    Args:
        intent_id: The bot's own id.

    Emits: nothing by itself; takes the intent out of `trading.order.intent.active` and `.intent.lag`.
    """
    trackers.default().intents.ended(intent_id)
