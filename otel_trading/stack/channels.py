"""Where alerts can go besides the file: what each channel is given, and what it makes of that."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["ALL", "PREFIX", "TEAMS", "WATCHDOG", "Channel", "Settings"]

#: Of every variable that says where alerts go.
PREFIX: Final = "STACK_ALERT_"
#: Whose alerts can take a way of their own.
TEAMS: Final = ("trading", "platform")
_TLS_PORT: Final = 465
_SUBMISSION_PORT: Final = 587
_LOOPBACK: Final = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Settings:
    """What a secret file says, taken apart.

    Attributes:
        secrets: Name of a file for Alertmanager -> its content.
        options: What is no secret and stands in the configuration, as Alertmanager calls it.
    """

    secrets: dict[str, str] = field(default_factory=dict[str, str])
    options: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Channel:
    """A way to reach people.

    Attributes:
        name: Also of its file in `alerts/channels`.
        file: Of its secret file.
        severities: Which alerts take it.
        allowed: What its secret file holds, for messages and the reference.
        parse: Takes the words of the file; raises ValueError with what is wrong.
    """

    name: str
    file: str
    severities: tuple[str, ...]
    allowed: str
    parse: Callable[[list[str]], Settings]

    @property
    def variable(self) -> str:
        """The environment variable that names its secret file."""
        return f"{PREFIX}{self.file.upper()}_FILE"


def _url(text: str, schemes: tuple[str, ...] = ("https", "http")) -> str:
    try:
        parts = urlsplit(text)
        good = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        # Its words would repeat a piece of a password that was not written as %XX.
        message = "has a URL that cannot be taken apart; special characters of a user or password are written as %XX"
        raise ValueError(message) from error
    if not good:
        message = f"has no URL that begins with {' or '.join(f'{scheme}://' for scheme in schemes)} and names a host"
        raise ValueError(message)
    return text


def _count(words: list[str], least: int, most: int) -> None:
    if not least <= len(words) <= most:
        message = f"has {len(words)} words"
        raise ValueError(message)


def _one_url(file: str) -> Callable[[list[str]], Settings]:
    def _parse(words: list[str]) -> Settings:
        _count(words, 1, 1)
        return Settings({file: _url(words[0])})

    return _parse


def _pagerduty(words: list[str]) -> Settings:
    _count(words, 1, 2)
    if not re.fullmatch(r"[0-9A-Za-z]{32}", words[0]):
        message = f"has a key of {len(words[0])} characters that are not 32 letters and digits"
        raise ValueError(message)
    return Settings({"pagerduty_key": words[0]}, {"url": _url(words[1])} if words[1:] else {})


def _telegram(words: list[str]) -> Settings:
    _count(words, 2, 3)
    token, chat, *api = words
    if not re.fullmatch(r"\d+:[\w-]{30,}", token):
        message = "has a token that is not like 123456:AAF..., as BotFather gives it"
        raise ValueError(message)
    if not re.fullmatch(r"-?[1-9]\d{0,18}", chat):
        message = f"has the chat {chat!r}, which is not the number of one"
        raise ValueError(message)
    return Settings({"telegram_token": token, "telegram_chat": chat}, {"api_url": _url(api[0])} if api else {})


def _sms(words: list[str]) -> Settings:
    _count(words, 2, 10)
    for number in words[1:]:
        if not re.fullmatch(r"\+[1-9]\d{6,14}", number):
            message = f"has the number {number!r}, which is not like +4915112345678"
            raise ValueError(message)
    # One JSON text: a number by itself would become one without its plus, and a colon in a sentence structure.
    payload = f'{{"to": {json.dumps(words[1:])}, "text": {{{{ template "trading.sms" . }}}}}}'
    return Settings({"sms_url": _url(words[0])}, {"payload": payload})


def _address(text: str, what: str) -> str:
    if parseaddr(text)[1] != text or not re.fullmatch(r"[^@\s]+@[^@\s]+", text):
        message = f"has {what}={text!r}, which is no address"
        raise ValueError(message)
    return text


def _email(words: list[str]) -> Settings:
    _count(words, 1, 1)
    parts = urlsplit(_url(words[0], ("smtp", "smtps")))
    query = parse_qs(parts.query, keep_blank_values=True)
    if extra := set(query) - {"to", "from", "tls"}:
        message = f"has the unknown option {min(extra)!r}"
        raise ValueError(message)
    to = [_address(one, "to") for value in query.get("to", [""]) for one in value.split(",")]
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if bool(user) != bool(password):
        message = "has a user or a password and not both"
        raise ValueError(message)
    implicit, plain = parts.scheme == "smtps", query.get("tls") == ["no"]
    if "tls" in query and (not plain or implicit or (password and parts.hostname not in _LOOPBACK)):
        message = "has a tls= that is not the tls=no of smtp:// without a password"
        raise ValueError(message)
    options: dict[str, Any] = {
        "to": ", ".join(to),
        "from": _address(query.get("from", [user if "@" in user else to[0]])[0], "from"),
        "smarthost": f"{parts.hostname}:{parts.port or (_TLS_PORT if implicit else _SUBMISSION_PORT)}",
        "force_implicit_tls": implicit,
        "require_tls": not plain,
    }
    if not password:
        return Settings({}, options)
    login = {"auth_username": user, "auth_password_file": "email_password"}
    return Settings({"email_password": password}, options | login)


_BOTH: Final = ("critical", "warning")
_URL: Final = "one line with the URL"

#: Every channel. Critical alerts take all of them, warnings those that wake nobody, context none.
ALL: Final = (
    Channel("slack", "slack_url", _BOTH, f"{_URL} of an incoming webhook", _one_url("slack_url")),
    Channel(
        "email",
        "email_url",
        _BOTH,
        "one line smtp://USER:PASSWORD@HOST:587?to=ADDRESS (smtps:// for TLS from the start; &from=ADDRESS; special "
        "characters as %XX; tls=no for a relay without password)",
        _email,
    ),
    Channel(
        "telegram", "telegram_token", _BOTH, "the bot's token, the number of the chat[, URL of the API]", _telegram
    ),
    Channel("discord", "discord_url", _BOTH, f"{_URL} of a channel's webhook", _one_url("discord_url")),
    Channel("webhook", "webhook_url", _BOTH, f"{_URL} of your program", _one_url("webhook_url")),
    Channel(
        "pagerduty",
        "pagerduty_key",
        ("critical",),
        "the integration key of Events API v2, 32 letters and digits[, URL of the API, such as "
        "https://events.eu.pagerduty.com/v2/enqueue]",
        _pagerduty,
    ),
    Channel(
        "sms", "sms_url", ("critical",), "the gateway's URL and up to nine phone numbers like +4915112345678", _sms
    ),
)

#: The dead-man's switch: it gets Watchdog, and nothing but Watchdog.
WATCHDOG: Final = Channel(
    "watchdog",
    "watchdog_url",
    (),
    f"{_URL} of a service that calls you when it is not called",
    _one_url("watchdog_url"),
)
