"""freqtrade: its loop, its strategy's state and money, and in dry-run the orders and fills that it simulates.

| Read                                                     | Emitted                                                  |
| -------------------------------------------------------- | -------------------------------------------------------- |
| `FreqtradeBot.process`, each iteration                   | `trading.strategy.iteration.duration`, `.heartbeat.*`    |
| messages: running, paused (no new entries), stopped      | `trading.strategy.status`                                |
| messages: entry, exit, their fills and cancels           | `trading.order.*`, `trading.execution.*`, `.trade.*`     |
| messages: protection, liquidation warning                | `trading.risk.checks`, `.position.liquidation.distance`  |
| messages: a new candle was analysed                      | `trading.market_data.messages`, `.age`, of kind bar      |
| open trades at start, and at each iteration              | `trading.position.*`, `trading.portfolio.value`, `.pnl`  |
| the wallet's stake currency at each iteration            | `trading.account.balance`                                |
| `retrier`, `retrier_async`: each attempt after the first | `trading.resilience.retries`                             |
| `Backtesting.backtest_one_strategy`                      | `trading.backtest.*`                                     |

Mode (paper in dry-run, else live; backtest where it tests), strategy and venue are those of freqtrade, and hold for
what ccxt tells from inside the loop too, the mode for the whole process with its other threads and its heartbeat;
equity is in the stake currency, with open trades at the close of their last candle.

freqtrade trades through ccxt, whose instrumentation counts calls, budgets, and in live trading every order and
fill. So that none counts twice, orders and fills are taken from freqtrade's messages only where ccxt's instrumentation
cannot see them: in dry-run, where freqtrade makes them up, and where that instrumentation is switched off. Its messages
tell of whole fills and of no fee: the fees of both sides, and funding, are booked with the exit, so that the P&L is
freqtrade's; an entry that is cancelled half filled is seen as cancelled. Signals have no count: freqtrade asks for the
same one at every iteration. Tags, reasons and texts of messages are not recorded.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

from otel_trading import backtest, meter
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.instrumentation.freqtrade import _money, _retries
from otel_trading.instrumentation.freqtrade._messages import tell
from otel_trading.semconv import backtest as results
from otel_trading.semconv import execution, market_data, order, portfolio, resilience, risk, strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric
    from otel_trading.semconv import attributes as a

__all__ = ["FreqtradeInstrumentor"]

#: freqtrade's own default, in seconds.
_THROTTLE = 5.0


def _scope(bot: Any) -> Any:
    mode: a.Mode = "paper" if bot.config["dry_run"] else "live"
    return meter.scope(mode=mode, strategy=bot.strategy.get_strategy_name(), venue=bot.exchange.id)


def _made(wrapped: Callable[..., Any], _bot: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _moded(args[0] if args else kwargs.get("config"))
    return wrapped(*args, **kwargs)


@quietly
def _moded(config: Any) -> None:
    """Let a dry-run page nobody: what it watches in threads of its own, and its death, would else be a live bot's."""
    meter.defaults(mode="paper" if config["dry_run"] else "live")


def _tester_made(wrapped: Callable[..., Any], _tester: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    meter.defaults(mode="backtest")
    return wrapped(*args, **kwargs)


def _process(wrapped: Callable[..., Any], bot: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        scope = _scope(bot)
        period = float(bot.config.get("internals", {}).get("process_throttle_secs", _THROTTLE))
    except Exception:  # noqa: BLE001  a bot of another shape still runs
        return wrapped(*args, **kwargs)
    with scope, meter.iteration(period=period):
        return wrapped(*args, **kwargs)


def _startup(wrapped: Callable[..., Any], bot: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    _started(bot)
    return result


@quietly
def _started(bot: Any) -> None:
    persistence: Any = import_module("freqtrade.persistence")
    with _scope(bot):
        _money.positions(persistence.Trade.get_open_trades())


def _exit_positions(wrapped: Callable[..., Any], bot: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _valued(bot, args[0] if args else kwargs.get("trades", ()))
    return wrapped(*args, **kwargs)


@quietly
def _valued(bot: Any, trades: Any) -> None:
    with _scope(bot):
        _money.value(bot, trades)


def _send(wrapped: Callable[..., Any], manager: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _told(manager, args[0] if args else kwargs.get("msg"))
    return wrapped(*args, **kwargs)


@quietly
def _told(manager: Any, message: Any) -> None:
    bot = manager._rpc._freqtrade  # noqa: SLF001  it has no other name
    with _scope(bot):
        tell(message, trades=bool(bot.config["dry_run"]) or not _ccxt_counts())


def _ccxt_counts() -> bool:
    """Whether ccxt's instrumentation sees the orders that leave."""
    module: Any = sys.modules.get("otel_trading.instrumentation.ccxt")
    return module is not None and bool(module.CcxtInstrumentor().is_instrumented_by_opentelemetry)


def _backtest(wrapped: Callable[..., Any], tester: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        name = (args[0] if args else kwargs["strat"]).get_strategy_name()
        config = tester.config
        run = backtest.run(strategy=name, timeframe=config.get("timeframe"), currency=config.get("stake_currency"))
    except Exception:  # noqa: BLE001  a tester of another shape still runs
        return wrapped(*args, **kwargs)
    with run:
        result = wrapped(*args, **kwargs)
        _money.tested(run, tester, name)
        return result


class FreqtradeInstrumentor(LazyInstrumentor):
    """Taps the messages, the loop and the backtests of freqtrade."""

    versions = "freqtrade >= 2025.8, < 2028"
    tested = ("2025.8", "2026.9")
    emits: ClassVar[tuple[Metric, ...]] = (
        strategy.ITERATION_DURATION,
        order.REQUESTS,
        execution.FILLS,
        execution.TRADE_CLOSURES,
        portfolio.VALUE,
        portfolio.POSITION_QUANTITY,
        portfolio.BALANCE,
        market_data.AGE,
        risk.CHECKS,
        resilience.RETRIES,
        results.DURATION,
    )
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "freqtrade.exchange.common": {"retrier": _retries.retrier, "retrier_async": _retries.retrier_async},
        "freqtrade.rpc.rpc_manager": {"RPCManager.send_msg": _send},
        "freqtrade.freqtradebot": {
            "FreqtradeBot.__init__": _made,
            "FreqtradeBot.process": _process,
            "FreqtradeBot.startup": _startup,
            "FreqtradeBot.exit_positions": _exit_positions,
        },
        "freqtrade.optimize.backtesting": {
            "Backtesting.__init__": _tester_made,
            "Backtesting.backtest_one_strategy": _backtest,
        },
    }

    def _instrument(self, **kwargs: Any) -> None:
        _retries.switch(on=True)
        super()._instrument(**kwargs)

    def _uninstrument(self, **kwargs: Any) -> None:
        super()._uninstrument(**kwargs)
        _retries.switch(on=False)
