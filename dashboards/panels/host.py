"""Host: the stack's machine, by its canary; bots and theirs, by OpenTelemetry's system metrics (extra `host`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import stat, timeseries

_BOT: Final = promql.SERVICE
_NONE: Final = "No data: install otel-trading[host] beside the bot"
_STATE_USED: Final = 'state="used"'
_RATE: Final = "$__rate_interval"
_IDLE: Final = promql.foreign("system_cpu_utilization_ratio", 'state="idle"')
_BUSY: Final = f"1 - avg by ({_BOT}) ({_IDLE})"
_USED: Final = f"max by ({_BOT}) ({promql.foreign('system_memory_utilization_ratio', _STATE_USED)})"
_FREE: Final = "1 - min (otel_trading_disk_free_bytes / otel_trading_disk_size_bytes)"


def cpu_now() -> stat.Panel:
    """Is the machine busy?"""
    query = house.latest(f"max ({_BUSY})", "busiest")
    panel = house.number("CPU", "Busiest machine.", house.SHARE, query, steps=house.rising(0.6, 0.8))
    return panel.no_value(_NONE)


def memory_now() -> stat.Panel:
    """Is memory short?"""
    query = house.latest(f"max ({_USED})", "fullest")
    panel = house.number("Memory", "Fullest machine.", house.SHARE, query, steps=house.rising(0.7, 0.85))
    return panel.no_value(_NONE)


def disk_now() -> stat.Panel:
    """Is there room for telemetry?"""
    about = "Used share of the disk on which the stack keeps its data."
    query = house.latest(_FREE, "used")
    return house.number("Disk of the stack", about, house.SHARE, query, steps=house.rising(0.8, 0.9))


def cpu() -> timeseries.Panel:
    """When was it busy?"""
    query = house.query(_BUSY, promql.legend(_BOT))
    about = "Used share of all processors, as the stack's machine and that of each bot see it."
    return house.lines("CPU over time", about, house.SHARE, query).min(0).max(1).no_value(_NONE)


def memory() -> timeseries.Panel:
    """When was memory short?"""
    query = house.query(_USED, promql.legend(_BOT))
    about = "Used share of memory, as the stack's machine and that of each bot see it."
    return house.lines("Memory over time", about, house.SHARE, query).min(0).max(1).no_value(_NONE)


def network() -> timeseries.Panel:
    """What goes over the wire?"""
    sent = f"sum by ({_BOT}, direction) (rate({promql.foreign('system_network_io_bytes_total')}[{_RATE}]))"
    query = house.query(sent, promql.legend(_BOT, "direction"))
    return house.lines("Network", "Bytes over all interfaces.", "Bps", query).min(0).no_value(_NONE)


def process_cpu() -> timeseries.Panel:
    """What do the bots need?"""
    query = house.query(
        f"sum by ({_BOT}) (rate({promql.foreign('process_cpu_time_seconds_total')}[{_RATE}]))", promql.legend(_BOT)
    )
    about = "Processors that each bot keeps busy; 100 % is one of them."
    return house.lines("CPU of the bots", about, house.SHARE, query).min(0).no_value(_NONE)


def process_memory() -> timeseries.Panel:
    """Does a bot grow?"""
    query = house.query(f"sum by ({_BOT}) ({promql.foreign('process_memory_usage_bytes')})", promql.legend(_BOT))
    return house.lines("Memory of the bots", "Resident memory.", "bytes", query).min(0).no_value(_NONE)


def process_threads() -> timeseries.Panel:
    """Does it leak threads?"""
    query = house.query(f"sum by ({_BOT}) ({promql.foreign('process_thread_count')})", promql.legend(_BOT))
    return house.lines("Threads of the bots", "Threads.", house.COUNT, query).min(0).no_value(_NONE)
