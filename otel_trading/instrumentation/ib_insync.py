"""ib_insync: the archived predecessor of ib_async; its manual is that of `otel_trading.instrumentation.ib_async`.

| Read                                     | Emitted                                                     |
| ---------------------------------------- | ----------------------------------------------------------- |
| the same events and calls as of ib_async | the same metrics                                            |
"""

from __future__ import annotations

from otel_trading.instrumentation._ib import IBInstrumentor

__all__ = ["IbInsyncInstrumentor"]


class IbInsyncInstrumentor(IBInstrumentor):
    """Listens to every `IB` object of ib_insync."""

    library = "ib_insync"
    versions = "ib_insync >= 0.9.80, < 1"
    tested = ("0.9.80", "0.9.86")
