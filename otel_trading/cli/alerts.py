"""`otel-trading alerts`: every alert, how it is, what it is compared with; and your own thresholds."""

from __future__ import annotations

import getpass
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import click
from rich.markup import escape

from otel_trading import stack
from otel_trading.cli._output import console, emit_json, table
from otel_trading.cli.check import check_extra
from otel_trading.cli.up import home_option
from otel_trading.stack import alerting, renewal
from otel_trading.stack._files import rule_files
from otel_trading.thresholds import BY_NAME

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.alerting import Alert, Change, Mine, Override
    from otel_trading.thresholds import Threshold

__all__ = ["command"]

_COLOURS: Final = {"firing": "bold red", "pending": "yellow", "unknown": "dim", "inactive": "green"}
_EVERYWHERE: Final = "for all"


@click.command()
@click.option("--set", "to_set", metavar="NAME=NUMBER", help="Set a threshold of your own, for instance drawdown=0.15.")
@click.option("--unset", "to_unset", metavar="NAME", help="Take your own threshold back.")
@click.option("--strategy", help="With --set: for this strategy only.")
@click.option("--account", help="With --set: for this account only; thresholds of money.")
@click.option("--currency", help="With --set: its currency; thresholds of money need it.")
@click.option("--of", help="With --set: of which kind, where the threshold differs by one, for instance quote.")
@click.option("--why", help="With --set and --unset: the reason, for the log and the boards.")
@click.option("--yes", is_flag=True, help="Loosen a limit without being asked.")
@click.option("--mine", is_flag=True, help="Show the thresholds that you have set.")
@click.option("--changes", "show_changes", is_flag=True, help="Show who changed which threshold, when and why.")
@click.option(
    "--kubernetes", is_flag=True, help="Print the rules as PrometheusRule objects; with --mine yours as well."
)
@click.option(
    "--label", "labels", multiple=True, metavar="KEY=VALUE", help="With --kubernetes: a label of the objects."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@home_option
def command(
    *,
    to_set: str | None,
    to_unset: str | None,
    why: str | None,
    yes: bool,
    mine: bool,
    show_changes: bool,
    kubernetes: bool,
    labels: tuple[str, ...],
    as_json: bool,
    home: Path | None,
    **place: str | None,
) -> None:
    """Show every alert with its state, last change and threshold in force; set a threshold of your own.

    Your own numbers live in config/my-rules/thresholds.yaml of the stack's home and are in force at once.
    """
    folder = (home or stack.home_in_use()).absolute()
    chosen = [value for value in (to_set, to_unset, (mine or kubernetes) or None, show_changes or None) if value]
    if len(chosen) > 1:
        message = "Say one of --set, --unset, --mine, --kubernetes and --changes at a time."
        raise click.UsageError(message)
    if labels and not kubernetes:
        message = "--label is for the objects of --kubernetes. Add that."
        raise click.UsageError(message)
    if kubernetes:
        _print_objects(folder if mine else None, labels, as_json=as_json)
    elif to_set or to_unset:
        _check_form(to_set, to_unset)
        _change(folder, alerting.parse(to_set or to_unset or "", **place), why, yes=yes, as_json=as_json)
    elif any(place.values()):
        message = "--strategy, --account, --currency and --of say what a threshold is for. Add --set or --unset."
        raise click.UsageError(message)
    elif mine:
        _show_mine(list(alerting.Mine(folder)), as_json=as_json)
    elif show_changes:
        _show_changes(alerting.changes(folder), as_json=as_json)
    else:
        _show(alerting.read(stack.find(home=home).urls["prometheus"]), alerting.Mine(folder), as_json=as_json)


def _print_objects(home: Path | None, labels: tuple[str, ...], *, as_json: bool) -> None:
    check_extra()
    from otel_trading.stack import kubernetes  # noqa: PLC0415  so that the rest works without the extra

    files = [("otel-trading", file) for file in rule_files()]
    if home is not None:
        files += [("my-rules", file) for file in sorted((home / "config" / "my-rules").glob("*.yaml"))]
    objects = kubernetes.prometheus_rules(files, kubernetes.labels(labels))
    if as_json:
        emit_json({"apiVersion": "v1", "kind": "List", "items": objects})
    else:
        click.echo(kubernetes.documents(objects), nl=False)


def _check_form(to_set: str | None, to_unset: str | None) -> None:
    if to_set and "=" not in to_set:
        message = f"--set takes NAME=NUMBER, got {to_set!r}. To take a number back: --unset {to_set}"
        raise click.UsageError(message)
    if to_unset and "=" in to_unset:
        message = f"--unset takes a NAME, got {to_unset!r}. To set a number: --set {to_unset}"
        raise click.UsageError(message)


def _change(home: Path, asked: Override, why: str | None, *, yes: bool, as_json: bool) -> None:
    numbers = alerting.Mine(home)
    old = numbers.holds(asked)
    new = numbers.without(asked) if asked.number is None else asked.number
    if alerting.Override(asked.threshold, asked.labels, new).looser_than(old) and not yes:
        _ask(f"{asked.threshold.name} ({_for(asked.labels)}) goes from {_said(old)} to {_said(new)}: less will alert.")
    if not why:
        if not sys.stdin.isatty():
            message = "A change needs its reason. Add --why 'in your words'."
            raise click.UsageError(message)
        why = click.prompt("Why", err=True)
    change = numbers.change(asked, who=getpass.getuser(), why=why, reload=lambda: renewal.reload_rules(home))
    if as_json:
        emit_json(asdict(change))
    else:
        click.echo(f"{change.threshold} ({_for(change.labels)}): {_said(change.old)} -> {_said(change.new)}")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        message = f"{question} Nobody is here to be asked. If you mean it, add --yes."
        raise click.UsageError(message)
    click.confirm(f"{question} Do you mean it?", abort=True, err=True)


def _show(alerts: list[Alert], mine: Mine, *, as_json: bool) -> None:
    if as_json:
        emit_json([asdict(alert) for alert in alerts])
        return
    shown = table("alert", "severity", "state", "last change", "threshold in force")
    for alert in alerts:
        count = f" ({len(alert.active)})" if len(alert.active) > 1 else ""
        state = f"[{_COLOURS[alert.state]}]{alert.state}{count}[/]" if not alert.health else "[bold red]broken[/]"
        shown.add_row(alert.name, alert.severity, state, alert.changed, escape(alert.health) or _in_force(alert, mine))
    console().print(shown)


def _in_force(alert: Alert, mine: Mine) -> str:
    """Say each threshold once, with its range where bots, strategies or kinds differ; dim where no bot has it yet."""
    texts: list[str] = []
    for name in alert.thresholds:
        numbers = {each.number for each in alert.in_force if each.threshold == name}
        text = f"{name} {_range(numbers or _set(BY_NAME[name], mine))}" if name in BY_NAME else name
        texts.append(text if numbers else f"[dim]{text}[/]")
    return ", ".join(texts)


def _set(threshold: Threshold, mine: Mine) -> set[float]:
    """Return the numbers that are set, for when there is a bot to compare with."""
    own = {each.number for each in mine if each.threshold is threshold and each.number is not None}
    return own or set(threshold.defaults.values())


def _range(numbers: set[float]) -> str:
    if not numbers:
        return "none"
    return f"{min(numbers):.12g}" + (f" to {max(numbers):.12g}" if len(numbers) > 1 else "")


def _show_mine(numbers: list[Override], *, as_json: bool) -> None:
    rows: list[dict[str, Any]] = [
        {"threshold": each.threshold.name, "labels": each.labels, "number": each.number} for each in numbers
    ]
    if as_json:
        emit_json(rows)
        return
    shown = table("threshold", "for", "yours", "default", "meaning")
    for each in numbers:
        brief = each.threshold.brief
        shown.add_row(each.threshold.name, escape(_for(each.labels)), _said(each.number), _said(each.default), brief)
    console().print(shown if numbers else "You have set no threshold. Set one: otel-trading alerts --set NAME=NUMBER")


def _show_changes(changes: list[Change], *, as_json: bool) -> None:
    if as_json:
        emit_json([asdict(change) for change in changes])
        return
    shown = table("when", "who", "threshold", "for", "old", "new", "why")
    for each in changes:
        shown.add_row(
            each.at,
            escape(each.who),
            each.threshold,
            escape(_for(each.labels)),
            _said(each.old),
            _said(each.new),
            escape(each.why),
        )
    console().print(shown if changes else "No threshold was ever changed here.")


def _for(labels: dict[str, str]) -> str:
    return ", ".join(value for label, value in labels.items() if label != "threshold_scope") or _EVERYWHERE


def _said(number: float | None) -> str:
    return "none" if number is None else f"{number:.12g}"
