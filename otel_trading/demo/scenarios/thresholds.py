"""The thresholds of scenarios, as a user would set them: a file of rules in `config/my-rules`."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from otel_trading.semconv import attributes as a
from otel_trading.stack import renewal
from otel_trading.thresholds import BY_NAME, Scope

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from otel_trading.demo.scenarios._model import Scenario
    from otel_trading.stack import Stack

__all__ = ["in_force"]


@contextlib.contextmanager
def in_force(running: Stack, scenarios: Iterable[Scenario]) -> Generator[None]:
    """Have Prometheus compare the bots of these scenarios with their own thresholds inside the block.

    Raises:
        StackError: Prometheus does not take them.
    """
    rules = [rule for scenario in scenarios for rule in _rules(scenario)]
    file = running.home / "config" / "my-rules" / "scenarios.yaml"
    file.write_text(json.dumps({"groups": [{"name": "scenarios", "interval": "1s", "rules": rules}]}))
    renewal.reload_rules(running.home)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)
        renewal.reload_rules(running.home)


def _rules(scenario: Scenario) -> Iterator[dict[str, Any]]:
    for name, number in scenario.thresholds.items():
        threshold = BY_NAME[name]
        labels = {"threshold_scope": Scope.STRATEGY.value, a.STRATEGY.prometheus: scenario.strategy}
        if threshold.per in {"job", "stack"}:  # nobody's own, so for all
            labels = {"threshold_scope": Scope.LOCAL.value}
        for key in threshold.defaults or ("",):
            keyed = {threshold.key.prometheus: key} if threshold.key and key else {}
            yield {"record": threshold.record, "expr": f"vector({number:g})", "labels": {**labels, **keyed}}
