"""A `grafana` for tests, since the real one cannot be had everywhere: health, one board, a login, a log."""

from __future__ import annotations

import json
import os
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


sys.stderr.write("logger=http.server msg=HTTP Server Listen\n")
HTTPServer((os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"])), _Handler).serve_forever()
