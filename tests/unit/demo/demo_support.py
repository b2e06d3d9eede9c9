"""A paper venue as its own process, and what a test says to it."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = {"X-API-Key": "demo-key"}


class VenueClient:
    """What a test says to the venue."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.stream_url = url.replace("http", "ws", 1)
        self._session = requests.Session()
        self._session.headers.update(KEY)

    def call(self, method: str, path: str, **options: object) -> requests.Response:
        return self._session.request(method, self.url + path, timeout=10, **options)  # type: ignore[arg-type]

    def order(self, client_id: str, **changes: object) -> requests.Response:
        order = {"client_id": client_id, "symbol": "AAPL", "side": "buy", "type": "market", "quantity": 10, **changes}
        return self.call("POST", "/v1/orders", json=order)

    def fault(self, kind: str, **options: object) -> requests.Response:
        return self.call("POST", "/admin/faults", json={"kind": kind, **options})

    def close(self) -> None:
        self._session.close()


@contextmanager
def run_venue(*arguments: str) -> Iterator[VenueClient]:
    command = [sys.executable, "-m", "otel_trading.demo.venue", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stdout is not None
        client = VenueClient(process.stdout.readline().strip())
        try:
            yield client
        finally:
            client.close()
            process.terminate()
            assert process.wait(timeout=10) == 0
