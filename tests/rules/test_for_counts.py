"""Counts on boards, as the real promtool computes them: what was counted, by whichever process, over any gap."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from dashboards import _promql
from otel_trading.semconv import Metric, execution, portfolio, sdk
from otel_trading.semconv import attributes as a

RULES: Final = Path(__file__).resolve().parents[2] / "alerts" / "rules" / "boards.yaml"
START: Final = sdk.START_TIME.prometheus
FILLS: Final = execution.FILLS.prometheus
ALWAYS: Final = f'job="bot",instance="host",{a.MODE.prometheus}="live"'
#: A sample every 15 seconds: what each series is worth, by its further labels; the minute asked at; what is counted.
CASES: Final[dict[str, tuple[dict[str, str], int, float]]] = {
    "a process that goes on": ({f"{START}{{}}": "1x200", f'{FILLS}{{symbol="A"}}': "7+1x200"}, 40, 120),
    "one that began in the time, and counts from nothing": (
        {f"{START}{{}}": "_x40 600x200", f'{FILLS}{{symbol="A"}}': "_x40 3 5 5x200"},
        20,
        5,
    ),
    "a restart, and less counted since": (
        {f"{START}{{}}": "1x40 600x100", f'{FILLS}{{symbol="A"}}': "0+1x40 0+2x10 20x100"},
        20,
        60,
    ),
    "a restart, and as much counted since": (
        {f"{START}{{}}": "1x40 600x100", f'{FILLS}{{symbol="A"}}': "3x40 3x100"},
        20,
        6,
    ),
    "one that does the same every five minutes, and ends": (
        {
            f"{START}{{}}": "1x2 stale _x16 300x2 stale _x16 600x2 stale _x60",
            f'{FILLS}{{symbol="A"}}': "3x2 stale _x16 3x2 stale _x16 3x2 stale _x60",
        },
        20,
        9,
    ),
    "one that died leaves its symbols to nobody": (
        {
            f"{START}{{}}": "1x40 615x100",
            f'{FILLS}{{symbol="A"}}': "4x40 _x100",
            f'{FILLS}{{symbol="B"}}': "_x41 2x100",
        },
        20,
        6,
    ),
    "its last words, and nobody after it": (
        {f"{START}{{}}": "1x42 stale", f'{FILLS}{{symbol="A"}}': "4x40 9 9 stale"},
        20,
        9,
    ),
    "twenty minutes without Prometheus": (
        {f"{START}{{}}": "1x20 _x80 1x100", f'{FILLS}{{symbol="A"}}': "0+1x20 _x80 100+1x100"},
        35,
        139 - 20,  # `x20` is 21 samples
    ),
    "a sender without our start": ({f'{FILLS}{{symbol="A"}}': "7+1x200"}, 40, 120),
}


def promtool_test(promtool: Path, folder: Path, tests: list[dict[str, Any]]) -> str:
    file = folder / "cases.test.yaml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}))
    command: tuple[str | Path, ...] = (promtool, "test", "rules", file)
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def shown(metric: Metric, minutes: int, step: str = "1m") -> str:
    """Return what the board asks, over so many minutes and with every variable on All."""
    text = _promql.increase(metric).replace(_promql.RANGE, f"{minutes}m").replace("$mode", "live")
    text = text.replace(_promql.STEP, step)
    for name in _promql.FILTERS:
        text = text.replace(f"${{{name}:regex}}", ".*")
    return text


def case(given: dict[str, str], asked: str, minute: int, wanted: list[dict[str, Any]]) -> dict[str, Any]:
    series = [{"series": each, "values": values} for each, values in given.items()]
    test = {"expr": asked, "eval_time": f"{minute}m", "exp_samples": wanted}
    return {"interval": "15s", "input_series": series, "promql_expr_test": [test]}


@pytest.mark.parametrize("step", ["1m", "30m"])
@pytest.mark.parametrize("told", CASES, ids=str)
def test_the_count_is_what_was_counted(promtool: Path, tmp_path: Path, told: str, step: str) -> None:
    series, minute, count = CASES[told]
    given = {each.replace("{", f"{{{ALWAYS},").replace(",}", "}"): values for each, values in series.items()}
    wanted = [{"labels": "{}", "value": count}]
    tests = [case(given, shown(execution.FILLS, 30, step), minute, wanted)]
    assert "SUCCESS" in (said := promtool_test(promtool, tmp_path, tests)), said


def test_money_of_two_currencies_and_of_two_modes_stays_apart(promtool: Path, tmp_path: Path) -> None:
    name, currency = portfolio.FUNDING_PAYMENT.prometheus, a.CURRENCY.prometheus
    paper = ALWAYS.replace('"live"', '"paper"')
    given = {
        f"{START}{{{ALWAYS}}}": "1x200",
        f'{name}{{{ALWAYS},{currency}="EUR"}}': "0+1x200",
        f'{name}{{{ALWAYS},{currency}="USD"}}': "0+2x200",
        f'{name}{{{paper},{currency}="USD"}}': "0+4x200",
    }
    wanted = [{"labels": f'{{{currency}="{money}"}}', "value": paid} for money, paid in (("EUR", 40), ("USD", 80))]
    tests = [case(given, shown(portfolio.FUNDING_PAYMENT, 10), 30, wanted)]
    assert "SUCCESS" in (said := promtool_test(promtool, tmp_path, tests)), said
