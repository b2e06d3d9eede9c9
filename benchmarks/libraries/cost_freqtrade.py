"""freqtrade: a message to its messengers, of the kind that it sends most: an analysed candle."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from cost import compare
from freqtrade.rpc.rpc_manager import RPCManager

from otel_trading.instrumentation.freqtrade import FreqtradeInstrumentor

manager: Any = RPCManager.__new__(RPCManager)
manager.registered_modules = []
manager._rpc = SimpleNamespace(  # noqa: SLF001  of a bot that is not there beyond its names
    _freqtrade=SimpleNamespace(
        config={"dry_run": True},
        strategy=SimpleNamespace(get_strategy_name=lambda: "Own"),
        exchange=SimpleNamespace(id="binance"),
    )
)
MESSAGE = {"type": "new_candle", "data": ("BTC/USDT", "1m", "spot")}

compare("freqtrade: the message of a new candle", lambda: manager.send_msg(MESSAGE), FreqtradeInstrumentor())
