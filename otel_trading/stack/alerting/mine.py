"""A user's own thresholds: `config/my-rules/thresholds.yaml` of the stack's home."""

from __future__ import annotations

import contextlib
import json
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from otel_trading.errors import ConfigError, StackError
from otel_trading.stack.alerting import history
from otel_trading.stack.alerting.overrides import Override
from otel_trading.thresholds import BY_NAME, CHANGED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["Mine"]

_HEAD: Final = "# Written by `otel-trading alerts --set`, which also keeps a log. JSON, which is YAML too.\n"
_NUMBER: Final = re.compile(r"vector\((.+)\)")
#: So many changes are marked on the boards; the log has all of them.
_MARKED: Final = 50


class Mine:
    """The numbers that a user has set for one stack.

    Args:
        home: The stack's home.

    Raises:
        StackError: The file was changed by hand into something else.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._file = home / "config" / "my-rules" / "thresholds.yaml"
        self._text = self._read()
        self._set = {each.key: each for each in self._parsed()}

    def __iter__(self) -> Iterator[Override]:
        """Every number, as an override."""
        return iter(self._set.values())

    def holds(self, asked: Override) -> float | None:
        """Return the number that holds where `asked` would: the user's there, then that for all, then the default."""
        found = self._set.get(asked.key) or self._set.get(asked.for_all.key)
        return found.number if found else asked.default

    def without(self, asked: Override) -> float | None:
        """Return the number that would hold if the user's own were taken back.

        Raises:
            ConfigError: There is none to take back.
        """
        if asked.key not in self._set:
            said = ", ".join(f"{label}={value}" for label, value in asked.labels.items())
            message = f"You have set no {asked.threshold.name} for {said}. What you set: otel-trading alerts --mine"
            raise ConfigError(message)
        found = self._set.get(asked.for_all.key) if asked.key != asked.for_all.key else None
        return found.number if found else asked.default

    def change(self, asked: Override, *, who: str, why: str, reload: Callable[[], None]) -> history.Change:
        """Set the number, or take it back where it is None; all of it or, when anything fails, nothing.

        Args:
            asked: What to set.
            who: Login name.
            why: In the user's words.
            reload: Has Prometheus read its rules anew; raises StackError when it refuses them.

        Raises:
            ConfigError: There is none to take back.
            StackError: It cannot be written, or Prometheus refuses it; everything is as before.
        """
        new = self.without(asked) if asked.number is None else asked.number
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        change = history.Change(now, who, asked.threshold.name, asked.labels, self.holds(asked), new, why)
        kept = {key: each for key, each in self._set.items() if key != asked.key}
        kept |= {} if asked.number is None else {asked.key: asked}
        rules = [_number(each) for each in kept.values()]
        rules += [_mark(each) for each in [*history.changes(self._home), change][-_MARKED:]]
        group = {"name": "my thresholds", "interval": "5s", "rules": rules}
        self._write(_HEAD + json.dumps({"groups": [group]}, indent=1) + "\n")
        try:
            reload()
            history.append(self._home, change)
        except StackError:
            self._write(self._text)
            with contextlib.suppress(StackError):  # the first one says what is wrong
                reload()
            raise
        self._set = kept
        return change

    def _read(self) -> str:
        try:
            return self._file.read_text(encoding="utf-8") if self._file.exists() else ""
        except (OSError, UnicodeDecodeError) as error:
            message = f"Cannot read your thresholds {self._file}: {error}. Give the file to this user, or remove it."
            raise StackError(message) from error

    def _parsed(self) -> list[Override]:
        try:
            rules: list[Any] = json.loads(self._text.removeprefix(_HEAD))["groups"][0]["rules"] if self._text else []
            return [_override(rule) for rule in rules if rule["record"] != CHANGED]
        except (ValueError, KeyError, IndexError, TypeError) as error:
            message = (
                f"{self._file} is not what `otel-trading alerts --set` wrote ({error!r}). Move rules of your own into "
                "another file of the same folder, remove this one, and set your thresholds again."
            )
            raise StackError(message) from error

    def _write(self, text: str) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            new = self._file.with_suffix(".new")
            new.write_text(text, encoding="utf-8")
            new.replace(self._file)
        except OSError as error:
            message = f"Cannot write your thresholds {self._file}: {error}. Nothing was changed."
            raise StackError(message) from error


def _number(override: Override) -> dict[str, Any]:
    return {"record": override.threshold.record, "expr": f"vector({override.number!r})", "labels": override.labels}


def _mark(change: history.Change) -> dict[str, Any]:
    labels = {"threshold": change.threshold, "who": change.who, "why": change.why, **change.labels}
    labels |= {"old": _text(change.old), "new": _text(change.new), "at": change.at}
    at = datetime.fromisoformat(change.at).timestamp()
    return {"record": CHANGED, "expr": f"vector({at!r})", "labels": labels}


def _text(number: float | None) -> str:
    return "none" if number is None else f"{number:.12g}"


def _override(rule: dict[str, Any]) -> Override:
    number = _NUMBER.fullmatch(rule["expr"])
    if number is None:
        message = f"not a number: {rule['expr']}"
        raise ValueError(message)
    return Override(BY_NAME[rule["record"].rpartition(":")[2]], rule["labels"], float(number[1]))
