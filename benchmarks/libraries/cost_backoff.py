"""backoff: a function that succeeds at once, and one that is tried again once without a wait."""

from __future__ import annotations

from cost import compare

from otel_trading.instrumentation.backoff import BackoffInstrumentor

INSTRUMENTOR = BackoffInstrumentor()
INSTRUMENTOR.instrument()

import backoff  # noqa: E402  a function is seen when it is decorated


class Venue:
    fails = True

    def fetch(self) -> None:
        self.fails = not self.fails
        if not self.fails:
            raise ConnectionError


decorate = backoff.on_exception(backoff.constant, ConnectionError, interval=0, jitter=None, logger=None)
at_once, again = decorate(lambda: None), decorate(Venue().fetch)
INSTRUMENTOR.uninstrument()
compare("backoff: a call that succeeds at once", at_once, INSTRUMENTOR, rounds=30, calls=300)
compare("backoff: a call with one retry", again, INSTRUMENTOR, rounds=30, calls=300)
