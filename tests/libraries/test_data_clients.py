"""sqlite3, SQLAlchemy, psycopg, redis, celery, unchanged, on real servers: traced; no value of a statement leaves."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bot_support import environment, unchanged
from dependency_support import postgresql, redis
from stack_support import json_lines, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

SCRIPT: Final = """
import json, os, sqlite3
import celery, psycopg, redis, sqlalchemy

def store(connection, mark):
    connection.execute("create table keys (id integer, secret text)")
    connection.execute("insert into keys values (4711, 'PLANTED it''s')")
    connection.execute(f"insert into keys values ({mark}, {mark})", (4711, "PLANTED"))

store(sqlite3.connect(":memory:"), "?")
with psycopg.connect(os.environ["DSN"], password=os.environ["DB"]) as connection:
    store(connection, "%s")
with sqlalchemy.create_engine("sqlite://").connect() as connection:
    connection.execute(sqlalchemy.text("select 'PLANTED', 4711 as n"))
client = redis.Redis(port=int(os.environ["REDIS"]))
client.set("account", "PLANTED-4711")
app = celery.Celery("bot", broker="memory://", backend="cache+memory://")

@app.task
def rebalance(secret):
    return 1

rebalance.apply_async(["PLANTED"])
print(json.dumps("done"), flush=True)
input()
"""
WANTED: Final = {"sqlite", "postgresql", "redis", "celery"}


def test_calls_are_traced_and_values_stay(stack: Stack, tmp_path: Path) -> None:
    file = stack.home / "data" / "collector" / "traces" / "traces.jsonl"

    def spans() -> list[dict[str, Any]]:
        return [
            span
            for line in json_lines(file)
            for every in line["resourceSpans"]
            if '"keeper"' in json.dumps(every["resource"])
            for scope in every["scopeSpans"]
            for span in scope["spans"]
        ]

    with (
        postgresql() as server,
        redis() as cache,
        unchanged(
            tmp_path,
            "keeper",
            SCRIPT,
            environment(
                stack,
                DSN=f"postgresql://otel@127.0.0.1:{server.port}/postgres",
                DB=server.password,
                REDIS=str(cache.port),
            ),
        ),
    ):
        wait_until(lambda: {word for word in WANTED if word in str(spans())} == WANTED, 30, f"spans of all of {WANTED}")

    told = json.dumps(spans())
    assert "insert into keys values (?, ?)" in told
    assert "PLANTED" not in told
    assert "4711" not in told
    assert server.password not in told
