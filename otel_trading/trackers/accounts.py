"""Accounts as their venue states them: balances, margin, funding rates, and what stop orders protect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.semconv import attributes as a
from otel_trading.semconv import portfolio as metrics
from otel_trading.trackers._tables import Values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_trading._attributes import AttributeSet

__all__ = ["AccountTracker"]


class AccountTracker:
    """The last statement of each account, of funding rates and of what stop orders protect.

    Observed as `trading.account.*`, `trading.funding.rate` and `trading.position.protected`.
    """

    def __init__(self) -> None:
        self._balance = Values(metrics.BALANCE)
        self._usage = Values(metrics.MARGIN_USAGE)
        self._limit = Values(metrics.MARGIN_LIMIT)
        self._utilization = Values(metrics.MARGIN_UTILIZATION)
        self._rate = Values(metrics.FUNDING_RATE)
        self._protected = Values(metrics.POSITION_PROTECTED)

    def balance(self, attributes: AttributeSet, parts: Mapping[str, float]) -> None:
        """Take the parts of a balance, by `trading.balance.state`; those not named stay as they were."""
        for state, value in parts.items():
            self._balance.set(attributes.plus(a.BALANCE_STATE, state), value)

    def margin(self, attributes: AttributeSet, usage: float | None, limit: float | None) -> None:
        """Take what is known of the margin now; the other figure stays as it was.

        Args:
            attributes: With currency.
            usage: Margin in use.
            limit: Margin that may be used.
        """
        if usage is not None:
            self._usage.set(attributes, usage)
        if limit is not None:
            self._limit.set(attributes, limit)
        used, allowed = self._usage.get(attributes), self._limit.get(attributes)
        if allowed and used is not None:
            self._utilization.set(attributes, used / allowed)
        else:  # of nothing there is no share: an old one would say that there is room
            self._utilization.end(attributes)

    def funding_rate(self, attributes: AttributeSet, rate: float) -> None:
        """Take the funding rate of a symbol."""
        self._rate.set(attributes, rate)

    def protected(self, attributes: AttributeSet, quantity: float) -> None:
        """Take how much of a position working stop orders would close."""
        self._protected.set(attributes, quantity)
