"""Draws the picture for the terminal that there is: one, two or three columns, and no line more than it has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from otel_trading.top.parts import SEVERITIES, STATES, amount, bar, cell, lasting, plain, signed, sparkline
from otel_trading.top.queries import WINDOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from otel_trading.top.picture import Picture
    from otel_trading.top.queries import Filters

__all__ = ["Section", "draw", "sections"]

_COLUMN: Final = 40
#: Narrower than this, an alert is its name and how long it lasts.
_WIDE: Final = 60
_NEAR, _FULL = 0.5, 0.9
#: Lines of a section: its heading and one more.
_LEAST: Final = 2
_ALERTS: Final = "firing alerts"
#: Which section stands in which column, for one, two and three of them.
_LAYOUT: Final = {
    1: (("money", "orders", "positions", "limits", "strategies", "feeds", "connections", "monitoring"),),
    2: (("money", "positions", "limits"), ("orders", "strategies", "feeds", "connections", "monitoring")),
    3: (("money", "orders", "monitoring"), ("positions", "limits"), ("strategies", "feeds", "connections")),
}
_Row = tuple[Text | str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the picture.

    Args:
        name: Its heading.
        rows: Cells of equal number; a plain string is a figure, which stands at the right and is never cut.
    """

    name: str
    rows: Sequence[_Row]

    def draw(self, lines: int) -> RenderableType:
        """Return the heading and the rows, in so many lines altogether."""
        room = max(lines - 1, 1)
        shown = self.rows if len(self.rows) <= room else self.rows[: room - 1]
        table = Table.grid(padding=(0, 1), expand=True)
        for index, one in enumerate(self.rows[0]):
            number = isinstance(one, str)
            table.add_column(
                no_wrap=number, justify="right" if number else "left", ratio=None if number or index else 1
            )
        for row in shown:
            table.add_row(*row)
        more = len(self.rows) - len(shown)
        rest = [cell(f"and {more} more", "dim")] if more else []
        return Group(Rule(Text(self.name, "bold"), align="left", style="dim"), table, *rest)


def draw(picture: Picture, chosen: Filters, *, url: str, width: int, height: int | None, note: str = "") -> Group:
    """Return the picture.

    Args:
        picture: What to draw.
        chosen: What it was narrowed to.
        url: Where it comes from.
        width: Columns of the terminal.
        height: Lines of the terminal, or None for as many as it takes.
        note: What is wrong with the road to Prometheus, if anything.
    """
    head = _head(picture, chosen, url, "" if height is None else "q ends")
    warnings = [Text(note, "bold red", no_wrap=True, overflow="ellipsis")] if note else []
    if picture.is_empty:
        warnings.append(Text(_nothing(picture, chosen), "yellow"))
    found = {section.name: section for section in sections(picture, narrow=width < _WIDE)}
    alerts = found.pop(_ALERTS)
    alert_lines = (min(len(alerts.rows), height // 5 + 1) if height else len(alerts.rows)) + 1
    used = 1 + alert_lines + sum(-(-len(one) // width) for one in warnings)
    parts = [head, *warnings, alerts.draw(alert_lines)]
    layout = _LAYOUT[max(1, min(len(_LAYOUT), width // _COLUMN))]
    body = Table.grid(expand=True, padding=(0, 1), pad_edge=False)
    for _ in layout:
        body.add_column(ratio=1)
    columns = [[found[name] for name in names if name in found] for names in layout]
    body.add_row(*(_column(column, height and max(height - used, len(column) * _LEAST)) for column in columns))
    return Group(*parts, body)


def sections(picture: Picture, *, narrow: bool = False) -> list[Section]:
    """Return every section that has anything to say; alerts, orders and monitoring always have."""
    made = [
        Section(_ALERTS, _alerts(picture, narrow=narrow)),
        Section("money", _money(picture)),
        Section("orders", _orders(picture)),
        Section("positions", _positions(picture)),
        Section("limits", _limits(picture)),
        Section("strategies", _strategies(picture)),
        Section("feeds", _feeds(picture)),
        Section("connections", _connections(picture)),
        Section("monitoring", _monitoring(picture)),
    ]
    return [section for section in made if section.rows]


def _column(column: Sequence[Section], height: int | None) -> Group:
    """Give every section its lines; where there are too few, the longest gives first."""
    lines = [len(section.rows) + 1 for section in column]
    weights = [0.75 if section.name == "money" else 1.0 for section in column]  # money gives late
    while height is not None and sum(lines) > height and max(lines, default=0) > _LEAST:
        spare = [weight * line if line > _LEAST else 0 for weight, line in zip(weights, lines, strict=True)]
        lines[spare.index(max(spare))] -= 1
    return Group(*(section.draw(room) for section, room in zip(column, lines, strict=True)))


def _head(picture: Picture, chosen: Filters, url: str, hint: str) -> Text:
    at = datetime.fromtimestamp(picture.at, timezone.utc)
    said = [f"mode {chosen.mode}", *chosen.labels.values(), f"{at:%H:%M:%S} UTC", hint, url.partition("://")[2]]
    head = cell(" otel-trading top ", "bold reverse")
    return head.append_text(cell("  " + "  ".join(filter(None, said))))


def _nothing(picture: Picture, chosen: Filters) -> str:
    others = [mode for mode in picture.modes if mode != chosen.mode]
    narrowed = " of what was chosen" if chosen.labels else ""
    hint = f"There is something of mode {', '.join(others)}: --mode {others[0]}." if others else ""
    start = (
        "" if picture.modes else "Start a bot: otel-trading run python my_bot.py; look for breaks: otel-trading doctor."
    )
    return f"Nothing{narrowed} in mode {chosen.mode} arrives here. {hint}{start}".strip()


def _alerts(picture: Picture, *, narrow: bool) -> list[_Row]:
    alike: dict[tuple[str, ...], list[float]] = {}
    for one in picture.alerts:
        alike.setdefault((one.state, one.severity, one.name, one.about), []).append(one.since)
    rows: list[_Row] = []
    for (state, severity, name, about), since in alike.items():
        firing = state == "firing"
        times = f" x{len(since)}" if len(since) > 1 else ""
        what = cell(
            f"{severity if firing else state:<9}{name}{times}", SEVERITIES.get(severity, "") if firing else "dim"
        )
        begun = f"since {datetime.fromtimestamp(min(since), timezone.utc):%d %b %H:%M:%S}"
        rows.append((what, *(() if narrow else (cell(about), begun)), lasting(picture.at - min(since))))
    quiet = cell("none", "green") if picture.monitoring.rules else cell("this Prometheus evaluates no rules", "yellow")
    return rows or [(quiet,)]


def _money(picture: Picture) -> list[_Row]:
    rows: list[_Row] = []
    for money in picture.money:
        name = money.currency
        if money.equity is not None:
            rows.append(_sum(f"{name} equity", amount(money.equity), "bold", money.equity_curve))
        text, style = amount(money.session_pnl, "+"), signed(money.session_pnl)[1]
        rows.append(_sum(f"{name} session P&L", text, style, money.session_pnl_curve))
    if picture.drawdown is not None:
        rows.append(_sum("drawdown", f"{picture.drawdown:.2%}"))
    for money in picture.money:
        if money.exposure.get("gross"):
            rows.append(_sum(f"{money.currency} gross exposure", amount(money.exposure["gross"])))
            rows.append(_sum(f"{money.currency} net exposure", amount(money.exposure.get("net"), "+")))
    return rows


def _sum(name: str, value: str, style: str = "", curve: Sequence[float] = ()) -> _Row:
    return cell(name), Text(value, style, justify="right"), sparkline(curve, 10)


def _orders(picture: Picture) -> list[_Row]:
    orders = picture.orders
    share = "-" if orders.rejected_share is None else f"{orders.rejected_share:.1%}"
    return [
        (cell(f"sent in {WINDOW}"), f"{orders.sent:,.0f}", cell("rejected"), share),
        (
            cell("fills"),
            f"{orders.fills:,.0f}",
            cell("ack p95"),
            f"{plain(orders.acknowledgement_p95, ',.0f', 1e3)} ms",
        ),
    ]


def _positions(picture: Picture) -> list[_Row]:
    rows: list[_Row] = []
    for one in picture.positions:
        for currency, value in one.pnl.items() or {"": None}.items():
            text = f"{amount(value, '+')} {currency}".strip()
            rows.append((cell(one.symbol), f"{one.quantity:+,.6g}", Text(text, signed(value)[1], justify="right")))
    return rows


def _limits(picture: Picture) -> list[_Row]:
    rows: list[_Row] = []
    for one in picture.limits:
        share = one.utilization or 0.0
        style = "bold red" if share >= _FULL else "yellow" if share >= _NEAR else "green"
        about = " ".join(filter(None, (one.name, one.strategy, one.currency)))
        used = f"{plain(one.usage, ',.6g')} of {plain(one.limit, ',.6g')}"
        rows.append((cell(about), used, Text(bar(share, 5), style), plain(one.utilization, ".0%")))
    return rows


def _strategies(picture: Picture) -> list[_Row]:
    rows: list[_Row] = [
        (
            cell(one.name or one.service),
            Text(one.state, STATES.get(one.state, "")),
            f"{'late ' if one.late else ''}{lasting(one.heartbeat_age)}",
        )
        for one in picture.strategies
    ]
    return rows + [
        (cell(f"kill switch {scope}"), Text(state, STATES.get(state, "")), "") for scope, state in picture.kill_switches
    ]


def _feeds(picture: Picture) -> list[_Row]:
    rows: list[_Row] = []
    for one in picture.feeds:
        old = one.allowed is not None and one.age > one.allowed
        age = Text(f"{'old ' if old else ''}{lasting(one.age)}", "red" if old else "", justify="right")
        rows.append((cell(f"{one.source} {one.kind}"), cell(one.connection, "dim"), age))
    return rows


def _connections(picture: Picture) -> list[_Row]:
    return [
        (
            cell(" ".join(filter(None, (one.venue, one.name)))),
            Text(one.state, STATES.get(one.state, ""), justify="right"),
        )
        for one in picture.connections
    ]


def _monitoring(picture: Picture) -> list[_Row]:
    path = picture.monitoring
    old = path.canary_age is None or (path.canary_allowed is not None and path.canary_age > path.canary_allowed)
    canary = "no canary" if path.canary_age is None else f"canary {lasting(path.canary_age)} old"
    lost = Text(f"{path.lost:,.0f} lost in {WINDOW}", "red" if path.lost else "", justify="right")
    return [(cell(canary, "red" if old else "green"), lost)]
