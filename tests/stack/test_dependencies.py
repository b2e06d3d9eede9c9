"""A real Redis and a real PostgreSQL, through the real Collector into the real Prometheus."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from board_support import asked, expressions, needs_dependency
from prometheus_client import CollectorRegistry, start_http_server

from bot_support import environment, running
from dependency_support import PostgreSQL, Redis, named, postgresql, redis, standby
from otel_trading.errors import ConfigError
from otel_trading.stack import Ports, Stack, dependencies, dependency_urls, down, health, status, up
from stack_support import json_lines, prometheus_query, quiet, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(240)]

SECRET: Final = "nobody-reads-this"
NAMES: Final = {one.name for one in dependency_urls.ALL}


@pytest.fixture(scope="module")
def cache() -> Iterator[Redis]:
    with redis("--requirepass", SECRET, "--maxmemory", "100mb") as server:
        yield server


@pytest.fixture(scope="module")
def database() -> Iterator[PostgreSQL]:
    with postgresql() as server, standby(server):
        server.say("create database trading", "create database research")
        # What the README asks for, and no more.
        server.say(f"create role watcher login password '{server.password}'", "grant pg_monitor to watcher")
        server.say(*(f"create table t{number} (id int primary key)" for number in range(30)), database="trading")
        yield server


@pytest.fixture(scope="module")
def watched(
    servers: dict[str, Path], cache: Redis, database: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A stack that was told of both while it ran."""
    assert servers
    home = tmp_path_factory.mktemp("watched")
    ports = Ports.free()
    running = up(home=home, kind="native", ports=ports, evaluation_interval="1s", progress=quiet())
    assert running.dependencies == {}
    named(home, "redis", f"redis://:{SECRET}@127.0.0.1:{cache.port}/0")
    named(home, "postgresql", f"postgresql://watcher:{database.password}@127.0.0.1:{database.port}/trading")
    yield up(home=home, progress=quiet())
    down(home=home)


def _one(stack: Stack, query: str) -> float:
    (row,) = wait_until(partial(prometheus_query, stack, query), 20, f"data of {query}")
    return float(row["value"][1])


def test_both_are_watched_after_the_next_up(watched: Stack, cache: Redis, database: PostgreSQL) -> None:
    assert watched.dependencies == {
        "redis": f"127.0.0.1:{cache.port}",
        "postgresql": f"127.0.0.1:{database.port}",
    }
    assert _one(watched, f'redis_clients_connected{{job="redis",instance="127.0.0.1:{cache.port}"}}') >= 1
    assert _one(watched, "redis_maxmemory_bytes") == 100 * 2**20
    assert _one(watched, f'postgresql_connection_max{{job="postgresql",instance="127.0.0.1:{database.port}"}}') == 100
    assert {one.state for one in status(home=watched.home)} == {"healthy"}


def test_every_database_has_a_series_of_its_own(watched: Stack) -> None:
    query = "postgresql_db_size_bytes > 0"
    wait_until(lambda: len(prometheus_query(watched, query)) >= 3, 20, "three databases")
    assert {row["metric"]["db_namespace"] for row in prometheus_query(watched, query)} == {
        "postgres",
        "research",
        "trading",
    }


def test_a_schema_of_any_size_costs_the_same(watched: Stack) -> None:
    _one(watched, 'postgresql_table_count{db_namespace="trading"} == 30')
    # What the README says: about 35, and 10 with six per database.
    assert 30 <= _one(watched, 'count({job="redis",__name__=~"redis_.+"})') <= 40
    assert 25 <= _one(watched, 'count({job="postgresql",__name__=~"postgresql_.+"})') <= 31


def test_no_password_is_to_be_seen(watched: Stack, database: PostgreSQL) -> None:
    pid = next(one.pid for one in status(home=watched.home) if one.service == "collector")
    seen = [Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ")]
    home = watched.home
    seen += [
        path.read_bytes() for path in home.rglob("*") if path.is_file() and not path.is_relative_to(home / "secrets")
    ]
    for secret in (SECRET, database.password):
        assert not [one for one in seen if secret.encode() in one]
    passwords = dependencies.secrets_folder(home)
    assert {path.name: path.read_text() for path in passwords.iterdir()} == {
        "redis": SECRET,
        "postgresql": database.password,
    }
    assert all(path.stat().st_mode & 0o077 == 0 for path in (passwords, *passwords.iterdir()))


def test_nothing_is_reported_but_what_the_receiver_always_says(watched: Stack) -> None:
    lines = json_lines(watched.home / "logs" / "collector.log")
    ready = max(index for index, line in enumerate(lines) if "Everything is ready" in line["msg"])
    odd = [line["msg"] for line in lines[ready:] if line["level"] != "info"]
    odd += [line["msg"] for line in lines if line["level"] == "warn" and line.get("otelcol.component.id") in NAMES]
    assert [text for text in odd if "separateSchemaAttr" not in text] == []


def test_what_is_no_longer_named_is_no_longer_asked(servers: dict[str, Path], cache: Redis, stack_home: Path) -> None:
    assert servers
    file = named(stack_home, "redis", f"redis://:{SECRET}@127.0.0.1:{cache.port}")
    running = up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    _one(running, "redis_uptime_seconds_total")
    file.unlink()
    assert up(home=stack_home, progress=quiet()).dependencies == {}
    wait_until(
        lambda: not prometheus_query(running, "time() - timestamp(redis_uptime_seconds_total) < 3"), 20, "silence"
    )
    assert {one.state for one in status(home=stack_home)} == {"healthy"}


def test_bringing_another_server_back_watches_it_as_well(
    servers: dict[str, Path], cache: Redis, stack_home: Path
) -> None:
    assert servers
    up(home=stack_home, kind="native", ports=Ports.free(), evaluation_interval="1s", progress=quiet())
    before = {one.service: one for one in status(home=stack_home)}
    assert before["webhook"].pid is not None
    os.kill(before["webhook"].pid, signal.SIGKILL)
    wait_until(lambda: not health.answers(f"{before['webhook'].url}/-/healthy"), 10, "its end")
    named(stack_home, "redis", f"redis://:{SECRET}@127.0.0.1:{cache.port}")
    running = up(home=stack_home, progress=quiet())
    assert running.started
    _one(running, "redis_uptime_seconds_total")
    assert before["collector"].pid in {one.pid for one in status(home=stack_home)}, "it ran all along"


def test_what_cannot_be_used_changes_nothing(watched: Stack) -> None:
    before = dependencies.current(watched.home)
    with pytest.MonkeyPatch.context() as patch:
        file = named(watched.home / "elsewhere", "redis", "redis://nobody@127.0.0.1?what")
        patch.setenv("STACK_DEPENDENCY_REDIS_FILE", str(file))
        with pytest.raises(ConfigError, match=r"STACK_DEPENDENCY_REDIS_FILE=.* has parameters that are not allowed"):
            up(home=watched.home, progress=quiet())
    assert dependencies.current(watched.home) == before
    assert {one.state for one in status(home=watched.home)} == {"healthy"}


def test_every_panel_of_them_has_data(watched: Stack, cache: Redis, database: PostgreSQL) -> None:
    asking = [expression for expression in expressions() if needs_dependency(expression)]
    assert len(asking) == 18

    def empty() -> list[str]:
        cache.say(f"AUTH {SECRET}", "SET here 1", "GET here", "GET nowhere")
        database.say("select 1", database="trading")
        answers = {each: prometheus_query(watched, asked(each)) for each in asking}
        return [each for each, rows in answers.items() if not rows or any(row["value"][1] == "NaN" for row in rows)]

    wait_until(lambda: not empty(), 60, f"data of every panel, at first without {empty()}")


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param("redis_connected_clients", marks=pytest.mark.seed("S3-16")),
        pytest.param("redis_memory_used_bytes", marks=pytest.mark.seed("S3-17")),
        pytest.param("postgres_connections", marks=pytest.mark.seed("S3-18")),
    ],
)
def test_a_name_of_theirs_tells_of_the_real_server(watched: Stack, theirs: str) -> None:
    assert _one(watched, f"sum({theirs})") >= 1


@pytest.mark.seed("S1-39")
def test_every_service_of_theirs_and_redis_is_a_job(watched: Stack) -> None:
    services = ("api-gateway", "core-service", "data-service", "trading-bot", "backtesting-service")
    exits = [start_http_server(0, addr="127.0.0.1", registry=CollectorRegistry()) for _ in services]
    try:
        targets = [
            {"targets": [f"127.0.0.1:{server.server_port}"], "labels": {"job": service}}
            for service, (server, _) in zip(services, exits, strict=True)
        ]
        (watched.bots / "services.yaml").write_text(json.dumps(targets))
        wait_until(
            lambda: {row["metric"]["job"] for row in prometheus_query(watched, "up == 1")} >= set(services), 30, "them"
        )
        assert prometheus_query(watched, 'redis_uptime_seconds_total{job="redis"}')
    finally:
        (watched.bots / "services.yaml").unlink(missing_ok=True)
        for server, thread in exits:
            server.shutdown()
            server.server_close()
            thread.join(timeout=10)


#: A bot that asks its database the usual way, one question of which takes its time.
SLOW: Final = """
import psycopg
with psycopg.connect({url!r}) as connection:
    for statement in "select 1", "select pg_sleep(1.2)", "select 2":
        connection.execute(statement)
"""


@pytest.mark.seed("S3-19")
def test_a_slow_query_is_counted(watched: Stack, database: PostgreSQL, tmp_path: Path) -> None:
    url = f"postgresql://watcher:{database.password}@127.0.0.1:{database.port}/trading"
    variables = environment(watched, OTEL_PYTHON_DISABLED_INSTRUMENTATIONS="")
    with running(tmp_path, "slow-bot", SLOW.format(url=url), variables):
        assert _one(watched, 'sum(db_client_operation_duration_seconds_count{service_name="slow-bot"}) >= 3') == 3
        assert _one(watched, 'sum(postgres_slow_queries_total{service_name="slow-bot"}) > 0') == 1
