"""What tests of an exposed stack need: ask as another machine would, and certificates of any kind."""

from __future__ import annotations

import http.client
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import trustme

from otel_trading.stack import exposure

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

__all__ = ["ELSEWHERE", "Certificate", "ask", "basic", "bearer", "certificate", "trusting"]

#: Stands for the address by which others reach this machine: a loopback one on which nothing of the stack listens.
ELSEWHERE = "127.0.0.2"


@dataclass(frozen=True)
class Certificate:
    """A user's own certificate, its key, and the CA that signed it."""

    file: Path
    key: Path
    authority: Path


def certificate(folder: Path, *names: str, ends_in_days: float = 90) -> Certificate:
    """Make one, with a key that nobody else may read."""
    folder.mkdir(exist_ok=True)
    made = Certificate(folder / "own.pem", folder / "own.key", folder / "own-ca.pem")
    ca = trustme.CA()
    now = datetime.now(timezone.utc)
    issued = ca.issue_cert(
        *names, not_before=now - timedelta(days=100), not_after=now + timedelta(days=ends_in_days, minutes=1)
    )
    ca.cert_pem.write_to_path(made.authority)
    issued.private_key_pem.write_to_path(made.key)
    made.key.chmod(0o600)
    made.file.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    return made


def trusting(authority: Path) -> ssl.SSLContext:
    """Return what a program does that knows this CA and no other."""
    return ssl.create_default_context(cafile=authority)


def ask(
    stack: Stack,
    port: str,
    path: str,
    authorization: str = "",
    *,
    method: str = "GET",
    body: bytes | None = None,
    context: ssl.SSLContext | None = None,
) -> tuple[int, bytes]:
    """Return status and body of what the gate answers to a request from elsewhere."""
    context = context or trusting(exposure.authority_file(stack.home))
    connection = http.client.HTTPSConnection(ELSEWHERE, getattr(stack.ports, port), timeout=10, context=context)
    sent = {"Content-Type": "application/json", **({"Authorization": authorization} if authorization else {})}
    try:
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def bearer(file: Path) -> str:
    """Return the header with the secret of a file."""
    return f"Bearer {file.read_text().strip()}"


def basic(file: Path, user: str = "operator") -> str:
    """Return the same as a browser sends it."""
    return f"Basic {b64encode(f'{user}:{file.read_text().strip()}'.encode()).decode()}"
