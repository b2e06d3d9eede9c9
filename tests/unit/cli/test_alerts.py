"""`otel-trading alerts --set`: what is accepted, what is refused, what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from otel_trading.cli import cli
from otel_trading.errors import OtelTradingError

MINE = Path("config", "my-rules", "thresholds.yaml")


def alerts(home: Path, *arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["alerts", "--home", str(home), *arguments], input=typed)


def rules(home: Path) -> list[dict[str, Any]]:
    (group,) = yaml.safe_load((home / MINE).read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def refusal(result: Result) -> str:
    """Return the sentence, whoever says it: click or main()."""
    assert result.exit_code != 0
    return str(result.exception) if isinstance(result.exception, OtelTradingError) else result.stderr


def test_a_stricter_number_is_set_at_once(tmp_path: Path) -> None:
    done = alerts(tmp_path, "--set", "order_rejection_ra=5%", "--strategy", "momentum", "--why", "it never crosses")

    assert (done.exit_code, done.stdout) == (0, "order_rejection_ratio (momentum): 0.1 -> 0.05\n")
    number, mark = rules(tmp_path)
    labels = {"threshold_scope": "strategy", "trading_strategy_name": "momentum"}
    assert number == {"record": "trading:threshold:order_rejection_ratio", "expr": "vector(0.05)", "labels": labels}
    assert mark["record"] == "trading:threshold_change:time_seconds"
    assert mark["labels"].items() >= {"old": "0.1", "new": "0.05", "why": "it never crosses", **labels}.items()


def test_every_change_stands_in_a_log_that_only_grows(tmp_path: Path) -> None:
    alerts(tmp_path, "--set", "order_rejection_ratio=0.05", "--why", "first")
    first = (tmp_path / "data" / "alerts" / "changes.jsonl").read_text()
    alerts(tmp_path, "--set", "order_rejection_ratio=0.04", "--why", "second")
    alerts(tmp_path, "--unset", "order_rejection_ratio", "--why", "third", "--yes")

    assert (tmp_path / "data" / "alerts" / "changes.jsonl").read_text().startswith(first)
    rows = json.loads(alerts(tmp_path, "--changes", "--json").stdout)
    assert [(row["old"], row["new"], row["why"]) for row in rows] == [
        (0.1, 0.05, "first"),
        (0.05, 0.04, "second"),
        (0.04, 0.1, "third"),
    ]
    assert all(row["who"] and row["at"].endswith("+00:00") for row in rows)
    assert json.loads(alerts(tmp_path, "--mine", "--json").stdout) == []


def test_one_for_all_holds_where_the_strategy_has_none(tmp_path: Path) -> None:
    alerts(tmp_path, "--set", "order_rejection_ratio=0.05", "--why", "all")
    done = alerts(tmp_path, "--set", "order_rejection_ratio=0.02", "--strategy", "momentum", "--why", "one")
    back = alerts(tmp_path, "--unset", "order_rejection_ratio", "--strategy", "momentum", "--why", "back", "--yes")

    assert done.stdout == "order_rejection_ratio (momentum): 0.05 -> 0.02\n"
    assert back.stdout == "order_rejection_ratio (momentum): 0.02 -> 0.05\n"


@pytest.mark.parametrize("arguments", [["--set", "order_rejection_ratio=0.2"], ["--unset", "order_rejection_ratio"]])
def test_loosening_asks_and_nobody_to_ask_means_no(tmp_path: Path, arguments: list[str]) -> None:
    alerts(tmp_path, "--set", "order_rejection_ratio=0.05", "--why", "first")
    before = (tmp_path / MINE).read_text()

    assert "less will alert. Nobody is here to be asked. If you mean it, add --yes." in refusal(
        alerts(tmp_path, *arguments, "--why", "noise")
    )
    assert (tmp_path / MINE).read_text() == before
    assert alerts(tmp_path, *arguments, "--why", "noise", "--yes").exit_code == 0


def test_the_unit_of_a_name_may_be_left_out(tmp_path: Path) -> None:
    done = alerts(tmp_path, "--set", "drawdown=0.15", "--why", "as the README has it")

    assert done.stdout == "drawdown_ratio (for all): 0.2 -> 0.15\n"
    assert "'draw' is more than one threshold" in refusal(alerts(tmp_path, "--set", "draw=0.1", "--why", "x"))


def test_money_is_set_per_currency_and_key_per_kind(tmp_path: Path) -> None:
    loss = alerts(tmp_path, "--set", "daily_loss=500", "--currency", "USD", "--account", "acct-1", "--why", "mine")
    age = alerts(tmp_path, "--set", "market_data_age_seconds=10", "--of", "quote", "--why", "fast")

    assert (loss.stdout, age.stdout) == (
        "daily_loss (acct-1, USD): none -> 500\n",
        "market_data_age_seconds (quote): 30 -> 10\n",
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "nothing=1"], "'nothing' is no threshold. Say one of: order_rejection_ratio"),
        (["--set", "=1"], "'' is no threshold"),
        (["--set", "order_rejection_ratio=1.5"], "a number from 0 to 1, got '1.5'"),
        (["--set", "order_rejection_ratio=nan"], "a number from 0 to 1, got 'nan'"),
        (["--set", "order_rejection_ratio=ten"], "a number from 0 to 1, got 'ten'"),
        (["--set", "order_rejection_ratio"], "--set takes NAME=NUMBER, got 'order_rejection_ratio'"),
        (["--unset", "order_rejection_ratio=1"], "--unset takes a NAME, got 'order_rejection_ratio=1'"),
        (["--unset", "order_rejection_ratio"], "You have set no order_rejection_ratio for threshold_scope=local"),
        (["--set", "daily_loss=500"], "Add --currency, for instance --currency USD."),
        (["--set", "market_data_age_seconds=10"], "Add --of, for instance --of quote."),
        (
            ["--set", "market_data_age_seconds=10", "--of", "quotes"],
            "--of 'quotes' is no trading.data.kind.",
        ),
        (["--set", "order_rejection_ratio=0.1", "--currency", "USD"], "takes no --currency, got 'USD'"),
        (["--strategy", "momentum"], "Add --set or --unset."),
        (
            ["--set", "order_rejection_ratio=0.1", "--mine"],
            "one of --set, --unset, --mine, --kubernetes and --changes at a time",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    assert sentence in refusal(alerts(tmp_path, *arguments, "--why", "test"))
    assert not (tmp_path / MINE).exists()


def test_a_change_without_a_reason_is_refused(tmp_path: Path) -> None:
    assert "Add --why" in refusal(alerts(tmp_path, "--set", "order_rejection_ratio=0.05"))


def test_a_file_that_somebody_edited_is_not_overwritten(tmp_path: Path) -> None:
    alerts(tmp_path, "--set", "order_rejection_ratio=0.05", "--why", "first")
    (tmp_path / MINE).write_text("groups: [{name: my own}]\n")

    said = refusal(alerts(tmp_path, "--set", "order_rejection_ratio=0.04", "--why", "second"))

    assert "is not what `otel-trading alerts --set` wrote" in said
    assert (tmp_path / MINE).read_text() == "groups: [{name: my own}]\n"


def test_a_log_that_cannot_be_written_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "data" / "alerts" / "changes.jsonl").mkdir(parents=True)

    assert "Cannot" in refusal(alerts(tmp_path, "--set", "order_rejection_ratio=0.05", "--why", "first"))
    assert not (tmp_path / MINE).exists() or (tmp_path / MINE).read_text() == ""
