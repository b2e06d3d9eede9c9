"""Durations of rules, divided: what waits for minutes in production shows within seconds in a demo or a test.

Only durations change: `for`, `keep_firing_for`, and in expressions windows, offsets and numbers written as `1h`. Names,
strings, texts and thresholds stay; a threshold that is a time is set low by whoever wants to see it passed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["lookback", "speed_up", "speed_up_files"]

#: What was longer stays at least this long, in milliseconds: rates need two exports, and a busy machine delays one.
_FLOOR: Final = 5_000
#: Seconds for which Prometheus shows the last value of what is no longer sent, and the least of them.
_LOOKBACK: Final = (300, 15)
_UNITS: Final = {
    "ms": 1,
    "s": 1_000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 604_800_000,
    "y": 31_536_000_000,
}
_PART: Final = re.compile(r"(\d+)(ms|[smhdwy])")
_DURATION: Final = r"(?:\d+(?:ms|[smhdwy]))+(?!\w)"
_WAIT: Final = re.compile(rf"(?m)^(\s*(?:- )?(?:for|keep_firing_for):\s*)({_DURATION})")
#: An expression of PromQL in YAML: the rest of its line, and what stands deeper than its key.
_EXPRESSION: Final = re.compile(
    r"(?m)^(?P<indent>[ ]*)(?P<dash>- )?expr:.*(?:\n(?:(?P=indent)(?(dash)[ ]{2})[ ]+.*|[ ]*(?=\n)))*"
)
#: Strings, comments and names are passed over; a name may end like a duration (`ratio_increase5m`).
_TOKEN: Final = re.compile(
    r'"(?:[^"\\]|\\.)*"' r"|'(?:[^'\\]|\\.)*'" r"|`[^`]*`" r"|#.*" r"|[A-Za-z_][\w:]*" rf"|(?P<duration>{_DURATION})"
)


def speed_up(rules: str, times: float) -> str:
    """Return a file of rules whose durations pass so many times faster.

    Args:
        rules: YAML as `alerts/rules` has it.
        times: By how much durations are divided; none that was longer than five seconds becomes shorter than that.
    """

    def _expression(found: re.Match[str]) -> str:
        return _TOKEN.sub(lambda token: _faster(token[0], times) if token["duration"] else token[0], found[0])

    waits = _WAIT.sub(lambda found: found[1] + _faster(found[2], times), rules)
    return _EXPRESSION.sub(_expression, waits)


def speed_up_files(alerts: Path, times: float) -> None:
    """Speed up every rule below a folder laid out like `alerts/`."""
    for file in (alerts / "rules").glob("*.yaml"):
        file.write_text(speed_up(file.read_text(), times))


def lookback(times: float) -> str:
    """Return how long Prometheus takes a series that is no longer sent for present, as `--query.lookback-delta`."""
    usual, least = _LOOKBACK
    return f"{max(usual / times, least):g}s"


def _faster(duration: str, times: float) -> str:
    milliseconds = sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(duration))
    shorter = max(round(milliseconds / times), min(milliseconds, _FLOOR))
    return f"{shorter // 1000}s" if shorter % 1000 == 0 else f"{shorter}ms"
