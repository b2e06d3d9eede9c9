"""The real servers, built once and started once per test run, on free ports and in a temporary home."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from otel_trading import stack as stack_module
from otel_trading.errors import StackError
from otel_trading.stack import build, web_ui
from otel_trading.stack.progress import Progress
from otel_trading.stack.servers import GATE

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_BUILT = pytest.StashKey[dict[str, "Path"]]()
_WHY_NOT = pytest.StashKey[str]()


class _Aloud(Progress):
    """Speaks through pytest's capture, so that nobody stares at a silent terminal for five minutes."""

    def __init__(self, config: pytest.Config) -> None:
        super().__init__(Console(file=io.StringIO()))
        self._config = config

    def say(self, line: str) -> None:
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if capture is None or reporter is None:
            print(line, file=sys.__stderr__, flush=True)
            return
        with capture.global_and_fixture_disabled():
            reporter.write_line(line)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build before the first test: a test's timeout is no measure for a compiler."""
    if session.config.option.collectonly or not any(
        "servers" in getattr(item, "fixturenames", ()) for item in session.items
    ):
        return
    try:
        session.config.stash[_BUILT] = build.all_binaries(_Aloud(session.config))
        build.binaries(GATE, _Aloud(session.config))
        web_ui.pages(session.config.stash[_BUILT]["prometheus"], _Aloud(session.config))
    except StackError as error:
        session.config.stash[_WHY_NOT] = str(error)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> dict[str, Path]:
    """Paths of prometheus, promtool, alertmanager, amtool and otelcol."""
    if _BUILT not in pytestconfig.stash:
        pytest.fail(f"the real servers are needed: {pytestconfig.stash[_WHY_NOT]}", pytrace=False)
    return pytestconfig.stash[_BUILT]


@pytest.fixture(scope="session")
def stack(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Generator[stack_module.Stack]:
    """A healthy native stack for all tests that do not harm it; evaluates every second."""
    assert servers
    home = tmp_path_factory.mktemp("stack")
    ports = stack_module.Ports.free()
    yield stack_module.up(
        home=home, kind="native", ports=ports, evaluation_interval="1s", progress=Progress(Console(file=io.StringIO()))
    )
    stack_module.down(home=home)


@pytest.fixture(scope="session")
def fast_stack(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Generator[stack_module.Stack]:
    """The same with rules whose durations pass 120 times faster: an hour in half a minute."""
    assert servers
    home, progress = tmp_path_factory.mktemp("fast"), Progress(Console(file=io.StringIO()))
    ports = stack_module.Ports.free()
    yield stack_module.up(
        home=home, kind="native", ports=ports, evaluation_interval="1s", speedup=120, progress=progress
    )
    stack_module.down(home=home)


@pytest.fixture
def stack_home(servers: dict[str, Path], tmp_path: Path) -> Generator[Path]:
    """A home of one's own, for a stack that the test breaks; ended afterwards."""
    assert servers
    yield tmp_path / "home"
    stack_module.down(home=tmp_path / "home")


@pytest.fixture(scope="session")
def promtool(servers: dict[str, Path]) -> Path:
    return servers["promtool"]


@pytest.fixture(scope="session")
def amtool(servers: dict[str, Path]) -> Path:
    return servers["amtool"]


@pytest.fixture(scope="session")
def alertmanager_binary(servers: dict[str, Path]) -> Path:
    return servers["alertmanager"]
