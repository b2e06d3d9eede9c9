"""`otel-trading kubernetes`, played by podman with images made here: real servers, but for a stand-in of Grafana."""

from __future__ import annotations

import base64
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from container_processes import confined
from pods_by_podman import Cluster

from bot_support import COMMAND, environment
from otel_trading.stack import loopback
from stack_support import json_lines, metric, post, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.containers, pytest.mark.timeout(300)]

_RULE = {"alert": "Mine", "expr": "vector(1)", "labels": {"severity": "critical", "team": "trading"}}


@pytest.fixture(scope="module")
def cluster(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    rules = folder / "home" / "config" / "my-rules" / "mine.yaml"
    rules.parent.mkdir(parents=True)
    rules.write_text(json.dumps({"groups": [{"name": "mine", "interval": "1s", "rules": [_RULE]}]}))
    command = [str(COMMAND), "kubernetes", "--json", "--home", str(folder / "home")]
    printed = subprocess.run(command, env=environment(None), capture_output=True, text=True, timeout=60, check=True)
    made = Cluster(folder, environment(None))
    try:
        made.play(json.loads(printed.stdout)["items"], servers)
        yield made
    finally:
        made.end()


def _asked(address: str, path: str, **headers: str) -> Any:
    try:
        return json.loads(loopback.ask(f"http://{address}{path}", headers=headers))
    except (OSError, ValueError):
        return None


def _value(cluster: Cluster, promql: str) -> Any:
    answer = _asked(f"{cluster.addresses()['prometheus']}:9090", f"/api/v1/query?query={promql}")
    return answer and answer["data"]["result"]


def _answers(address: str) -> bool:
    try:
        return bool(loopback.ask(f"http://{address}/"))
    except OSError:
        return False


@pytest.mark.seed("S3-47")
def test_what_a_bot_sends_to_the_service_is_in_prometheus(cluster: Cluster) -> None:
    collector = cluster.addresses()["collector"]
    wait_until(lambda: _answers(f"{collector}:13133"), 60, "the Collector")
    post(f"http://{collector}:4318/v1/metrics", metric("my_bot", "played", 7))
    wait_until(lambda: _value(cluster, "played_total==7"), 60, "the sample")
    # The canary goes the same way from inside, and every server is scraped under the name of its Service.
    wait_until(lambda: _value(cluster, "otel_trading_canary_time_seconds"), 60, "the canary")
    wait_until(lambda: len(_value(cluster, "up==1") or ()) == 3, 60, "the targets")


def test_an_own_rule_pages_through_alertmanager_into_the_file(cluster: Cluster) -> None:
    file = cluster.volume("data-alerts") / "alerts.jsonl"
    told = wait_until(
        lambda: [one for one in json_lines(file) if one["labels"]["alertname"] == "Mine"], 90, "the alert"
    )
    assert told[0]["status"] == "firing"


def test_the_doctor_finds_no_hop_broken(cluster: Cluster, tmp_path: Path) -> None:
    ports = {"otlp": ("collector", 4318), "prometheus": ("prometheus", 9090), "alertmanager": ("alertmanager", 9093)}
    addresses = cluster.addresses()
    places = [f"--{option}=http://{addresses[name]}:{port}" for option, (name, port) in ports.items()]
    command = [str(COMMAND), "doctor", "--json", "--home", str(tmp_path), *places]
    done = subprocess.run(command, env=environment(None), capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok" in {hop["state"] for hop in json.loads(done.stdout)}


def test_grafana_has_the_boards(cluster: Cluster) -> None:
    grafana = f"{cluster.addresses()['grafana']}:3000"
    login = base64.b64encode(b"admin:any").decode()
    assert _asked(grafana, "/api/health") == {"version": "of tests"}
    assert _asked(grafana, "/api/dashboards/uid/otel-trading-overview", Authorization=f"Basic {login}")


def test_no_process_of_a_pod_has_root_a_capability_or_a_disk_to_write_on(cluster: Cluster) -> None:
    found = cluster.containers()
    assert set(found) == {"collector", "prometheus", "canary", "alertmanager", "webhook", "grafana"}
    for name, one in found.items():
        confined(one["State"]["Pid"], name)
        assert one["HostConfig"]["Memory"] > 0, name
        assert one["RestartCount"] == 0, name
