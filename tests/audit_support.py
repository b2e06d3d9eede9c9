"""A database of known vulnerabilities on loopback, by the two protocols of the real ones; it knows two old faults."""

from __future__ import annotations

import gzip
import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Generator

JINJA: Final = {
    "id": "GHSA-462w-v97r-4m45",
    "aliases": ["CVE-2019-10906", "PYSEC-2019-217"],
    "summary": "Jinja2 sandbox escape via string formatting",
    "affected": [
        {
            "package": {"name": "jinja2", "ecosystem": "PyPI", "purl": "pkg:pypi/jinja2"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10.1"}]}],
            "versions": ["2.4.1", "2.10"],
        }
    ],
    "published": "2019-04-10T14:30:24Z",
    "modified": "2024-09-24T20:57:41Z",
    "schema_version": "1.6.0",
}
TEXT: Final = {
    "schema_version": "1.3.1",
    "id": "GO-2021-0113",
    "modified": "2024-05-20T16:03:47Z",
    "published": "2021-10-06T17:51:21Z",
    "aliases": ["CVE-2021-38561", "GHSA-ppp9-7jff-5vj2"],
    "summary": "Out-of-bounds read in golang.org/x/text/language",
    "details": "A malformed language tag makes Parse panic.",
    "affected": [
        {
            "package": {"name": "golang.org/x/text", "ecosystem": "Go"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "0.3.7"}]}],
            "ecosystem_specific": {"imports": [{"path": "golang.org/x/text/language", "symbols": ["Parse"]}]},
        }
    ],
}
_GO: Final = {
    "/index/db.json": {"modified": "2026-11-20T00:00:00Z"},
    "/index/modules.json": [
        {"path": "golang.org/x/text", "vulns": [{"id": "GO-2021-0113", "modified": TEXT["modified"], "fixed": "0.3.7"}]}
    ],
    "/ID/GO-2021-0113.json": TEXT,
}


@dataclass
class Database:
    """How it answers; a test changes that.

    Attributes:
        url: Where it is.
        status: Other than 200: this is all that it says.
        page: Not None: every answer is this text, as from a portal between here and there.
        knows: False: it never heard of a fault.
        asked: Each request's path, and what was asked of OSV.
    """

    url: str = ""
    status: int = 200
    page: str | None = None
    knows: bool = True
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def osv(self, query: dict[str, Any]) -> dict[str, Any]:
        """Answer as api.osv.dev/v1/query does: an empty object when nothing is known."""
        package = query["package"]
        old = package["name"] == "jinja2" and package["ecosystem"] == "PyPI" and query["version"] in {"2.4.1", "2.10"}
        return {"vulns": [JINJA]} if old and self.knows else {}

    def answer(self, path: str, body: bytes) -> bytes | None:
        query = json.loads(body) if body else None
        self.asked.append((path, query))
        if self.page is not None:
            return self.page.encode()
        if query is not None:
            return json.dumps(self.osv(query)).encode()
        if path.removesuffix(".gz") not in _GO:
            return None
        text = json.dumps(_GO[path.removesuffix(".gz")]).encode()
        return gzip.compress(text) if path.endswith(".gz") else text


@contextmanager
def database() -> Generator[Database]:
    """Run one until the block ends."""
    one = Database()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = one.answer(self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
            self.send_response(404 if text is None else one.status)
            self.send_header("Content-Length", str(len(text or b"")))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text or b"")

        do_HEAD = do_GET  # noqa: N815  as below
        do_POST = do_GET  # noqa: N815  http.server finds it by this name

        def log_message(self, *arguments: object) -> None:
            del arguments

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    one.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield one
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
