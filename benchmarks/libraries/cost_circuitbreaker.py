"""circuitbreaker: a guarded call that does nothing."""

from __future__ import annotations

import circuitbreaker
from cost import compare

from otel_trading.instrumentation.circuitbreaker import CircuitbreakerInstrumentor

guarded = circuitbreaker.CircuitBreaker(name="venue")(lambda: None)
compare("circuitbreaker: a call", guarded, CircuitbreakerInstrumentor(), rounds=30, calls=300)
