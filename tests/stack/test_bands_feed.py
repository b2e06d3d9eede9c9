"""Bands on a real Prometheus with a week of history, and the table that a model is fed with."""

from __future__ import annotations

import importlib
import re
import shlex
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from dashboards import _bands as bands
from otel_trading.cli import cli
from otel_trading.semconv import attributes as a
from otel_trading.stack import Ports, up
from otel_trading.stack._files import shipped
from stack_support import prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.stack

_LABELS = {
    "job": "desk",
    "service_name": "desk",
    a.MODE.prometheus: "live",
    a.STRATEGY.prometheus: "dip",
    a.ACCOUNT.prometheus: "main",
    a.CURRENCY.prometheus: "USD",
}


def _store(promtool: Path, home: Path) -> None:
    """Have Prometheus' own tool write what was recorded around this hour of the last seven days: 10, 20, ... 70."""
    labels = ",".join(f'{label}="{value}"' for label, value in _LABELS.items())
    now = int(time.time())
    moments = [(now - 86_400 * day + 300 * step, 10 * day) for day in range(7, 0, -1) for step in range(-5, 6)]
    moments += [(now - 60, 500)]
    lines = [f"{bands.PNL.name('last')}{{{labels}}} {value} {moment}" for moment, value in moments]
    data = home / "data" / "prometheus"
    data.mkdir(parents=True)
    text = "\n".join([f"# TYPE {bands.PNL.name('last')} gauge", *lines, "# EOF", ""])
    command = [str(promtool), "tsdb", "create-blocks-from", "openmetrics", "/dev/stdin", str(data)]
    subprocess.run(command, input=text, text=True, check=True, capture_output=True, timeout=60)


@pytest.mark.seed("S3-65")
def test_a_model_is_fed_with_what_is_and_what_is_usual(
    stack_home: Path, promtool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _store(promtool, stack_home)
    running = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    written = f"count_over_time({bands.PNL.name('deviation')}[1m]) > 3"  # some seconds old: an export ends before now
    wait_until(lambda: prometheus_query(running, written), 30, "the band")

    guide = shipped("collector/README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"(?m)^ +(otel-trading export features\.parquet '\{.*)$", guide)
    words = [{"5m": "1s", "14d": "1m"}.get(word, word) for word in shlex.split(line)[1:]]
    done = CliRunner().invoke(cli, [*words, "--home", str(stack_home)])
    assert done.exit_code == 0, (done.output, done.exception)

    (snippet,) = re.findall(r"`(pandas\.read_parquet.*?)`", guide)
    frame: Any = eval(snippet, {"pandas": importlib.import_module("pandas")})  # noqa: S307  of our own guide
    row = frame.dropna().iloc[-1]
    last, usual, deviation = (row[bands.PNL.name(what)] for what in ("last", "usual", "deviation"))
    assert (last, usual, deviation) == (500, pytest.approx(40), pytest.approx(20))
    assert frame.index.get_level_values("trading_strategy_name").unique().tolist() == ["dip"]
    assert abs(last - usual) > 3 * deviation
