"""purgatory: a guarded call that does nothing."""

from __future__ import annotations

from cost import compare
from purgatory import SyncCircuitBreakerFactory

from otel_trading.instrumentation.purgatory import PurgatoryInstrumentor

guarded = SyncCircuitBreakerFactory()("venue")(lambda: None)
compare("purgatory: a call", guarded, PurgatoryInstrumentor(), rounds=30, calls=300)
