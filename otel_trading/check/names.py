"""What a rule or a board may name: the convention, the thresholds, and what rules record."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from otel_trading import thresholds
from otel_trading.check import promql
from otel_trading.semconv import BY_SERIES
from otel_trading.semconv import attributes as a
from otel_trading.semconv.prometheus import label_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FOREIGN", "IDENTITY", "SCOPE", "THRESHOLDS", "VALUES", "Names"]

#: Series of the stack itself, of Prometheus, and of OpenTelemetry's own conventions: none of them is ours to judge.
FOREIGN: Final = re.compile(
    r"up|target_info|ALERTS|ALERTS_FOR_STATE|(prometheus|alertmanager|otelcol|otel_trading|scrape|go)_\w+"
    r"|(http_server|http_client|db_client|messaging|process|system|redis|postgresql)_\w+"
)
#: Labels that every series may have: Prometheus' own and the resource that sends.
IDENTITY: Final = frozenset(
    {
        *("job", "instance", "le"),
        *map(label_name, ("service.name", "service.namespace", "service.instance.id", "service.version")),
        label_name("deployment.environment.name"),
    }
)
#: Every label of the convention with its closed set of values, empty where values are free.
VALUES: Final[Mapping[str, tuple[str, ...]]] = {v.prometheus: v.values for v in a.ALL.values()}
#: Every threshold by the series under which a number is set.
THRESHOLDS: Final = {threshold.record: threshold for threshold in thresholds.ALL}
SCOPE: Final = "threshold_scope"


@dataclass(frozen=True)
class Names:
    """What is known beyond the convention.

    Attributes:
        recorded: Names that rules record, ours and the user's.
        labels: Labels that rules add or make.
        strict: Whether a name that nobody declared is refused even when it looks like none of ours.
    """

    recorded: frozenset[str] = frozenset(
        [name for each in thresholds.ALL for name in (each.record, each.in_force)] + [thresholds.CHANGED]
    )
    labels: frozenset[str] = frozenset({SCOPE})
    strict: bool = False

    def and_rules(self, rules: Iterable[Mapping[str, object]]) -> Names:
        """Return these names and what more rules record.

        Args:
            rules: As loaded from their files; what is not as it should be declares nothing.
        """
        records = [rule for rule in rules if isinstance(rule.get("record"), str)]
        recorded = {str(rule["record"]) for rule in records}
        labels = {str(label) for rule in records for label in _mapping(rule.get("labels"))}
        for rule in records:
            try:
                query = promql.read(str(rule.get("expr")))
            except ValueError:
                continue
            labels |= query.made | query.brought
        return replace(self, recorded=self.recorded | recorded, labels=self.labels | labels)

    def knows(self, name: str) -> bool:
        """Whether a series of this name is declared, or is none of our business."""
        return name in BY_SERIES or name in self.recorded or bool(FOREIGN.fullmatch(name))


def _mapping(value: object) -> dict[object, object]:
    return cast("dict[object, object]", value) if isinstance(value, dict) else {}
