"""The convention as others read it: a registry that OpenTelemetry's own schema accepts, and that says all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from otel_trading import semconv
from otel_trading.cli import cli
from otel_trading.semconv import Cardinality, registry
from otel_trading.semconv import attributes as a

SCHEMA: Final = json.loads((Path(__file__).parents[1] / "data" / "weaver-semconv-groups.schema.json").read_text())
READ: Final = yaml.safe_load(registry.yaml())
GROUPS: Final[dict[str, dict[str, Any]]] = {group["id"]: group for group in READ["groups"]}
DEFINED: Final = {one["id"]: one for one in GROUPS["registry.trading"]["attributes"]}


#: The whole schema lets a metric without a unit pass as some other group; the part for its type does not.
KINDS: Final = {
    "attribute_group": "SemanticConvention",
    "metric": "MetricSemanticConvention",
    "span": "SpanSemanticConvention",
    "event": "EventSemanticConvention",
}


def _complaints(document: object, kind: str | None = None) -> list[str]:
    schema = SCHEMA if kind is None else {"$ref": f"#/$defs/{KINDS[kind]}", "$defs": SCHEMA["$defs"]}
    errors = Draft202012Validator(schema).iter_errors(document)
    return [f"{list(error.path)}: {error.message[:200]}" for error in errors]


def test_the_schema_of_weaver_accepts_the_registry() -> None:
    assert _complaints(READ) == []
    assert {key: _complaints(group, group["type"]) for key, group in GROUPS.items()} == {key: [] for key in GROUPS}


@pytest.mark.parametrize("lost", ["brief", "stability", "unit", "instrument"])
def test_the_schema_would_refuse_a_metric_that_lacks_something(lost: str) -> None:
    broken = {key: value for key, value in GROUPS["metric.trading.order.requests"].items() if key != lost}

    assert _complaints(broken, "metric")


def test_what_is_read_is_what_was_written() -> None:
    assert registry.groups() == READ["groups"]
    assert len(GROUPS) == len(READ["groups"]), "an id stands twice"


def test_every_metric_span_and_event_is_a_group_with_its_attributes() -> None:
    wanted = {
        **{f"metric.{metric.name}": metric.uses for metric in semconv.ALL},
        **{f"span.{span.name}": span.uses for span in semconv.spans.ALL},
        **{f"event.{event.name}": event.uses for event in semconv.events.ALL},
    }
    assert set(GROUPS) == {"registry.trading", *wanted}
    for key, uses in wanted.items():
        levels = {one["ref"]: one["requirement_level"] for one in GROUPS[key]["attributes"]}
        assert {ref: next(iter(level)) if isinstance(level, dict) else level for ref, level in levels.items()} == {
            use.attribute.name: use.level.value for use in uses
        }


def test_every_reference_is_defined_here_or_by_opentelemetry() -> None:
    referred = {one["ref"] for key, group in GROUPS.items() if key != "registry.trading" for one in group["attributes"]}

    assert referred - set(DEFINED) == {a.ERROR_TYPE.name}


def test_annotations_say_what_weaver_has_no_word_for() -> None:
    for metric in semconv.ALL:
        annotations = GROUPS[f"metric.{metric.name}"]["annotations"]
        assert annotations["prometheus"]["name"] == metric.prometheus
        assert annotations.get("buckets", []) == list(metric.boundaries)
    assert {one["annotations"]["cardinality"] for one in DEFINED.values()} == {one.value for one in Cardinality}
    assert DEFINED[a.ORDER_CLIENT_ID.name]["annotations"]["cardinality"] == "high"


def test_the_command_prints_it() -> None:
    done = CliRunner().invoke(cli, ["metrics", "--registry"])

    assert (done.exit_code, done.stdout) == (0, registry.yaml())


def test_the_command_refuses_a_part_of_it() -> None:
    done = CliRunner().invoke(cli, ["metrics", "--registry", "order"])

    assert done.exit_code == 2
    assert "takes no PATTERN, got 'order'" in done.stderr
