"""`otel-trading query`: what an expression is now, where no Grafana is at hand."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import click

from otel_trading import stack
from otel_trading.cli._output import emit_json, printable
from otel_trading.cli.up import home_option
from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import loopback

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["command"]

_TIMEOUT: Final = 30.0
_REFUSALS: Final = {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}


@click.command()
@click.argument("promql")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON, as Prometheus has it.")
@home_option
def command(*, promql: str, as_json: bool, home: Path | None) -> None:
    """Show what an expression in PromQL is now, one series a line; exits 1 where there is nothing.

    For instance a series that the runbook names: otel-trading query 'trading_connection_status{trading_mode="live"}'
    """
    found = _ask(stack.find(home=home).urls["prometheus"], promql)
    rows = found["result"]
    if as_json:
        emit_json(found)
    elif not rows:
        click.echo("Nothing. Names of series: otel-trading metrics. What is no longer sent ends after five minutes.")
    elif found["resultType"] in {"scalar", "string"}:
        click.echo(printable(rows[1]))
    else:
        for row in rows:
            click.echo(printable(f"{_series(row['metric'])} {_values(row)}"))
    if not rows:
        raise SystemExit(1)


def _ask(url: str, promql: str) -> Any:
    # A POST, because the expression may be longer than a URL.
    body = urllib.parse.urlencode({"query": promql}).encode()
    try:
        return json.loads(loopback.ask(f"{url}/api/v1/query", _TIMEOUT, body=body))["data"]
    except urllib.error.HTTPError as error:
        said = loopback.words(error)
        if error.code in _REFUSALS:
            message = f"Prometheus refuses the expression: {printable(json.loads(said)['error'])}"
            raise ConfigError(message) from error
        message = f"Prometheus at {url} says {error.code}: {printable(said)}. Look at: otel-trading status"
        raise StackError(message) from error
    except OSError as error:
        message = f"Prometheus does not answer at {url}: {error}. Look at: otel-trading status"
        raise StackError(message) from error


def _series(labels: Mapping[str, str]) -> str:
    others = sorted((name, value) for name, value in labels.items() if name != "__name__")
    pairs = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in others)
    return f"{labels.get('__name__', '')}{{{pairs}}}"


def _values(row: Mapping[str, Any]) -> str:
    """Return the value, of a range all of them, of a native histogram how many and their sum."""
    if "value" in row:
        return str(row["value"][1])
    if "values" in row:
        return " ".join(str(value) for _, value in row["values"])
    told = row.get("histogram") or row["histograms"][-1]
    return f"count {told[1]['count']} sum {told[1]['sum']}"
