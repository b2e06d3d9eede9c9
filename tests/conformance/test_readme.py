from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from otel_trading import environment
from otel_trading.cli import COMMANDS, cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL) for line in block.splitlines()]
OURS = [part.strip() for line in SHELL for part in line.split("&&") if part.strip().startswith("otel-trading")]


@pytest.mark.seed("S0-40")
@pytest.mark.parametrize("snippet", PYTHON, ids=range(len(PYTHON)))
def test_every_python_snippet_runs(snippet: str, tmp_path: Path) -> None:
    file = tmp_path / "test_snippet.py"
    tests = "def test_" in snippet
    file.write_text(snippet, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(tmp_path / "none.ini"), str(file)] if tests else None
    (tmp_path / "none.ini").write_text("[pytest]\n", encoding="utf-8")
    done = subprocess.run(
        command or [sys.executable, "-W", "error", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "OTEL_TRADING_STRICT": "1"},
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("line", OURS)
def test_every_command_line_is_understood(line: str) -> None:
    name, *arguments = shlex.split(line)[1:]
    command = cli.get_command(click.Context(cli), name)

    assert isinstance(command, click.Command)
    command.make_context(name, arguments)


def test_every_command_is_in_the_readme() -> None:
    mentioned = set(re.findall(r"`otel-trading (\w+)", README)) | set(re.findall(r", `(\w+)`", README))

    assert set(COMMANDS) <= mentioned


def test_every_setting_is_in_the_readme() -> None:
    for setting in environment.ALL:
        assert f"`{setting.name}`" in README


def test_every_relative_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if not link.startswith("http")]

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
