"""Findings that somebody has looked at: each with its reason and the last day on which it may stay."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from pathlib import Path

    from databases import Finding

__all__ = ["LONGEST", "Accepted", "BadListError", "read"]

LONGEST: Final = dt.timedelta(days=180)
_KEYS: Final = ("id", "package", "reason", "until")


class BadListError(Exception):
    """The list is not what it should be; the message says which entry and why."""


@dataclass(frozen=True)
class Accepted:
    """One entry of the list."""

    id: str
    package: str
    reason: str
    until: dt.date

    def covers(self, finding: Finding) -> bool:
        """Say whether a finding is the one that was looked at: by name and by package."""
        return self.id in finding.names and self.package == finding.package


def read(path: Path, today: dt.date) -> list[Accepted]:
    """Return the entries.

    Args:
        path: The list.
        today: Entries that ended before are refused.

    Raises:
        BadListError: Not a list of such entries, or one of them has ended or would never end.
    """
    try:
        entries = yaml.safe_load(path.read_text("utf-8"))["exceptions"]
        if not isinstance(entries, list):
            raise TypeError(entries)  # noqa: TRY301  one sentence for every shape that is not this one
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        message = f"{path.name} is not a mapping with a list `exceptions`: {error!r}."
        raise BadListError(message) from error
    return [_entry(entry, today) for entry in entries]


def _entry(entry: Any, today: dt.date) -> Accepted:
    if not isinstance(entry, dict) or set(entry) != set(_KEYS) or not all(entry.values()):
        message = f"An exception has {', '.join(_KEYS)}, each with a value; got {entry!r}."
        raise BadListError(message)
    until = entry["until"]
    if not isinstance(until, dt.date) or isinstance(until, dt.datetime):
        message = f"The exception {entry['id']} ends on {until!r}: write a day, as in 2027-01-31."
        raise BadListError(message)
    if until < today:
        message = (
            f"The exception {entry['id']} ({entry['package']}) ended on {until}: look for a version without it, "
            "or look at it again and give it another day."
        )
        raise BadListError(message)
    if until > today + LONGEST:
        message = f"The exception {entry['id']} ends on {until}: at most {LONGEST.days} days ahead are allowed."
        raise BadListError(message)
    return Accepted(str(entry["id"]), str(entry["package"]), str(entry["reason"]), until)
