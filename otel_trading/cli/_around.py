"""What `otel-trading doctor` sees beside the path: targets that do not answer, bots that fell silent, series that grow.

None of it breaks the path, so each returns its evidence and, where somebody has to look, what to do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from otel_trading.cli._output import printable
from otel_trading.semconv import attributes as a
from otel_trading.semconv import sdk

if TYPE_CHECKING:
    from collections.abc import Callable

    #: Gets `data` of a path below Prometheus' /api/v1/.
    Ask = Callable[[str], Any]

__all__ = ["BESIDE"]

#: A bot that is heard exports in each interval; so many missed ones are no hiccup.
_MISSED: Final = 6
_MIB: Final = 1024 * 1024
_WIDEST: Final = 3
_HEARD: Final = f"time() - max by (service_name) ({sdk.HEARTBEAT_TIME.prometheus})"
_FOLDED: Final = (
    f"sum by (service_name, {a.SDK_ATTRIBUTE.prometheus}) (increase({sdk.ATTRIBUTE_OVERFLOWS.prometheus}[15m])) > 0"
)
_MEMORY: Final = {
    "Prometheus": 'max(process_resident_memory_bytes{job="prometheus"})',
    "Collector": "max(otelcol_process_memory_rss_bytes)",
}


def _targets(ask: Ask) -> tuple[str, str]:
    found = ask("targets?state=active")["activeTargets"]
    down = [
        # The first half of the error is the URL, which may have parameters.
        f"{one['labels'].get('instance', '')} of {one['labels'].get('job', '')}: {one['lastError'].rsplit(': ', 1)[-1]}"
        for one in found
        if one["health"] == "down"
    ]
    if not down:
        return f"{len(found)} are scraped, none is down", ""
    fix = (
        "Start what should listen there, or correct its file in config/bots of the stack's home. "
        "Seen from a container, this machine is host.docker.internal and not 127.0.0.1."
    )
    return f"{len(down)} of {len(found)} are down: {'; '.join(map(printable, down))}", fix


def _bots(ask: Ask) -> tuple[str, str]:
    patience = _MISSED * _interval()
    ages = {row["metric"].get("service_name", ""): float(row["value"][1]) for row in _query(ask, _HEARD)}
    if not ages:
        fix = "otel-trading run python my_bot.py, with the OTEL_EXPORTER_OTLP_ENDPOINT that was followed here."
        return "none was heard within the last five minutes", fix
    silent = {name for name, age in ages.items() if age > patience}
    said = [
        f"{printable(name)} {f'silent for {age:.0f} s' if name in silent else f'heard {max(age, 0):.0f} s ago'}"
        for name, age in sorted(ages.items(), key=lambda each: -each[1])
    ]
    fix = "Look at its positions on the venue's own page first, then whether its process lives: nobody watches them."
    return ", ".join(said), fix if silent else ""


def _interval() -> float:
    """Return the seconds between two exports of a bot with this environment."""
    from otel_trading.sdk.setup import DEFAULTS  # noqa: PLC0415  the SDK loads late

    name = "OTEL_METRIC_EXPORT_INTERVAL"
    return float(os.environ.get(name) or DEFAULTS[name]) / 1000


def _series(ask: Ask) -> tuple[str, str]:
    told = ask(f"status/tsdb?limit={_WIDEST}")
    widest = ", ".join(f"{one['name']} {one['value']:,}" for one in told["seriesCountByMetricName"])
    memory = [
        f"{name} {float(row['value'][1]) / _MIB:,.0f} MiB"
        for name, expression in _MEMORY.items()
        for row in _query(ask, expression)
    ]
    said = "; ".join([f"{told['headStats']['numSeries']:,}, most of them {printable(widest)}", *memory])
    folded = [
        f"{row['metric'].get('service_name', '')} folds {row['metric'][a.SDK_ATTRIBUTE.prometheus]}"
        for row in _query(ask, _FOLDED)
    ]
    if not folded:
        return said, ""
    fix = (
        "What never ends (an order id, a time) is no name: correct that in the bot. "
        "OTEL_TRADING_DISABLED_METRICS leaves metrics out that you do not need."
    )
    return f"{said}; {printable(', '.join(sorted(folded)))}", fix


def _query(ask: Ask, expression: str) -> list[Any]:
    found: list[Any] = ask(f"query?query={quote(expression)}")["result"]
    return found


#: Name of each look, and what makes it.
BESIDE: Final[dict[str, Callable[[Ask], tuple[str, str]]]] = {
    "targets": _targets,
    "bots": _bots,
    "series": _series,
}
