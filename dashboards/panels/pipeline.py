"""Pipeline: Collector, Prometheus and Alertmanager, by what they say of themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import stat, statetimeline, timeseries

_RATE: Final = "$__rate_interval"
_NO_STACK: Final = "No data: this Prometheus does not scrape the stack; `otel-trading up` starts one that does"
_DAYS_LEFT: Final = ((None, house.RED), (2 * 86_400, house.ORANGE), (14 * 86_400, house.GREEN))
_UP: Final = {"down": house.RED, "up": house.GREEN}


def _rate(name: str, by: str) -> str:
    return f"sum by ({by}) (rate({name}[{_RATE}]))"


def _per_minute(name: str, by: str) -> house.prometheus.Dataquery:
    return house.query(f"60 * {_rate(name, by)}", promql.legend(by))


def canary_age() -> stat.Panel:
    """Do metrics come through?"""
    query = house.latest("time() - max (otel_trading_canary_time_seconds)", "age")
    about = "Age of the canary that goes through the whole path every 15 seconds."
    panel = house.number("Path", about, house.SECONDS, query, steps=house.rising(30, 60))
    return panel.no_value("No canary: metrics do not come through; run `otel-trading doctor`")


def parts() -> statetimeline.Panel:
    """Is every part there?"""
    up = 'max by (job) (up{job=~"otel-collector|prometheus|alertmanager"})'
    about = "Whether Collector, Prometheus and Alertmanager answer."
    panel = house.timeline("Parts", about, _UP, house.query(up, promql.legend("job")))
    return house.size(panel, 12, 4)


def disk() -> stat.Panel:
    """Is there room?"""
    query = house.latest("min (otel_trading_disk_free_bytes)", "free")
    return house.number("Disk free", "Room on the disk of the stack.", "bytes", query).no_value(_NO_STACK)


def spoilt() -> stat.Panel:
    """Was a queue set aside?"""
    query = house.latest("max (otel_trading_queue_spoilt)", "files")
    about = "Files of the Collector's queue that could not be read and were set aside; what was in them is not here."
    panel = house.number("Spoilt queues", about, house.COUNT, query, steps=((None, house.GREEN), (1, house.ORANGE)))
    return house.size(panel, 8, 4).no_value("No data: told by a native stack only")


def gate() -> stat.Panel:
    """Can other machines come in?"""
    query = house.latest("max (otel_trading_gate_up)", "gate")
    about = "1 while the gate of an exposed stack answers with its certificate, else 0."
    panel = house.number("Gate", about, house.COUNT, query, steps=((None, house.RED), (1, house.GREEN)))
    return house.size(panel, 8, 4).no_value("Not exposed")


def certificate() -> stat.Panel:
    """How long does the certificate last?"""
    query = house.latest("min (otel_trading_certificate_end_seconds) - time()", "left")
    about = "Until the certificate for other machines ends; `otel-trading up` renews its own."
    panel = house.number("Certificate lasts", about, house.SECONDS, query, steps=_DAYS_LEFT)
    return house.size(panel, 8, 4).no_value("Not exposed")


def queue() -> timeseries.Panel:
    """What waits in the Collector?"""
    share = "sum by (exporter) (otelcol_exporter_queue_size) / sum by (exporter) (otelcol_exporter_queue_capacity)"
    about = "How full the Collector's queues to its back ends are; telemetry waits there while Prometheus is away."
    panel = house.lines("Collector queue", about, house.SHARE, house.query(share, promql.legend("exporter")))
    return house.drawn_steps(panel, house.rising(0.7, 0.9)).min(0).max(1).no_value(_NO_STACK)


def received() -> timeseries.Panel:
    """What comes in, and what is turned away?"""
    names = {
        "accepted": "otelcol_receiver_accepted_metric_points_total",
        "refused": "otelcol_receiver_refused_metric_points_total",
        "filtered": "otelcol_processor_filter_datapoints_filtered_total",
    }
    queries = [house.query(f"sum (rate({name}[{_RATE}]))", what) for what, name in names.items()]
    panel = house.lines("Points received", "Points that the Collector got.", house.PER_SECOND, *queries)
    return panel.min(0).no_value(_NO_STACK)


def sent() -> timeseries.Panel:
    """What goes on to Prometheus?"""
    names = {
        "sent": "otelcol_exporter_sent_metric_points_total",
        "lost": "otelcol_exporter_send_failed_metric_points_total",
        "not queued": "otelcol_exporter_enqueue_failed_metric_points_total",
    }
    queries = [house.query(f"sum (rate({name}[{_RATE}]))", what) for what, name in names.items()]
    about = "Points that the Collector handed on; those lost were refused for good, those not queued found no room."
    return house.lines("Points sent", about, house.PER_SECOND, *queries).min(0).no_value(_NO_STACK)


def collector_memory() -> timeseries.Panel:
    """Does the Collector grow?"""
    query = house.query("max by (instance) (otelcol_process_memory_rss_bytes)", promql.legend("instance"))
    return house.lines("Collector memory", "Resident memory.", "bytes", query).min(0).no_value(_NO_STACK)


def series() -> timeseries.Panel:
    """How many series are there?"""
    query = house.query("max by (instance) (prometheus_tsdb_head_series)", promql.legend("instance"))
    return house.lines("Series", "Series in Prometheus' memory.", house.COUNT, query).min(0).no_value(_NO_STACK)


def samples() -> timeseries.Panel:
    """What does Prometheus take, and what not?"""
    names = {
        "taken": "prometheus_tsdb_head_samples_appended_total",
        "late": "prometheus_tsdb_head_out_of_order_samples_appended_total",
        "too old": "prometheus_tsdb_too_old_samples_total",
    }
    queries = [house.query(f"sum (rate({name}[{_RATE}]))", what) for what, name in names.items()]
    about = "Samples stored; late ones came after younger ones, too old ones are lost."
    return house.lines("Samples", about, house.PER_SECOND, *queries).min(0).no_value(_NO_STACK)


def rule_time() -> timeseries.Panel:
    """Do rules keep up?"""
    share = (
        "max by (rule_group) (prometheus_rule_group_last_duration_seconds"
        " / on (instance, rule_group) prometheus_rule_group_interval_seconds)"
    )
    about = "Time that a group of rules takes, as a share of its interval; from 100 % on alerts come late."
    query = house.query(share, promql.legend("rule_group"))
    return house.lines("Rules", about, house.SHARE, query).min(0).no_value(_NO_STACK)


def rules_failed() -> timeseries.Panel:
    """Which rule fails?"""
    query = _per_minute("prometheus_rule_evaluation_failures_total", "rule_group")
    about = "Evaluations that failed: an alert that cannot be evaluated cannot fire."
    return house.events("Rules failed", about, house.PER_MINUTE, query)


def storage() -> timeseries.Panel:
    """How much does it keep?"""
    names = {"blocks": "prometheus_tsdb_storage_blocks_bytes", "log": "prometheus_tsdb_wal_storage_size_bytes"}
    queries = [house.query(f"max ({name})", what) for what, name in names.items()]
    return house.lines("Storage", "What Prometheus has on disk.", "bytes", *queries).min(0).no_value(_NO_STACK)


def notifications() -> timeseries.Panel:
    """Whom does Alertmanager tell?"""
    query = _per_minute("alertmanager_notifications_total", "integration")
    return house.events("Notifications", "Notifications sent, by receiver.", house.PER_MINUTE, query)


def notifications_failed() -> timeseries.Panel:
    """Who could not be told?"""
    query = _per_minute("alertmanager_notifications_failed_total", "integration")
    return house.events("Notifications failed", "Notifications given up, by receiver.", house.PER_MINUTE, query)


def notification_time() -> timeseries.Panel:
    """How long does a receiver take?"""
    buckets = "sum by (integration, le) (rate(alertmanager_notification_latency_seconds_bucket[$__rate_interval]))"
    query = house.query(f"histogram_quantile(0.95, {buckets})", promql.legend("integration"))
    about = "Time until a receiver took a notification; 95 of 100 are faster."
    return house.lines("Notification time", about, house.SECONDS, query).min(0).no_value("No notification yet")


def silences() -> timeseries.Panel:
    """What is silenced?"""
    query = house.query("max by (state) (alertmanager_silences)", promql.legend("state"))
    return house.lines("Silences", "Silences, by state.", house.COUNT, query).min(0).no_value(_NO_STACK)
