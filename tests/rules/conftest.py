"""The real promtool and amtool, in the versions that the stack pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_trading.stack import build, servers

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def promtool() -> Path:
    return build.binaries(servers.PROMETHEUS)["promtool"]


@pytest.fixture(scope="session")
def amtool() -> Path:
    return build.binaries(servers.ALERTMANAGER)["amtool"]


@pytest.fixture(scope="session")
def alertmanager_binary() -> Path:
    return build.binaries(servers.ALERTMANAGER)["alertmanager"]
