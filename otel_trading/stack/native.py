"""The stack as native processes on loopback."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from otel_trading import __version__
from otel_trading.errors import StackError
from otel_trading.stack import (
    build,
    collector_queue,
    config,
    exposure,
    health,
    launches,
    own_rules,
    processes,
    versions,
    web_ui,
)
from otel_trading.stack.servers import GATE
from otel_trading.stack.state import Service, State

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack.launches import Launch
    from otel_trading.stack.ports import Ports
    from otel_trading.stack.progress import Progress
    from otel_trading.stack.state import Exposed

__all__ = ["down", "up"]

_PATIENCE: Final = 60.0
_POLL: Final = 0.03
_LAST_LINES: Final = 5


def up(
    home: Path,
    ports: Ports,
    interval: str | None,
    progress: Progress,
    before: State | None,
    *,
    speedup: float = 1,
    exposed: Exposed | None = None,
) -> None:
    """Start what does not run yet and wait until all of it is healthy.

    Args:
        home: The stack's home.
        ports: Where the servers listen.
        interval: See `config.render`.
        progress: Who is told.
        before: What ran already.
        speedup: See `config.render`.
        exposed: How other machines reach it, or None.

    Raises:
        StackError: A server, a port or a file is not as it has to be; nothing that this call started is left behind.
    """
    tools = build.all_binaries(progress)
    folder = config.render(home, ports=ports, kind="native", interval=interval, speedup=speedup)
    config.validate(folder, tools, launches.collector_environment(home, ports))
    own_rules.look(folder, progress, accepted=True)
    pages = web_ui.pages(tools["prometheus"], progress)
    plan = launches.plan(home, ports, tools, interval, pages, speedup=speedup)
    if exposed:
        plan.append(exposure.launch(home, ports, exposed, build.binaries(GATE, progress)[GATE.binaries[0]]))
    if "grafana" not in {launch.name for launch in plan}:
        progress.say(f"Grafana is left out: no `grafana` on PATH. Its boards are in {folder / 'dashboards' / 'json'}.")
    if before:
        exposure.end_outdated(before, exposed)
    # A state is of this version once all of it is: who is interrupted goes on with the next `up`.
    version = before.version if before else __version__
    state = State("native", ports, interval, speedup, exposed=exposed, version=version)
    _start(home, plan, state, before, progress)


def down(state: State) -> None:
    """End all processes of this state, last started first."""
    processes.stop([(service.pid, service.birth) for service in reversed(state.services)])


def _start(home: Path, plan: list[Launch], state: State, before: State | None, progress: Progress) -> None:
    known = before.services if before else []
    running = {one.name: one for one in known if processes.is_alive(one.pid, one.birth)}
    state.services = list(running.values())
    wanted = [launch for launch in plan if launch.name not in running or running[launch.name].launch != launch.digest]
    for launch in wanted:
        if launch.name not in running:
            state.ports.check(launch.ports, launch.host)
    if wanted:
        versions.note(home)
    begun = _size(_log(home, "collector"))
    try:
        for launch in wanted:
            old = running.get(launch.name)
            with processes.uninterrupted():
                if old is not None:
                    processes.stop([(old.pid, old.birth)])
                    state.services.remove(old)
                if launch.name == "collector":
                    collector_queue.set_spoilt_aside(home, progress)
                state.services.append(_launch(home, launch))
                state.save(home)
            if old is not None:  # one after the other: what the Collector holds meanwhile has to be delivered
                progress.say(f"{launch.name} {old.version} is replaced by {launch.version}")
                _wait(home, state.services[-1:])
                running[launch.name] = state.services[-1]
        _wait_for_all(home, state, wanted, begun, progress)
        state.version = __version__
        state.save(home)
    except BaseException:
        with processes.uninterrupted():
            state.exposed = before.exposed if before else None
            _undo(home, state, list(running.values()))
        raise


def _wait_for_all(home: Path, state: State, wanted: list[Launch], begun: int, progress: Progress) -> None:
    """Wait, and give a Collector that died of its queue another one: its last words begin there in its log."""
    try:
        _wait(home, state.services)
    except StackError:
        if not _without_its_queue(home, state, wanted, begun, progress):
            raise
        _wait(home, state.services)


def _without_its_queue(home: Path, state: State, wanted: list[Launch], begun: int, progress: Progress) -> bool:
    """Start a Collector anew that died of its queue; say whether it was that."""
    launch = next((one for one in wanted if one.name == "collector"), None)
    dead = next((one for one in state.services if one.name == "collector"), None)
    if launch is None or dead is None or processes.is_alive(dead.pid, dead.birth):
        return False
    with _log(home, "collector").open("rb") as log:
        log.seek(begun)
        last_words = log.read().decode(errors="replace")
    with processes.uninterrupted():
        if not collector_queue.set_aside(home, last_words, progress):
            return False
        state.services[state.services.index(dead)] = _launch(home, launch)
        state.save(home)
    return True


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _undo(home: Path, state: State, running: list[Service]) -> None:
    """End what was started in vain; what ran before goes on, but for what was to be replaced."""
    started = [service for service in state.services if service not in running]
    processes.stop([(service.pid, service.birth) for service in started])
    state.services = [service for service in state.services if service in running]
    if state.services:
        state.save(home)
    else:
        state.remove(home)


def _launch(home: Path, launch: Launch) -> Service:
    pid, born = processes.start(
        launch.command,
        log=_log(home, launch.name),
        cwd=launch.cwd or home,
        environment={**launches.inherited(), **launch.environment},
    )
    since = datetime.now(timezone.utc).isoformat(timespec="seconds")
    how = (launch.certificate, launch.digest)
    return Service(launch.name, launch.version, launch.url, launch.health, since, pid, born, *how)


def _wait(home: Path, services: list[Service]) -> None:
    deadline = time.monotonic() + _PATIENCE
    waiting = services
    while waiting:
        for service in waiting:
            if not processes.is_alive(service.pid, service.birth):
                raise _failed(home, service, "ended right after its start")
        waiting = [service for service in waiting if not health.is_well(service)]
        if waiting and time.monotonic() > deadline:
            raise _failed(home, waiting[0], f"is not healthy after {_PATIENCE:.0f} s")
        time.sleep(_POLL if waiting else 0)


def _log(home: Path, name: str) -> Path:
    return home / "logs" / f"{name}.log"


def _failed(home: Path, service: Service, what: str) -> StackError:
    log = _log(home, service.name)
    last = "\n".join(log.read_text(errors="replace").splitlines()[-_LAST_LINES:])
    return StackError(f"{service.name} {what}. Put right what the end of {log} says, then try again:\n{last}")
