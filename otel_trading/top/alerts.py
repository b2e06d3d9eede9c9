"""Alerts as Prometheus and receivers tell them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["NO_NEWS", "Alert", "current", "parse"]

#: Always firing: no news, but the proof that rules are evaluated.
NO_NEWS: Final = frozenset({"Watchdog"})
_ABOUT: Final = (a.CONNECTION, a.DATA_SOURCE, a.STRATEGY, a.ACCOUNT)
_WORST_FIRST: Final = ("firing", "critical", "warning")


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert.

    Args:
        name: Of the rule.
        state: pending or firing; firing or resolved where it was delivered.
        severity: Of the rule.
        about: Which connection, feed or strategy.
        since: When it began, Unix seconds.
    """

    name: str
    state: str
    severity: str
    about: str
    since: float

    def __str__(self) -> str:
        """Return the name, and what it is about."""
        return f"{self.name} ({self.about})" if self.about else self.name


def current(rows: Iterable[Mapping[str, Any]], **about: str) -> list[Alert]:
    """Return the alerts in Prometheus' reply: firing ones first, critical before warning.

    Args:
        rows: As `/api/v1/alerts` gives them.
        about: Label values; an alert that has the label with another value is left out, one without it stays.
    """
    alerts = [
        parse(row["labels"], row["state"], row["activeAt"])
        for row in rows
        if row["labels"]["alertname"] not in NO_NEWS
        and all(row["labels"].get(label, value) == value for label, value in about.items())
    ]
    return sorted(
        alerts, key=lambda one: (*(worst not in {one.state, one.severity} for worst in _WORST_FIRST), one.since)
    )


def parse(labels: Mapping[str, str], state: str, since: str) -> Alert:
    """Return one alert; `since` is RFC 3339, whose fraction may have more digits than Python 3.10 takes."""
    about = next((labels[key.prometheus] for key in _ABOUT if labels.get(key.prometheus)), "")
    begun = datetime.strptime(since[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc).timestamp()
    return Alert(labels["alertname"], state, labels.get("severity", ""), about, begun)
