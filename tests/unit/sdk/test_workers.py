"""Real pre-fork servers: each worker delivers its own last interval when the server is told to end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pytest
from collector_support import Collector, collector
from process_support import COMMAND, clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

_APP: Final = (
    "from otel_trading import meter\n"
    "def app(environ, start_response):\n    meter.signal_emitted(type='buy', strategy='s')\n"
    "    start_response('200 OK', [('Content-Length', '0')])\n    return [b'']\n"
)
_TASKS: Final = (
    "import celery\nfrom otel_trading import meter\n"
    "app = celery.Celery('tasks', broker='filesystem://')\n"
    "app.conf.broker_transport_options = {'data_folder_in': 'queue', 'data_folder_out': 'queue',"
    " 'control_folder': 'control'}\n"
    "@app.task\ndef work():\n    meter.signal_emitted(type='buy', strategy='s')\n"
    "    open('done', 'a').write('x')\n"
)


@contextmanager
def _serving(sink: Collector, folder: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """Run a server under `otel-trading run`; it exports at its end only."""
    variables = clean_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=sink.url,
        OTEL_METRIC_EXPORT_INTERVAL="3600000",
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    with (folder / "said").open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [COMMAND, "run", sys.executable, "-m", *command],
            env=variables,
            cwd=folder,
            stdout=said,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.wait(40)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait(10)


@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["each-worker-loads", "preload"])
def test_workers_of_gunicorn(tmp_path: Path, preload: tuple[str, ...]) -> None:
    (tmp_path / "bot.py").write_text(_APP, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with collector() as sink:
        with _serving(sink, tmp_path, "gunicorn", "--workers", "2", "--bind", address, *preload, "bot:app"):
            answered, until = 0, time.monotonic() + 60
            while answered < 20 and time.monotonic() < until:
                answered += _answers(address)

        assert answered == 20
        assert sink.total("trading.signal.emissions") == 20, (tmp_path / "said").read_text(encoding="utf-8")


def test_workers_of_celery(tmp_path: Path) -> None:
    (tmp_path / "tasks.py").write_text(_TASKS, encoding="utf-8")
    for folder in ("queue", "control"):
        (tmp_path / folder).mkdir()
    with collector() as sink:
        server = ("celery", "-A", "tasks", "worker", "--concurrency", "2", "--without-mingle", "--without-gossip")
        with _serving(sink, tmp_path, *server):
            send = "import tasks\nfor _ in range(6): tasks.work.delay()"
            subprocess.run([sys.executable, "-c", send], cwd=tmp_path, env=clean_environment(), timeout=60, check=True)
            until = time.monotonic() + 60
            while not _done(tmp_path) and time.monotonic() < until:
                time.sleep(0.1)

        assert _done(tmp_path), (tmp_path / "said").read_text(encoding="utf-8")
        assert sink.total("trading.signal.emissions") == 6, (tmp_path / "said").read_text(encoding="utf-8")


def _answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"http://{address}/", timeout=5).close()
    except urllib.error.URLError:
        time.sleep(0.1)  # it begins
        return False
    return True


def _done(folder: Path) -> bool:
    done = folder / "done"
    return done.exists() and len(done.read_text(encoding="utf-8")) == 6
