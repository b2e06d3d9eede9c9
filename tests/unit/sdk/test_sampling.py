from __future__ import annotations

import subprocess
import sys

import pytest

BOT = """
from opentelemetry import trace
from otel_trading import configure
configure()
print(trace.get_tracer_provider().sampler.get_description())
"""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "ParentBased{root:AlwaysOnSampler"),
        (
            {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.1"},
            "ParentBased{root:TraceIdRatioBased{0.1}",
        ),
        ({"OTEL_TRACES_SAMPLER": "always_off"}, "AlwaysOffSampler"),
    ],
)
def test_configure_keeps_what_the_user_chose_and_orders_that_went_wrong(
    variables: dict[str, str], expected: str
) -> None:
    off = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "LOGS", "METRICS")}
    done = subprocess.run(
        [sys.executable, "-c", BOT],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path), **off, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.startswith(f"TradingKeeping{{{expected}"), done.stdout
