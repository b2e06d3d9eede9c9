"""Interactive Brokers, by ib_async and its predecessor ib_insync: what an `IB` object tells through its events."""

from __future__ import annotations

from otel_trading.instrumentation._ib.hooks import EMITS, IBInstrumentor

__all__ = ["EMITS", "IBInstrumentor"]
