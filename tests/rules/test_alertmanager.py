"""The real Alertmanager with the shipped configuration: what is delivered, and what mutes what."""

from __future__ import annotations

import json
import queue
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ALERTS = Path(__file__).resolve().parents[2] / "alerts"
LOST = {"alertname": "VenueConnectionLost", "severity": "critical", "team": "trading"}
STALE = {"alertname": "MarketDataStale", "severity": "critical", "team": "trading"}
REJECTED = {"alertname": "OrderRejectionRateHigh", "severity": "warning", "team": "trading"}
BREACHED = {"alertname": "DailyLossLimitBreached", "severity": "critical", "team": "trading"}


class Alertmanager:
    """A running Alertmanager and what it sent to its webhook."""

    def __init__(self, url: str, sent: queue.Queue[dict[str, Any]]) -> None:
        self._url = url
        self.sent = sent

    def fire(self, *alerts: dict[str, str]) -> None:
        body = json.dumps([{"labels": labels} for labels in alerts]).encode()
        request = urllib.request.Request(f"{self._url}/api/v2/alerts", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200

    def muted(self, job: str, count: int) -> set[str]:
        """Return the names of a job's alerts that inhibition holds back, once all of them have arrived."""
        deadline = time.monotonic() + 10
        while True:
            mine = [alert for alert in self._alerts() if alert["labels"].get("job", "") == job]
            if len(mine) == count and all(alert["status"]["state"] != "unprocessed" for alert in mine):
                return {alert["labels"]["alertname"] for alert in mine if alert["status"]["inhibitedBy"]}
            assert time.monotonic() < deadline, mine
            time.sleep(0.05)

    def _alerts(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self._url}/api/v2/alerts", timeout=5) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError):
            return False


@pytest.fixture(scope="module")
def webhook() -> Iterator[tuple[str, queue.Queue[dict[str, Any]]]]:
    sent: queue.Queue[dict[str, Any]] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep the test's output to the test."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/alerts", sent
        server.shutdown()


@pytest.fixture(scope="module")
def alertmanager(
    alertmanager_binary: Path,
    webhook: tuple[str, queue.Queue[dict[str, Any]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Alertmanager]:
    home = tmp_path_factory.mktemp("alertmanager")
    shutil.copytree(ALERTS, home / "alerts")
    config = home / "alerts" / "alertmanager.yaml"
    config.write_text(re.sub(r"group_wait: \w+", "group_wait: 0s", config.read_text()))
    (home / "alerts" / "secrets").mkdir()
    (home / "alerts" / "secrets" / "webhook_url").write_text(webhook[0])
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [
        str(alertmanager_binary),
        f"--config.file={config}",
        f"--storage.path={home / 'data'}",
        f"--web.listen-address={address}",
        "--cluster.listen-address=",
    ]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=config.parent, stdout=log, stderr=log)
    try:
        running = Alertmanager(f"http://{address}", webhook[1])
        deadline = time.monotonic() + 20
        while not running.ready():
            assert process.poll() is None, (home / "log").read_text()
            assert time.monotonic() < deadline, (home / "log").read_text()
            time.sleep(0.05)
        yield running
    finally:
        process.terminate()
        process.wait(timeout=10)


@pytest.mark.seed("S1-45")
def test_a_page_reaches_the_webhook_with_its_labels(alertmanager: Alertmanager) -> None:
    alertmanager.fire({**BREACHED, "job": "delivery", "service_name": "bot"})
    while (sent := alertmanager.sent.get(timeout=10))["groupLabels"].get("alertname") != BREACHED["alertname"]:
        pass
    assert sent["receiver"] == "trading-critical"
    assert sent["groupLabels"] == {"alertname": "DailyLossLimitBreached", "service_name": "bot"}
    assert [alert["labels"]["job"] for alert in sent["alerts"]] == ["delivery"]


@pytest.mark.parametrize(
    ("name", "alerts", "muted"),
    [
        (
            "a lost connection mutes stale data of its venue, warnings and context",
            [
                {**LOST, "trading_venue_name": "kraken"},
                {**STALE, "trading_venue_name": "kraken"},
                {**REJECTED, "trading_venue_name": "kraken"},
                {"alertname": "Context", "severity": "info", "trading_venue_name": "kraken"},
            ],
            {"MarketDataStale", "OrderRejectionRateHigh", "Context"},
        ),
        (
            "another venue speaks for itself",
            [
                {**LOST, "trading_venue_name": "kraken"},
                {**STALE, "trading_venue_name": "binance"},
                {**REJECTED, "trading_venue_name": "binance", "trading_strategy_name": "momentum"},
            ],
            {"OrderRejectionRateHigh"},  # by the stale data of binance
        ),
        ("labels that are missing on both sides are not equal", [LOST, STALE, REJECTED], set()),
        (
            "a page that is not about the venue mutes nothing there",
            [BREACHED, {**REJECTED, "trading_venue_name": "kraken"}],
            set(),
        ),
        (
            "a warning never mutes a page",
            [{**REJECTED, "trading_venue_name": "kraken"}, {**STALE, "trading_venue_name": "kraken"}],
            {"OrderRejectionRateHigh"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_mutes_what(alertmanager: Alertmanager, name: str, alerts: list[dict[str, str]], muted: set[str]) -> None:
    alertmanager.fire(*({**labels, "job": name} for labels in alerts))
    assert alertmanager.muted(name, len(alerts)) == muted


def test_another_bot_speaks_for_itself(alertmanager: Alertmanager) -> None:
    alertmanager.fire(
        {**LOST, "job": "one", "trading_venue_name": "kraken"},
        {**STALE, "job": "two", "trading_venue_name": "kraken"},
    )
    assert alertmanager.muted("two", 1) == set()
