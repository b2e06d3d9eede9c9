"""`otel-trading run`: the bot's own command, untouched, in an instrumented process."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from process_support import COMMAND, QUIET, clean_environment

from otel_trading import stack
from otel_trading.cli import _planned
from otel_trading.cli.run import instrumented
from otel_trading.instrumentation.supported import checklist

if TYPE_CHECKING:
    from pathlib import Path

_SHOW = "import json, os, sys\nprint(json.dumps({'argv': sys.argv[1:], 'env': dict(os.environ)}))\n"


def _run(*words: str | Path, cwd: str | Path = ".", **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "run", *words],
        env=clean_environment(**{**QUIET, **variables}),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python my_bot.py --fast", "my_bot"),
        ("/opt/x/python3.12 -O -u dir/my_bot.py -m not.this", "my_bot"),
        ("python -m pkg.bot --m x", "pkg.bot"),
        ("python -um pkg.bot", "pkg.bot"),
        ("python -W ignore -X dev my_bot.py", "my_bot"),
        ("python -c pass", "python"),
        ("python3 -", "python3"),
        ("python", "python"),
        ("freqtrade trade --config c.json", "freqtrade"),
        ("./my-bot", "my-bot"),
    ],
)
def test_the_service_is_named_after_the_bot(command: str, name: str) -> None:
    assert instrumented({}, tuple(command.split()))["OTEL_SERVICE_NAME"] == name


@pytest.mark.parametrize(
    "environ", [{"OTEL_SERVICE_NAME": "mine"}, {"OTEL_RESOURCE_ATTRIBUTES": "a=b,service.name=mine"}]
)
def test_the_users_own_name_stands(environ: dict[str, str]) -> None:
    assert "OTEL_SERVICE_NAME" not in instrumented(environ, ("python", "bot.py"))


def test_the_options_are_settings(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(_SHOW)
    done = _run(
        "--service", "s", "--mode", "paper", "--endpoint", "http://127.0.0.1:9", sys.executable, "bot.py", cwd=tmp_path
    )
    seen = json.loads(done.stdout)["env"]

    assert seen["OTEL_SERVICE_NAME"] == "s"
    assert seen["OTEL_TRADING_MODE"] == "paper"
    assert seen["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:9"
    assert "otel-trading: on: mode paper, service s, " in done.stderr


def test_every_argument_arrives_untouched(tmp_path: Path) -> None:
    (tmp_path / "bot.py").write_text(_SHOW)
    words = ["--service", "x", "-h", "--", "--json", "a b", "", "-", "*.py", "$HOME", "--mode=lvie"]
    done = _run(sys.executable, "bot.py", *words, cwd=tmp_path)

    assert json.loads(done.stdout)["argv"] == words, done.stderr


@pytest.mark.parametrize("code", [0, 1, 2, 3, 77])
def test_the_exit_code_is_the_bots(code: int) -> None:
    assert _run(sys.executable, "-c", f"raise SystemExit({code})").returncode == code


def test_an_unknown_program_is_an_environment_error() -> None:
    done = _run("no-such-program-anywhere")

    assert done.returncode == 3
    assert done.stderr.startswith("otel-trading: There is no program 'no-such-program-anywhere' on PATH.")


def test_no_program_is_a_usage_error() -> None:
    assert _run().returncode == 2


def test_a_program_that_is_no_python_runs_as_ever() -> None:
    done = _run("echo", "-n", "hello")

    assert (done.returncode, done.stdout, done.stderr) == (0, "hello", "")


def test_no_framework_is_imported_that_the_bot_does_not_use() -> None:
    look = "import sys; print(sorted({'aiohttp', 'fastapi', 'flask', 'httpx'} & set(sys.modules)))"
    late = "import flask; print(flask.Flask.__module__)"

    assert _run(sys.executable, "-c", look).stdout == "[]\n"
    assert _run(sys.executable, "-c", late).stdout == "opentelemetry.instrumentation.flask\n"


def test_a_format_may_ask_for_the_trace() -> None:
    bot = (
        "import logging; from opentelemetry import trace\n"
        "logging.basicConfig(format='%(otelTraceID)s %(message)s')\n"
        "with trace.get_tracer('bot').start_as_current_span('decide') as span:\n"
        "    logging.error('inside')\n"
        "print(format(span.get_span_context().trace_id, '032x'))"
    )
    done = _run(sys.executable, "-c", bot)

    assert f"{done.stdout.strip()} inside" in done.stderr.splitlines()


def test_what_is_not_there_is_not_missed() -> None:
    done = _run(sys.executable, "-c", "import httpx")  # its instrumentation is that of httpx2 too

    assert "httpx" in done.stderr
    assert (done.returncode, "failed" in done.stderr, "Traceback" in done.stderr) == (0, False, False), done.stderr


def test_a_bot_may_import_an_instrumentation_itself() -> None:
    done = _run(
        sys.executable, "-c", "import opentelemetry.instrumentation.flask, flask; print(flask.Flask.__module__)"
    )

    assert done.stdout == "opentelemetry.instrumentation.flask\n"
    assert "failed" not in done.stderr


@pytest.mark.parametrize("how", ["script", "-m", "-c"])
def test_a_bot_is_instrumented_however_it_is_started(tmp_path: Path, how: str) -> None:
    look = "import opentelemetry.metrics as m; print(type(m.get_meter_provider()).__module__)"
    (tmp_path / "tiny_bot.py").write_text(look)
    words = {"script": ["tiny_bot.py"], "-m": ["-m", "tiny_bot"], "-c": ["-c", look]}[how]
    done = _run(sys.executable, *words, cwd=tmp_path)

    assert done.stdout.startswith("opentelemetry.sdk"), done.stderr
    assert done.stderr.count("otel-trading: on:") == 1
    assert done.stderr.splitlines()[1:] == [f"otel-trading: {line}" for line in checklist()], "and no warning"


def test_a_pythonpath_with_spaces_keeps_working(tmp_path: Path) -> None:
    folder = tmp_path / "my bots, all"
    folder.mkdir()
    (folder / "mine.py").write_text("print('found')")
    done = _run(sys.executable, "-c", "import mine", PYTHONPATH=str(folder))

    assert (done.returncode, done.stdout) == (0, "found\n"), done.stderr


def test_pythonpath_keeps_its_order_and_the_current_folder() -> None:
    given = os.pathsep.join(["/b", "", "/a"])
    made = instrumented({"PYTHONPATH": given}, ("python",))["PYTHONPATH"].split(os.pathsep)
    again = instrumented({"PYTHONPATH": os.pathsep.join(made)}, ("python",))["PYTHONPATH"].split(os.pathsep)

    assert made[1:] == ["/b", "", "/a"]
    assert made[0].endswith("auto_instrumentation")
    assert again == made
    assert instrumented({"PYTHONPATH": ""}, ("python",))["PYTHONPATH"] == made[0], "an empty one adds no folder"


def test_our_distro_is_chosen_whatever_was_set() -> None:
    done = _run(sys.executable, "-c", "pass", OTEL_PYTHON_DISTRO="no_such_distro", OTEL_PYTHON_CONFIGURATOR="no_such")

    assert (done.returncode, done.stderr.count("otel-trading: on:")) == (0, 1), done.stderr


def test_a_bot_that_a_bot_starts_is_no_worker_of_it() -> None:
    done = _run(sys.executable, "-c", "pass", _OTEL_TRADING_FIRST_PROCESS="1")

    assert done.stderr.startswith("otel-trading: on: ")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"OTEL_TRADING_MODE": "lvie"}, "OTEL_TRADING_MODE is 'lvie'"),
        ({"OTEL_TRADING_MOED": "live"}, "Did you mean OTEL_TRADING_MODE"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT is 'localhost:4318'"),
        ({"OTEL_METRICS_EXPORTER": "otpl"}, "names 'otpl', which is not installed"),
        ({"OTEL_METRICS_EXEMPLAR_FILTER": "sometimes"}, "OTEL_METRICS_EXEMPLAR_FILTER is 'sometimes'"),
        ({"OTEL_CONFIG_FILE": "none.yaml"}, "OTEL_CONFIG_FILE is 'none.yaml', which is no file"),
    ],
)
def test_a_bot_with_a_wrong_setting_does_not_begin(variables: dict[str, str], said: str) -> None:
    done = _run(sys.executable, "-c", "print('traded')", **variables)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("otel-trading: ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_bot_whose_endpoint_is_taken_does_not_begin() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        where = {
            "OTEL_METRICS_EXPORTER": "prometheus",
            "OTEL_EXPORTER_PROMETHEUS_HOST": "127.0.0.1",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(taken.getsockname()[1]),
        }
        done = _run(sys.executable, "-c", "print('traded')", **where)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert "cannot listen on 127.0.0.1" in done.stderr


def test_a_worker_of_a_bot_that_trades_goes_on_without_telemetry(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    (tmp_path / "bot.py").write_text(
        "import subprocess, sys\nprint(subprocess.check_output([sys.executable, '-c', 'print(\"worked\")'], text=True))"
    )
    done = _run(
        sys.executable,
        tmp_path / "bot.py",
        OTEL_METRICS_EXPORTER="prometheus",
        OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1",
        OTEL_EXPORTER_PROMETHEUS_PORT=port,
    )

    assert (done.returncode, done.stdout.strip()) == (0, "worked"), done.stderr
    assert done.stderr.count("otel-trading: on:") == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


def test_a_declarative_file_that_cannot_be_used_ends_the_start(tmp_path: Path) -> None:
    (tmp_path / "otel.yaml").write_text("file_format: [not, a, version]\n")
    done = _run(sys.executable, "-c", "print('traded')", OTEL_CONFIG_FILE=str(tmp_path / "otel.yaml"))

    assert (done.returncode, done.stdout) == (2, "")
    assert "which cannot be used" in done.stderr.splitlines()[-1]


def test_a_disabled_sdk_leaves_the_bot_alone() -> None:
    done = _run(sys.executable, "-c", "print('traded')", OTEL_SDK_DISABLED="true")

    assert (done.returncode, done.stdout) == (0, "traded\n")
    assert done.stderr == "otel-trading: off: OTEL_SDK_DISABLED is true\n"


def test_an_uncaught_exception_looks_as_ever() -> None:
    done = _run(sys.executable, "-c", "raise RuntimeError('broke')")

    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("RuntimeError: broke")
    assert done.stderr.count("Traceback") == 1


@pytest.mark.parametrize("duration", ["2h", "61m", "0m", "10", "5x", "9d"])
def test_a_restart_takes_an_hour_at_most(duration: str) -> None:
    done = _run("--planned-restart", duration, "echo", "traded")

    assert (done.returncode, done.stdout) == (2, "")
    assert repr(duration) in done.stderr or f"silence of {duration}" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--planned-restart"],
        ["--planned-restart", "1h"],
        ["--planned-restart=30s"],
        ["--service", "s", "--planned-restart"],
    ],
)
def test_a_bot_starts_also_when_nothing_can_be_silenced(tmp_path: Path, words: list[str]) -> None:
    done = _run(*words, "echo", "-n", "--planned-restart", "x", XDG_DATA_HOME=str(tmp_path))

    assert (done.returncode, done.stdout) == (0, "--planned-restart x")
    assert done.stderr == (
        "otel-trading: planned restart: nothing is silenced, alerts come as ever, and the bot starts: "
        f"No stack was started in {tmp_path}/otel-trading. Start one: otel-trading up.\n"
    )


def test_what_does_not_start_silences_nothing(tmp_path: Path) -> None:
    done = _run("--planned-restart", "no-such-program-anywhere", XDG_DATA_HOME=str(tmp_path))

    assert done.returncode == 3
    assert "planned restart" not in done.stderr


def test_a_bot_does_not_wait_for_an_alertmanager_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        urls = {"alertmanager": f"http://127.0.0.1:{deaf.getsockname()[1]}"}
        monkeypatch.setattr(stack, "find", lambda: SimpleNamespace(urls=urls))
        monkeypatch.setattr(_planned, "_PATIENCE", 0.5)
        said = _planned.announce(timedelta(minutes=10))

    assert said.endswith("and the bot starts: Alertmanager has not answered for 0.5 s.")
