"""One scenario per alert: the fault that raises it, played by a real bot.

`otel-trading demo --scenario NAME` shows one on the demo's stack; the tests play all of them. The bot is ordinary: it
calls `otel_trading.meter` and its neighbours, and knows neither Prometheus nor rules. One module per family of alerts;
`_model` says what a scenario is, `player` starts its bot, `show` is the command line's.
"""

from __future__ import annotations

from otel_trading.demo.scenarios import (
    execution,
    intent,
    market_data,
    order,
    order_control,
    plumbing,
    portfolio,
    reconciliation,
    resilience,
    risk,
    sdk,
    service,
    strategy,
    venue,
)
from otel_trading.demo.scenarios._model import ALL, Cause, Scenario

__all__ = [
    "ALL",
    "Cause",
    "Scenario",
    "execution",
    "intent",
    "market_data",
    "order",
    "order_control",
    "plumbing",
    "portfolio",
    "reconciliation",
    "resilience",
    "risk",
    "sdk",
    "service",
    "strategy",
    "venue",
]
