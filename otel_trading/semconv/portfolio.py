"""Portfolio and positions: what is held, what it is worth, what it made."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import _boundaries as bounds
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("portfolio", "position", "account", "funding"), a.COMMON).metric
_MONEY: Final = Unit("{currency}")
_RATIO: Final = Unit("1")
_CONVERTED: Final = a.opt_in(a.CURRENCY_CONVERTED)
#: A ratio of money: one per currency, because currencies are never mixed.
_WINDOW: Final = (a.required(a.WINDOW), a.CURRENCY)
_WINDOWS: Final = (
    "A window of N days is the session now and the N complete ones before it; a longer one than what was seen begins "
    "with what was seen."
)
_SAMPLED: Final = (
    "One sample per complete session, risk-free rate 0, annualised by 365 sessions (252 without weekends)."
)

VALUE: Final = _metric(
    "trading.portfolio.value",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Equity: cash and positions at mark.",
    (a.required(a.CURRENCY), _CONVERTED),
    note="What the app states, else deposits and P&L, when deposits are told.",
)
PNL: Final = _metric(
    "trading.portfolio.pnl",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Profit and loss since inception.",
    (a.required(a.CURRENCY), a.required(a.PNL_TYPE), _CONVERTED),
    note="Total = sum without (trading_pnl_type), per currency and account.",
)
SESSION_PNL: Final = _metric(
    "trading.portfolio.session.pnl",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Profit and loss since the session began.",
    (a.required(a.CURRENCY), a.required(a.PNL_TYPE), _CONVERTED),
    note="The session begins at 00:00 UTC unless the tracker is given another zone and time.",
)
RETURN: Final = _metric(
    "trading.portfolio.return",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Time-weighted return of equity.",
    _WINDOW,
    note=f"Deposits and withdrawals are no return (GIPS). {_WINDOWS}",
)
SESSION_RETURN: Final = _metric(
    "trading.portfolio.session.return",
    Kind.HISTOGRAM,
    _RATIO,
    "Size of the return of a session, recorded when it ends.",
    (a.required(a.DIRECTION), a.CURRENCY),
    bounds.RETURN,
    note="Favorable, adverse or flat: the distribution of daily returns.",
)
DRAWDOWN: Final = _metric(
    "trading.portfolio.drawdown",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "How far equity is below its peak now.",
    (),
    note="(peak - equity) / peak, 0 at the peak (Magdon-Ismail and Atiya 2004); deposits and withdrawals left out.",
)
MAX_DRAWDOWN: Final = _metric(
    "trading.portfolio.max_drawdown",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "How far equity was below its peak at worst, in the window.",
    _WINDOW,
    note=f"Every mark counts, not only the end of a session. {_WINDOWS}",
)
SHARPE_RATIO: Final = _metric(
    "trading.portfolio.sharpe_ratio",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Mean session return over its standard deviation, annualised.",
    _WINDOW,
    note=f"{_SAMPLED} Sample deviation (Sharpe 1994).",
)
SORTINO_RATIO: Final = _metric(
    "trading.portfolio.sortino_ratio",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Mean session return over its downside deviation, annualised.",
    _WINDOW,
    note=f"{_SAMPLED} Target 0 (Sortino and Price 1994).",
)
CALMAR_RATIO: Final = _metric(
    "trading.portfolio.calmar_ratio",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Annualised growth over the maximum drawdown of the samples.",
    _WINDOW,
    note=f"{_SAMPLED} Young 1991, over the window instead of 36 months.",
)
PROFIT_FACTOR: Final = _metric(
    "trading.portfolio.profit_factor",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Gross profit over gross loss of closed trades.",
    _WINDOW,
    note="Absent without a loss, because infinity is no value.",
)
EXPECTANCY: Final = _metric(
    "trading.portfolio.expectancy",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Mean profit and loss per closed trade.",
    (a.required(a.WINDOW), a.required(a.CURRENCY)),
)
WIN_RATE: Final = _metric(
    "trading.portfolio.win_rate",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Share of closed trades that won, net of fees.",
    _WINDOW,
    note=_WINDOWS,
)
EXPOSURE: Final = _metric(
    "trading.portfolio.exposure",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Exposure of the positions at mark.",
    (a.required(a.CURRENCY), a.required(a.EXPOSURE_TYPE), _CONVERTED),
)
POSITION_COUNT: Final = _metric(
    "trading.position.count",
    Kind.OBSERVABLE_UP_DOWN_COUNTER,
    Unit("{position}"),
    "Open positions.",
    (a.POSITION_SIDE,),
)
POSITION_QUANTITY: Final = _metric(
    "trading.position.quantity",
    Kind.OBSERVABLE_GAUGE,
    Unit("{unit}"),
    "Signed size of a position.",
    (a.required(a.SYMBOL),),
    note="A closed position ends its series instead of showing zero (FIX 704, 705).",
)
POSITION_PNL: Final = _metric(
    "trading.position.pnl",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Profit and loss per symbol.",
    (a.required(a.SYMBOL), a.required(a.CURRENCY), a.required(a.PNL_TYPE)),
)
POSITION_EXPOSURE: Final = _metric(
    "trading.position.exposure",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Signed value of a position at mark.",
    (a.required(a.SYMBOL), a.required(a.CURRENCY)),
    note="Its size over the gross exposure of its book is the concentration.",
)
POSITION_PROTECTED: Final = _metric(
    "trading.position.protected",
    Kind.OBSERVABLE_GAUGE,
    Unit("{unit}"),
    "Size of a position that working stop orders would close.",
    (a.required(a.SYMBOL),),
    note="Stated by the bot, stops that the venue attaches to the position included; never negative.",
)
LIQUIDATION_DISTANCE: Final = _metric(
    "trading.position.liquidation.distance",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Price move to liquidation, relative to the mark.",
    (a.required(a.SYMBOL),),
    note="From the venue's liquidation price; negative when the mark is beyond it.",
)
BALANCE: Final = _metric(
    "trading.account.balance",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Balance of an account.",
    (a.required(a.CURRENCY), a.required(a.BALANCE_STATE)),
    note="free, used and debt as in ccxt's balance structure.",
)
MARGIN_USAGE: Final = _metric(
    "trading.account.margin.usage", Kind.OBSERVABLE_GAUGE, _MONEY, "Margin in use.", (a.required(a.CURRENCY),)
)
MARGIN_LIMIT: Final = _metric(
    "trading.account.margin.limit",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Margin that may be used before the venue acts.",
    (a.required(a.CURRENCY),),
    note="FIX 899 MarginExcess is the limit minus the usage.",
)
MARGIN_UTILIZATION: Final = _metric(
    "trading.account.margin.utilization",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Share of the margin that is used.",
    (a.CURRENCY,),
)
LEVERAGE: Final = _metric(
    "trading.account.leverage",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Gross exposure over equity.",
    (a.CURRENCY,),
    note="Absent while equity is unknown or not above zero.",
)
FUNDING_RATE: Final = _metric(
    "trading.funding.rate",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "Funding rate of a perpetual, per funding interval.",
    (a.required(a.SYMBOL),),
    note="Positive: longs pay shorts.",
)
FUNDING_PAYMENT: Final = _metric(
    "trading.funding.payment",
    Kind.COUNTER,
    _MONEY,
    "Funding paid or received.",
    (a.required(a.CURRENCY), a.required(a.FUNDING_DIRECTION)),
)
