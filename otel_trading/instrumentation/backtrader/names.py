"""What backtrader's objects are called in telemetry."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Final

__all__ = ["symbol_of", "timeframe_of"]

#: By `TimeFrame`: Ticks, MicroSeconds and NoTimeFrame are no length of a bar.
_UNITS: Final = {3: "s", 4: "m", 5: "d", 6: "w", 7: "M", 8: "y"}
_MINUTES: Final = 4
_HOUR: Final = 60
_FILES: Final = {".csv", ".txt", ".tsv", ".gz", ".h5", ".parquet"}


def symbol_of(data: Any) -> str | None:
    """Return the name of a feed; of a file without the path, which backtrader takes for the name."""
    name = str(data._name or "")  # noqa: SLF001  backtrader's documentation calls it so
    path = PurePath(name)
    return (path.stem if path.suffix in _FILES else name) or None


def timeframe_of(data: Any) -> str | None:
    """Return how long a bar of a feed is, such as 1d or 4h."""
    unit, count = data._timeframe, data._compression  # noqa: SLF001  backtrader's documentation calls them so
    if unit == _MINUTES and count % _HOUR == 0:
        return f"{count // _HOUR}h"
    return f"{count}{_UNITS[unit]}" if unit in _UNITS else None
