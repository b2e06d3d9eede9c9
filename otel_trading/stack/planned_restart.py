"""Holds back, for a short time, what a restart that somebody planned says about one bot: that it is absent."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from otel_trading.errors import ConfigError
from otel_trading.stack import silences

if TYPE_CHECKING:
    from otel_trading.stack.silences import Silence

__all__ = ["ALERTS", "LONGEST", "announce", "parse"]

#: What an absence raises. Each names its bot by `job`; nothing about orders, positions or money is among them.
ALERTS: Final = ("TelemetryLost", "StrategyHung", "RestartLoop", "ServiceDown")
#: What takes longer is no restart. It is also how soon a bot can have the next one: see `announce`.
LONGEST: Final = timedelta(hours=1)


def parse(text: str) -> timedelta:
    """Return how long a planned restart may take, such as `90s` or `10m`.

    Raises:
        ConfigError: It is no duration, or longer than an hour.
    """
    lasting = silences.parse_duration(text)
    if lasting > LONGEST:
        message = (
            f"--planned-restart got {text!r}; an absence of more than an hour is no restart. "
            'Say 1h or less, or silence the bot: otel-trading silence --service NAME --for 2h --why "..."'
        )
        raise ConfigError(message)
    return lasting


def announce(url: str, job: str, *, lasting: timedelta, author: str) -> list[Silence]:
    """Silence the absence of one bot, and return the silences.

    One that starts again and again would hold its own RestartLoop back for ever. So a bot gets this once an hour; an
    empty list says that it has had it.

    Args:
        url: Alertmanager's.
        job: The bot's `job` in Prometheus.
        lasting: For how long, from now.
        author: Who plans it.

    Raises:
        StackError: Alertmanager refuses or does not answer.
    """
    why = f"Planned restart of {job}, said to otel-trading run --planned-restart by {author}"
    begin = why.partition(",")[0] + ","
    if any(one.why.startswith(begin) for one in silences.current(url, since=datetime.now(timezone.utc) - LONGEST)):
        return []
    return [
        silences.add(url, {"alert": alert, "job": job}, lasting=lasting, why=why, author=author) for alert in ALERTS
    ]
