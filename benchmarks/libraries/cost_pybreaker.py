"""pybreaker: a guarded call that does nothing."""

from __future__ import annotations

from cost import compare

from otel_trading.instrumentation.pybreaker import PybreakerInstrumentor

INSTRUMENTOR = PybreakerInstrumentor()
INSTRUMENTOR.instrument()

import pybreaker  # noqa: E402  a breaker is seen when it is made

breaker = pybreaker.CircuitBreaker(name="venue")
INSTRUMENTOR.uninstrument()
compare("pybreaker: a call", lambda: breaker.call(int), INSTRUMENTOR, rounds=30, calls=300)
