"""What can be exported: a metric by either of its names, all of the convention, or PromQL."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

from otel_trading import semconv
from otel_trading.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["ALL", "DAILY", "selector"]

#: One row per strategy, venue, account and currency: the day's totals, worst and last values.
DAILY: Final = "daily"
#: Every metric of the convention.
ALL: Final = "all"

_OPENTELEMETRY: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")


def selector(what: str) -> str:
    """Return the PromQL that selects a metric; an expression is returned as it is.

    Args:
        what: `all`, the name of a metric in OpenTelemetry or Prometheus, or PromQL.

    Raises:
        ConfigError: It looks like the name of a metric of OpenTelemetry, and is none of the convention.
    """
    if what == ALL:
        return _named(series for metric in semconv.ALL for series in metric.series)
    metric = semconv.BY_NAME.get(what) or next((one for one in semconv.ALL if one.prometheus == what), None)
    if metric is not None:
        return _named(metric.series)
    if _OPENTELEMETRY.fullmatch(what):
        near = difflib.get_close_matches(what, semconv.BY_NAME, n=1)
        hint = f"Did you mean {near[0]}?" if near else "See: otel-trading metrics."
        message = f"The convention has no metric {what}. {hint} One of your own is named as Prometheus has it."
        raise ConfigError(message)
    return what


def _named(names: Iterable[str]) -> str:
    return f'{{__name__=~"{"|".join(sorted(names))}"}}'
