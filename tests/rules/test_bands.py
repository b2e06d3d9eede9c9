"""What is usual at this hour, as the real promtool computes it from a week of samples."""

from __future__ import annotations

import json
import statistics
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from dashboards import _bands as bands
from dashboards import _recorded as recorded
from otel_trading.semconv import attributes as a

_RULES: Final = Path(__file__).resolve().parents[2] / "alerts" / "rules" / "bands.yaml"
_BOT: Final = {
    "job": "bot",
    "service_name": "bot",
    a.MODE.prometheus: "live",
    a.STRATEGY.prometheus: "dip",
}
_PER_DAY: Final = 96  # one every quarter of an hour: promtool evaluates every rule at every step
_NOON: Final = "7d12h"


def _written(name: str, labels: dict[str, str]) -> str:
    return f"{name}{{{','.join(f'{label}={json.dumps(value)}' for label, value in labels.items())}}}"


def _run(promtool: Path, folder: Path, series: dict[str, str], asked: list[dict[str, Any]]) -> str:
    figures = {one["expr"].split(":")[1] for one in asked}
    file, rules = folder / "cases.test.yaml", folder / "rules.yaml"
    (group,) = yaml.safe_load(_RULES.read_text())["groups"]
    group["rules"] = [rule for rule in group["rules"] if rule["record"].split(":")[1] in figures]
    rules.write_text(json.dumps({"groups": [group]}))
    test = {
        "interval": "15m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": asked,
    }
    cases = {"rule_files": [str(rules)], "evaluation_interval": "15m", "fuzzy_compare": True, "tests": [test]}
    file.write_text(json.dumps(cases))
    command: tuple[str | Path, ...] = (promtool, "test", "rules", file)
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    return done.stdout + done.stderr


def _asked(expression: str, at: str, samples: dict[str, float]) -> dict[str, Any]:
    exp = [{"labels": labels, "value": value} for labels, value in samples.items()]
    return {"expr": expression, "eval_time": at, "exp_samples": exp}


@pytest.mark.seed("S3-65")
def test_a_band_is_of_the_same_hour_of_the_last_seven_days(promtool: Path, tmp_path: Path) -> None:
    labels = {**_BOT, a.ACCOUNT.prometheus: "main", a.CURRENCY.prometheus: "USD"}
    pnl = "trading_portfolio_session_pnl"
    # Each day has a level of its own, and the hours around midnight another one, which noon must not see.
    days = [10, 20, 30, 40, 50, 60, 70]
    level = " ".join(f"-999x23 {day}x47 -999x23" for day in days)
    parts = {"realized": f"{level} 500x{_PER_DAY}", "unrealized": f"0x{8 * _PER_DAY}"}
    series = {_written(pnl, {**labels, a.PNL_TYPE.prometheus: kind}): values for kind, values in parts.items()}
    paper = {**labels, a.MODE.prometheus: "paper", a.PNL_TYPE.prometheus: "realized"}
    series[_written(pnl, paper)] = f"7x{8 * _PER_DAY}"
    converted = {**labels, a.PNL_TYPE.prometheus: "realized", a.CURRENCY_CONVERTED.prometheus: "true"}
    series[_written(pnl, converted)] = f"7x{8 * _PER_DAY}"

    usual, deviation, last = (bands.PNL.name(what) for what in ("usual", "deviation", "last"))
    said = _run(
        promtool,
        tmp_path,
        series,
        [
            _asked(last, _NOON, {_written(last, labels): 500}),
            _asked(usual, _NOON, {_written(usual, labels): statistics.mean(days)}),
            _asked(deviation, _NOON, {_written(deviation, labels): statistics.pstdev(days)}),
            # Three days make a band, two make none.
            _asked(usual, "3d12h", {_written(usual, labels): 20}),
            _asked(usual, "2d12h", {}),
            _asked(deviation, "2d12h", {}),
            _asked(f"{last} > {usual} + 3 * {deviation}", _NOON, {_written(last, labels): 500}),
        ],
    )
    assert "SUCCESS" in said, said


def test_hours_without_orders_spoil_no_band_and_noise_within_an_hour_widens_it(promtool: Path, tmp_path: Path) -> None:
    labels = {**_BOT, a.VENUE.prometheus: "kraken"}
    buckets = recorded.name(bands.LATENCY.metric, "bucket")
    # Nothing at all for four days, then orders of which 95 % are below 0.1 s.
    series = {
        _written(
            buckets, {**labels, recorded.STEPS: recorded.SHORT, "le": edge}
        ): f"0x{4 * _PER_DAY} {rate}x{4 * _PER_DAY}"
        for edge, rate in (("0.1", 95), ("0.5", 100), ("+Inf", 100))
    }
    messages = recorded.name(bands.MESSAGES.metric, "")
    noisy = " ".join(["10 30"] * (4 * _PER_DAY))
    series[_written(messages, {**labels, recorded.STEPS: recorded.SHORT, a.DATA_KIND.prometheus: "quote"})] = noisy
    latency, rate = bands.LATENCY, bands.MESSAGES
    said = _run(
        promtool,
        tmp_path,
        series,
        [
            _asked(latency.name("last"), "1d", {}),
            _asked(latency.name("usual"), "7d18h", {_written(latency.name("usual"), labels): 0.1}),
            _asked(latency.name("deviation"), "7d18h", {_written(latency.name("deviation"), labels): 0}),
            _asked(rate.name("usual"), "7d18h", {_written(rate.name("usual"), labels): 20}),
            _asked(rate.name("deviation"), "7d18h", {_written(rate.name("deviation"), labels): 10}),
        ],
    )
    assert "SUCCESS" in said, said


def test_no_band_has_symbols_and_every_figure_has_three_rules() -> None:
    (group,) = yaml.safe_load(_RULES.read_text())["groups"]
    assert [rule["record"] for rule in group["rules"]] == [
        one.name(what) for one in bands.FIGURES for what in ("last", "usual", "deviation")
    ]
    assert a.SYMBOL.prometheus not in _RULES.read_text()
