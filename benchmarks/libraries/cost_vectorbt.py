"""vectorbt: a simulation over 500 bars, and what it returned, asked again."""

from __future__ import annotations

import math
import warnings

from cost import compare

from otel_trading.instrumentation.vectorbt import VectorbtInstrumentor

warnings.simplefilter("ignore")

import pandas as pd  # noqa: E402  the libraries warn of each other
import vectorbt as vbt  # noqa: E402

close = pd.Series([100 + 10 * math.sin(bar / 9) for bar in range(500)], pd.date_range("2025-01-01", periods=500))
entries, exits = close < close.mean(), close > close.mean()
portfolio = vbt.Portfolio.from_signals(close, entries, exits, freq="1D")
instrumentor = VectorbtInstrumentor()
compare(
    "vectorbt: from_signals over 500 bars",
    lambda: vbt.Portfolio.from_signals(close, entries, exits, freq="1D"),
    instrumentor,
    rounds=20,
    calls=5,
)
compare("vectorbt: total_return asked again", lambda: -portfolio.total_return(), instrumentor, rounds=20, calls=50)
