"""What `otel-trading kubernetes` prints, read by Kubernetes' own types as its API server reads it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from otel_trading.cli import cli

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    binary = tmp_path_factory.mktemp("kubernetes") / "kubernetes_check"
    build = ["go", "build", "-buildvcs=false", "-o", str(binary), "."]
    folder = Path(__file__).parent / "kubernetes_check"
    subprocess.run(build, cwd=folder, env={**os.environ, "CGO_ENABLED": "0"}, check=True, timeout=380)
    return binary


@pytest.fixture
def printed(tmp_path: Path) -> str:
    done = CliRunner().invoke(cli, ["kubernetes", "--json", "--home", str(tmp_path)])
    assert done.exit_code == 0, done.output
    return done.stdout


def _read(reader: Path, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([reader], input=text, capture_output=True, text=True, timeout=30, check=False)


@pytest.mark.seed("S3-47")
def test_every_object_is_one_of_kubernetes(reader: Path, printed: str) -> None:
    done = _read(reader, printed)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) == len(json.loads(printed)["items"])


@pytest.mark.parametrize(
    ("ours", "broken", "says"),
    [
        (
            "readOnlyRootFilesystem",
            "readOnlyRootFileSystem",
            'unknown field "spec.template.spec.containers[0].securityC',
        ),
        ('"4Gi"', '"4 GB"', "quantities must match the regular expression"),
        ('"runAsUser": 10001', '"runAsUser": "10001"', "cannot unmarshal string into Go struct field SecurityContext"),
        ('"kind": "Deployment"', '"kind": "Deploiment"', "no type apps/v1 Deploiment"),
    ],
)
def test_the_reader_is_strict(reader: Path, printed: str, ours: str, broken: str, says: str) -> None:
    assert ours in printed
    done = _read(reader, printed.replace(ours, broken))
    assert done.returncode == 1
    assert says in done.stderr
