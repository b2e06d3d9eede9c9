"""How an OpenTelemetry name becomes a Prometheus name: the one function that panels, rules and tests share.

The rules are those of Prometheus's own OTLP receiver under `UnderscoreEscapingWithSuffixes`
(https://prometheus.io/docs/guides/opentelemetry/), proven against the real server for every metric of the convention.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["label_name", "metric_name", "series_names"]

_UNIT_SUFFIX: Final = {"s": "seconds", "By": "bytes", "1": ""}
_PER_SUFFIX: Final = {"s": "per_second"}


def label_name(attribute: str) -> str:
    """Return the Prometheus label of an attribute, for instance `trading_order_side`."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", attribute)


def metric_name(name: str, kind: str, unit: str) -> str:
    """Return the Prometheus name of a metric.

    Args:
        name: OpenTelemetry name.
        kind: `counter`, `updowncounter`, `gauge` or `histogram`.
        unit: UCUM unit; an annotation in braces leaves no trace, except `/s` behind it.
    """
    parts = [re.sub(r"[^a-zA-Z0-9]+", "_", name).strip("_"), _unit_suffix(unit)]
    if kind == "gauge" and unit == "1" and not name.endswith("_ratio"):
        parts.append("ratio")
    if kind == "counter":
        parts.append("total")
    return "_".join(part for part in parts if part)


def series_names(base: str, kind: str) -> tuple[str, ...]:
    """Return the names under which Prometheus stores a metric: three for a histogram, else one."""
    if kind == "histogram":
        return (f"{base}_bucket", f"{base}_count", f"{base}_sum")
    return (base,)


def _unit_suffix(unit: str) -> str:
    main, _, per = re.sub(r"\{[^}]*\}", "", unit).partition("/")
    return "_".join(part for part in (_UNIT_SUFFIX.get(main, main), _PER_SUFFIX.get(per, per)) if part)
