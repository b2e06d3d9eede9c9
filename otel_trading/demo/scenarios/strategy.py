"""Bots that hang, vanish, come back too often, or want to trade and do not."""

from __future__ import annotations

import os
import signal
import sys

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, from_then_on, scenario

_STARTS = "SCENARIO_STARTS"
_ENOUGH = 6


@scenario("StrategyHung", thresholds={"heartbeat_periods": 1})
def hung(cause: Cause) -> None:
    """The loop of the strategy hangs in its second turn."""
    _turn()
    cause.hold()
    for _ in from_then_on():
        _turn()


@scenario("TelemetryLost")
def suspended(cause: Cause) -> None:
    """The bot's process is suspended, so that not even its telemetry gets out."""
    for _ in range(10):
        cause.holds(every=0.2)
        _turn()
    os.kill(os.getpid(), signal.SIGSTOP)
    for _ in from_then_on():
        _turn()


@scenario("RestartLoop", thresholds={"strategy_starts": 1})
def restarts(cause: Cause) -> None:
    """The bot crashes soon after each start, and something starts it again each time."""
    _turn()
    starts = int(os.environ.get(_STARTS, "1"))
    cause.holds(every=1.2)
    if starts < _ENOUGH:
        os.environ[_STARTS] = f"{starts + 1}"
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # what would end the process that has no handler yet
        os.execv(sys.executable, [sys.executable, "-m", __package__ or "", "RestartLoop"])  # noqa: S606  itself
    for _ in from_then_on():
        _turn()


@scenario("NoActivityWhenExpected")
def idle(cause: Cause) -> None:
    """The strategy signals, buy and sell in turn, and no order follows; then one does."""
    while cause.holds(every=0.5):
        meter.signal_emitted(type="buy", symbol="BTC/USD")
        meter.signal_emitted(type="sell", symbol="BTC/USD")
    for _ in from_then_on():
        meter.order_sent(symbol="BTC/USD", side="buy", type="limit", quantity=1)


def _turn() -> None:
    meter.strategy_state(state="running")
    with meter.iteration(period=0.2):
        pass
