"""What is wrong with a file of rules, with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from otel_trading.check import files
from otel_trading.cli import cli

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """\
groups:
  - name: mine
    interval: 15s
    rules:
      - record: trading:threshold:market_data_age_seconds
        expr: vector(20)
        labels: {threshold_scope: strategy, trading_strategy_name: momentum, trading_data_kind: quote}
      - alert: Stale
        expr: |
          trading_market_data_age_seconds{trading_mode="live"}
          > 30
        for: 1m
        labels:
          severity: warning
          team: trading
        annotations:
          summary: A feed is late.
          description: "{{ $labels.trading_venue_name }} is {{ $value }} s old."
          action: Look at the venue.
          runbook_url: https://your.wiki/stale
"""
LINES = GOOD.splitlines()


def found(tmp_path: Path, text: str) -> list[str]:
    """Findings without the file's name: `line: where: message`."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return [str(finding).removeprefix(f"{file}:") for finding in files.check([file]).findings]


def test_a_good_file_passes(tmp_path: Path) -> None:
    assert found(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("line", "replacement", "sentence"),
    [
        (3, "    interval: 15 sec", "3: group mine: interval is '15 sec'; allowed is a time like 30s, 5m or 1h30m"),
        (12, "        for: soon", "12: Stale: for is 'soon'; allowed is a time like 30s, 5m or 1h30m"),
        (
            3,
            "    intervall: 15s",
            (
                "3: group mine: there is no field intervall here (did you mean interval?); "
                "allowed are interval, labels, "
                "limit, name, partial_response_strategy, query_offset, rules"
            ),
        ),
        (
            16,
            "        anotations:",
            (
                "16: Stale: there is no field anotations here (did you mean annotations?); allowed are alert, "
                "annotations, expr, for, keep_firing_for, labels"
            ),
        ),
        (
            8,
            "      - severity: a",
            "8: rule without a name: a rule has `alert:` or `record:`, got none of them; keep one",
        ),
        (
            8,
            "      - alert: Stale\n        record: b",
            "8: Stale: a rule has `alert:` or `record:`, got both; keep one",
        ),
        (9, "        exp: |", "8: Stale: it has no expression; add `expr:` with PromQL"),
        (2, "  - nam: mine", "2: group 1: its name is missing; add `name:`"),
        (
            11,
            "          > trading_market_data_agee_seconds",
            (
                "11: Stale: there is no series trading_market_data_agee_seconds "
                "(did you mean trading_market_data_age_seconds?); all of them: otel-trading metrics"
            ),
        ),
        (
            14,
            "          severity: page",
            (
                "14: Stale: severity is 'page'; allowed are critical, warning, info, none: "
                "critical wakes someone, warning is for today, info is context"
            ),
        ),
        (
            15,
            "",
            "13: Stale: the label team is missing; allowed are trading, platform: Alertmanager routes by it",
        ),
        (
            14,
            "",
            (
                "13: Stale: the label severity is missing; allowed are critical, warning, info, none: "
                "critical wakes someone, warning is for today, info is context"
            ),
        ),
        (
            17,
            "",
            "16: Stale: the annotation summary is missing; add one constant sentence that people recognize",
        ),
        (18, "", "16: Stale: the annotation description is missing; add the values, with labels and units"),
        (19, "", "16: Stale: the annotation action is missing; add what the operator does first"),
        (
            20,
            "",
            "16: Stale: the annotation runbook_url is missing; add a link to what it means and when it is noise",
        ),
        (
            20,
            "          runbook_url: ' '",
            "20: Stale: the annotation runbook_url is missing; add a link to what it means and when it is noise",
        ),
        (
            18,
            '          description: "{{ $labels.trading_venue }} is late."',
            (
                "18: Stale: description shows $labels.trading_venue, which the expression has not "
                "(did you mean trading_venue_name?); correct it"
            ),
        ),
        (
            18,
            '          description: "{{ $value } s old."',
            "18: Stale: the braces of description do not match; write {{ and }} in pairs",
        ),
        (14, "          severity: info\n          severity: warning", "15: Stale: severity is given twice; keep one"),
        (
            5,
            "      - record: trading:threshold:market_data_age",
            (
                "5: trading:threshold:market_data_age: there is no threshold market_data_age "
                "(did you mean market_data_age_seconds?)"
            ),
        ),
        (
            5,
            "      - record: trading:threshold_in_force:market_data_age_seconds",
            (
                "5: trading:threshold_in_force:market_data_age_seconds: "
                "trading:threshold_in_force:market_data_age_seconds "
                "is computed by the shipped rules; "
                "set trading:threshold:market_data_age_seconds with a threshold_scope instead"
            ),
        ),
        (
            5,
            "      - record: trading_market_data_age_seconds",
            (
                "5: trading_market_data_age_seconds: trading_market_data_age_seconds is what bots send; "
                "record under a name of your own, like team:my_orders:rate5m"
            ),
        ),
        (
            5,
            "      - record: my-age",
            (
                "5: my-age: 'my-age' is no name of a series; "
                "allowed are letters, digits, _ and :, like team:my_orders:rate5m"
            ),
        ),
        (
            6,
            "        expr: vector(0.5)",
            (
                "6: trading:threshold:market_data_age_seconds: 0.5 is out of range for "
                "trading:threshold:market_data_age_seconds; allowed is 1 to 604800: "
            ),
        ),
        (
            6,
            "        expr: 1e9",
            (
                "6: trading:threshold:market_data_age_seconds: 1e9 is out of range for "
                "trading:threshold:market_data_age_seconds; allowed is 1 to 604800: "
            ),
        ),
        (
            7,
            "        labels: {trading_data_kind: quote}",
            (
                "7: trading:threshold:market_data_age_seconds: trading:threshold:market_data_age_seconds has no label "
                "threshold_scope; allowed are local, strategy: say whose number it is"
            ),
        ),
        (
            7,
            "        labels: {threshold_scope: default, trading_data_kind: quote}",
            (
                "7: trading:threshold:market_data_age_seconds: trading:threshold:market_data_age_seconds has "
                "threshold_scope 'default'; allowed are local, strategy: say whose number it is"
            ),
        ),
        (
            7,
            "        labels: {threshold_scope: strategy, trading_data_kind: quote}",
            (
                "7: trading:threshold:market_data_age_seconds: threshold_scope is 'strategy' but the label "
                "trading_strategy_name is missing; add it, to say which strategy"
            ),
        ),
        (
            7,
            "        labels: {threshold_scope: local}",
            (
                "7: trading:threshold:market_data_age_seconds: the label trading_data_kind is missing, "
                "by which trading:threshold:market_data_age_seconds differs; add it"
            ),
        ),
        (
            7,
            "        labels: {threshold_scope: local, trading_data_kind: qoute}",
            (
                "7: trading:threshold:market_data_age_seconds: trading_data_kind is never 'qoute' "
                "(did you mean quote?); allowed are trade, quote, order_book, bar, ticker, "
                "funding, account, news, other: take one of them"
            ),
        ),
        (
            7,
            "        labels: {threshold_scope: local, trading_data_kind: quote, trading_stratgy_name: a}",
            (
                "7: trading:threshold:market_data_age_seconds: there is no label trading_stratgy_name "
                "(did you mean trading_strategy_name?); correct it, or use a prefix of your own"
            ),
        ),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: int, replacement: str, sentence: str) -> None:
    lines = [*LINES[: line - 1], *([replacement] if replacement else []), *LINES[line:]]

    assert any(one.startswith(sentence) for one in found(tmp_path, "\n".join(lines))), found(tmp_path, "\n".join(lines))


def test_money_wants_its_currency(tmp_path: Path) -> None:
    rule = "{record: 'trading:threshold:daily_loss', expr: vector(500), labels: {threshold_scope: local}}"

    assert found(tmp_path, f"groups: [{{name: mine, rules: [{rule}]}}]") == [
        (
            "1: trading:threshold:daily_loss: the label trading_currency_code is missing, "
            "by which trading:threshold:daily_loss differs; add it"
        )
    ]


def test_a_group_is_named_once_and_has_rules(tmp_path: Path) -> None:
    assert found(tmp_path, "groups:\n  - {name: a, rules: []}\n  - {name: a}\n") == [
        "2: group a: it has no rules; add `rules:` and a list of rules, or remove it",
        "3: group a: it has no rules; add `rules:` and a list of rules, or remove it",
        "3: group a: its name was given before; choose another",
    ]


def test_a_counter_may_be_recorded_under_the_name_of_one(tmp_path: Path) -> None:
    expression = 'sum by (job) (trading_order_requests_total{trading_mode="live"})'
    text = f"groups: [{{name: a, rules: [{{record: NAME, expr: '{expression}'}}]}}]"

    assert found(tmp_path, text.replace("NAME", "mine_orders_total")) == []
    assert len(found(tmp_path, text.replace("NAME", "mine_orders"))) == 1


def test_what_alerts_set_writes_passes(tmp_path: Path) -> None:
    asked = ["--set", "daily_loss=500", "--currency", "USD", "--account", "main", "--why", "a {{ small }} account"]
    done = CliRunner().invoke(cli, ["alerts", "--home", str(tmp_path), *asked])

    assert done.exit_code == 0, done.output
    assert files.check([tmp_path / "config" / "my-rules"]).findings == []
