"""compose.yaml, read by the loader of `docker compose` itself: schema, interpolation, consistency."""

from __future__ import annotations

import configparser
import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading.stack import config, docker, notifying
from otel_trading.stack._files import shipped
from otel_trading.stack.ports import Ports
from otel_trading.stack.servers import ALERTMANAGER, COLLECTOR, PROMETHEUS
from otel_trading.stack.state import State

if TYPE_CHECKING:
    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

_EXACT = re.compile(r"[a-z0-9/_-]+:v?\d+\.\d+\.\d+(-slim)?")


@pytest.fixture(scope="session")
def load(compose_loader: Path) -> Any:
    """Return a function that reads a compose file and returns the finished process."""

    def _load(file: Path, **variables: str) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("STACK_")}
        return subprocess.run(
            [compose_loader, file], env={**plain, **variables}, capture_output=True, text=True, timeout=30, check=False
        )

    return _load


@pytest.fixture(scope="session")
def project(load: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The project as docker would see it after `otel-trading up --docker`."""
    home = tmp_path_factory.mktemp("home")
    ports = Ports.free()
    folder = config.render(home, ports=ports, kind="docker")
    run = load(folder / "compose.yaml", **docker.variables(home, State("docker", ports, "1s")))
    assert (run.returncode, run.stderr) == (0, "")
    found: dict[str, Any] = json.loads(run.stdout)
    return found | {"home": home, "used": ports}


def test_every_image_is_pinned_to_one_version_the_same_as_natively(project: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in project["services"].items()}
    assert all(_EXACT.fullmatch(image) for image in images.values()), images
    assert images["prometheus"].endswith(f":v{PROMETHEUS.version}")
    assert images["alertmanager"].endswith(f":v{ALERTMANAGER.version}")
    assert images["collector"].endswith(f":{COLLECTOR.version}")


def test_every_container_is_confined(project: dict[str, Any]) -> None:
    for name, service in project["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"\d+:\d+", service["user"]), name
        assert int(service["mem_limit"]) <= 1024**3, name
        assert "privileged" not in service, name
    long_lived = {name: service for name, service in project["services"].items() if name != "prepare"}
    assert all(service["logging"]["options"]["max-size"] == "10m" for service in long_lived.values())
    assert all("healthcheck" in service for name, service in long_lived.items() if name != "collector")


def test_ports_are_published_on_loopback_only(project: dict[str, Any]) -> None:
    published = [port for service in project["services"].values() for port in service.get("ports", [])]
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}
    assert {int(port["published"]) for port in published} == set(vars(project["used"]).values())


def test_every_mounted_file_exists_and_configuration_is_read_only(project: dict[str, Any]) -> None:
    binds = [
        volume
        for service in project["services"].values()
        for volume in service.get("volumes", [])
        if volume["type"] == "bind"
    ]
    for bind in binds:
        assert Path(bind["source"]).exists(), bind
        writable = bind["source"] == str(project["home"] / "data" / "alerts")
        assert bool(bind.get("read_only")) is not writable, bind


@pytest.mark.seed("S1-38")
def test_nobody_signs_up_and_no_password_is_in_the_file(project: dict[str, Any]) -> None:
    settings = configparser.ConfigParser()
    settings.read(project["home"] / "config" / "dashboards" / "provisioning" / "grafana.ini")
    assert settings["users"]["allow_sign_up"] == settings["auth.anonymous"]["enabled"] == "false"
    secret = Path(project["secrets"]["grafana_admin_password"]["file"])
    password = secret.read_text()
    assert len(password) >= 20
    assert password not in json.dumps(project["services"])
    assert secret.parent.stat().st_mode & 0o077 == 0
    environment = project["services"]["grafana"]["environment"]
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/secrets/grafana_admin_password"


def test_addresses_inside_are_service_names(project: dict[str, Any]) -> None:
    folder = project["home"] / "config"
    text = "".join(file.read_text() for file in sorted((folder / "collector" / "targets").iterdir()))
    text += (notifying.secrets_folder(folder.parent) / "file_url").read_text()
    hosts = set(re.findall(r"([a-z]+):\d+", text))
    assert hosts == {"prometheus", "alertmanager", "collector", "webhook"}
    assert hosts <= set(project["services"])


def test_flags_are_the_same_as_natively(project: dict[str, Any], stack: Stack) -> None:
    state = json.loads((stack.home / "state.json").read_text())
    pids = {service["name"]: service["pid"] for service in state["services"]}
    for name in ("prometheus", "alertmanager"):
        native = Path(f"/proc/{pids[name]}/cmdline").read_text().split("\0")
        ours = [word for word in native if word.startswith("--") and not _is_address(word)]
        assert sorted(ours) == sorted(word for word in project["services"][name]["command"] if not _is_address(word))


def _is_address(word: str) -> bool:
    return word.startswith(("--config.file", "--storage", "--web.listen-address", "--web.external-url"))


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_health_checks_tell_healthy_from_dead(
    project: dict[str, Any], stack: Stack, servers: dict[str, Path], name: str
) -> None:
    _, tool, *arguments = project["services"][name]["healthcheck"]["test"]
    inside = re.compile(r"127\.0\.0\.1:\d+")
    for address, healthy in ((stack.urls[name].removeprefix("http://"), True), ("127.0.0.1:1", False)):
        command = [str(servers[tool]), *(inside.sub(address, word) for word in arguments)]
        run = subprocess.run(command, capture_output=True, timeout=30, check=False)
        assert (run.returncode == 0) is healthy


def test_without_a_home_it_says_what_to_do(load: Any) -> None:
    run = load(shipped("compose.yaml"))
    assert run.returncode == 1
    assert "run otel-trading up --docker" in run.stderr


def test_the_loader_is_strict(load: Any, tmp_path: Path) -> None:
    broken = tmp_path / "compose.yaml"
    broken.write_text("services: {x: {image: a, read_onyl: true}}\n")
    run = load(broken)
    assert run.returncode == 1
    assert "read_onyl" in run.stderr
