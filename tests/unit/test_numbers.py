from __future__ import annotations

import decimal
import math
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import losses

from otel_trading._numbers import number
from otel_trading.errors import ConventionError

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

numbers = st.one_of(
    st.integers(),
    st.integers(min_value=10**300),
    st.floats(),
    st.decimals(),
    st.fractions(),
    st.text(max_size=8),
    st.none(),
    st.booleans(),
    st.complex_numbers(),
    st.binary(max_size=4),
    st.lists(st.integers(), max_size=2),
)


class Hostile:
    def __float__(self) -> float:
        raise RuntimeError(self)

    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1.0),
        (-1.5, -1.5),
        (0, 0.0),
        (10**19, 1e19),
        (Decimal("0.1"), 0.1),
        (Fraction(1, 4), 0.25),
        ("2.5", 2.5),
        (" 1e3 ", 1000.0),
        (np.float64(3.5), 3.5),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7.0),
    ],
)
def test_every_kind_of_number_becomes_the_same_float(value: float, expected: float) -> None:
    converted = number(value, "x")

    assert type(converted) is float
    assert converted == expected


@pytest.mark.parametrize(
    "value",
    [None, True, False, "", "abc", "0x10", 1j, b"1", [1], {}, object(), Decimal("sNaN"), np.array([1, 2]), Hostile()],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_number_is_refused_and_counted_once(production: CapturingMeter, value: object) -> None:
    assert number(value, "x") is None
    assert losses(production) == {"invalid_value": 1}


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, "nan", "-inf", Decimal("NaN"), 10**400, 10**5000, np.float64("nan")],
    ids=["nan", "inf", "-inf", "text nan", "text -inf", "Decimal", "10^400", "10^5000", "numpy"],
)
def test_what_is_not_finite_is_refused_and_counted_once(production: CapturingMeter, value: object) -> None:
    assert number(value, "x") is None
    assert losses(production) == {"non_finite": 1}


def test_a_value_below_the_minimum_is_refused_and_one_at_it_is_not(production: CapturingMeter) -> None:
    assert number(-0.001, "x", minimum=0) is None
    assert number(0, "x", minimum=0) == 0.0
    assert losses(production) == {"invalid_value": 1}


def test_strict_mode_raises_a_sentence_that_says_what_was_got() -> None:
    with pytest.raises(ConventionError, match=r"price='abc' is not a number. Pass an int, a float, a Decimal"):
        number("abc", "price")


def test_a_huge_text_is_not_repeated_in_the_message() -> None:
    with pytest.raises(ConventionError) as caught:
        number("x" * 1_000_000, "price")

    assert len(str(caught.value)) < 300


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(numbers, st.sampled_from([None, 0.0]))
def test_any_value_at_all_becomes_a_finite_float_or_one_loss(
    production: CapturingMeter, value: object, minimum: float | None
) -> None:
    before = sum(losses(production).values())

    converted = number(value, "x", minimum=minimum)

    lost = sum(losses(production).values()) - before
    if converted is None:
        assert lost == 1
    else:
        assert lost == 0
        assert math.isfinite(converted)
        assert minimum is None or converted >= minimum


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15))
def test_a_decimal_converts_as_python_converts_it_whatever_the_context(value: Decimal) -> None:
    with decimal.localcontext() as context:
        context.prec = 3

        assert number(value, "x") == float(value)
