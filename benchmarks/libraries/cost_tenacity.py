"""tenacity: a function that succeeds at once, and one that is tried again once without a wait."""

from __future__ import annotations

import tenacity
from cost import compare

from otel_trading.instrumentation.tenacity import TenacityInstrumentor


class Venue:
    fails = True

    def fetch(self) -> None:
        self.fails = not self.fails
        if not self.fails:
            raise ConnectionError


at_once = tenacity.retry(lambda: None)
again = tenacity.retry(wait=tenacity.wait_none(), sleep=lambda _: None)(Venue().fetch)
compare("tenacity: a call that succeeds at once", at_once, TenacityInstrumentor(), rounds=30, calls=300)
compare("tenacity: a call with one retry", again, TenacityInstrumentor(), rounds=30, calls=300)
