"""`otel-trading metrics`: the convention, for people and programs."""

from __future__ import annotations

from typing import Any

import click

from otel_trading import semconv
from otel_trading.cli._output import console, emit_json, table
from otel_trading.semconv import reference, registry

__all__ = ["command"]


@click.command()
@click.argument("pattern", default="")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--markdown", "as_markdown", is_flag=True, help="The reference, as it stands in semconv/README.md.")
@click.option("--registry", "as_registry", is_flag=True, help="All of the convention as a Weaver registry, in YAML.")
def command(*, pattern: str, as_json: bool, as_markdown: bool, as_registry: bool) -> None:
    """Show every metric that exists, or those whose name contains PATTERN.

    Names under which Prometheus holds them, unit, kind and attributes included.
    """
    chosen = [metric for metric in semconv.ALL if pattern in metric.name or pattern in metric.prometheus]
    if as_registry:
        _only_whole(pattern)
        click.echo(registry.yaml(), nl=False)
    elif as_json:
        emit_json([_record(metric) for metric in chosen])
    elif as_markdown:
        click.echo(reference.markdown(tuple(chosen) if pattern else ()))
    else:
        shown = table("metric", "in Prometheus", "kind", "unit", "meaning")
        for metric in chosen:
            shown.add_row(metric.name, metric.prometheus, metric.kind.data, str(metric.unit), metric.description)
        console().print(shown)
    if not chosen:
        click.echo(f"No metric contains {pattern!r}. All of them: otel-trading metrics", err=True)
        raise SystemExit(1)


def _only_whole(pattern: str) -> None:
    if pattern:
        message = f"--registry is the whole convention and takes no PATTERN, got {pattern!r}. Leave it out."
        raise click.UsageError(message)


def _record(metric: semconv.Metric) -> dict[str, Any]:
    return {
        "name": metric.name,
        "prometheus": metric.prometheus,
        "series": list(metric.series),
        "kind": metric.kind.data,
        "observable": metric.kind.observable,
        "unit": str(metric.unit),
        "description": metric.description,
        "note": metric.note,
        "boundaries": list(metric.boundaries),
        "attributes": {use.attribute.name: use.level.value for use in metric.uses},
    }
