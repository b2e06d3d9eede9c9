"""The shape of a threshold: a number that alerts and boards compare with, and who may set it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Literal

from otel_trading.errors import ConventionError
from otel_trading.semconv import Kind, Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    from otel_trading.semconv import Attribute
    from otel_trading.semconv import attributes as a

__all__ = ["Group", "Limit", "Scope", "Threshold"]

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: How often what is compared is computed: 1 s, 15 s, 1 min.
Group = Literal["fast", "trading", "slow", "stack"]


class Scope(Enum):
    """Whose number it is; `default` ships, the others are a user's."""

    DEFAULT = "default"
    LOCAL = "local"
    STRATEGY = "strategy"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Limit:
    """The app's own limit that wins over any threshold: `meter.risk_limit(name=..., unit=...)`."""

    name: str
    unit: a.LimitUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One number that rules compare with, as the series `trading:threshold:NAME`.

    Args:
        name: What follows `trading:threshold:`; ends with its unit as Prometheus would write it.
        brief: One sentence for people: what is compared, and the unit.
        default: The shipped number, one per value of `key` where there is one; None where no number suits everybody.
        allowed: Smallest and largest number that makes sense.
        of: What is compared: metrics of the convention, or series that rules record or that others emit.
        key: Attribute by whose value the number differs.
        limit: The app's own limit, which wins.
        higher_is_stricter: Whether a larger number alerts sooner, as with a smallest win rate.
        per: `strategy`: in force for each live bot and strategy that has what is compared, and may be set for one
            strategy; `job`: for each process; `stack`: for the whole stack; `account`: money, set per currency and
            account, whose winner is computed beside its alert.
        group: How often the winner is computed.
    """

    name: str
    brief: str
    default: float | Mapping[str, float] | None
    allowed: tuple[float, float]
    of: tuple[Metric | str, ...] = ()
    key: Attribute | None = None
    limit: Limit | None = None
    higher_is_stricter: bool = False
    per: Literal["strategy", "job", "stack", "account"] = "strategy"
    group: Group = "trading"

    def __post_init__(self) -> None:
        wrong = [number for number in self.defaults.values() if not self.allowed[0] <= number <= self.allowed[1]]
        if wrong or not _NAME.fullmatch(self.name) or not self.brief.endswith("."):
            message = (
                f"Threshold {self.name!r} has a bad name, a brief without a full stop, or a default outside "
                f"{self.allowed}: {wrong}. Correct its declaration."
            )
            raise ConventionError(message)

    @property
    def record(self) -> str:
        """The series of every number that is set."""
        return f"trading:threshold:{self.name}"

    @property
    def in_force(self) -> str:
        """The series of the number that wins."""
        return f"trading:threshold_in_force:{self.name}"

    @property
    def defaults(self) -> dict[str, float]:
        """Return the shipped numbers by the value of `key`; by an empty string where there is no key."""
        if self.default is None:
            return {}
        return {"": self.default} if isinstance(self.default, (int, float)) else dict(self.default)

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """Return the scopes in which a user may set it."""
        own = {"strategy": (Scope.STRATEGY,), "account": (Scope.ACCOUNT,)}
        return (Scope.LOCAL, *own.get(self.per, ()))

    @property
    def series(self) -> tuple[str, ...]:
        """Return the Prometheus names of what is compared."""
        return tuple(of if isinstance(of, str) else _one_series(of) for of in self.of)


def _one_series(metric: Metric) -> str:
    return f"{metric.prometheus}_count" if metric.kind is Kind.HISTOGRAM else metric.prometheus
