"""What a check has to say: where, which kind, one sentence."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Finding", "alternatives", "meant"]

_MANY: Final = 12
_NEAR: Final = 0.7


@dataclass(frozen=True, order=True)
class Finding:
    """One thing to correct.

    Attributes:
        file: The file as it was named.
        line: Counted from 1.
        where: The rule, group or panel, or empty for the file as a whole.
        kind: A stable word for programs, such as `unknown-series`.
        message: What, what was got, what is allowed, what to do.
    """

    file: str
    line: int
    where: str
    kind: str
    message: str

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {place}{self.message}"


def meant(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` for a near miss or for a part of a name, else nothing."""
    words = sorted(known)
    whole = [name for name in words if word in name.split("_")]
    close = sorted(whole, key=len) or difflib.get_close_matches(word, words, n=1, cutoff=_NEAR)
    return f" (did you mean {close[0]}?)" if close else ""


def alternatives(allowed: Iterable[str]) -> str:
    """Return what is allowed, cut where nobody reads on."""
    words = sorted(allowed)
    return ", ".join(words[:_MANY]) + (f" and {len(words) - _MANY} more" if len(words) > _MANY else "")
