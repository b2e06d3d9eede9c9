"""Asks Prometheus' HTTP API."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
from dataclasses import dataclass
from typing import Any, Final

from otel_trading.environment import OTEL_TRADING_PASSWORD_FILE
from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import operator_access

__all__ = ["Prometheus", "Row"]

_TIMEOUT: Final = 5.0


@dataclass(frozen=True, slots=True)
class Row:
    """One series of a reply: its labels, and its values in order of time."""

    labels: dict[str, str]
    values: tuple[float, ...]


class Prometheus:
    """Prometheus' HTTP API.

    Args:
        url: Where it is, http or https; a path in front of `/api/v1` may belong to it.

    Raises:
        ConfigError: It is no such URL.
    """

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            message = (
                "--prometheus takes http://HOST:PORT or https://HOST, without a user or password in it. "
                f"A password stands in the file that {OTEL_TRADING_PASSWORD_FILE.name} names."
            )
            raise ConfigError(message)
        self.url = url.rstrip("/")

    def now(self, expression: str) -> list[Row]:
        """Return what an expression is at present.

        Raises:
            StackError: Nobody answers, or not as Prometheus does.
        """
        found = self._get("query", query=expression)["result"]
        return [Row(row["metric"], (float(row["value"][1]),)) for row in found]

    def lately(self, expression: str, seconds: int, points: int) -> list[Row]:
        """Return what an expression was over the last `seconds`.

        Raises:
            StackError: As in `now`.
        """
        step = max(seconds // points, 1)
        end = int(time.time()) // step * step  # the same moments at every refresh: a curve that does not flicker
        found = self._get("query_range", query=expression, start=str(end - seconds), end=str(end), step=str(step))
        return [Row(row["metric"], tuple(float(value) for _, value in row["values"])) for row in found["result"]]

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or fire.

        Raises:
            StackError: As in `now`.
        """
        found: list[dict[str, Any]] = self._get("alerts")["alerts"]
        return found

    def _get(self, path: str, **query: str) -> Any:
        # A POST, because the expression is longer than what some proxies let pass in a URL.
        body = urllib.parse.urlencode(query).encode() if query else None
        try:
            return json.loads(operator_access.ask(f"{self.url}/api/v1/{path}", _TIMEOUT, body=body))["data"]
        except ConfigError:
            raise  # which is a ValueError, too
        except urllib.error.HTTPError as error:
            error.close()
            why = f"it says {error.code} {error.reason}"
        except OSError as error:
            why = str(getattr(error, "reason", "") or error or type(error).__name__)
        except (ValueError, KeyError, TypeError):
            why = "what answers there is not Prometheus"
        message = f"Prometheus does not answer at {self.url}: {why}. See: otel-trading status"
        raise StackError(message)
