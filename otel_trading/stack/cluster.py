"""The stack as objects of Kubernetes, made from compose.yaml and the configuration that its containers get.

What is Kubernetes' own stands here: how pods are confined, who reaches them, how much disk they claim.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import yaml

from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import compose_file, config, docker, grafana_alerts, own_rules, settings
from otel_trading.stack.cluster_volumes import Volumes, claim
from otel_trading.stack.ports import Ports
from otel_trading.stack.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

__all__ = ["BOTS", "NAMESPACE", "objects"]

NAMESPACE: Final = "otel-trading"
#: What a namespace is labelled with whose bots may send.
BOTS: Final[Mapping[str, str]] = {"otel-trading/bots": "true"}
_OURS: Final = {"app.kubernetes.io/name": "otel-trading"}
_COMPONENT: Final = "app.kubernetes.io/component"
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_OTLP: Final = ("otlp_grpc", "otlp_http")
_BACKEND: Final = "STACK_BACKEND_ENDPOINT"
#: What the user wrote into a home; the rest is rendered.
_THE_USERS: Final = (
    *("config/bots", "config/my-boards", "config/my-rules", settings.FOLDER),
    *("secrets/alerts", "secrets/dependencies", "secrets/grafana_admin_password"),
)
_GIB: Final = 1 << 30
#: The Collector's queue may take 1 GiB, its spans and logs 0.3 each; the others write less.
_CLAIM: Final = "4Gi"
#: What Prometheus writes while it merges blocks comes on top of what it keeps.
_SPARE: Final = 1.5


def objects(home: Path, namespace: str = NAMESPACE, *, progress: Progress | None = None) -> list[dict[str, Any]]:
    """Return everything that one namespace needs.

    Args:
        home: Of whose settings, rules, boards, targets and secrets it is made; nothing in it changes, but that it gets
            a password for Grafana when it has none.
        namespace: Its name.
        progress: Who is told of rules that will not work; stderr when not given.

    Raises:
        ConfigError: The name, or something in the home, cannot be used.
        StackError: The home cannot be written, or holds rules that Prometheus refuses.
    """
    if not _NAMESPACE.fullmatch(namespace):
        message = (
            f"The namespace is {namespace!r}. Allowed: up to 63 of a-z, 0-9 and -, as Kubernetes has it. Correct it."
        )
        raise ConfigError(message)
    with _rendered(home) as copy:
        own_rules.look(copy / "config", progress or Progress(), accepted=False)
        made = _made(copy)
    for each in made:
        each["metadata"] |= {"namespace": namespace, "labels": {**_OURS, **each["metadata"].get("labels", {})}}
    return [_object("v1", "Namespace", namespace, labels=_OURS), *made]


@contextlib.contextmanager
def _rendered(home: Path) -> Generator[Path]:
    """Render for containers what the user wrote, beside a stack that may run natively from the same home."""
    try:
        config.make_password(home)
        with tempfile.TemporaryDirectory(dir=home) as place:
            try:
                yield _linked(home, Path(place))
            except (ConfigError, StackError) as error:  # in the words of the user, who knows one home
                raise type(error)(str(error).replace(place, str(home))) from error
    except OSError as error:
        raise config.unwritable(home, error) from error


def _linked(home: Path, copy: Path) -> Path:
    for name in _THE_USERS:
        if (home / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).symlink_to((home / name).absolute())
    config.render(copy, ports=Ports(), kind="docker")
    return copy


def _made(home: Path) -> list[dict[str, Any]]:
    document = compose_file.read(home / "config" / "compose.yaml", _variables(home))
    # Who only prepares a volume for another user: `fsGroup` does that.
    services = {name: one for name, one in document["services"].items() if "restart" in one}
    volumes = Volumes(home, document["secrets"])
    writers = {
        source: name
        for name, one in services.items()
        for source, _, *mode in (text.split(":") for text in one.get("volumes", ()))
        if not mode
    }
    pods: dict[str, dict[str, Any]] = {name: {} for name in services}
    for name, one in services.items():
        # A disk is on one node: who reads another's runs in its pod.
        read = [
            writers[source] for source in (text.split(":")[0] for text in one.get("volumes", ())) if source in writers
        ]
        pods[read[0] if read else name][name] = one
    deployments = [_deployment(name, pod, volumes) for name, pod in pods.items() if pod]
    fronts = [_service(name, pod, one) for pod, held in pods.items() for name, one in held.items()]
    claims = [_claim(name, _size(name, home)) for name in volumes.claims]
    return [*volumes.objects.values(), *claims, *fronts, *deployments, *_policies(services["collector"])]


def _variables(home: Path) -> dict[str, str]:
    endpoint = {_BACKEND: os.environ[_BACKEND]} if os.environ.get(_BACKEND) else {}
    if "@" in urlsplit(endpoint.get(_BACKEND, "")).netloc:
        message = (
            f"{_BACKEND} holds a name or a password, which everybody could read who may read Deployments. "
            "Allowed: a URL without. Name a Collector of yours that adds it."
        )
        raise ConfigError(message)
    mail = grafana_alerts.compose(home, "docker").variables
    return {"STACK_HOME": "..", **endpoint, **config.backend_variables(), **mail}


def _deployment(name: str, services: Mapping[str, Mapping[str, Any]], volumes: Volumes) -> dict[str, Any]:
    held: dict[str, dict[str, Any]] = {}
    containers: list[dict[str, Any]] = []
    for each, service in services.items():
        pairs = list(volumes.of(service))
        held |= {volume["name"]: volume for volume, _ in pairs}
        containers.append(_container(each, service, [mount for _, mount in pairs]))
        if each == name:  # whether a pod is asked is up to the service that it is named for
            containers[-1]["readinessProbe"] = _probe(each)
    labels = {_COMPONENT: name}
    configuration = [volumes.objects[one] for one in held if volumes.objects.get(one, {}).get("kind") == "ConfigMap"]
    pod = {
        "enableServiceLinks": False,  # a server could take PROMETHEUS_PORT and the like for settings of its own
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "fsGroup": int(services[name]["user"].split(":")[0]),
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": containers,
        "volumes": list(held.values()),
    }
    # Another configuration is another pod: servers read theirs when they start.
    annotations = {"otel-trading/configuration": hashlib.sha256(json.dumps(configuration).encode()).hexdigest()}
    spec = {
        "replicas": 1,
        "strategy": {"type": "Recreate"},  # two servers would write into one volume
        "selector": {"matchLabels": {**_OURS, **labels}},
        "template": {"metadata": {"labels": {**_OURS, **labels}, "annotations": annotations}, "spec": pod},
    }
    return {**_object("apps/v1", "Deployment", name, labels=labels), "spec": spec}


def _container(name: str, service: Mapping[str, Any], mounts: list[dict[str, Any]]) -> dict[str, Any]:
    user, group = map(int, service["user"].split(":"))
    limit = service["mem_limit"]
    made: dict[str, Any] = {
        "name": name,
        "image": service["image"],
        "args": service.get("command", []),
        "env": [{"name": key, "value": str(value)} for key, value in service.get("environment", {}).items()],
        "ports": [{"containerPort": number} for number in _ports(service).values()],
        # Of processors it may have what is free.
        "resources": {
            "limits": {"memory": f"{limit.upper()}i"},
            "requests": {"cpu": "50m", "memory": f"{limit.upper()}i"},
        },
        "securityContext": {
            "runAsUser": user,
            "runAsGroup": group,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": service["read_only"],
            "capabilities": {"drop": service["cap_drop"]},
        },
        "volumeMounts": mounts,
    }
    if "working_dir" in service:
        made["workingDir"] = service["working_dir"]
    return made


def _probe(name: str) -> dict[str, Any]:
    """Ask as `up` does. No probe ends a server: one that reads its log for minutes would never come to an end."""
    address = urlsplit(docker.health_urls(Ports())[name])
    return {"httpGet": {"path": address.path, "port": address.port}, "periodSeconds": 5, "timeoutSeconds": 3}


def _ports(service: Mapping[str, Any]) -> dict[str, int]:
    names = {number: name for name, number in vars(Ports()).items()}
    numbers = [int(text.rpartition(":")[2]) for text in service["ports"]]
    return {names[number]: number for number in numbers}


def _service(name: str, pod: str, service: Mapping[str, Any]) -> dict[str, Any]:
    ports = [
        {"name": each.replace("_", "-"), "port": number, "targetPort": number}
        for each, number in _ports(service).items()
    ]
    spec = {"type": "ClusterIP", "selector": {**_OURS, _COMPONENT: pod}, "ports": ports}
    return {**_object("v1", "Service", name, labels={_COMPONENT: name}), "spec": spec}


def _size(name: str, home: Path) -> str:
    if name != claim("prometheus"):
        return _CLAIM
    document = yaml.safe_load((home / "config" / "collector" / "prometheus.yaml").read_text(encoding="utf-8"))
    kept = next(one for one in settings.ALL if one.name == "retention_size")
    return f"{math.ceil(kept.amount(kept.read(document)) * _SPARE / _GIB)}Gi"


def _claim(name: str, size: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {**_object("v1", "PersistentVolumeClaim", name), "spec": spec}


def _policies(collector: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Nobody but the stack reaches the stack; bots, of this namespace and of those that are labelled, reach OTLP."""
    bots: list[dict[str, Any]] = [{"podSelector": {}}, {"namespaceSelector": {"matchLabels": dict(BOTS)}}]
    ports = [{"protocol": "TCP", "port": number} for name, number in _ports(collector).items() if name in _OTLP]
    rules: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "stack": (_OURS, {"from": [{"podSelector": {"matchLabels": dict(_OURS)}}]}),
        "bots": ({**_OURS, _COMPONENT: "collector"}, {"from": bots, "ports": ports}),
    }
    return [
        {
            **_object("networking.k8s.io/v1", "NetworkPolicy", name),
            "spec": {"podSelector": {"matchLabels": dict(whom)}, "policyTypes": ["Ingress"], "ingress": [rule]},
        }
        for name, (whom, rule) in rules.items()
    ]


def _object(version: str, kind: str, name: str, labels: Mapping[str, str] | None = None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, **({"labels": dict(labels)} if labels else {})}
    return {"apiVersion": version, "kind": kind, "metadata": metadata}
