"""Telemetry pipeline: from the SDK to the notification."""

from __future__ import annotations

from typing import Final

from .._board import Board
from ..panels import pipeline, telemetry

BOARD: Final = Board(
    uid="otel-trading-pipeline",
    title="Telemetry pipeline",
    description="Is the monitoring itself healthy: SDK, Collector, Prometheus, Alertmanager.",
    rows={
        "": (
            pipeline.canary_age,
            pipeline.parts,
            pipeline.disk,
            pipeline.spoilt,
            pipeline.gate,
            pipeline.certificate,
        ),
        "SDK": (
            telemetry.sign_of_life,
            telemetry.processes,
            telemetry.running_since,
            telemetry.dropped,
            telemetry.folded,
            telemetry.export_duration,
            telemetry.exports_failed,
        ),
        "Collector": (
            pipeline.queue,
            pipeline.received,
            pipeline.sent,
            pipeline.collector_memory,
        ),
        "Prometheus": (
            pipeline.series,
            pipeline.samples,
            pipeline.rule_time,
            pipeline.rules_failed,
            pipeline.storage,
        ),
        "Alertmanager": (
            pipeline.notifications,
            pipeline.notifications_failed,
            pipeline.notification_time,
            pipeline.silences,
        ),
    },
)
