"""What the secret file of a Redis or PostgreSQL may say, and what a wrong one is told before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from dependency_support import named
from otel_trading.errors import ConfigError
from otel_trading.stack import dependencies
from otel_trading.stack._files import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.state import Kind

_POSTGRESQL = "postgresql://otel:never-told@db.example"


def _compose(home: Path, kind: Kind = "native", **environ: str) -> dependencies.Plan:
    return dependencies.compose(home, kind=kind, interval=None, environ=environ)


def _receiver(plan: dependencies.Plan, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(plan.text)["receivers"][name]
    return found


def test_without_a_file_it_is_the_shipped_configuration(tmp_path: Path) -> None:
    plan = _compose(tmp_path)
    assert plan.text == shipped("collector/config.yaml").read_text()
    assert plan.passwords == {}


def test_what_is_named_stands_beside_what_is_shipped(tmp_path: Path) -> None:
    named(tmp_path, "redis", "redis://127.0.0.1")
    before = yaml.safe_load(shipped("collector/config.yaml").read_text())
    after = yaml.safe_load(_compose(tmp_path).text)
    assert set(after["receivers"]) == {"otlp", "redis"}
    assert after["receivers"]["otlp"] == before["receivers"]["otlp"]
    assert after["exporters"] == before["exporters"]
    assert after["service"]["telemetry"] == before["service"]["telemetry"]
    assert set(after["service"]["pipelines"]) == {"metrics", "traces", "logs", "metrics/redis"}


@pytest.mark.parametrize(
    ("url", "kind", "endpoint", "encrypted"),
    [
        ("redis://:never-told@127.0.0.1", "native", "127.0.0.1:6379", False),
        ("redis://", "native", "127.0.0.1:6379", False),
        ("redis://", "docker", "host.docker.internal:6379", False),
        ("rediss://:never-told@cache.example:6380/3", "native", "cache.example:6380", True),
        ("postgresql://otel:never-told@localhost:5433/trading", "native", "localhost:5433", False),
        ("postgres://otel:never-told@", "native", "127.0.0.1:5432", False),
        (f"{_POSTGRESQL}:5432", "native", "db.example:5432", True),
        (f"{_POSTGRESQL}?sslmode=disable", "native", "db.example:5432", False),
        (f"{_POSTGRESQL}?sslmode=verify-full", "docker", "db.example:5432", True),
        ("postgresql://otel:never-told@[::1]:5433", "native", "[::1]:5433", False),
    ],
)
@pytest.mark.parametrize("by", ["file", "variable"])
def test_a_url_names_a_server(tmp_path: Path, url: str, kind: Kind, endpoint: str, by: str, *, encrypted: bool) -> None:
    name = "redis" if url.startswith("redis") else "postgresql"
    if by == "file":
        named(tmp_path, name, url)
        plan = _compose(tmp_path, kind)
    else:
        elsewhere = named(tmp_path / "elsewhere", name, url)
        plan = _compose(tmp_path, kind, **{f"STACK_DEPENDENCY_{name.upper()}_FILE": str(elsewhere)})
    receiver = _receiver(plan, name)
    assert receiver["endpoint"] == endpoint
    assert receiver["tls"]["insecure"] is not encrypted
    assert f"value: {endpoint}" in plan.text.replace("'", "")
    assert plan.passwords == {name: "never-told" if "never-told" in url else ""}
    assert "never-told" not in plan.text


@pytest.mark.parametrize(
    ("name", "url", "complaint"),
    [
        ("redis", "127.0.0.1:6379", r"redis has no URL that begins with redis:// or rediss://"),
        ("redis", "redis://127.0.0.1:0", r"has no URL"),
        ("redis", "redis://:p[w@127.0.0.1", r"cannot be taken apart; special characters .* are written as %XX"),
        ("redis", "redis://:p%20w@127.0.0.1", r"has a space, a quote or a backslash"),
        ("redis", "redis://127.0.0.1?ssl=1", r"has parameters that are not allowed"),
        ("redis", "", r"is empty\. Allowed: redis://"),
        ("postgresql", "postgresql://127.0.0.1", r"names no user and password"),
        ("postgresql", "postgresql://otel@127.0.0.1", r"names no user and password"),
        ("postgresql", f"{_POSTGRESQL}?sslmode=maybe", r"has parameters that are not allowed"),
        ("postgresql", f"{_POSTGRESQL}?target_session_attrs=any", r"has parameters that are not allowed"),
        ("postgres", _POSTGRESQL, r"names no dependency\. Did you mean postgresql\?"),
        ("mysql", "mysql://", r"mysql names no dependency\. (Did you mean|Allowed: postgresql, redis)"),
    ],
)
def test_what_cannot_be_used_is_told_and_no_secret_with_it(tmp_path: Path, name: str, url: str, complaint: str) -> None:
    named(tmp_path, name, url)
    with pytest.raises(ConfigError, match=complaint) as refused:
        _compose(tmp_path)
    assert "p[w" not in str(refused.value)
    assert "p%20w" not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_container_has_a_loopback_of_its_own(tmp_path: Path, host: str) -> None:
    named(tmp_path, "redis", f"redis://{host}:6379")
    with pytest.raises(ConfigError, match=r"own container there; write host\.docker\.internal instead"):
        _compose(tmp_path, "docker")


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = named(tmp_path, "redis", "redis://:never-told@127.0.0.1")
    file.chmod(0o644)
    file.parent.chmod(0o755)
    with pytest.raises(ConfigError, match=r"redis can be read by other users .* chmod 600"):
        _compose(tmp_path)


def test_a_variable_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Did you mean STACK_DEPENDENCY_REDIS_FILE\?"):
        _compose(tmp_path, STACK_DEPENDENCY_REDIS_URL="redis://127.0.0.1")


def test_a_variable_in_a_user_or_password_is_none(tmp_path: Path) -> None:
    named(tmp_path, "postgresql", "postgresql://a$b:${env:HOME}@127.0.0.1")
    plan = _compose(tmp_path)
    assert _receiver(plan, "postgresql")["username"] == "a$$b"
    assert plan.passwords == {"postgresql": "$${env:HOME}"}


def test_it_looks_as_often_as_the_stack_does(tmp_path: Path) -> None:
    named(tmp_path, "redis", "redis://")
    assert _receiver(_compose(tmp_path), "redis")["collection_interval"] == "15s"
    hurried = dependencies.compose(tmp_path, kind="native", interval="1s", environ={})
    assert _receiver(hurried, "redis")["collection_interval"] == "1s"
