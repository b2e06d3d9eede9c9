"""One threshold of a user's own: what `otel-trading alerts --set NAME=NUMBER` means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from otel_trading.errors import ConfigError
from otel_trading.semconv import attributes as a
from otel_trading.thresholds import BY_NAME, Scope, Threshold

__all__ = ["SCOPE", "Override", "parse"]

SCOPE: Final = "threshold_scope"
#: May be left out of a threshold's name.
_UNITS: Final = ("ratio", "seconds", "bytes")
_PERSONAL: Final = {a.STRATEGY.prometheus, a.ACCOUNT.prometheus}


@dataclass(frozen=True)
class Override:
    """One number of a user's.

    Attributes:
        threshold: What it is for.
        labels: Scope, and strategy, account, currency or key where they are said.
        number: In the threshold's unit; None stands for no number of one's own.
    """

    threshold: Threshold
    labels: dict[str, str]
    number: float | None

    @property
    def key(self) -> tuple[str, frozenset[tuple[str, str]]]:
        """What it overrides: of two with the same key only one can be."""
        return self.threshold.name, frozenset(self.labels.items())

    @property
    def for_all(self) -> Override:
        """The same without a strategy or account: what holds where it does not."""
        labels = {name: value for name, value in self.labels.items() if name not in _PERSONAL}
        return Override(self.threshold, {**labels, SCOPE: Scope.LOCAL.value}, None)

    @property
    def default(self) -> float | None:
        """The shipped number in its place, if there is one."""
        key = self.threshold.key.prometheus if self.threshold.key else ""
        return self.threshold.defaults.get(self.labels.get(key, ""))

    def looser_than(self, old: float | None) -> bool:
        """Say whether less alerts than with the old number, where None never alerts."""
        if self.number is None or old is None:
            return self.number is None and old is not None
        return self.number < old if self.threshold.higher_is_stricter else self.number > old


def parse(
    text: str,
    *,
    strategy: str | None = None,
    account: str | None = None,
    currency: str | None = None,
    of: str | None = None,
) -> Override:
    """Return what `NAME=NUMBER` or, to take a number back, `NAME` means; the number may be a percentage.

    Args:
        text: The threshold's name, or what makes it the only one that begins so, and the number.
        strategy: For one strategy.
        account: For one account; money only.
        currency: ISO 4217 code or asset; money only, and needed there.
        of: Value of the threshold's key, for instance the kind of data.

    Raises:
        ConfigError: There is no such threshold, the number makes no sense, or it needs or takes no such part.
    """
    name, equals, number = text.partition("=")
    threshold = _find(name.strip())
    money = threshold.per == "account"
    parts = {
        a.STRATEGY.prometheus: (strategy, threshold.per == "strategy", False, "--strategy"),
        a.ACCOUNT.prometheus: (account, money, False, "--account"),
        a.CURRENCY.prometheus: (currency, money, money, "--currency"),
        (threshold.key or a.DATA_KIND).prometheus: (of, threshold.key is not None, threshold.key is not None, "--of"),
    }
    labels = {SCOPE: Scope.STRATEGY.value if strategy else Scope.ACCOUNT.value if account else Scope.LOCAL.value}
    for label, (value, taken, needed, option) in parts.items():
        if value is not None and not taken:
            message = f"{threshold.name} takes no {option}, got {value!r}. Leave it out: {threshold.brief}"
            raise ConfigError(message)
        if value is None and needed:
            message = (
                f"{threshold.name} differs by {label}, and none was said. "
                f"Add {option}, for instance {_example(threshold)}."
            )
            raise ConfigError(message)
        if value is not None:
            labels[label] = value
    _check_key(threshold, of)
    return Override(threshold, labels, _number(threshold, number) if equals else None)


def _find(name: str) -> Threshold:
    # `drawdown` is drawdown_ratio, although drawdown_growth_ratio begins like that too.
    exact = [BY_NAME[each] for each in (name, *(f"{name}_{unit}" for unit in _UNITS)) if each in BY_NAME]
    found = exact[:1] or [each for each in BY_NAME.values() if each.name.startswith(name)]
    if len(found) != 1 or not name:
        close = ", ".join(each.name for each in (found or BY_NAME.values()))
        message = f"{name!r} is {'more than one' if found and name else 'no'} threshold. Say one of: {close}."
        raise ConfigError(message)
    return found[0]


def _number(threshold: Threshold, text: str) -> float:
    low, high = threshold.allowed
    try:
        number = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        message = f"{threshold.name} is a number from {low:.12g} to {high:.12g}, got {text!r}. {threshold.brief}"
        raise ConfigError(message)
    return number


def _check_key(threshold: Threshold, value: str | None) -> None:
    if value is not None and threshold.key is not None and threshold.key.values and value not in threshold.key.values:
        message = f"--of {value!r} is no {threshold.key.name}. Say one of: {', '.join(threshold.key.values)}."
        raise ConfigError(message)


def _example(threshold: Threshold) -> str:
    if threshold.key is None:
        return "--currency USD"
    return f"--of {next(iter(threshold.defaults or threshold.key.values or threshold.key.examples))}"
