"""What a user may set of a stack: how long and how much Prometheus keeps, how often it scrapes and evaluates.

Each setting is declared here once; what holds without it stands in `collector/prometheus.yaml`, which native servers
and containers alike read. What was said to one `up` holds for the next ones too: forgetting it would delete history.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import loopback
from otel_trading.stack._files import shipped

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping
    from pathlib import Path

__all__ = ["ALL", "FOLDER", "INTERVALS", "Setting", "choose", "in_force", "remember", "remembered", "said", "write"]

#: Below the stack's home; in a backup.
FOLDER: Final = "config/settings"

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}
_BYTES: Final = {"MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


@dataclass(frozen=True)
class Setting:
    """One setting.

    Attributes:
        name: Of the option, with `_` for `-`.
        path: Where it stands in Prometheus' configuration.
        units: What a number may be followed by, and what that is worth.
        least: The smallest value, as a user would write it.
        most: The largest.
        doc: What it does, in one sentence.
    """

    name: str
    path: tuple[str, ...]
    units: Mapping[str, int]
    least: str
    most: str
    doc: str

    @property
    def option(self) -> str:
        """What it is called on the command line."""
        return f"--{self.name.replace('_', '-')}"

    def amount(self, text: str) -> int:
        """Return seconds or bytes.

        Raises:
            ConfigError: It cannot be used.
        """
        found = re.fullmatch(r"([0-9]{1,9})([a-zA-Z]+)", text)
        amount = int(found[1]) * self.units.get(found[2], 0) if found else 0
        if not self._worth(self.least) <= amount <= self._worth(self.most):
            message = (
                f"{self.option} is {text!r}. Allowed: a whole number with one of {', '.join(self.units)}, from "
                f"{self.least} to {self.most}, such as {self.default}. Correct it."
            )
            raise ConfigError(message)
        return amount

    def _worth(self, text: str) -> int:
        # Prometheus writes 14d as 2w, 36h as 1d12h, and 10GB as 10GiB.
        parts = re.findall(r"([0-9]+)([a-zA-Z]+)", text.replace("iB", "B"))
        return sum(int(number) * self.units[unit] for number, unit in parts)

    def as_said(self, text: str, said: str) -> str:
        """Return what somebody said where Prometheus means the same, else its own words."""
        return said if self._worth(text) == self._worth(said) else text

    @property
    def default(self) -> str:
        """What is shipped."""
        return self.read(yaml.safe_load(shipped("collector/prometheus.yaml").read_text()))

    def read(self, document: Any) -> str:
        """Return its value in a configuration of Prometheus."""
        for key in self.path:
            document = document[key]
        return str(document)


ALL: Final = (
    Setting(
        "retention_time",
        ("storage", "tsdb", "retention", "time"),
        _SECONDS,
        "1d",  # as long as samples may come late
        "10y",
        "Prometheus deletes what is older.",
    ),
    Setting(
        "retention_size",
        ("storage", "tsdb", "retention", "size"),
        _BYTES,
        "512MB",
        "100TB",
        "Prometheus deletes the oldest beyond this.",
    ),
    Setting(
        "scrape_interval",
        ("global", "scrape_interval"),
        _SECONDS,
        "1s",
        "30s",  # the shortest window of the rules is a minute, and needs two samples
        "How often servers, and bots that are scraped, are asked.",
    ),
    Setting(
        "evaluation_interval",
        ("global", "evaluation_interval"),
        _SECONDS,
        "1s",
        "1m",
        "How often alerts are judged, but those that are judged every second or minute.",
    ),
)
#: What `up --interval` takes the place of.
INTERVALS: Final = ("scrape_interval", "evaluation_interval")


def remembered(home: Path) -> dict[str, str]:
    """Return what was said in this home, by name of the setting.

    Raises:
        StackError: The file that holds it cannot be read.
    """
    file = _file(home)
    if not file.exists():
        return {}
    try:
        texts: dict[str, str] = json.loads(file.read_text())
        for name, text in texts.items():
            next(one for one in ALL if one.name == name).amount(text)
    except (OSError, ValueError, AttributeError, TypeError, StopIteration, ConfigError) as error:
        message = (
            f"{file} is not what `otel-trading up` wrote ({error!r}). Remove it, then say again what shall hold: "
            f"otel-trading up {' '.join(one.option for one in ALL)}"
        )
        raise StackError(message) from error
    return texts


def choose(home: Path, asked: Mapping[str, str | None]) -> dict[str, str]:
    """Return what shall hold from now on: what is asked for, and what was before.

    Raises:
        ConfigError: It cannot be used.
        StackError: What was said before cannot be read.
    """
    given = {one.name: text for one in ALL if (text := asked.get(one.name)) is not None}
    for one in ALL:
        if one.name in given:
            one.amount(given[one.name])
    return remembered(home) | given


def said(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return a line for each retention that shrinks: history goes then."""
    lines: list[str] = []
    for one in ALL:
        old, new = (held.get(one.name, one.default) for held in (before, after))
        if one.name not in INTERVALS and one.amount(new) < one.amount(old):
            lines.append(f"Prometheus keeps {new} instead of {old} from now on, and deletes what is beyond.")
    return lines


@contextlib.contextmanager
def remember(home: Path, chosen: Mapping[str, str]) -> Generator[None]:
    """Note what shall hold, unless the block fails: then what held before does."""
    before = remembered(home)
    if before != chosen:
        _save(home, chosen)
    try:
        yield
    except BaseException:
        if before != chosen:
            _save(home, before)
        raise


def _file(home: Path) -> Path:
    return home / FOLDER / "prometheus.json"


def _save(home: Path, texts: Mapping[str, str]) -> None:
    file = _file(home)
    if not texts:
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".tmp")
    new.write_text(json.dumps(texts, indent=1) + "\n")
    new.replace(file)


def write(home: Path, folder: Path) -> None:
    """Put what holds in this home into rooms that were copied from the shipped ones.

    Args:
        home: The stack's home.
        folder: With `collector/` and `alerts/`.
    """
    texts = remembered(home)
    prometheus = folder / "collector" / "prometheus.yaml"
    rules = [folder / "alerts" / "thresholds.yaml", *(folder / "alerts" / "rules").glob("*.yaml")]
    for one in ALL:
        if one.name not in texts:
            continue
        _replace(prometheus, one.path[-1], one.default, texts[one.name])
        if one.name == "evaluation_interval":
            for file in rules:
                _replace(file, "interval", one.default, texts[one.name])


def _replace(file: Path, key: str, old: str, new: str) -> None:
    file.write_text(re.sub(rf"(?m)^(\s*(?:- )?{key}:\s*){old}(?=\s|$)", rf"\g<1>{new}", file.read_text()))


def in_force(url: str, home: Path) -> dict[str, str]:
    """Return what a running Prometheus itself says, by name of the setting; nothing when it does not answer.

    Args:
        url: Where it is.
        home: The stack's, for the words in which it was said.
    """
    try:
        text = json.loads(loopback.ask(f"{url}/api/v1/status/config"))["data"]["yaml"]
        document, words = yaml.safe_load(text), remembered(home)
        return {one.name: one.as_said(one.read(document), words.get(one.name, one.default)) for one in ALL}
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return {}
