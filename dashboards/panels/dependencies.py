"""Dependencies: the Redis and the PostgreSQL that the Collector watches, by what its receivers send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import statetimeline, timeseries

_RATE: Final = "$__rate_interval"
_NONE: Final = "No data: name a {} in secrets/dependencies and run `otel-trading up`"
_NO_REDIS: Final = _NONE.format("Redis")
_NO_POSTGRESQL: Final = _NONE.format("PostgreSQL")
_UP: Final = {"down": house.RED, "up": house.GREEN}
_DATABASE: Final = ("instance", "db_namespace")


def _now(name: str, *by: str) -> str:
    return f"sum by ({', '.join(by or ('instance',))}) ({name})"


def _rate(name: str, *by: str) -> str:
    return f"sum by ({', '.join(by or ('instance',))}) (rate({name}[{_RATE}]))"


def _alert(limit: str, threshold: str) -> house.prometheus.Dataquery:
    drawn = f"{_now(limit)} * on () group_left () trading:threshold_in_force:{threshold}"
    return house.query(drawn, f"alert for {promql.legend('instance')}")


def answers() -> statetimeline.Panel:
    """Is what bots depend on there?"""
    scraped = 'otelcol_scraper_scraped_metric_points_total{receiver=~"redis|postgresql"}'
    query = house.query(f"sum by (receiver) (rate({scraped}[{_RATE}])) > bool 0", promql.legend("receiver"))
    about = "Whether the Redis and the PostgreSQL that are watched answer the Collector."
    panel = house.timeline("Dependencies", about, _UP, query).no_value(_NONE.format("Redis or PostgreSQL"))
    return house.size(panel, 24, 4)


def redis_memory() -> timeseries.Panel:
    """Is Redis full?"""
    used = house.query(_now("redis_memory_used_bytes"), f"used by {promql.legend('instance')}")
    most = house.query(_now("redis_maxmemory_bytes > 0"), f"maxmemory of {promql.legend('instance')}")
    about = "Memory that Redis uses, its maxmemory where one is set, and where the alert begins."
    alert = _alert("redis_maxmemory_bytes > 0", "redis_memory_used_ratio")
    panel = house.lines("Redis memory", about, "bytes", used, most, alert)
    return house.dashed(panel, "/^(maxmemory of|alert for) .*/").min(0).no_value(_NO_REDIS)


def redis_clients() -> timeseries.Panel:
    """Who is connected?"""
    names = {"connected": "redis_clients_connected", "blocked": "redis_clients_blocked"}
    queries = [house.query(_now(name), f"{what}, {promql.legend('instance')}") for what, name in names.items()]
    about = "Connections of clients; blocked ones wait for a queue or stream."
    return house.lines("Redis clients", about, house.COUNT, *queries).min(0).no_value(_NO_REDIS)


def redis_hits() -> timeseries.Panel:
    """Does it have what is asked for?"""
    hits, misses = _rate("redis_keyspace_hits_total"), _rate("redis_keyspace_misses_total")
    query = house.query(f"{hits} / ({hits} + {misses})", promql.legend("instance"))
    about = "Share of the keys looked up that were there; nothing while no key is looked up."
    return house.lines("Redis hit ratio", about, house.SHARE, query).min(0).max(1).no_value(_NO_REDIS)


def redis_commands() -> timeseries.Panel:
    """How busy is it?"""
    query = house.query(_rate("redis_commands_processed_total"), promql.legend("instance"))
    about = "Commands that Redis carried out, those of the Collector included."
    return house.lines("Redis commands", about, house.PER_SECOND, query).min(0).no_value(_NO_REDIS)


def redis_keys_gone() -> timeseries.Panel:
    """Does it throw away what a bot relies on?"""
    names = {"evicted": "redis_keys_evicted_total", "expired": "redis_keys_expired_total"}
    queries = [house.query(_rate(name), f"{what}, {promql.legend('instance')}") for what, name in names.items()]
    about = "Keys that went: evicted because memory was full, expired because their time was over."
    return house.events("Redis keys gone", about, house.PER_SECOND, *queries)


def postgresql_connections() -> timeseries.Panel:
    """Is there room for one more?"""
    open_ = house.query(_now("postgresql_backends", *_DATABASE), promql.legend(*_DATABASE))
    most = house.query(_now("postgresql_connection_max"), f"max_connections of {promql.legend('instance')}")
    about = "Open connections by database, how many the server allows in all, and where the alert begins."
    alert = _alert("postgresql_connection_max", "postgresql_connections_ratio")
    panel = house.lines("PostgreSQL connections", about, house.COUNT, open_, most, alert)
    return house.dashed(panel, "/^(max_connections of|alert for) .*/").min(0).no_value(_NO_POSTGRESQL)


def postgresql_transactions() -> timeseries.Panel:
    """How busy is it, and what fails?"""
    names = {"committed": "postgresql_commits_total", "rolled back": "postgresql_rollbacks_total"}
    queries = [
        house.query(_rate(name, "db_namespace"), f"{what}, {promql.legend('db_namespace')}")
        for what, name in names.items()
    ]
    about = "Transactions by database; many rolled back are errors of a program."
    return house.lines("PostgreSQL transactions", about, house.PER_SECOND, *queries).min(0).no_value(_NO_POSTGRESQL)


def postgresql_deadlocks() -> timeseries.Panel:
    """Do programs block each other?"""
    query = house.query(_rate("postgresql_deadlocks_total", "db_namespace"), promql.legend("db_namespace"))
    about = "Deadlocks: two transactions waited for each other, and one was ended."
    return house.events("PostgreSQL deadlocks", about, house.PER_SECOND, query)


def postgresql_size() -> timeseries.Panel:
    """Does it grow?"""
    query = house.query(_now("postgresql_db_size_bytes", *_DATABASE), promql.legend(*_DATABASE))
    about = "Room on disk by database."
    return house.lines("PostgreSQL size", about, "bytes", query).min(0).no_value(_NO_POSTGRESQL)


def postgresql_replication() -> timeseries.Panel:
    """Is the standby as new?"""
    behind = "max by (instance, replication_client) (postgresql_replication_data_delay_bytes)"
    query = house.query(behind, promql.legend("instance", "replication_client"))
    about = "Data that a standby has not replayed yet."
    return house.lines("PostgreSQL standby behind", about, "bytes", query).min(0).no_value("No standby is connected")
