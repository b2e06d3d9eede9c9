"""A cluster of one node for tests: `podman kube play` (4.3), where there is no Kubernetes.

It knows deployments, ConfigMaps and claims. The names of Services become aliases in one network, and Secrets become
ConfigMaps: it would mount their base64. Not played: Namespaces, NetworkPolicies, readiness probes, `fsGroup`.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import container_images

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Cluster"]

_NETWORK = "cluster"
_PAUSE = "localhost/pause:1.0.0"
#: Podman gives pods limits that the root of some machines may not set; there they keep those that they would inherit.
_RUNTIME = """#!{python}
import json, os, pathlib, sys
if "create" in sys.argv:
    file = pathlib.Path(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    config = json.loads(file.read_text())
    config["process"].pop("rlimits", None)
    file.write_text(json.dumps(config))
os.execv({runtime!r}, [{runtime!r}, *sys.argv[1:]])
"""
_CONFIGURATION = """[engine]
cgroup_manager = "cgroupfs"
infra_image = "{pause}"
runtime = "unlimited"
[engine.runtimes]
unlimited = ["{runtime}"]
"""


class Cluster:
    """Plays the objects of one namespace.

    Args:
        folder: For images, containers and volumes of its own.
        environ: What podman sees.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        storage = ("--root", folder / "root", "--runroot", folder / "run", "--network-config-dir", folder / "networks")
        self._command = ["podman", *map(str, storage)]
        self._folder = folder
        found = shutil.which("crun") or shutil.which("runc")
        runtime, configuration = folder / "runtime", folder / "containers.conf"
        runtime.write_text(_RUNTIME.format(python=sys.executable, runtime=found))
        runtime.chmod(0o755)
        configuration.write_text(_CONFIGURATION.format(pause=_PAUSE, runtime=runtime))
        self._environ = {**environ, "CONTAINERS_CONF": str(configuration)}

    def asked(self, *arguments: str) -> str:
        """Return what podman says."""
        command = [*self._command, *arguments]
        done = subprocess.run(command, env=self._environ, capture_output=True, text=True, timeout=100, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def play(self, objects: list[dict[str, Any]], servers: Mapping[str, Path]) -> None:
        """Start everything.

        Args:
            objects: Of the command `otel-trading kubernetes`.
            servers: Our binaries by name; images are made of them.
        """
        of = {kind: [one for one in objects if one["kind"] == kind] for kind in {one["kind"] for one in objects}}
        pods = [one["spec"]["template"]["spec"] for one in of["Deployment"]]
        images = {one["name"]: container_images.full(one["image"]) for pod in pods for one in pod["containers"]}
        container_images.make(self._command, images, servers)
        container_images.pause(self._command, _PAUSE)
        self.asked("network", "create", _NETWORK)
        self._play(of["PersistentVolumeClaim"])
        # A cluster has no order. Here Prometheus comes last: what fires before there is an Alertmanager waits a minute.
        for one in sorted(of["Deployment"], key=lambda one: bool(one["metadata"]["name"] == "prometheus")):
            self._deploy(one, of)

    def _deploy(self, deployment: dict[str, Any], of: Mapping[str, list[dict[str, Any]]]) -> None:
        template = deployment["spec"]["template"]
        for container in template["spec"]["containers"]:
            del container["ports"]  # podman would publish them, on every address of this machine
        names = [
            one["metadata"]["name"]
            for one in of["Service"]
            if one["spec"]["selector"].items() <= template["metadata"]["labels"].items()
        ]
        volumes = template["spec"]["volumes"]
        for volume in volumes:
            if "secret" in volume:
                volume["configMap"] = {"name": volume.pop("secret")["secretName"]}
        mounted = {one["name"] for one in volumes}
        behind = [one for one in (*of["ConfigMap"], *map(_opened, of["Secret"])) if one["metadata"]["name"] in mounted]
        self._play([*behind, deployment], f"--network={_NETWORK}:{','.join(f'alias={name}' for name in names)}")

    def _play(self, objects: list[dict[str, Any]], *options: str) -> None:
        file = self._folder / "objects.yaml"
        file.write_text("\n---\n".join(map(json.dumps, objects)))
        self.asked("kube", "play", "--quiet", *options, str(file))

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what podman knows of each container, by its name in its pod."""
        found: list[dict[str, Any]] = json.loads(self.asked("inspect", *self.asked("ps", "--quiet").split()))
        return {one["Name"].rpartition("-")[2]: one for one in found if not one["IsInfra"]}

    def addresses(self) -> dict[str, str]:
        """Return where this machine reaches each Service."""
        found: list[dict[str, Any]] = json.loads(self.asked("inspect", *self.asked("ps", "--quiet").split()))
        networks = [one["NetworkSettings"]["Networks"][_NETWORK] for one in found if one["IsInfra"]]
        return {alias: one["IPAddress"] for one in networks for alias in one["Aliases"]}

    def volume(self, name: str) -> Path:
        """Return the folder of a claim."""
        return self._folder / "root" / "volumes" / name / "_data"

    def end(self) -> None:
        """Leave nothing running, and nothing on the disk but small files."""
        for command in (("pod", "kill", "--all"), ("pod", "rm", "--all", "--force"), ("rmi", "--all", "--force")):
            subprocess.run([*self._command, *command], env=self._environ, capture_output=True, timeout=60, check=False)
        subprocess.run(
            [*self._command, "network", "rm", _NETWORK], env=self._environ, capture_output=True, timeout=60, check=False
        )
        shutil.rmtree(self._folder / "root", ignore_errors=True)


def _opened(secret: dict[str, Any]) -> dict[str, Any]:
    texts = {key: base64.b64decode(text, validate=True).decode() for key, text in secret["data"].items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": secret["metadata"], "data": texts}
