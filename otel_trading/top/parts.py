"""What boards in the terminal are drawn from: figures as text, colours that mean something, sparklines.

Names come from elsewhere and may hold anything: they become `Text`, never markup, without what moves a cursor.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SEVERITIES", "STATES", "amount", "bar", "cell", "lasting", "plain", "signed", "sparkline"]

#: Colour of a state; the word beside it says the same.
STATES: Final = {
    "connected": "green", "degraded": "yellow", "connecting": "yellow", "disconnected": "red",
    "running": "green", "paused": "yellow", "reducing": "yellow", "stopped": "yellow",
    "armed": "green", "halted": "red",
}  # fmt: skip
SEVERITIES: Final = {"critical": "bold red", "warning": "yellow"}
_BARS: Final = "▁▂▃▄▅▆▇█"
_UNITS: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def sparkline(values: Sequence[float], width: int = 12) -> str:
    """Return the last values as bars between their lowest and highest."""
    last = list(values)[-width:]
    low, high = min(last, default=0.0), max(last, default=0.0)
    span = (high - low) or 1.0
    return "".join(_BARS[min(len(_BARS) - 1, int((value - low) / span * len(_BARS)))] for value in last)


def bar(share: float, width: int = 8) -> str:
    """Return a bar that is full at 1."""
    full = round(max(0.0, min(share, 1.0)) * width)
    return "█" * full + "░" * (width - full)


def signed(value: float | None, form: str = "+,.2f") -> tuple[str, str]:
    """Return a value with its sign, and its colour."""
    if value is None:
        return "-", ""
    return format(value, form), "green" if value > 0 else "red" if value < 0 else ""


def plain(value: float | None, form: str, scale: float = 1.0) -> str:
    """Return a value as text, or a dash where nothing arrived."""
    return "-" if value is None else format(value * scale, form)


def amount(value: float | None, sign: str = "") -> str:
    """Return money or a quantity: two decimals, six where it is below one."""
    return plain(value, f"{sign},.2f" if value is None or value == 0 or abs(value) >= 1 else f"{sign}.6f")


def lasting(seconds: float | None) -> str:
    """Return a time span in its largest unit."""
    if seconds is None:
        return "-"
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def cell(text: str, style: str = "") -> Text:
    """Return one line that is cut where there is no room; what cannot be printed shows as a mark."""
    seen = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return Text(seen, style, no_wrap=True, overflow="ellipsis")
