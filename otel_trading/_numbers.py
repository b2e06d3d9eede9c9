"""What users pass as a number becomes a float, once, at the edge; what cannot is refused and counted."""

from __future__ import annotations

import math
import sys
from datetime import datetime
from decimal import Decimal
from typing import Final, SupportsFloat, TypeAlias

from otel_trading._guard import lose

__all__ = ["Moment", "Number", "number", "unix_time"]

_MAX_SHOWN: Final = 100
_LARGEST: Final = sys.float_info.max
#: The protocol last, because to ask it takes a microsecond.
_TAKEN: Final = (int, float, str, Decimal, SupportsFloat)
#: Unix seconds in the year 5138; anything later is milliseconds or finer.
_LATEST: Final = 1e11
#: What helpers take: int, float, Decimal, numeric text, Fraction, numpy scalars.
Number: TypeAlias = "SupportsFloat | str"
#: A point in time: Unix seconds, or a datetime that knows its zone.
Moment: TypeAlias = "Number | datetime"


def number(value: object, what: str, *, minimum: float | None = None, maximum: float | None = None) -> float | None:
    """Return the value as a finite float, or None when it was refused and counted.

    Args:
        value: Anything that a user may pass; None is refused like any other non-number.
        what: How the caller calls it, for the message.
        minimum: The smallest allowed value.
        maximum: The largest allowed value.

    Raises:
        ConventionError: In strict mode, for a refused value.
    """
    if (
        type(value) is float
        and -_LARGEST <= value <= _LARGEST
        and (minimum is None or value >= minimum)
        and (maximum is None or value <= maximum)
    ):
        return value  # nearly every call
    if isinstance(value, bool) or not isinstance(value, _TAKEN):
        result: float | None = None
    else:
        result = _convert(value)
    if result is None:
        lose(
            "invalid_value",
            f"{what}={_shown(value)} is not a number. Pass an int, a float, a Decimal or numeric text.",
        )
        return None
    if not math.isfinite(result):
        lose("non_finite", f"{what}={_shown(value)} is not finite. Pass a finite number or leave the measurement out.")
        return None
    if minimum is not None and result < minimum:
        lose("invalid_value", f"{what}={_shown(value)} is below {minimum:g}, the smallest allowed. Pass its size.")
        return None
    if maximum is not None and result > maximum:
        lose("invalid_value", f"{what}={_shown(value)} is above {maximum:g}, the largest allowed. Look at its unit.")
        return None
    return result


def unix_time(value: Moment, what: str) -> float | None:
    """Return a point in time as Unix seconds, or None when it was refused and counted.

    Args:
        value: Unix seconds, or a datetime that knows its zone: one without would mean another time on every machine.
        what: How the caller calls it, for the message.

    Raises:
        ConventionError: In strict mode, for a refused value.
    """
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            return value.timestamp()
        lose("invalid_value", f"{what}={value} has no time zone. Pass datetime.now(timezone.utc) or Unix seconds.")
        return None
    stamp = number(value, what)
    if stamp is not None and stamp > _LATEST:
        lose("invalid_value", f"{what}={stamp:.0f} is not in seconds. Divide milliseconds by 1000.")
        return None
    return stamp


def _convert(value: SupportsFloat | str) -> float | None:
    try:
        return float(value)
    except OverflowError:
        return math.inf
    except Exception:  # noqa: BLE001  the user's own __float__ may raise anything
        return None


def _shown(value: object) -> str:
    try:
        return repr(value)[:_MAX_SHOWN]
    except Exception:  # noqa: BLE001  10 ** 5000 has no text, and a user's __repr__ may raise anything
        return f"a {type(value).__name__}"
