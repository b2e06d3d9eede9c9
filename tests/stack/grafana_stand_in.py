"""A `grafana` for tests, since the real one cannot be had everywhere: health, one board, a login, a log."""

from __future__ import annotations

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

_BOARDS = {json.loads(file.read_text())["uid"] for file in Path(os.environ["STACK_DASHBOARDS"]).glob("*.json")}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        board = self.path.removeprefix("/api/dashboards/uid/")
        known = self.path == "/api/health" or (board in _BOARDS and "Authorization" in self.headers)
        text = json.dumps({"version": "of tests"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # as process 1 of a container it would ignore it
sys.stderr.write("logger=http.server msg=HTTP Server Listen\n")
_ADDRESS = os.environ.get("GF_SERVER_HTTP_ADDR", "0.0.0.0")  # noqa: S104  Grafana's own defaults, for a container
HTTPServer((_ADDRESS, int(os.environ.get("GF_SERVER_HTTP_PORT", "3000"))), _Handler).serve_forever()
