"""The part of Grafana's HTTP API that boards need, answering in the words of Grafana 9.4 (looked up in a real one)."""

from __future__ import annotations

import json
import threading
from base64 import b64encode
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN, PASSWORD = "glsa_a", "s3cret"
ALLOWED = {f"Bearer {TOKEN}", f"Basic {b64encode(f'admin:{PASSWORD}'.encode()).decode()}"}
Answer = tuple[int, Any]


class GrafanaOfTests:
    """Folders and boards, as Grafana keeps them."""

    def __init__(self) -> None:
        self.url = self.moved_to = ""
        self.folders: dict[str, dict[str, Any]] = {}
        self.boards: dict[str, dict[str, Any]] = {}
        self.provisioned: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self._ids = iter(range(1, 100_000))

    @property
    def written(self) -> list[str]:
        return [path for method, path in self.asked if method == "POST"]

    def add_folder(self, uid: str, title: str, parent: str = "") -> Answer:
        if any((each["title"], each["parentUid"]) == (title, parent) for each in self.folders.values()):
            return 409, {"message": "a folder or dashboard in the general folder with the same name already exists"}
        if uid in self.folders:
            return 412, {"message": "the folder has been changed by someone else", "status": "version-mismatch"}
        if parent and parent not in self.folders:
            return 404, {"message": "folder not found", "status": "not-found"}
        self.folders[uid] = {"id": next(self._ids), "uid": uid, "title": title, "parentUid": parent}
        return 200, self.folders[uid]

    def save(self, dashboard: dict[str, Any], folder: str, *, overwrite: bool) -> Answer:
        uid, there = dashboard["uid"], self.boards.get(dashboard["uid"])
        if uid in self.provisioned:
            return 400, {"message": "Cannot save provisioned dashboard"}
        if folder and folder not in self.folders:
            return 400, {"message": "Folder not found"}
        same = [
            key
            for key, each in self.boards.items()
            if (each["folder"], each["dashboard"]["title"]) == (folder, dashboard["title"]) and key != uid
        ]
        if same and not overwrite:
            message = "A dashboard with the same name in the folder already exists"
            return 412, {"message": message, "status": "name-exists"}
        for key in same:  # Grafana takes the other board for this one
            del self.boards[key]
        version = there["dashboard"]["version"] if there else 0
        if there and not overwrite and dashboard.get("version") != version:
            return 412, {"message": "The dashboard has been changed by someone else", "status": "version-mismatch"}
        number = there["dashboard"]["id"] if there else next(self._ids)
        self.boards[uid] = {"folder": folder, "dashboard": {**dashboard, "id": number, "version": version + 1}}
        return 200, {"uid": uid, "id": number, "status": "success", "version": version + 1}

    def answer(self, path: str, query: dict[str, list[str]], body: dict[str, Any] | None) -> Answer:
        if path == "/api/search":
            return 200, self._hits(query)
        if path == "/api/folders" and body is not None:
            return self.add_folder(body["uid"], body["title"], body.get("parentUid", ""))
        if path == "/api/dashboards/db" and body is not None:
            return self.save(body["dashboard"], body["folderUid"], overwrite=body["overwrite"])
        kind, _, uid = path.rpartition("/")
        uid = unquote(uid)
        if kind == "/api/folders":
            found = self.folders.get(uid)
            return (200, found) if found else (404, {"message": "folder not found", "status": "not-found"})
        board = self.boards.get(uid) if kind == "/api/dashboards/uid" else None
        if board is None:
            return 404, {"message": "Dashboard not found"}
        meta = {"folderUid": board["folder"], "provisioned": uid in self.provisioned}
        return 200, {"meta": meta, "dashboard": board["dashboard"]}

    def _hits(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        kind, limit, page = query["type"][0], int(query["limit"][0]), int(query["page"][0])
        assert limit <= 5_000, "Limit is above maximum allowed"
        if kind == "dash-folder":
            hits = [
                {"uid": each["uid"], "title": each["title"], "folderUid": each["parentUid"]}
                for each in self.folders.values()
            ]
        else:
            hits = [
                {"uid": uid, "title": each["dashboard"]["title"], "folderUid": each["folder"]}
                for uid, each in self.boards.items()
            ]
        hits = [{key: value for key, value in hit.items() if value} for hit in hits]
        return sorted(hits, key=lambda hit: hit["title"])[(page - 1) * limit : page * limit]


@contextmanager
def serving() -> Iterator[GrafanaOfTests]:
    grafana = GrafanaOfTests()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _answer(self, body: dict[str, Any] | None) -> None:
            parts = urlsplit(self.path)
            grafana.asked.append((self.command, parts.path))
            status, said = 401, {"message": "invalid username or password"}
            if self.headers.get("Authorization") in ALLOWED:
                status, said = grafana.answer(parts.path, parse_qs(parts.query), body)
            text = json.dumps(said).encode()
            self.send_response(302 if grafana.moved_to else status)
            if grafana.moved_to:
                self.send_header("Location", f"{grafana.moved_to}{self.path}")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        grafana.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield grafana
        finally:
            server.shutdown()
            thread.join(timeout=5)
