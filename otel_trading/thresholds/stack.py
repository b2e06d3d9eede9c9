"""What the stack itself is compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.thresholds._model import Threshold

CANARY_AGE: Final = Threshold(
    name="canary_age_seconds",
    brief="Seconds since the last metric that came through the whole path.",
    default=60,
    allowed=(5, 3_600),
    of=("otel_trading_canary_time_seconds",),
    per="stack",
    group="stack",
)
DISK_FREE: Final = Threshold(
    name="disk_free_ratio",
    brief="Share of the stack's disk that has to be free, 0 to 1.",
    default=0.1,
    allowed=(0, 1),
    of=("otel_trading_disk_free_bytes",),
    higher_is_stricter=True,
    per="stack",
    group="stack",
)
CERTIFICATE: Final = Threshold(
    name="gate_certificate_seconds",
    brief="Seconds before the certificate of an exposed stack ends at which to warn; 14 days.",
    default=1_209_600,
    allowed=(0, 31_536_000),
    of=("otel_trading_certificate_end_seconds",),
    higher_is_stricter=True,
    per="stack",
    group="stack",
)
QUEUE: Final = Threshold(
    name="collector_queue_ratio",
    brief="Share of the Collector's queue that may be filled, 0 to 1.",
    default=0.7,
    allowed=(0, 1),
    of=("otelcol_exporter_queue_size",),
    per="stack",
    group="stack",
)
COLLECTOR_MEMORY: Final = Threshold(
    name="collector_memory_bytes",
    brief="Memory of the Collector in bytes; it refuses data near 400 MiB.",
    default=400 * 2**20,
    allowed=(2**20, 2**40),
    of=("otelcol_process_memory_rss_bytes",),
    per="stack",
    group="stack",
)
OUT_OF_ORDER: Final = Threshold(
    name="out_of_order_ratio",
    brief="Share of samples that may come too late for their order, 0 to 1.",
    default=0.2,
    allowed=(0, 1),
    of=("prometheus_tsdb_head_samples_appended_total",),
    per="stack",
    group="stack",
)
