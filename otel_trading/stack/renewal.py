"""Gives servers that run already what the user changed since: channels for alerts, and what the Collector watches."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from otel_trading.errors import StackError
from otel_trading.stack import dependencies, docker, loopback, notifying, processes
from otel_trading.stack.state import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from otel_trading.stack.progress import Progress
    from otel_trading.stack.state import Service

__all__ = ["later", "reload_rules", "renew"]


def renew(home: Path, state: State, progress: Progress) -> None:
    """Have all of a healthy stack run with what is set now.

    Args:
        home: The stack's home.
        state: What runs.
        progress: Who is told what changed.

    Raises:
        ConfigError: What was set cannot be used; nothing changes.
        StackError: A server refuses, or does not answer; it goes on with what it had.
    """
    # Both are judged before anything changes.
    watching = dependencies.compose(home, kind=state.kind, interval=state.interval)
    routing = notifying.compose(home, ports=state.ports, kind=state.kind, interval=state.interval)
    if not routing.is_in_force(home):
        _renew_channels(home, state, progress, routing)
    if dependencies.current(home) != watching:
        _renew_dependencies(home, state, progress, watching)


def later(home: Path, before: State) -> Callable[[], None]:
    """Return what to call once a half dead stack is whole again, and its configuration written anew.

    Args:
        home: The stack's home.
        before: What was left of it.
    """
    collector, plan = _of(before, "collector"), dependencies.current(home)

    def _reload() -> None:
        state = State.load(home) or before
        # They may have run all along.
        loopback.reload(_of(state, "alertmanager").url, "Alertmanager")
        loopback.reload(_of(state, "prometheus").url, "Prometheus")
        now = _of(state, "collector")
        if (now.pid, now.birth) == (collector.pid, collector.birth) and dependencies.current(home) != plan:
            _reload_collector(home, state)

    return _reload


def reload_rules(home: Path) -> None:
    """Have the Prometheus of this home read its rules anew; where none was started, the next `up` reads them.

    Raises:
        StackError: It refuses them, in its own words, or does not answer; it goes on with those that it had.
    """
    if state := State.load(home):
        loopback.reload(_of(state, "prometheus").url, "Prometheus")


def _of(state: State, name: str) -> Service:
    return next(service for service in state.services if service.name == name)


def _renew_channels(home: Path, state: State, progress: Progress, plan: notifying.Plan) -> None:
    before, gone = notifying.current(home), set(notifying.enabled(home))
    plan.write(home, state.kind)
    try:
        loopback.reload(_of(state, "alertmanager").url, "Alertmanager")
    except StackError:
        before.write(home, state.kind)
        raise
    progress.say(f"Alerts now go to: {', '.join(['the file', *notifying.enabled(home)])}.")
    if gone := gone - set(notifying.enabled(home)):
        progress.say(f"No longer to: {', '.join(sorted(gone))}, which have no secret any more.")


def _renew_dependencies(home: Path, state: State, progress: Progress, plan: dependencies.Plan) -> None:
    plan.write(home, state.kind)
    _reload_collector(home, state)
    names = [f"{name} on {address}" for name, address in dependencies.watched(home).items()]
    progress.say(f"Watched now besides bots: {', '.join(names) or 'nothing'}.")


def _reload_collector(home: Path, state: State) -> None:
    """Have the Collector read its configuration again: it answers within a second, and its queue is on disk."""
    service = _of(state, "collector")
    if state.kind == "docker":
        docker.tell(home, state, "collector", "SIGHUP")
    elif service.pid is not None and processes.is_alive(service.pid, service.birth):
        os.kill(service.pid, signal.SIGHUP)
