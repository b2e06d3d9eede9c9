"""Silences in Alertmanager, by its API v2: what is meant is named exactly, and they end by themselves."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.parse
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from otel_trading.errors import ConfigError, StackError
from otel_trading.semconv import attributes
from otel_trading.semconv.prometheus import label_name
from otel_trading.stack import loopback

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LABELS", "LONGEST", "Silence", "add", "check", "current", "expire", "parse_duration"]

#: What can be silenced -> the label of alerts that says it.
LABELS: Final = {
    "alert": "alertname",
    "job": "job",
    "service": "service_name",
    "venue": label_name(attributes.VENUE.name),
    "strategy": label_name(attributes.STRATEGY.name),
    "account": label_name(attributes.ACCOUNT.name),
}
#: A silence that outlives the reason for it hides the next loss.
LONGEST: Final = timedelta(days=7)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_ALWAYS: Final = "Watchdog"
_TIMEOUT: Final = 10.0


@dataclass(frozen=True)
class Silence:
    """One silence.

    Attributes:
        id: Alertmanager's name for it.
        state: `active`, `pending` or `expired`.
        matchers: What it holds back, as Alertmanager writes it.
        until: When it ends by itself, RFC 3339.
        by: Who made it.
        why: The reason.
        mutes: How many alerts that fire now it holds back.
    """

    id: str
    state: str
    matchers: str
    until: str
    by: str
    why: str
    mutes: int


def parse_duration(text: str) -> timedelta:
    """Return how long a silence shall last, from `90m`, `2h`, `1h30m`, `2d`.

    Raises:
        ConfigError: It is no duration, is nothing, or is longer than a week.
    """
    parts = re.findall(r"(\d+)([smhdw])", text)
    seconds = sum(int(number) * _UNITS[unit] for number, unit in parts) if len(text) <= len("999999h999999m") else 0
    if not seconds or "".join(number + unit for number, unit in parts) != text:
        message = f"A silence cannot last {text!r}. Allowed: a bounded time such as 30m, 2h, 1h30m or 2d. Say --for 2h"
        raise ConfigError(message)
    if seconds > LONGEST.total_seconds():
        message = (
            f"A silence of {text} is longer than {LONGEST.days} days; by then nobody remembers it. "
            "Say a shorter one and renew it, or change the threshold: otel-trading alerts --set"
        )
        raise ConfigError(message)
    return timedelta(seconds=seconds)


def add(url: str, chosen: Mapping[str, str], *, lasting: timedelta, why: str, author: str) -> Silence:
    """Make a silence and return it.

    Args:
        url: Alertmanager's.
        chosen: What is silenced: keys of `LABELS` with their exact values, all of which must hold.
        lasting: For how long, from now.
        why: The reason, for whoever finds it.
        author: Who asks for it.

    Raises:
        ConfigError: It would silence everything, nothing, or the watchdog; or has no reason.
        StackError: Alertmanager refuses or does not answer.
    """
    check(chosen, why)
    now = datetime.now(timezone.utc)
    matchers = [
        {"name": LABELS[key], "value": value, "isRegex": False, "isEqual": True} for key, value in chosen.items()
    ]
    body = {
        "matchers": matchers,
        "startsAt": now.isoformat(),
        "endsAt": (now + lasting).isoformat(),
        "createdBy": author,
        "comment": why.strip(),
    }
    made = _ask(f"{url}/api/v2/silences", "POST", body)["silenceID"]
    return _silence(url, _ask(f"{url}/api/v2/silence/{made}"))


def check(chosen: Mapping[str, str], why: str) -> None:
    """Refuse a silence of everything, of nothing, of the watchdog, or without a reason.

    Args:
        chosen: See `add`.
        why: See `add`.

    Raises:
        ConfigError: It is one of these.
    """
    flags = ", ".join(f"--{key}" for key in LABELS)
    if not chosen:
        message = f"A silence of everything would hide the next loss. Say what is meant, by one or more of {flags}"
        raise ConfigError(message)
    for key, value in chosen.items():
        if not value.strip() or re.fullmatch(r"[.*+?^$|\s]+", value):
            message = (
                f"--{key} {value!r} names nothing; patterns are not allowed. Say one exact name, as the alert has it."
            )
            raise ConfigError(message)
    if chosen.get("alert") == _ALWAYS:
        message = (
            f"{_ALWAYS} proves that alerts arrive and is sent to nobody. Leave it; pause the switch at its service."
        )
        raise ConfigError(message)
    if not why.strip():
        message = 'A silence without a reason helps nobody who finds it. Say it: --why "kraken maintenance until 10:00"'
        raise ConfigError(message)


def current(url: str, *, since: datetime | None = None) -> list[Silence]:
    """Return the silences that hold now or will, those that end first first.

    Args:
        url: Alertmanager's.
        since: Those too that have ended after this.

    Raises:
        StackError: Alertmanager does not answer.
    """
    found = [
        one
        for one in _ask(f"{url}/api/v2/silences")
        if one["status"]["state"] != "expired" or (since is not None and _time(one["endsAt"]) > since)
    ]
    return sorted((_silence(url, one) for one in found), key=lambda silence: silence.until)


def expire(url: str, name: str) -> Silence:
    """End a silence now and return what it was.

    Args:
        url: Alertmanager's.
        name: Its id, or the beginning of it that no other has.

    Raises:
        ConfigError: There is none of this name, or more than one.
        StackError: Alertmanager refuses or does not answer.
    """
    found = [one for one in current(url) if name and one.id.startswith(name)]
    if len(found) != 1:
        count = "No silence has" if not found else f"{len(found)} silences have"
        message = f"{count} an id that begins with {name!r}. Look at them: otel-trading silence --list"
        raise ConfigError(message)
    _ask(f"{url}/api/v2/silence/{found[0].id}", "DELETE")
    return found[0]


def _time(text: str) -> datetime:
    return datetime.strptime(text[:19] + "Z", "%Y-%m-%dT%H:%M:%S%z")  # whole seconds: 3.10 reads no nine digits


def _silence(url: str, said: dict[str, Any]) -> Silence:
    signs = {(True, False): "=", (True, True): "=~", (False, False): "!=", (False, True): "!~"}
    matchers = [
        f"{one['name']}{signs[one.get('isEqual', True), one['isRegex']]}{json.dumps(one['value'])}"
        for one in said["matchers"]
    ]
    query = urllib.parse.urlencode([("filter", matcher) for matcher in matchers])
    mutes = [one for one in _ask(f"{url}/api/v2/alerts?{query}") if said["id"] in one["status"]["silencedBy"]]
    return Silence(
        id=said["id"],
        state=said["status"]["state"],
        matchers=", ".join(matchers),
        until=said["endsAt"],
        by=said["createdBy"],
        why=said["comment"],
        mutes=len(mutes),
    )


def _ask(url: str, method: str = "GET", body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    try:
        text = loopback.ask(url, _TIMEOUT, body=data, method=method, headers={"Content-Type": "application/json"})
    except urllib.error.HTTPError as error:
        message = f"Alertmanager refuses ({error.code}); no silence was changed. It says: {loopback.words(error)}"
        raise StackError(message) from error
    except OSError as error:
        message = f"Alertmanager does not answer on {url.partition('/api/')[0]}: {error}. Look at: otel-trading status"
        raise StackError(message) from error
    return json.loads(text) if text else None
