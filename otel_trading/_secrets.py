"""What looks like a secret, and texts without it: keys, signatures, passwords and tokens never leave.

A secret is known by what stands before it (a name, a header, a scheme), by its own shape (a token of a known vendor, a
long mixture of digits and letters of both cases), or because the environment holds it under a name that says so.
The Collector is the second wall: `collector/config.yaml` has the same patterns, a test compares. Hence they are written
in what Python and RE2 have in common.
"""

from __future__ import annotations

import os
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "LABELS",
    "LEFT_OUT",
    "LONGEST_HELD",
    "MASK",
    "MASKED",
    "NAMES",
    "forget",
    "is_named",
    "is_secret_label",
    "look",
    "look_again",
    "remembering",
    "replace",
    "without_secrets",
]

MASK: Final = "***"
_WHOSE: Final = r"(?:api|access|private|signing|listen|consumer|session|auth|bot|refresh|csrf)"
_HARD: Final = (
    # A signal is no sign, and what passed no pass.
    rf"{_WHOSE}[ ._-]?(?:key|token|(?:sign(?:ature)?|pass)(?:[^a-z]|$))"
    r"|secret|passw(?:or)?d|passphrase|mnemonic|db\.(?:query|statement)\.parameter"
    r"|(?:^|[._-])credentials?$|[._-]pwd$|header[._-]key$|cookie$|authorization$"
)
#: The labels of a metric whose whole value is a secret, whatever it is.
LABELS: Final = rf"(?i:{_HARD})"
#: The names of attributes and variables whose whole value is a secret.
NAMES: Final = rf"(?i:{_HARD}|(?:^|[._-])(?:token|signature|sign|otp)$)"
#: User and password of a URL, and every query: exchanges sign in it. Its first group stays.
LEFT_OUT: Final = r"([A-Za-z][\w+.-]*://)(?:[^\s/?#@]*@)+|\?[\w.%&;~+\[\]-]*=\S*"
_QUOTED: Final = r"""b?\\?"[^"]+"|b?'[^']+'"""
_VALUE: Final = rf"""(?:{_QUOTED}|[^\s"'\\,;&<)}}\]]+)"""
_IS: Final = r"""(?:\\?["']\s*[,:=]|\s*(?:[:=]>?|>))\s*"""
_WORDS: Final = (
    rf"{_WHOSE}[ _-]?(?:(?:key|token)\w*|(?:sign(?:ature)?|pass)(?:_\w*)?)"
    r"|secret\w*|passw(?:or)?d\w*|passphrase|mnemonic"
)
_SOFT: Final = r"\b(?:pwd|token|signature|sign|otp)"
_NAMED: Final = ("key", "token", "sign", "pass", "secret", "mnemonic")
#: What a secret follows, which stays as the group, and the secret. Before each: words of which a text must hold one.
MASKED: Final = (
    (("cookie", "authorization"), rf"((?i:cookie|authorization){_IS})(?:{_QUOTED}|[^\r\n]+)"),
    (("bearer", "basic"), r"((?i:\bbearer|\bbasic)\s+)[\w.~+/=-]{8,}"),
    (_NAMED, rf"((?i:{_WORDS}){_IS}){_VALUE}"),
    (_NAMED, rf"(--?[\w-]*(?i:{_WORDS}|token|signature)\s+)[^\s-]\S*"),
    (("token", "sign", "otp", "pwd"), rf"((?i:{_SOFT}){_IS})(?:{_QUOTED}|[^\s\"'\\,;&<)}}\]]{{6,}})"),
    (_NAMED, rf"((?i:{_WORDS}|token|signature)\s+(?:(?i:is|was)\s+)?[\"']?)[A-Za-z+/_=-]*\d[\w+/=-]{{5,}}"),
    (("eyj",), r"()\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"),
    (("private key",), r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)"),
    (("gh", "xox"), r"()\b(?:gh[opsur]_\w{20,}|xox[a-z]-[\w-]{10,})"),
    (("akia", "k_"), r"()\b(?:AKIA[0-9A-Z]{16}|[rs]k_(?:live|test)_\w{10,})"),
    ((":",), r"(\b|bot)\d{6,}:[\w-]{30,}"),
    (("/",), r"(/)(?:[A-Za-z0-9]{24,}|[\w-]{50,})"),
)

#: An address of Ethereum, and one of Solana: they are public, and bots trade tokens by them.
_ETHEREUM: Final = re.compile("0x[0-9A-Fa-f]{40}")
_BASE58: Final = "[1-9A-HJ-NP-Za-km-z]{43,44}"
#: What no pattern of RE2 can say: neither a hash nor a name has both cases and digits at this length. An address has.
_LONG: Final = (
    rf"\b(?!0x)(?!{_BASE58}\b)"
    r"(?=[A-Za-z0-9]*[a-z])(?=[A-Za-z0-9]*[A-Z])(?=[A-Za-z0-9]*\d)[A-Za-z0-9]{40,}\b"
    r"|(?<![\w+/])(?=[a-z0-9+/]*[A-Z])[A-Za-z0-9+/]{40,}={1,2}"
)
LONGEST_HELD: Final = 256
_SHORTEST_KEPT: Final = 8
_SHORTEST_REPLACED: Final = 5
#: A shorter text is a secret only by what stands beside it.
_SHORTEST_ALONE: Final = 15
_SHORTEST_LONG: Final = 40
#: No asset has so long a name with digits but an address; those with dates (PT-sUSDE-25SEP2025) have separators.
_KEY: Final = re.compile(
    r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}|(?=[^\s\d]*\d)(?=[^\sA-Za-z]*[A-Za-z])\S{32,}"
)
#: `postgres` or `momentum` under a secret name tells nothing apart, and stands in the names of databases and bots.
_WORD: Final = re.compile("[a-z]{1,15}")
#: A known value ends where a word does; an escaped character before it (`%3D`, a backslash and n) is not part of it.
_BEGINS: Final = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt]))"
_ENDS: Final = r"(?![A-Za-z0-9])"
#: Attributes that tell apart whose telemetry it is; a value of the environment is never looked for in them.
_TELLING: Final = re.compile(r"service\.|db\.system|trading\.(?:instrument\.symbol|venue\.name|strategy\.name)$")


class _Known:
    """The secrets that stood in the environment when it was last looked at; a file of settings may fill it later."""

    size = -1
    #: Hash of what the environment held.
    held = 0
    pattern: re.Pattern[str] | None = None
    #: What somebody named alone.
    named: re.Pattern[str] | None = None
    #: What somebody named, and what stands for it.
    replaced: Final[dict[str, str]] = {}


def replace(secret: str, by: str) -> None:
    """Replace a value in every text from now on."""
    if len(secret) >= _SHORTEST_REPLACED:
        _Known.replaced[secret] = by
        _look_around()


def forget() -> None:
    """Replace no value that was named; for tests."""
    _Known.replaced.clear()
    _look_around()


def is_named(name: str) -> bool:
    """Return whether an attribute or variable says by its name that it holds a secret."""
    return _named(name) if len(name) <= LONGEST_HELD else True


def is_secret_label(name: str, value: str) -> bool:
    """Return whether a label of a metric holds a secret; a `token` is an asset unless its value looks like a key.

    A label that became `***` would make one series of several assets.
    """
    if not is_named(name):
        return False
    return len(name) > LONGEST_HELD or re.search(LABELS, name) is not None or _is_key(value)


def without_secrets(text: str, of: str = "") -> str:
    """Return the text with `***` for each secret, and without any query string.

    Args:
        text: Any text.
        of: The attribute that holds it, if any.
    """
    look()
    return _short(text, of) if len(text) <= LONGEST_HELD else _clean(text, of)


def look() -> None:
    """Take notice of variables that came or went; cheap enough for every text."""
    if len(os.environ) != _Known.size:
        _look_around()


def look_again() -> None:
    """Take notice of variables that changed, too: once per collection, because it reads them all."""
    if _held() != _Known.held:
        _look_around()


def remembering(function: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """Remember what a function of short texts gave, until another secret is known."""
    cached = lru_cache(maxsize=4096)(function)
    _forgetting.append(cached.cache_clear)
    return cached


@lru_cache(maxsize=1024)
def _named(name: str) -> bool:
    return re.search(NAMES, name) is not None


@lru_cache(maxsize=4096)
def _short(text: str, of: str) -> str:
    return _clean(text, of)


_forgetting: Final[list[Callable[[], None]]] = [_short.cache_clear]


def _clean(text: str, of: str) -> str:
    known = _Known.named if of and _TELLING.match(of) else _Known.pattern
    if len(text) < _SHORTEST_ALONE and not _beside().search(text):
        return text if known is None else known.sub(_instead, text)
    if "://" in text or "?" in text:
        text = re.sub(LEFT_OUT, r"\1", text)
    low = text.lower()
    for hints, pattern in _compiled():
        for hint in hints:
            if hint in low:
                text = pattern.sub(r"\1" + MASK, text)
                break
    if len(text) >= _SHORTEST_LONG:
        text = _long().sub(MASK, text)
    return text if known is None else known.sub(_instead, text)


def _instead(found: re.Match[str]) -> str:
    return _Known.replaced.get(found[0], MASK)


@cache
def _compiled() -> tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]:
    return tuple((hints, re.compile(pattern)) for hints, pattern in MASKED)


@cache
def _beside() -> re.Pattern[str]:
    return re.compile(r"[\s=:>/,?]")


@cache
def _long() -> re.Pattern[str]:
    return re.compile(_LONG)


def _look_around() -> None:
    """Take the values of variables that are named as secrets, and the passwords in URLs of others."""
    from urllib.parse import quote  # noqa: PLC0415  only who records pays for it

    found: set[str] = set()
    for name, value in list(os.environ.items()):
        found.update(_of_variable(name, value))
    found |= {quote(value, safe="") for value in found}
    kept = [_bounded(value) for value in sorted(found, key=len, reverse=True)]
    # A number stands alone: it may be part of a longer one, of a time for instance.
    named = [rf"\b{re.escape(value)}\b" for value in list(_Known.replaced)]
    _Known.pattern, _Known.named = _any_of(kept + named), _any_of(named)
    _Known.size, _Known.held = len(os.environ), _held()
    for forgets in _forgetting:
        forgets()


def _held() -> int:
    return hash(tuple(os.environ.items()))


def _of_variable(name: str, value: str) -> list[str]:
    """Return what of a variable is a secret; an address under `BASE_TOKEN` and a mere word are none."""
    if not is_named(name):
        found = re.findall(r"://[^\s/?#@:]*:([^\s/?#]+)@", value)
    elif _ETHEREUM.fullmatch(value) or (re.fullmatch(_BASE58, value) and not re.search(LABELS, name)):
        return []
    else:
        found = [value]
    return [one for one in found if len(one) >= _SHORTEST_KEPT and not _WORD.fullmatch(one)]


def _bounded(value: str) -> str:
    """Return the pattern of a known value: a short one may be part of a word that says something else, a key cannot."""
    return re.escape(value) if _is_key(value) else _BEGINS + re.escape(value) + _ENDS


def _is_key(value: str) -> bool:
    public = _ETHEREUM.fullmatch(value) or re.fullmatch(_BASE58, value)
    return public is None and _KEY.search(value[:LONGEST_HELD]) is not None


def _any_of(patterns: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(patterns)) if patterns else None
