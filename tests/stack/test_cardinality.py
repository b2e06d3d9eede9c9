"""Ten thousand symbols, then ten thousand others, on the real stack: what a bot costs is bounded, and it says why."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest

from bot_support import environment, running, series
from otel_trading.environment import OTEL_TRADING_MAX_SERIES
from stack_support import prometheus_query, wait_until

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(300)]

_BOMBS, _SYMBOLS = ("A", "B"), 10_000
_BODY = f"""
import json

def resident():
    status = open('/proc/self/status').read()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith('VmRSS')) / 1024

print('ready', flush=True)
for line in sys.stdin:
    if line == 'end\\n':
        break
    for number in range({_SYMBOLS} if line != 'memory\\n' else 0):
        symbol = line.strip() + str(number)
        meter.signal_emitted(type='buy', strategy='s', symbol=symbol)
        meter.market_data_received(source='feed', kind='trade', symbol=symbol, venue='v')
    print(json.dumps(resident()), flush=True)
"""


def _told(process: subprocess.Popen[str], word: str) -> float:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{word}\n")
    process.stdin.flush()
    return float(json.loads(process.stdout.readline() or "null"))


def _number(stack: Stack, promql: str) -> float:
    ((_, value),) = [one["value"] for one in wait_until(partial(prometheus_query, stack, promql), 60, promql)]
    return float(value)


def test_a_bomb_of_symbols_costs_what_the_cap_allows_and_no_more(stack: Stack, tmp_path: Path) -> None:
    quiet = {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    variables = environment(stack, OTEL_METRIC_EXPORT_INTERVAL="2000", **quiet)
    mine, memory, counts = 'service_name="bomb"', [0.0], [0]
    with running(tmp_path, "bomb", _BODY, variables) as process:
        memory[0] = _told(process, "memory")
        for number, bomb in enumerate(_BOMBS, 1):
            _told(process, bomb)
            _number(stack, f"sum(trading_signal_emissions_total{{{mine}}}) == {number * _SYMBOLS}")
            memory.append(_told(process, "memory"))
            counts.append(len(series(stack, "bomb")))
        slowest = _number(stack, f"histogram_quantile(1, trading_sdk_export_duration_seconds_bucket{{{mine}}})")
        symbols = 'trading_sdk_attribute="trading.instrument.symbol"'
        folded = _number(stack, f"trading_sdk_attribute_overflows_total{{{mine},{symbols}}}")
        assert process.stdin is not None
        process.stdin.write("end\n")
        process.stdin.flush()

    measured = f"memory {memory} MiB, series {counts}, slowest export {slowest} s, folded {folded}"
    limit = OTEL_TRADING_MAX_SERIES.default
    names = Counter(one["__name__"] for one in series(stack, "bomb") if "bucket" not in one["__name__"])
    assert max(names.values()) <= limit + 1, (names.most_common(3), measured)  # and one `_other_`
    assert counts[2] - counts[1] <= 20, measured
    assert memory[2] - memory[1] < 20, measured
    assert memory[2] - memory[0] < 150, measured
    assert slowest < 10, measured
    assert folded >= 2 * _SYMBOLS - limit, measured
    print(measured)  # noqa: T201  what the bound was worth, with -s
