"""From keywords to attributes: checked, completed by the defaults, capped, and remembered.

A call site repeats the same few values for months, so the result of the first look is cached; later calls cost one
dictionary look-up. What a cap folds becomes `_other_` and is counted once per call.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from otel_trading import _context
from otel_trading._accounts import alias
from otel_trading._guard import lose, overflow
from otel_trading._secrets import MASK, is_secret_label, without_secrets
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from otel_trading.semconv import Attribute

__all__ = ["OTHER", "WORDS", "AttributeSet", "Keywords", "custom", "known", "reset_caps"]

OTHER: Final = "_other_"
MAX_VALUES: Final = 1000
MAX_LENGTH: Final = 256
_MAX_CACHED: Final = 10_000
_ALWAYS: Final = (a.MODE, a.VENUE, a.STRATEGY, a.ACCOUNT)
#: Keywords that mean the same in every helper.
WORDS: Final = {
    "venue": a.VENUE,
    "symbol": a.SYMBOL,
    "strategy": a.STRATEGY,
    "account": a.ACCOUNT,
    "currency": a.CURRENCY,
}
_seen: Final[dict[str, set[str]]] = {}


class AttributeSet:
    """Attribute values by OpenTelemetry name; immutable and equal by value, so that it can be the key of a table."""

    __slots__ = ("_derived", "_hash", "folded", "kept", "values")

    def __init__(self, values: dict[str, str], folded: tuple[tuple[Attribute, str], ...] = ()) -> None:
        self.values = values
        #: Attributes whose value became `_other_`, with the value that was passed.
        self.folded = folded
        #: For each instrument, what of it stands there; filled by `instruments`.
        self.kept: dict[object, dict[str, str] | None] = {}
        self._derived: dict[Hashable, AttributeSet] = {}
        self._hash = hash(frozenset(values.items()))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AttributeSet) and self.values == other.values

    def get(self, attribute: Attribute) -> str | None:
        """Return the value of an attribute, or None."""
        return self.values.get(attribute.name)

    def plus(self, attribute: Attribute, value: str) -> AttributeSet:
        """Return this set with one attribute more; the same object each time."""
        found = self._derived.get((attribute.name, value))
        if found is None:
            found = AttributeSet({**self.values, attribute.name: value})
            self._derived[attribute.name, value] = found
        return found

    def without(self, *attributes: Attribute) -> AttributeSet:
        """Return this set with some attributes less; the same object each time."""
        found = self._derived.get(attributes)
        if found is None:
            names = {attribute.name for attribute in attributes}
            found = AttributeSet({key: value for key, value in self.values.items() if key not in names})
            self._derived[attributes] = found
        return found

    def only(self, names: frozenset[str]) -> AttributeSet:
        """Return this set with nothing but the named attributes; the same object each time."""
        found = self._derived.get(names)
        if found is None:
            found = AttributeSet({key: value for key, value in self.values.items() if key in names})
            self._derived[names] = found
        return found


_custom: Final[dict[tuple[object, ...], AttributeSet]] = {}


class Keywords:
    """What one helper's keywords mean: the (helper, keyword) -> attribute table, one row per object.

    Args:
        helper: Name of the helper, as users write it.
        others: Helpers that share the row.
        keywords: Keyword -> attribute, in the order in which `resolve` takes the values.
    """

    #: Every row of the table, by helper.
    table: Final[dict[str, Keywords]] = {}

    def __init__(self, helper: str, /, *others: str, **keywords: Attribute) -> None:
        self.helper = helper
        self.attributes = keywords
        self._cache: dict[tuple[object, ...], AttributeSet] = {}
        Keywords.table.update(dict.fromkeys((helper, *others), self))

    def resolve(self, *values: object) -> AttributeSet:
        """Return the attributes of a call, defaults included.

        Args:
            values: One value per keyword, in declaration order; None stands for not given.

        Raises:
            ConventionError: In strict mode, for a value outside a closed set.
        """
        key = (_context.current(), *values)
        found = self._cache.get(key)
        if found is None:
            found = self._make(key)
        if found.folded:
            self._report(found)
        return found

    def find(self, *values: object) -> AttributeSet:
        """Return what `resolve` returns, without counting again what that call counted already."""
        key = (_context.current(), *values)
        found = self._cache.get(key)
        return self._make(key) if found is None else found

    def forget(self) -> None:
        """Drop what was resolved, because the caps start again."""
        self._cache.clear()

    def _make(self, key: tuple[object, ...]) -> AttributeSet:
        if len(self._cache) >= _MAX_CACHED:
            self._cache.clear()  # a bounded cache that starts again beats one that leaks
        defaults = _context.current().values
        given = dict(zip(self.attributes.values(), key[1:], strict=True))
        values: dict[str, str] = {}
        folded: list[tuple[Attribute, str]] = []
        for attribute in dict.fromkeys((*_ALWAYS, *given)):
            raw = given.get(attribute)
            text = _text(attribute, defaults.get(attribute.name) if raw is None else raw)
            if not text:
                continue
            values[attribute.name] = _admit(attribute.name, text, attribute.values)
            if values[attribute.name] is OTHER:
                folded.append((attribute, text))
        made = AttributeSet(values, tuple(folded))
        if _short(key[1:]):
            self._cache[key] = made
        return made

    def _report(self, attributes: AttributeSet) -> None:
        for attribute, text in attributes.folded:
            if attribute.values:
                keyword = next((k for k, v in self.attributes.items() if v is attribute), attribute.name)
                lose("unknown_value", _unknown(self.helper, keyword, attribute, text))
            else:
                overflow(attribute.name)


def custom(keywords: dict[str, object]) -> AttributeSet:
    """Return the attributes of a user's own instrument: known keywords become ours, others stand as they are."""
    defaults = _context.current()
    key = (defaults, *keywords.items())
    found = _custom.get(key)
    if found is None:
        if len(_custom) >= _MAX_CACHED:
            _custom.clear()
        given = {_ours(name): _text(WORDS.get(name), value) for name, value in keywords.items() if value is not None}
        values = {attribute.name: defaults.values.get(attribute.name, "") for attribute in _ALWAYS} | given
        admitted = {
            name: MASK if is_secret_label(name, text) else _admit(name, text) for name, text in values.items() if text
        }
        found = AttributeSet(admitted)
        if _short(keywords.values()):
            _custom[key] = found
    for name, value in found.values.items():
        if value is OTHER:
            overflow(name)
    return found


def known(attributes: AttributeSet) -> None:
    """Let the values of a set from before a restart count as seen, so that they are not folded when they come again."""
    for name, text in attributes.values.items():
        _admit(name, text)


def _ours(keyword: str) -> str:
    attribute = WORDS.get(keyword)
    return keyword if attribute is None else attribute.name


def reset_caps() -> None:
    """Forget which values were seen and what was resolved; for tests that need a fresh start."""
    _seen.clear()
    _custom.clear()
    for row in Keywords.table.values():
        row.forget()


def _text(attribute: Attribute | None, value: object) -> str:
    text = "" if value is None else _plain(value, "" if attribute is None else attribute.name)
    if attribute is a.ACCOUNT:
        return alias(text)
    return text.lower() if attribute is a.VENUE else text


def _plain(value: object, of: str) -> str:
    text = without_secrets(str(value.value if isinstance(value, Enum) else value)[:MAX_LENGTH], of)
    return text.encode("utf-8", "replace").decode("utf-8")  # one lone surrogate would fail a whole export


def _short(values: Iterable[object]) -> bool:
    """Whether a cache may hold these: ten thousand texts of a megabyte would be a leak."""
    return all(not isinstance(value, (str, bytes)) or len(value) <= MAX_LENGTH for value in values)


def _admit(name: str, text: str, allowed: tuple[str, ...] = ()) -> str:
    if allowed:
        return text if text in allowed else OTHER
    seen = _seen.setdefault(name, set())
    if text not in seen:
        if len(seen) >= MAX_VALUES:
            return OTHER
        seen.add(text)
    return text


def _unknown(helper: str, keyword: str, attribute: Attribute, text: str) -> str:
    import difflib  # noqa: PLC0415  2 ms at import that only a wrong value is worth

    near = difflib.get_close_matches(text.lower(), attribute.values, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"Use one of {', '.join(attribute.values)}."
    return f"{helper}({keyword}={text!r}) is not a value of {attribute.name}. {hint}"
