"""What freqtrade's trades and wallet are worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_trading import meter
from otel_trading.instrumentation._hooks import quietly

if TYPE_CHECKING:
    from collections.abc import Iterable

    from otel_trading.backtest import Run

__all__ = ["positions", "tested", "value"]


def positions(trades: Iterable[Any]) -> None:
    """State the trades that an earlier process opened."""
    for trade in trades:
        quantity = -trade.amount if trade.is_short else trade.amount
        if quantity:
            meter.position(symbol=trade.pair, quantity=quantity, price=trade.open_rate, currency=trade.stake_currency)


def value(bot: Any, trades: Iterable[Any]) -> None:
    """State balance and equity, from what freqtrade holds in memory: nothing is asked of the venue or the database."""
    stake = bot.config["stake_currency"]
    futures = str(getattr(bot.trading_mode, "value", bot.trading_mode)) == "futures"
    equity = bot.wallets.get_total(stake)
    meter.balance(free=bot.wallets.get_free(stake), used=bot.wallets.get_used(stake), currency=stake)
    for trade in trades:
        candles, _ = bot.dataprovider.get_analyzed_dataframe(trade.pair, bot.strategy.timeframe)
        price = float(candles["close"].iloc[-1]) if len(candles) else trade.open_rate
        if len(candles):
            meter.price_marked(symbol=trade.pair, price=price)
        if futures:
            equity += trade.amount * (price - trade.open_rate) * (-1 if trade.is_short else 1)
        else:
            equity += trade.amount * price
    meter.equity(value=equity, currency=stake)


@quietly
def tested(run: Run, tester: Any, strategy: str) -> None:
    """State what a backtest came to; the peak is that of closed trades."""
    trades = tester.all_bt_content[strategy]["results"]
    wallet: Any = tester.config["dry_run_wallet"]
    start = float(wallet[tester.config["stake_currency"]] if hasattr(wallet, "keys") else wallet)
    money = start + trades.sort_values("close_date")["profit_abs"].cumsum() if len(trades) else None
    run.result(
        trades=len(trades),
        total_return=0.0 if money is None else float(money.iloc[-1]) / start - 1,
        max_drawdown=0.0 if money is None else float((1 - money / money.cummax().clip(lower=start)).max()),
    )
