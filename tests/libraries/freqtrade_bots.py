"""What a user of freqtrade has: a strategy, a configuration and the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["STRATEGY", "TRADE", "configured"]

STRATEGY: Final = """
import json
import logging
from freqtrade.strategy import IStrategy

log = {"loops": -1, "fills": 0, "closed": 0, "profit": 0.0, "retries": 0}

class Retries(logging.Handler):
    def emit(self, record):
        log["retries"] += "Retrying still for" in record.getMessage()

logging.getLogger("freqtrade.exchange.common").addHandler(Retries())

class Own(IStrategy):
    timeframe = "1m"
    stoploss = -0.5
    minimal_roi = {}
    startup_candle_count = 5
    order_types = {"entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": False}

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[:, ["enter_long", "enter_tag"]] = (1, "PLANTED")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        return "PLANTED" if pair.startswith("BTC") else None

    def order_filled(self, pair, trade, order, current_time, **kwargs):
        log["fills"] += 1
        if not trade.is_open:
            log["closed"] += 1
            log["profit"] += trade.close_profit_abs

    def bot_loop_start(self, current_time, **kwargs):
        log["loops"] += 1
        if log["loops"] >= 2 and log["closed"]:
            print(json.dumps(log), flush=True)
            input()
"""
TRADE: Final = """
from freqtrade.main import main

data = ["-c", "FOLDER/config.json", "--userdir", "FOLDER"]
main(["trade", *data, "--strategy-path", "FOLDER/strategies", "--strategy", "Own"])
"""


def configured(folder: Path, url: str, **changed: Any) -> None:
    """Write configuration and strategy.

    Args:
        folder: Where to.
        url: Of Binance's REST API.
        changed: Settings that differ.
    """
    (folder / "config.json").write_text(json.dumps(_config(url) | changed), encoding="utf-8")
    (folder / "strategies").mkdir()  # all scripts of its folder are run to look for a strategy
    (folder / "strategies" / "own.py").write_text(STRATEGY, encoding="utf-8")


def _config(url: str) -> dict[str, Any]:
    prices = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    markets = {"fetchMarkets": {"types": ["spot"]}, "fetchMargins": False, "fetchCurrencies": False}
    return {
        "dry_run": True,
        "dry_run_wallet": 1000,
        "max_open_trades": 2,
        "stake_currency": "USDT",
        "stake_amount": 100,
        "db_url": "sqlite://",
        "initial_state": "running",
        "entry_pricing": prices,
        "exit_pricing": prices,
        "exchange": {
            "name": "binance",
            "key": "PLANTED",
            "secret": "PLANTED",
            "pair_whitelist": ["BTC/USDT", "ETH/USDT"],
            "enable_ws": False,
            "only_from_ccxt": True,
            "ccxt_config": {
                "urls": {"api": dict.fromkeys(("public", "private"), f"{url}/api/v3")},
                "options": markets,
            },
        },
        "pairlists": [{"method": "StaticPairList"}],
        "internals": {"process_throttle_secs": 1},
    }
