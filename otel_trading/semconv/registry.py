"""The convention as a Weaver registry: `groups:` in YAML, for other languages and for proposals to OpenTelemetry.

What Weaver has no word for stands in annotations: the Prometheus name, the buckets, the class of cardinality. It
depends on OpenTelemetry's own registry for `error.type`.
Source: https://github.com/open-telemetry/weaver/blob/main/schemas/semconv.schema.json
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, cast

from otel_trading import semconv
from otel_trading.semconv._model import ROOT, Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.semconv import Attribute, Event, Metric, Span, Use

__all__ = ["groups", "yaml"]

_STABILITY: Final = "development"
_CONDITION: Final = {
    semconv.attributes.ERROR_TYPE: "If and only if the operation failed.",
    semconv.attributes.ACCOUNT: "Where an account is configured.",
    semconv.attributes.CURRENCY: "Where the quantity is money.",
}


def groups() -> list[dict[str, Any]]:
    """Return the groups of the registry: attributes first, then metrics, spans and events."""
    own = [_definition(of) for of in semconv.attributes.ALL.values() if of.name.startswith(ROOT)]
    registry = {
        "id": "registry.trading",
        "type": "attribute_group",
        "display_name": "Trading attributes",
        "brief": "Attributes of trading systems.",
        "attributes": own,
    }
    return [
        registry,
        *map(_metric, semconv.ALL),
        *map(_span, semconv.spans.ALL),
        *map(_event, semconv.events.ALL),
    ]


def yaml() -> str:
    """Return the registry as YAML 1.2."""
    head = "# Made by `otel-trading metrics --registry`; depends on the registry of OpenTelemetry's own conventions."
    return "\n".join([head, *_lines({"groups": groups()}), ""])


def _definition(attribute: Attribute) -> dict[str, Any]:
    members = [{"id": value, "value": value, "stability": _STABILITY} for value in attribute.values]
    examples: dict[str, Any] = {} if members or attribute.type == "boolean" else {"examples": list(attribute.examples)}
    return {
        "id": attribute.name,
        "type": {"members": members} if members else attribute.type,
        "stability": _STABILITY,
        "brief": attribute.brief,
        **examples,
        "annotations": {"cardinality": attribute.cardinality.value, "prometheus": {"label": attribute.prometheus}},
    }


def _metric(metric: Metric) -> dict[str, Any]:
    buckets = {"buckets": list(metric.boundaries)} if metric.boundaries else {}
    return {
        "id": f"metric.{metric.name}",
        "type": "metric",
        "metric_name": metric.name,
        "instrument": metric.kind.data,
        "unit": str(metric.unit),
        **_common(metric.description, metric.note, metric.uses),
        "annotations": {
            "prometheus": {"name": metric.prometheus},
            "observable": metric.kind.observable,
            **buckets,
        },
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "id": f"span.{span.name}",
        "type": "span",
        "span_kind": span.kind.value,
        **_common(span.brief, span.note, span.uses),
        "annotations": {"span_name": span.title},
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "id": f"event.{event.name}",
        "type": "event",
        "name": event.name,
        **_common(event.brief, event.note, event.uses),
        "annotations": {"severity": event.severity.value},
    }


def _common(brief: str, note: str, uses: tuple[Use, ...]) -> dict[str, Any]:
    noted = {"note": note} if note else {}
    return {"stability": _STABILITY, "brief": brief, **noted, "attributes": [_reference(use) for use in uses]}


def _reference(use: Use) -> dict[str, Any]:
    level: Any = use.level.value
    if use.level is Level.CONDITIONAL:
        level = {level: _CONDITION.get(use.attribute, "When it is known.")}
    return {"ref": use.attribute.name, "requirement_level": level}


def _lines(value: Any) -> Iterator[str]:
    """Write mappings and lists as blocks, scalars as JSON does, which YAML 1.2 reads the same way."""
    if isinstance(value, dict):
        for key, inner in cast("dict[str, Any]", value).items():
            yield from _entry(f"{key}:", inner)
    else:
        for inner in value:
            lines = list(_lines(inner)) if isinstance(inner, dict) else [_scalar(inner)]
            yield f"- {lines[0]}"
            yield from (f"  {line}" for line in lines[1:])


def _entry(key: str, inner: Any) -> Iterator[str]:
    if isinstance(inner, (dict, list)):
        yield key
        yield from (f"  {line}" for line in _lines(inner))
    else:
        yield f"{key} {_scalar(inner)}"


def _scalar(value: object) -> str:
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")  # older readers take 1e-05 for a text
    return json.dumps(value, ensure_ascii=False)
