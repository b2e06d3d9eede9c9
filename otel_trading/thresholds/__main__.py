"""Writes the files of thresholds in a checkout: `python -m otel_trading.thresholds`."""

from __future__ import annotations

from otel_trading.thresholds.files import write

for path in write():
    print(path)
