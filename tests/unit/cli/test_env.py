"""`otel-trading env`: every setting, its value in force and where it comes from."""

from __future__ import annotations

import json
import subprocess

import pytest
from process_support import COMMAND, clean_environment

from otel_trading import environment


def _env(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "env", *arguments],
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _rows(**variables: str) -> dict[str, dict[str, str]]:
    done = _env("--json", **variables)
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}


def test_every_setting_is_shown_with_its_default() -> None:
    rows = _rows()

    assert set(rows) >= {setting.name for setting in environment.ALL}
    assert {row["source"] for row in rows.values()} == {"default"}
    assert rows["OTEL_TRADING_MODE"]["value"] == "live"
    assert rows["OTEL_METRIC_EXPORT_INTERVAL"]["value"] == "10000"


def test_what_the_environment_says_is_in_force() -> None:
    rows = _rows(
        OTEL_TRADING_MODE="PAPER",
        OTEL_TRADING_DISABLED_METRICS="a.*, b.*",
        OTEL_TRADING_STRICT="true",
        OTEL_METRICS_EXPORTER="console",
    )
    shown = {name: row["value"] for name, row in rows.items() if row["source"] == "environment"}

    assert shown == {
        "OTEL_TRADING_MODE": "paper",
        "OTEL_TRADING_DISABLED_METRICS": "a.*,b.*",
        "OTEL_TRADING_STRICT": "1",
        "OTEL_METRICS_EXPORTER": "console",
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OTEL_TRADING_MODE", "lvie", "OTEL_TRADING_MODE is 'lvie'. Allowed: live, paper, backtest, replay."),
        ("OTEL_TRADING_MAX_SERIES", "5000", "OTEL_TRADING_MAX_SERIES is '5000'. Allowed: 1 to 1900."),
        ("OTEL_TRADING_ACOUNT", "a", "Did you mean OTEL_TRADING_ACCOUNT?"),
        ("OTEL_TRADING_ZZZ", "a", "Allowed: OTEL_TRADING_MODE, "),
    ],
)
def test_a_wrong_one_is_shown_and_refused(name: str, value: str, said: str) -> None:
    done = _env("--json", **{name: value})
    rows = {row["name"]: row for row in json.loads(done.stdout)}

    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert name not in rows or rows[name]["source"] == "wrong"


def test_the_table_for_people_names_everything() -> None:
    done = _env()

    assert done.returncode == 0
    assert all(setting.name in done.stdout for setting in environment.ALL)
    assert "\x1b" not in done.stdout, "no colour in a pipe"
