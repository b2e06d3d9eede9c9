"""A picture with something in every section, and what a terminal makes of it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.console import Console

from otel_trading.top.alerts import Alert
from otel_trading.top.picture import (
    Connection,
    Feed,
    Limit,
    Money,
    Monitoring,
    Orders,
    Picture,
    Position,
    Strategy,
)
from otel_trading.top.queries import Filters
from otel_trading.top.render import draw

if TYPE_CHECKING:
    import pytest

__all__ = ["NOW", "picture", "screen"]

NOW = 1_790_000_000.0
NASTY = '[bold]A/B "é" 株式[/]\x1b[2J'


def picture() -> Picture:
    return Picture(
        at=NOW,
        modes=("live",),
        money=(
            Money("EUR", 1_000.0, -80.0, {}, (), ()),
            Money("USD", 200_000.5, 293.35, {"gross": 70_000.0, "net": -70_000.0}, (1.0, 2.0, 3.0), (0.0, 1.0)),
        ),
        drawdown=0.0123,
        positions=(
            Position(NASTY, "day", "kraken", 2.0, {"USD": 12.5}),
            *(Position(f"SYMBOL{number}", "day", "kraken", -1.0, {"EUR": -1.0}) for number in range(30)),
        ),
        limits=(
            Limit("max_messages", "message", "day", "", "", 100.0, 100.0, 1.0),
            Limit("daily_loss", "currency", "day", "acct", "USD", 5_000.0, 10_000.0, 0.5),
        ),
        kill_switches=(("account", "armed"),),
        strategies=(Strategy("bot", "day", "running", 61.0, 1.0),),
        feeds=(Feed("kraken", "trade", "market_data", 33.0, 10.0), Feed("kraken", "quote", "market_data", 1.0, 10.0)),
        connections=(Connection("kraken", "market_data", "disconnected"),),
        orders=Orders(200.0, 10.0, 0.05, 150.0, 0.021),
        alerts=(
            Alert("VenueConnectionLost", "firing", "critical", "market_data", NOW - 90),
            *(Alert("LimitNear", "pending", "warning", "day", NOW - 30 - number) for number in range(2)),
        ),
        monitoring=Monitoring(4.0, 60.0, 0.0, rules=True),
    )


def screen(
    shown: Picture, width: int, height: int | None, monkeypatch: pytest.MonkeyPatch, chosen: Filters | None = None
) -> str:
    """Return what stands on a terminal of this size, escapes for colours included."""
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=width, height=height or 25, highlight=False)
    console.print(draw(shown, chosen or Filters(), url="http://localhost:9090", width=width, height=height))
    return out.getvalue()
