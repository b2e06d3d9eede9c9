"""Every OTEL_TRADING_* variable as a typed setting, documented where it is declared.

Order of precedence: argument, environment, default. A wrong value, and a misspelt name, raise `ConfigError` at start.
Every standard OTEL_* variable is honoured by the OpenTelemetry SDK itself and is not repeated here.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar, cast, get_args

from otel_trading.errors import ConfigError
from otel_trading.semconv.attributes import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["ALL", "Setting", "add_venue_hosts", "check"]

PREFIX: Final = "OTEL_TRADING_"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """One environment variable.

    Args:
        name: The variable.
        parse: Turns its text into a value, or raises ValueError.
        default: The value when it is unset or empty.
        allowed: What it may be, for messages and the reference.
        doc: What it means, in one sentence.
    """

    name: str
    parse: Callable[[str], T]
    default: T
    allowed: str
    doc: str

    def get(self, environ: Mapping[str, str] | None = None) -> T:
        """Return the value in force.

        Raises:
            ConfigError: When the text is not allowed.
        """
        text = (os.environ if environ is None else environ).get(self.name, "").strip()
        if not text:
            return self.default
        try:
            return self.parse(text)
        except ValueError as error:
            message = f"{self.name} is {text!r}. Allowed: {self.allowed}. Correct it or unset it."
            raise ConfigError(message) from error


def _mode(text: str) -> Mode:
    if text.lower() not in get_args(Mode):
        raise ValueError(text)
    return cast("Mode", text.lower())


_FLAGS: Final = {"1": True, "true": True, "0": False, "false": False}


def _flag(text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise ValueError(text)
    return _FLAGS[text.lower()]


_ALIASED: Final = ("numbers", "always", "never")


def _aliased(text: str) -> str:
    if text.lower() not in _ALIASED:
        raise ValueError(text)
    return text.lower()


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MAX_SERIES_LIMIT:
        raise ValueError(text)
    return number


def _globs(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _hosts(text: str) -> tuple[tuple[str, str], ...]:
    pairs = [tuple(word.strip().lower() for word in part.split("=")) for part in text.split(",") if part.strip()]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):  # noqa: PLR2004  a host and a venue
        raise ValueError(text)
    return tuple((host, venue) for host, venue in pairs)


#: Below the SDK's own limit of 2,000 series per instrument, so that ours decides what folds.
MAX_SERIES_LIMIT: Final = 1900

OTEL_TRADING_MODE: Final[Setting[Mode]] = Setting(
    "OTEL_TRADING_MODE",
    _mode,
    "live",
    ", ".join(get_args(Mode)),
    "Marks every measurement; only live may page.",
)
OTEL_TRADING_ACCOUNT: Final[Setting[str]] = Setting(
    "OTEL_TRADING_ACCOUNT", str, "", "any alias", "Default account alias, never its number."
)
OTEL_TRADING_ACCOUNT_ALIAS: Final[Setting[str]] = Setting(
    "OTEL_TRADING_ACCOUNT_ALIAS",
    _aliased,
    "numbers",
    ", ".join(_ALIASED),
    "Which accounts leave as acct- and a keyed hash: those of five digits and more, all, or none.",
)
OTEL_TRADING_ACCOUNT_KEY_FILE: Final[Setting[str]] = Setting(
    "OTEL_TRADING_ACCOUNT_KEY_FILE",
    str,
    "",
    "a file with a random key, mode 600",
    "The key of that hash, where several machines share it; unset is one of this machine's, made when needed.",
)
OTEL_TRADING_STRATEGY: Final[Setting[str]] = Setting("OTEL_TRADING_STRATEGY", str, "", "any name", "Default strategy.")
OTEL_TRADING_VENUE: Final[Setting[str]] = Setting(
    "OTEL_TRADING_VENUE", str.lower, "", "ccxt id, MIC or broker id", "Default venue."
)
OTEL_TRADING_VENUE_HOSTS: Final[Setting[tuple[tuple[str, str], ...]]] = Setting(
    "OTEL_TRADING_VENUE_HOSTS",
    _hosts,
    (),
    "host=venue or host:port=venue, comma between",
    "Hosts of venues beside the known ones, whose replies tell of budgets and clocks.",
)
OTEL_TRADING_CURRENCY: Final[Setting[str]] = Setting(
    "OTEL_TRADING_CURRENCY",
    str.upper,
    "",
    "ISO 4217 or venue asset code",
    "Currency when a helper gives none; unset means that money needs one.",
)
OTEL_TRADING_DISABLED_METRICS: Final[Setting[tuple[str, ...]]] = Setting(
    "OTEL_TRADING_DISABLED_METRICS", _globs, (), "globs, comma between", "Metrics that are not exported."
)
OTEL_TRADING_DROPPED_ATTRIBUTES: Final[Setting[tuple[str, ...]]] = Setting(
    "OTEL_TRADING_DROPPED_ATTRIBUTES",
    _globs,
    (),
    "globs, comma between",
    "Attributes that are removed from every metric, span and event, for privacy or cost.",
)
OTEL_TRADING_MAX_SERIES: Final[Setting[int]] = Setting(
    "OTEL_TRADING_MAX_SERIES",
    _count,
    MAX_SERIES_LIMIT,
    f"1 to {MAX_SERIES_LIMIT}",
    "Series per metric; beyond it counters and histograms fold into _other_ and gauges drop.",
)
OTEL_TRADING_OTLP_TOKEN_FILE: Final[Setting[str]] = Setting(
    "OTEL_TRADING_OTLP_TOKEN_FILE",
    str,
    "",
    "a file with the token, mode 600",
    "What a Collector on another machine asks for, kept out of arguments and environment; `otel-trading up --expose`.",
)
OTEL_TRADING_PASSWORD_FILE: Final[Setting[str]] = Setting(
    "OTEL_TRADING_PASSWORD_FILE",
    str,
    "",
    "a file with the operators' password, mode 600",
    "What Prometheus and Alertmanager of another machine ask `otel-trading top` and `doctor` for; never of a bot.",
)
OTEL_TRADING_STRICT: Final[Setting[bool]] = Setting(
    "OTEL_TRADING_STRICT",
    _flag,
    False,  # noqa: FBT003  a default, not a switch in a call
    ", ".join(_FLAGS),
    "Raise on a wrong measurement instead of warning once; on under pytest.",
)

#: What would be read as more than one entry, and what belongs to a URL.
_NO_HOST: Final = frozenset("=,/@?# ")

#: Every setting, in the order of the reference.
ALL: Final[tuple[Setting[object], ...]] = tuple(
    cast("Setting[object]", value) for value in list(globals().values()) if isinstance(value, Setting)
)


def add_venue_hosts(hosts: Mapping[str, str]) -> None:
    """Set hosts of venues beside those of the variable, for this process and those that it starts; these win.

    Args:
        hosts: Venue by `host` or `host:port`.

    Raises:
        ConfigError: For a host that is none.
    """
    for host, venue in hosts.items():
        if not host or not venue or _NO_HOST & {*host, *venue}:
            message = f"venue_hosts has {host!r}: {venue!r}. Allowed: host or host:port, and a venue. Correct it."
            raise ConfigError(message)
    known = OTEL_TRADING_VENUE_HOSTS.get()
    added = _hosts(",".join(f"{host}={venue}" for host, venue in hosts.items()))
    pairs = dict([*known, *added])
    os.environ[OTEL_TRADING_VENUE_HOSTS.name] = ",".join(f"{host}={venue}" for host, venue in pairs.items())


def check(environ: Mapping[str, str] | None = None) -> None:
    """Read every setting once and look for names that nobody declared.

    Raises:
        ConfigError: For a wrong value or an unknown OTEL_TRADING_* name.
    """
    environ = os.environ if environ is None else environ
    names = [setting.name for setting in ALL]
    for name in environ:
        if name.startswith(PREFIX) and name not in names:
            import difflib  # noqa: PLC0415  2 ms at import that only a wrong name is worth

            words = [known.removeprefix(PREFIX) for known in names]  # the prefix makes everything look alike
            near = difflib.get_close_matches(name.removeprefix(PREFIX), words, n=1)
            hint = f"Did you mean {PREFIX}{near[0]}?" if near else f"Allowed: {', '.join(names)}."
            message = f"{name} is not a setting of otel-trading. {hint} Rename or unset it."
            raise ConfigError(message)
    for setting in ALL:
        setting.get(environ)
