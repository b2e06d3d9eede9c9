"""Draws the board for the width that there is: three columns, two, or one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from otel_trading.top.parts import SEVERITIES, STATES, plain, signed, sparkline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from otel_trading.demo.board.figures import Figures
    from otel_trading.top.alerts import Alert

__all__ = ["View", "draw"]

_COLUMN: Final = 38
_OLD: Final = 5.0


@dataclass(slots=True)
class View:
    """All that is drawn.

    Args:
        title: What runs.
        elapsed: Seconds since it began.
        duration: Seconds until it ends, or None for until Ctrl-C.
        source: Where the numbers come from.
        figures: The numbers, or None before the first arrive.
        equity: Equity over time.
        orders: Orders per second over time.
        alerts: Pending and firing; None where nobody evaluates rules.
        delivered: What the receiver got.
        footer: The last line.
    """

    title: str
    elapsed: float
    duration: float | None
    source: str
    figures: Figures | None
    equity: Sequence[float] = ()
    orders: Sequence[float] = ()
    alerts: Sequence[Alert] | None = ()
    delivered: Sequence[Alert] = field(default_factory=tuple)
    footer: str = ""


def draw(view: View, width: int) -> RenderableType:
    """Return the board.

    Args:
        view: What to draw.
        width: Columns of the terminal.
    """
    clock = f"{view.elapsed:.0f} s" + (f" of {view.duration:.0f} s" if view.duration else "")
    head = Text.assemble(
        (f" {view.title} ", "bold reverse"), f"  {clock}  {view.source}", overflow="ellipsis", no_wrap=True
    )
    if view.figures is None:
        return Group(head, Panel("waiting for the first samples ...", border_style="dim"))
    money, orders, venue = _money(view, view.figures), _orders(view, view.figures), _venue(view.figures)
    positions, feeds = _positions(view.figures), _feeds(view.figures)
    rows = {
        1: ((money,), (orders,), (venue,), (positions,), (feeds,)),
        2: ((money, orders), (venue, positions), (feeds,)),
        3: ((money, orders, venue), (positions, feeds)),
    }[max(1, min(3, width // _COLUMN))]
    foot = Text(view.footer, style="dim", overflow="ellipsis", no_wrap=True)
    return Group(head, _panel("alerts", _alerts(view)), *(_row(row) for row in rows), foot)


def _row(panels: Sequence[tuple[str, list[Text]]]) -> Table:
    """Put panels side by side, equally high; the last one of two takes what a third would have had."""
    row = Table.grid(expand=True, padding=0)
    for name, _ in panels:
        row.add_column(ratio=2 if name.startswith("feeds") else 1)
    height = max(len(lines) for _, lines in panels) + 2
    row.add_row(*(_panel(name, lines, height) for name, lines in panels))
    return row


def _panel(name: str, lines: Iterable[Text], height: int | None = None) -> Panel:
    return Panel(Group(*lines), title=name, title_align="left", border_style="dim", height=height)


def _line(label: str, value: str, style: str = "", extra: str = "") -> Text:
    parts = ((f"{label:<11}", "dim"), (f"{value:>10}", style), f"  {extra}")
    return Text.assemble(*parts, overflow="ellipsis", no_wrap=True)


def _money(view: View, figures: Figures) -> tuple[str, list[Text]]:
    limit = figures.loss_limit
    over = bool(limit and figures.loss_usage and figures.loss_usage > limit)
    return "money", [
        _line("equity", plain(figures.equity, ",.2f"), "bold", sparkline(view.equity)),
        _line("session P&L", *signed(figures.session_pnl)),
        _line("day's loss", plain(figures.loss_usage, ",.2f"), "bold red" if over else "", f"limit {limit or 0:,.0f}"),
        _line("drawdown", plain(figures.drawdown, ".2%")),
    ]


def _orders(view: View, figures: Figures) -> tuple[str, list[Text]]:
    reasons = ", ".join(f"{name} {count:.0f}" for name, count in figures.reasons)
    return "orders", [
        _line("orders", f"{figures.orders:,.0f}", "bold", f"{figures.order_rate:.1f}/s {sparkline(view.orders, 8)}"),
        _line("rejected", f"{figures.rejections:,.0f}", "yellow" if figures.rejections else "", reasons),
        _line("fills", f"{figures.fills:,.0f}", "bold", f"{figures.fill_rate:.1f}/s"),
        _line("slippage", plain(figures.slippage, "+.2f", 1e4), "", "bp, mean"),
    ]


def _venue(figures: Figures) -> tuple[str, list[Text]]:
    trouble = [f"{figures.failed_exports:.0f} failed"] if figures.failed_exports else []
    trouble += [f"{figures.dropped:.0f} lost"] if figures.dropped else []
    health = _line(
        "telemetry", ", ".join(trouble) or "well", "red" if trouble else "green", f"{figures.exports:.0f} exports"
    )
    return "venue and bot", [
        _line("call p95", plain(figures.latency, ",.0f", 1e3), "bold", f"ms, loop {plain(figures.loop, ',.0f', 1e3)}"),
        _line("rate limit", plain(figures.rate_limit, ".0%"), "", f"{figures.rate_limited:.0f} x 429"),
        _line("strategy", figures.state, "green" if figures.state == "running" else "yellow"),
        health if figures.exports else _line("telemetry", "scraped"),
    ]


def _positions(figures: Figures) -> tuple[str, list[Text]]:
    rows: list[Text] = []
    for position in figures.positions:
        text, style = signed(position.pnl)
        rows.append(_line(position.symbol, f"{position.quantity:,.0f}").append(f"{text:>10}", style))
    return "positions", rows or [Text("flat", style="dim")]


def _feeds(figures: Figures) -> tuple[str, list[Text]]:
    rows: list[Text] = []
    for connection in figures.connections:
        row = Text.assemble(
            (f"{connection.name:<11}", "dim"),
            (f"{connection.state:<13}", STATES.get(connection.state, "")),
            overflow="ellipsis",
            no_wrap=True,
        )
        for feed in figures.feeds:
            if feed.connection == connection.name:
                row.append(f" {feed.kind} ", "dim").append(f"{feed.age:5.1f} s old", "red" if feed.age > _OLD else "")
                row.append(f"{feed.rate:5.0f}/s ")
        rows.append(row)
    return f"feeds, {figures.gaps:.0f} gaps, {figures.reconnects:.0f} reconnects", rows


def _alerts(view: View) -> list[Text]:
    if view.alerts is None:
        return [Text("no Prometheus here to evaluate rules", style="dim")]
    now = time.time()
    rows = [
        Text.assemble(
            (f"{alert.state:<10}", SEVERITIES.get(alert.severity, "") if alert.state == "firing" else "dim"),
            f"{alert.name:<26}{alert.about:<14}{now - alert.since:4.0f} s",
        )
        for alert in view.alerts
    ]
    rows += [
        Text.assemble(("delivered ", "bold green"), f"{alert.name:<26}{alert.about:<14}{alert.state}")
        for alert in view.delivered[-4:]
    ]
    return rows or [Text("none", style="dim")]
