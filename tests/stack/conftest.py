"""What several tests of the stack are built with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def compose_loader(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The loader of `docker compose` as a program: reads a compose file and prints the project as JSON."""
    assert servers
    binary = tmp_path_factory.mktemp("compose") / "compose_check"
    build = ["go", "build", "-buildvcs=false", "-o", str(binary), "."]
    folder = Path(__file__).parent / "compose_check"
    subprocess.run(build, cwd=folder, env={**os.environ, "CGO_ENABLED": "0"}, check=True, timeout=110)
    return binary
