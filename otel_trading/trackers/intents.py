"""Order intents: what the strategy wants sent, on its way through a queue of the bot's own."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from otel_trading import instruments
from otel_trading._guard import lose
from otel_trading._locks import Lock
from otel_trading.semconv import attributes as a
from otel_trading.semconv import order as metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading._attributes import AttributeSet

__all__ = ["IntentTracker"]

MAX_INTENTS: Final = 10_000
#: For so many ended intents a second submission is still told from a first one.
MAX_ENDED: Final = 1000
_MAX_SEEN: Final = 1000
_WHOLE: Final = metrics.INTENT_LAG.keys - {a.SYMBOL.name}


@dataclass(slots=True)
class _Intent:
    attributes: AttributeSet
    state: str
    since: float


class IntentTracker:
    """A table of intents by their id, bounded to 10,000; the oldest gives way and is counted.

    A row takes about 220 bytes (benchmarks/orders.py).

    Emits `trading.order.intents`; is observed as `trading.order.intent.active` and `.intent.lag`.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._intents: OrderedDict[str, _Intent] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._seen: dict[AttributeSet, None] = {}  # ordered: who ever had an intent keeps its zeros
        instruments.observe(metrics.INTENT_ACTIVE, self._observe_active)
        instruments.observe(metrics.INTENT_LAG, self._observe_lag)

    def created(self, intent_id: str | None, attributes: AttributeSet, outcome: str, state: str) -> None:
        """Count a creation; an id that is in the table, or was lately, makes it a duplicate.

        Args:
            intent_id: The bot's own id, or None: such an intent is counted and not followed.
            attributes: Of the intent.
            outcome: created, duplicate or error; only a created one is followed.
            state: The state that it starts in.
        """
        crowded = False
        with self._lock:
            self._notice(attributes)
            if outcome == "created" and intent_id is not None:
                if intent_id in self._intents or intent_id in self._ended:
                    outcome = "duplicate"
                else:
                    crowded = self._enter(intent_id, attributes, state)
        instruments.of(metrics.INTENTS).record(1, attributes.plus(a.INTENT_OUTCOME, outcome))
        if crowded:
            _crowded()

    def moved(self, intent_id: str, attributes: AttributeSet, state: str) -> None:
        """Enter a state, in any order; an unknown intent, as after a restart of the bot, is followed from now on.

        Args:
            intent_id: The bot's own id; one that ended already stays ended.
            attributes: Of the intent, when it is not in the table.
            state: pending, planned, ready or sent.
        """
        crowded = False
        with self._lock:
            intent = self._intents.get(intent_id)
            if intent is not None:
                intent.state = state
            elif intent_id not in self._ended:
                self._notice(attributes)
                crowded = self._enter(intent_id, attributes, state)
        if crowded:
            _crowded()

    def ended(self, intent_id: str) -> None:
        """Forget an intent; its id is remembered for a while, so that a duplicate of it can be told."""
        with self._lock:
            self._intents.pop(intent_id, None)
            self._ended[intent_id] = None
            if len(self._ended) > MAX_ENDED:
                self._ended.popitem(last=False)

    def _enter(self, intent_id: str, attributes: AttributeSet, state: str) -> bool:
        crowded = len(self._intents) >= MAX_INTENTS
        if crowded:
            self._intents.popitem(last=False)
        self._intents[intent_id] = _Intent(attributes, state, self._clock())
        return crowded

    def _notice(self, attributes: AttributeSet) -> None:
        if len(self._seen) < _MAX_SEEN:
            self._seen[attributes.only(_WHOLE)] = None

    def _now(self) -> tuple[list[AttributeSet], list[_Intent]]:
        with self._lock:
            return list(self._seen), list(self._intents.values())

    def _observe_active(self) -> Iterator[tuple[AttributeSet, float]]:
        seen, intents = self._now()
        counts = Counter((intent.attributes.only(_WHOLE), intent.state) for intent in intents)
        for attributes in dict.fromkeys((*seen, *(attributes for attributes, _ in counts))):
            for state in a.INTENT_STATE.values:
                yield attributes.plus(a.INTENT_STATE, state), float(counts[attributes, state])

    def _observe_lag(self) -> Iterator[tuple[AttributeSet, float]]:
        seen, intents = self._now()
        now, lags = self._clock(), dict.fromkeys(seen, 0.0)
        for intent in intents:
            if intent.state != "sent":
                attributes = intent.attributes.only(_WHOLE)
                lags[attributes] = max(now - intent.since, lags.get(attributes, 0.0))
        yield from lags.items()


def _crowded() -> None:
    lose("queue_full", f"Over {MAX_INTENTS} intents are under way; the oldest is forgotten. Call intent_ended().")
