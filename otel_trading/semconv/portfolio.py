"""Portfolio and positions: what is held, what it is worth, what it made."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family, Kind, Unit

_metric = Family(("portfolio", "position", "account", "funding"), a.COMMON).metric
_MONEY: Final = Unit("{currency}")
_RATIO: Final = Unit("1")

VALUE: Final = _metric(
    "trading.portfolio.value",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Equity: cash and positions at mark.",
    (a.required(a.CURRENCY),),
)
PNL: Final = _metric(
    "trading.portfolio.pnl",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Profit and loss since inception.",
    (a.required(a.CURRENCY), a.required(a.PNL_TYPE)),
    note="Total = sum without (trading_pnl_type), per currency and account.",
)
SESSION_PNL: Final = _metric(
    "trading.portfolio.session.pnl",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Profit and loss since the session began.",
    (a.required(a.CURRENCY), a.required(a.PNL_TYPE)),
    note="The session begins at 00:00 UTC.",
)
DRAWDOWN: Final = _metric(
    "trading.portfolio.drawdown",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "How far equity is below its peak now.",
    (),
    note="(peak - equity) / peak, 0 at the peak (Magdon-Ismail and Atiya 2004).",
)
MAX_DRAWDOWN: Final = _metric(
    "trading.portfolio.max_drawdown",
    Kind.OBSERVABLE_GAUGE,
    _RATIO,
    "How far equity ever was below its peak.",
    (),
)
EXPOSURE: Final = _metric(
    "trading.portfolio.exposure",
    Kind.OBSERVABLE_GAUGE,
    _MONEY,
    "Exposure of the positions at mark.",
    (a.required(a.CURRENCY), a.required(a.EXPOSURE_TYPE)),
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
