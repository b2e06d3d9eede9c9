"""The part of Grafana's HTTP API that boards need; sentences where it refuses."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from otel_trading.errors import ConfigError, StackError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Grafana", "RefusedError", "basic", "bearer"]

_TIMEOUT: Final = 30.0
#: Hits per page of a search; Grafana takes at most 5,000.
_PAGE: Final = 1_000
_UNKNOWN: Final = 404
_DENIED: Final = {401, 403}
_ELSEWHERE: Final = {301, 302, 303, 307, 308}


class RefusedError(StackError):
    """Grafana answered, and said no to this one request."""


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: whoever is there would be sent the password."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


def bearer(token: str) -> str:
    """Return the header of a service account's token."""
    return f"Bearer {token}"


def basic(user: str, password: str) -> str:
    """Return the header of a user's password."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


@dataclass(frozen=True, slots=True)
class Grafana:
    """One Grafana and what opens it.

    Args:
        url: Base URL, without user and password.
        authorization: From `bearer` or `basic`.
    """

    url: str
    authorization: str

    def __post_init__(self) -> None:
        """Refuse an address that cannot be one, or that holds a secret."""
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"Grafana's address is a URL such as http://127.0.0.1:3000, got {self.url!r}. Correct it."
            raise ConfigError(message)
        if parts.username or parts.password:
            message = (
                "Grafana's address holds a user or a password, which others read in the list of processes. "
                "Name it without, and use --user and --password-file."
            )
            raise ConfigError(message)

    def found(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield every hit of one type, `dash-db` or `dash-folder`."""
        page = 1
        while True:
            query = urlencode({"type": kind, "limit": _PAGE, "page": page})
            hits = self.ask(f"/api/search?{query}")
            yield from hits
            if len(hits) < _PAGE:
                return
            page += 1

    def board(self, uid: str) -> dict[str, Any] | None:
        """Return a board with its `meta`, or None where there is none."""
        return self._known(f"/api/dashboards/uid/{quote(uid, safe='')}")

    def folder(self, uid: str) -> dict[str, Any] | None:
        """Return a folder, or None where there is none."""
        return self._known(f"/api/folders/{quote(uid, safe='')}")

    def _known(self, path: str) -> dict[str, Any] | None:
        try:
            return dict(self.ask(path))
        except RefusedError as error:
            cause = error.__cause__
            if isinstance(cause, urllib.error.HTTPError) and cause.code == _UNKNOWN:
                return None
            raise

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Return the answer to a GET, or to a POST where there is a body.

        Raises:
            RefusedError: It says no to this.
            StackError: It does not answer, lets nobody in, or is not Grafana.
        """
        headers = {"Authorization": self.authorization, "Accept": "application/json"}
        data = None
        if body is not None:
            data, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(f"{self.url.rstrip('/')}{path}", data, headers)  # noqa: S310  checked above
        try:
            with _OPENER.open(request, timeout=_TIMEOUT) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                why = _said(error.read())
            if error.code in _DENIED:
                message = (
                    f"Grafana on {self.url} lets nobody in with this ({error.code}: {why}). "
                    "Boards need the role Editor: --token-file, or --user and --password-file."
                )
                raise StackError(message) from error
            if error.code in _ELSEWHERE:
                message = f"{self.url} sends us on to {error.headers['Location']}. Name the address of Grafana: --url"
                raise StackError(message) from error
            message = f"Grafana refuses {path.partition('?')[0]} ({error.code}): {why}"
            raise RefusedError(message) from error
        except (OSError, http.client.HTTPException) as error:
            message = f"Grafana does not answer on {self.url}: {error}. Start it, or name its address: --url"
            raise StackError(message) from error
        try:
            return json.loads(text)
        except ValueError as error:
            message = f"What answers on {self.url} is not Grafana's API. Name its address, with its sub-path: --url"
            raise StackError(message) from error


def _said(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode(errors="replace").strip()[:200] or "no reason given"
