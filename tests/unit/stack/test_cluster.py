"""The stack for Kubernetes: what pods see and run is what containers of compose.yaml see and run."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from otel_trading.cli import cli
from otel_trading.stack import Ports, config

ROOT = Path(__file__).resolve().parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
SERVICES = {name: one for name, one in COMPOSE.items() if name != "prepare"}
SECRETS = {
    "alerts/slack_url": "https://hooks.slack.example/services/T0/B0/planted1",
    "alerts/email_url": "smtp://me:planted2@mail.example?to=a@x.example",
    "alerts/trading/slack_url": "https://hooks.slack.example/services/T0/B0/planted3",
    "dependencies/redis": "redis://:planted4@cache.example:6379",
}
PLANTED = {f"planted{number}" for number in range(1, 5)}


def _write(home: Path, name: str, text: str, mode: int = 0o600) -> None:
    file = home / name
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STACK_GRAFANA_ALERTS", "slack,email")
    for name, text in SECRETS.items():
        _write(tmp_path, f"secrets/{name}", text)
    _write(tmp_path, "config/bots/mine.yaml", "- targets: ['bot.trading:9464']\n")
    _write(tmp_path, "config/my-boards/desk a/mine.json", '{"title": "no: anchor &a"}')
    return tmp_path


def _printed(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["kubernetes", "--home", str(home), *arguments])


def _objects(home: Path, *arguments: str) -> list[dict[str, Any]]:
    done = _printed(home, "--json", *arguments)
    assert done.exit_code == 0, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)["items"]
    return found


def _named(found: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def _pods(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: one["spec"]["template"]["spec"] for name, one in _named(found, "Deployment").items()}


def _containers(found: list[dict[str, Any]]) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    return {one["name"]: (one, pod) for pod in _pods(found).values() for one in pod["containers"]}


def _seen(found: list[dict[str, Any]], container: dict[str, Any], pod: dict[str, Any]) -> dict[str, str]:
    """What a container reads from ConfigMaps and Secrets, by path; each mount has to have an object behind it."""
    volumes = {one["name"]: one for one in pod["volumes"]}
    maps, secrets, claims = (_named(found, kind) for kind in ("ConfigMap", "Secret", "PersistentVolumeClaim"))
    seen: dict[str, str] = {}
    for mount in container["volumeMounts"]:
        volume = volumes[mount["name"]]
        texts: dict[str, str] = {}
        if "configMap" in volume:
            texts = maps[volume["configMap"]["name"]]["data"]
        elif "secret" in volume:
            data = secrets[volume["secret"]["secretName"]]["data"]
            texts = {key: base64.b64decode(text, validate=True).decode() for key, text in data.items()}
        elif "persistentVolumeClaim" in volume:
            assert volume["persistentVolumeClaim"]["claimName"] in claims
        else:
            assert volume["emptyDir"] == {"medium": "Memory"}
        seen |= {f"{mount['mountPath']}/{key}": text for key, text in texts.items()}
    return seen


def _mib(text: str) -> int:
    return int(text[:-2]) * {"Mi": 1, "Gi": 1024}[text[-2:]]


def _filled(text: str) -> str:
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


@pytest.mark.seed("S3-47")
def test_every_container_sees_the_files_that_compose_mounts(home: Path) -> None:
    found = _objects(home)
    folder = config.render(home, ports=Ports(), kind="docker")
    for name, (container, pod) in _containers(found).items():
        wanted: dict[str, str] = {}
        for text in SERVICES[name]["volumes"]:
            source, target = text.replace("${STACK_HOME}", "..").split(":")[:2]
            place = folder / source
            files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
            if source.startswith(".") and "data" not in source:
                wanted |= {f"{target}/{one.relative_to(place)}".removesuffix("/."): one.read_text() for one in files}
            else:
                assert target in {one["mountPath"] for one in container["volumeMounts"]}, name
        for secret in SERVICES[name].get("secrets", ()):
            wanted[f"/run/secrets/{secret}"] = (home / "secrets" / secret).read_text()
        seen = _seen(found, container, pod)
        assert seen == {path: text for path, text in wanted.items() if not path.endswith(".md")}, name


def test_every_container_runs_what_compose_runs(home: Path) -> None:
    found = _containers(_objects(home))
    assert set(found) == set(SERVICES)
    for name, (one, _) in found.items():
        wanted = SERVICES[name]
        assert one["image"] == wanted["image"]
        assert one["args"] == [_filled(word) for word in wanted.get("command", [])]
        assert one.get("workingDir") == wanted.get("working_dir")
        environment = {each["name"]: each["value"] for each in one["env"]}
        plain = {key: _filled(str(value)) for key, value in wanted.get("environment", {}).items()}
        assert {key: value for key, value in environment.items() if not key.startswith("GF_SMTP")} == {
            key: value for key, value in plain.items() if not key.startswith("GF_SMTP")
        }
        assert one["resources"]["limits"]["memory"].lower() == f"{wanted['mem_limit']}i"
        assert f"{one['securityContext']['runAsUser']}:{one['securityContext']['runAsGroup']}" == _filled(
            wanted["user"]
        )
    asked = sum(_mib(one["resources"]["requests"]["memory"]) for one, _ in found.values())
    assert f"{asked / 1024:g} GiB of memory" in (ROOT / "collector" / "README.md").read_text()
    mail = {each["name"]: each["value"] for each in found["grafana"][0]["env"] if "SMTP" in each["name"]}
    assert mail["GF_SMTP_HOST"] == "mail.example:587"
    assert mail["GF_SMTP_PASSWORD"] == "$__file{/etc/otel-trading/secrets/grafana/email_password}"


def test_every_container_is_confined(home: Path) -> None:
    for name, (one, pod) in _containers(_objects(home)).items():
        context = one["securityContext"]
        assert context["allowPrivilegeEscalation"] is False, name
        assert context["readOnlyRootFilesystem"] is True, name
        assert context["capabilities"] == {"drop": ["ALL"]}, name
        assert context["runAsUser"] > 0, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert pod["automountServiceAccountToken"] is pod["enableServiceLinks"] is False, name
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name
        assert not [volume for volume in pod["volumes"] if "hostPath" in volume], name
        assert {"privileged", "hostPort"}.isdisjoint(json.dumps(one).split('"')), name


def test_services_lead_to_ports_inside_the_cluster_only(home: Path) -> None:
    found = _objects(home)
    deployments, containers = _named(found, "Deployment"), _containers(found)
    services = _named(found, "Service")
    for name, one in services.items():
        assert one["spec"]["type"] == "ClusterIP"
        assert set(one["spec"]) == {"type", "selector", "ports"}
        (pod,) = [
            each
            for each in deployments.values()
            if one["spec"]["selector"].items() <= each["spec"]["template"]["metadata"]["labels"].items()
        ]
        assert pod["spec"]["selector"]["matchLabels"] == one["spec"]["selector"]
        assert containers[name][0] in pod["spec"]["template"]["spec"]["containers"]
        ports = {each["containerPort"] for each in containers[name][0]["ports"]}
        assert {each["targetPort"] for each in one["spec"]["ports"]} == ports
        assert ports == {int(text.rpartition(":")[2]) for text in SERVICES[name]["ports"]}
    numbers = {each["name"]: each["port"] for one in services.values() for each in one["spec"]["ports"]}
    assert numbers == {name.replace("_", "-"): number for name, number in vars(Ports()).items()}
    probes = {
        name: one["readinessProbe"]["httpGet"]["port"] for name, (one, _) in containers.items() if name != "canary"
    }
    assert all(
        port in {each["containerPort"] for each in containers[name][0]["ports"]} for name, port in probes.items()
    )


def test_only_the_stack_reaches_the_stack_and_bots_reach_otlp(home: Path) -> None:
    policies = {name: one["spec"] for name, one in _named(_objects(home), "NetworkPolicy").items()}
    ours = {"app.kubernetes.io/name": "otel-trading"}
    assert policies["stack"] == {
        "podSelector": {"matchLabels": ours},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": ours}}]}],
    }
    (rule,) = policies["bots"]["ingress"]
    assert policies["bots"]["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "collector"
    assert {each["port"] for each in rule["ports"]} == {4317, 4318}
    assert rule["from"] == [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": {"otel-trading/bots": "true"}}}]


def test_secrets_are_in_secret_objects_and_nowhere_else(home: Path) -> None:
    found = _objects(home)
    open_text = json.dumps([one for one in found if one["kind"] != "Secret"])
    password = config.password_file(home).read_text()
    assert [word for word in (*PLANTED, password) if word in open_text] == []
    kept = "".join(
        base64.b64decode(text).decode() for one in _named(found, "Secret").values() for text in one["data"].values()
    )
    assert [word for word in (*PLANTED, password) if word not in kept] == []
    assert [one for one in found if one["kind"] != "Secret"] == _objects(home, "--no-secrets")


def test_the_documents_are_those_of_the_list(home: Path) -> None:
    printed = _printed(home).stdout
    assert printed.startswith("---\n")
    assert list(yaml.load_all(printed, getattr(yaml, "CSafeLoader", yaml.SafeLoader))) == _objects(home)


def test_kubernetes_takes_names_and_sizes(home: Path) -> None:
    found = _objects(home, "--namespace", "algo-trading")
    assert (found[0]["kind"], found[0]["metadata"]["name"]) == ("Namespace", "algo-trading")
    assert {one["metadata"]["namespace"] for one in found[1:]} == {"algo-trading"}
    named = [(one["kind"], one["metadata"]["name"]) for one in found]
    assert len(set(named)) == len(named)
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", name) for _, name in named)
    for one in found:
        assert all(re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", key) for key in one.get("data", {}))
        assert len(json.dumps(one)) < 1 << 20, one["metadata"]["name"]
    # A disk is on one node: whatever mounts a claim is in one pod.
    claims = [
        volume["name"] for pod in _pods(found).values() for volume in pod["volumes"] if "claimName" in str(volume)
    ]
    assert sorted(claims) == sorted(_named(found, "PersistentVolumeClaim"))


def test_a_stack_that_runs_from_the_same_home_goes_on(tmp_path: Path) -> None:
    folder = config.render(tmp_path, ports=Ports.free(), kind="native")

    def held() -> dict[Path, tuple[int, int]]:
        found = (path for path in tmp_path.rglob("*") if path.is_file())
        return {path: (path.stat().st_mtime_ns, path.stat().st_mode) for path in found}

    before = held()
    assert _objects(tmp_path) == _objects(tmp_path)
    assert held() == before
    assert "127.0.0.1" in (folder / "collector" / "targets" / "prometheus.yaml").read_text()


def test_another_configuration_is_another_pod(home: Path) -> None:
    def notes() -> dict[str, str]:
        found = _named(_objects(home), "Deployment").items()
        return {name: str(one["spec"]["template"]["metadata"]["annotations"]) for name, one in found}

    before = notes()
    _write(home, "secrets/alerts/slack_url", SECRETS["alerts/slack_url"] + "b")
    assert notes() == before, "a digest in the open would let others try what a secret is"
    _write(home, "config/bots/mine.yaml", "- targets: ['bot.trading:9465']\n")
    after = notes()
    assert {name for name in before if before[name] != after[name]} == {"prometheus"}


def test_the_claim_holds_what_prometheus_keeps(tmp_path: Path) -> None:
    def size() -> str:
        claim = _named(_objects(tmp_path), "PersistentVolumeClaim")["data-prometheus"]
        return str(claim["spec"]["resources"]["requests"]["storage"])

    assert size() == "15Gi"
    _write(tmp_path, "config/settings/prometheus.json", '{"retention_size": "50GB"}')
    assert size() == "75Gi"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (
            "secrets/dependencies/redis",
            "redis://:p@host.docker.internal",
            r"HOME/config/collector/config\.yaml names host\.d",
        ),
        ("secrets/dependencies/redis", "", r"The file HOME/secrets/dependencies/redis is empty\."),
        ("config/bots/a b.yaml", "[]", r"HOME/config/bots/a b\.yaml has a name that no ConfigMap takes\."),
        ("config/my-boards/a.json", "x" * (1 << 20), r"HOME/config/my-boards holds more than 1 MiB"),
        ("config/my-boards/A b/a.json", "{}", r"HOME/config/my-boards/a-b would be the object config-my-boards-a-b"),
    ],
)
def test_what_no_cluster_can_use_is_refused_in_a_sentence(tmp_path: Path, name: str, text: str, says: str) -> None:
    _write(tmp_path, "config/my-boards/a-b/a.json", "{}")
    _write(tmp_path, name, text)
    done = _printed(tmp_path)
    assert re.search(says.replace("HOME", re.escape(str(tmp_path))), str(done.exception)), done.exception
    assert not list(tmp_path.glob("tmp*"))


def test_a_namespace_has_a_name_that_kubernetes_takes(tmp_path: Path) -> None:
    done = _printed(tmp_path, "--namespace", "Algo_Trading")
    assert "The namespace is 'Algo_Trading'. Allowed: up to 63 of a-z" in str(done.exception)


def test_a_backend_whose_address_holds_a_password_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STACK_BACKEND_ENDPOINT", "https://me:planted@tempo.example:4318")
    done = _printed(tmp_path)

    assert done.exit_code != 0
    assert "Name a Collector of yours that adds it" in str(done.exception)
    assert "planted" not in done.output + str(done.exception)
    monkeypatch.setenv("STACK_BACKEND_ENDPOINT", "https://tempo.example:4318")
    assert "https://tempo.example:4318" in _printed(tmp_path).stdout
