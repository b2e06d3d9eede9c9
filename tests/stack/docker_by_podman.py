"""A `docker` for tests: what `otel-trading up --docker` asks of it, done by podman.

The compose file is read by compose's own loader (`compose_check`); that no option of a service gets lost on the way to
podman is what `_KNOWN` is for. Needs PODMAN (the command as JSON) and COMPOSE_LOADER.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from typing import Any

_PODMAN: list[str] = json.loads(os.environ["PODMAN"])
_KNOWN = {
    *("cap_add", "cap_drop", "command", "depends_on", "entrypoint", "environment", "extra_hosts", "healthcheck"),
    *("image", "logging", "mem_limit", "network_mode", "networks", "ports", "read_only", "restart", "secrets"),
    *("security_opt", "tmpfs", "user", "volumes", "working_dir"),
}
_PATIENCE = 60.0


def _podman(*arguments: str) -> str:
    done = subprocess.run([*_PODMAN, *arguments], capture_output=True, text=True, timeout=_PATIENCE, check=False)
    if done.returncode:
        sys.exit(f"podman {' '.join(arguments)}\n{done.stderr}")
    return done.stdout or (done.stderr if arguments[0] == "logs" else "")  # a container has two outputs


def _succeeds(*arguments: str) -> bool:
    return not subprocess.run([*_PODMAN, *arguments], capture_output=True, timeout=_PATIENCE, check=False).returncode


def _options(project: str, name: str, service: dict[str, Any], files: dict[str, Any], gateway: str) -> list[str]:
    assert set(service) <= _KNOWN, set(service) - _KNOWN
    network = "none" if service.get("network_mode") == "none" else f"{project}:alias={name}"
    given = [f"--name={project}-{name}", f"--label=project={project}", f"--network={network}"]
    given += [f"--user={service['user']}", f"--memory={service['mem_limit']}", "--pull=never"]
    given += ["--read-only", "--read-only-tmpfs=false"] if service.get("read_only") else []
    given += [f"--cap-drop={one}" for one in service.get("cap_drop", ())]
    given += [f"--cap-add={one}" for one in service.get("cap_add", ())]
    given += [f"--security-opt={one.removesuffix(':true')}" for one in service.get("security_opt", ())]
    given += [f"--env={key}={value}" for key, value in (service.get("environment") or {}).items()]
    given += [f"--publish={one['host_ip']}:{one['published']}:{one['target']}" for one in service.get("ports", ())]
    given += [f"--tmpfs={one}" for one in service.get("tmpfs") or ()]
    given += [f"--add-host={host}:{gateway}" for host in _hosts(service)]
    given += [f"--workdir={service['working_dir']}"] if "working_dir" in service else []
    for one in service.get("volumes", ()):
        source = f"{project}_{one['source']}" if one["type"] == "volume" else one["source"]
        given.append(f"--volume={source}:{one['target']}:{'ro' if one.get('read_only') else 'rw'}")
    for one in service.get("secrets") or ():
        given.append(f"--volume={files[one['source']]['file']}:/run/secrets/{one['source']}:ro")
    return [*given, service["image"], *(service.get("command") or ())]


def _hosts(service: dict[str, Any]) -> list[str]:
    pairs = [one.split("=") for one in service.get("extra_hosts") or ()]
    assert all(address == "host-gateway" for _, address in pairs), pairs
    return [host for host, _ in pairs]


def _up(project: str, loaded: dict[str, Any]) -> None:
    if not _succeeds("network", "exists", project):
        _podman("network", "create", project)
    (network,) = json.loads(_podman("network", "inspect", project))
    for volume in loaded["volumes"]:
        if not _succeeds("volume", "exists", f"{project}_{volume}"):
            _podman("volume", "create", f"{project}_{volume}")
    services: dict[str, Any] = loaded["services"]
    started: list[str] = []
    while len(started) < len(services):
        for name in [one for one in services if one not in started]:
            needed: dict[str, Any] = services[name].get("depends_on") or {}
            if not set(needed) <= set(started):
                continue
            for other in [one for one in needed if needed[one]["condition"] == "service_healthy"]:
                _until_healthy(project, other, services[other])
            ends = any(
                (one.get("depends_on") or {}).get(name, {}).get("condition") == _ENDS for one in services.values()
            )
            options = _options(
                project, name, services[name], loaded.get("secrets", {}), network["subnets"][0]["gateway"]
            )
            _podman("run", *([] if ends else ["--detach"]), *options)
            started.append(name)
    for name, service in services.items():
        if "healthcheck" in service:
            _until_healthy(project, name, service)


_ENDS = "service_completed_successfully"


def _until_healthy(project: str, name: str, service: dict[str, Any]) -> None:
    """Ask what the compose file asks; podman's own checks need a systemd for their timers."""
    kind, *question = service["healthcheck"]["test"]
    assert kind == "CMD", kind
    deadline = time.monotonic() + _PATIENCE
    while not _succeeds("exec", f"{project}-{name}", *question):
        if time.monotonic() > deadline:
            sys.exit(f"{name} is not healthy\n{_podman('logs', f'{project}-{name}')}")
        time.sleep(0.1)


def _down(project: str, loaded: dict[str, Any], *, volumes: bool) -> None:
    names = _podman("ps", "--all", f"--filter=label=project={project}", "--format={{.Names}}").split()
    if names:
        _podman("stop", "--time=30", *names)
        ended = _podman("ps", "--all", f"--filter=label=project={project}", "--format={{.Names}} {{.ExitCode}}")
        assert " 137" not in ended, f"killed, as it did not end when it was told to: {ended}"
        _podman("rm", "--force", *names)
    if _succeeds("network", "exists", project):
        _podman("network", "rm", project)
    for volume in loaded["volumes"] if volumes else ():
        _podman("volume", "rm", "--force", f"{project}_{volume}")


def _compose(project: str, file: str, verb: str, *arguments: str) -> None:
    read = subprocess.run([os.environ["COMPOSE_LOADER"], file], capture_output=True, text=True, timeout=30, check=False)
    if read.returncode:
        sys.exit(read.stderr)
    loaded = json.loads(read.stdout)
    if verb == "up":
        _up(project, loaded)
    elif verb == "down":
        _down(project, loaded, volumes="--volumes" in arguments)
    elif verb == "logs":
        sys.stdout.write(
            _podman("logs", f"--tail={arguments[arguments.index('--tail') + 1]}", f"{project}-{arguments[-1]}")
        )
    else:
        sys.exit(f"nothing here does {verb}")


if sys.argv[1:2] == ["compose"] and sys.argv[2:] != ["version"]:
    _name, _project, _file, _path, *_rest = sys.argv[2:]
    assert (_name, _file) == ("--project-name", "--file")
    _compose(_project, _path, *_rest)
