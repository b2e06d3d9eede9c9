"""Risk as telemetry: what each limit has left, what a day may cost, and which kill switch is pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import events, instruments
from otel_trading._attributes import OTHER
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import risk as metrics
from otel_trading.trackers._tables import States, Values

if TYPE_CHECKING:
    from otel_trading._attributes import AttributeSet

__all__ = ["KillSwitchTracker", "LimitTracker"]

_SEVERITY: Final = {state: place for place, state in enumerate(a.KILL_SWITCH_STATE.values)}


class LimitTracker:
    """The last known usage of each limit, and the value at risk.

    Tells once when a limit is reached; is observed as `trading.risk.usage`, `.limit`, `.utilization` and
    `.value_at_risk`.
    """

    def __init__(self) -> None:
        self._usage = Values(metrics.USAGE)
        self._limit = Values(metrics.LIMIT)
        self._utilization = Values(metrics.UTILIZATION)
        self._at_risk = Values(metrics.VALUE_AT_RISK)

    def set(self, attributes: AttributeSet, usage: float | None, limit: float | None) -> None:
        """Take what is known now; the other figure stays as it was.

        Args:
            attributes: Name, unit and currency of the limit.
            usage: How much is used, in the limit's unit.
            limit: The limit in force, in the same unit.
        """
        if limit is not None:
            self._limit.set(attributes, limit)
        if usage is not None:
            self._usage.set(attributes, usage)
        known, used = self._limit.get(attributes), self._usage.get(attributes)
        if known and used is not None:
            before = self._utilization.get(attributes) or 0.0
            self._utilization.set(attributes, used / known)
            if before < 1 <= used / known:
                events.emit(happened.RISK_LIMIT_BREACHED, attributes)
        else:  # of nothing there is no share: an old one would say that there is room
            self._utilization.end(attributes)

    def at_risk(self, attributes: AttributeSet, value: float) -> None:
        """Take the value at risk of 95 % over one day; a loss is positive."""
        self._at_risk.set(attributes, value)


class KillSwitchTracker:
    """The state of each kill switch.

    Emits `trading.kill_switch.activations` and tells each change; is observed as `trading.kill_switch.status`.
    """

    def __init__(self) -> None:
        self._states = States(metrics.KILL_SWITCH_STATUS, a.KILL_SWITCH_STATE)

    def changed(self, attributes: AttributeSet, state: str, trigger: str) -> None:
        """Enter a state; a step towards halted is an activation, the same state again and easing are none.

        Args:
            attributes: Scope and what it is about.
            state: armed, reducing or halted.
            trigger: What pulled it.
        """
        if state == OTHER:
            return  # a word that is no state must not release a switch
        before = self._states.set(attributes, state) or "armed"
        if state != before:
            entered = attributes.plus(a.KILL_SWITCH_STATE, state).plus(a.KILL_SWITCH_TRIGGER, trigger)
            events.emit(happened.KILL_SWITCH_CHANGED, entered)
        if _SEVERITY[state] > _SEVERITY[before]:
            instruments.of(metrics.KILL_SWITCH_ACTIVATIONS).record(1, attributes.plus(a.KILL_SWITCH_TRIGGER, trigger))
