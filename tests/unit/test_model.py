from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_trading import semconv
from otel_trading.errors import ConventionError
from otel_trading.semconv import Attribute, Cardinality, Kind, Metric, Unit
from otel_trading.semconv import attributes as a
from otel_trading.semconv._model import Family

FAMILY = Family(("order",), a.COMMON)


@pytest.mark.parametrize(
    "name",
    ["", "order", "trading.", "trading.Order.sent", "trading order", "trading..x", "trading.1x", "tra-ding.x", "a.b_"],
)
def test_a_name_that_is_no_convention_name_is_refused(name: str) -> None:
    with pytest.raises(ConventionError, match="is not a convention name"):
        Metric(name, Kind.COUNTER, Unit("1"), "D.", ())


@pytest.mark.parametrize("word", ["total", "seconds", "bytes", "ratio", "percent", "milliseconds"])
def test_a_name_that_carries_its_unit_is_refused(word: str) -> None:
    with pytest.raises(ConventionError, match="carries a unit or 'total'"):
        Metric(f"trading.order.{word}", Kind.COUNTER, Unit("1"), "D.", ())


@pytest.mark.parametrize("text", ["", "ms", "seconds", "%", "USD", "{Order}", "{order", "{order}/min", "s/s"])
def test_a_unit_outside_the_convention_is_refused(text: str) -> None:
    with pytest.raises(ConventionError, match="is not one that we use"):
        Unit(text)


@pytest.mark.parametrize("text", ["s", "By", "1", "{order}", "{order}/s", "{unit}"])
def test_the_units_of_the_convention_are_accepted(text: str) -> None:
    assert str(Unit(text)) == text


@pytest.mark.parametrize(
    "boundaries", [(), (2.0, 1.0), (1.0, 1.0), tuple(float(n) for n in range(17))], ids=["none", "fall", "twice", "17"]
)
def test_a_histogram_without_proper_boundaries_is_refused(boundaries: tuple[float, ...]) -> None:
    with pytest.raises(ConventionError, match="A histogram needs 1 to 16"):
        Metric("trading.order.x", Kind.HISTOGRAM, Unit("s"), "D.", (), boundaries)


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.HISTOGRAM])
def test_boundaries_on_any_other_kind_are_refused(kind: Kind) -> None:
    with pytest.raises(ConventionError, match="no other kind has any"):
        Metric("trading.order.x", kind, Unit("s"), "D.", (), (1.0,))


def test_an_attribute_named_twice_is_refused() -> None:
    with pytest.raises(ConventionError, match="names an attribute twice"):
        Metric("trading.order.x", Kind.COUNTER, Unit("1"), "D.", (a.required(a.MODE), a.opt_in(a.MODE)))


def test_an_unbounded_attribute_is_refused_on_a_metric() -> None:
    order_id = Attribute("trading.order.id", "Id.", Cardinality.HIGH, examples=("7",))

    with pytest.raises(ConventionError, match="Put them on a span"):
        Metric("trading.order.x", Kind.COUNTER, Unit("1"), "D.", (a.required(order_id),))


def test_an_attribute_without_values_or_examples_is_refused() -> None:
    with pytest.raises(ConventionError, match="neither values nor examples"):
        Attribute("trading.order.x", "Brief.")


@pytest.mark.parametrize("name", ["trading.venue.x", "trading.orders.x", "other.order.x"])
def test_a_family_refuses_names_of_another(name: str) -> None:
    with pytest.raises(ConventionError, match="is not of this family"):
        FAMILY.metric(name, Kind.COUNTER, Unit("1"), "D.")


def test_a_family_adds_its_common_attributes_behind_the_own_ones() -> None:
    metric = FAMILY.metric("trading.order.x", Kind.COUNTER, Unit("1"), "D.", (a.ORDER_SIDE, a.required(a.SYMBOL)))

    assert metric.attributes == (a.ORDER_SIDE, a.SYMBOL, a.MODE, a.VENUE, a.STRATEGY, a.ACCOUNT)
    assert {use.attribute.name: use.level for use in metric.uses}[a.SYMBOL.name] is semconv.Level.REQUIRED


def test_a_metric_is_found_by_each_of_its_names() -> None:
    metric = semconv.order.REQUEST_DURATION

    for name in (metric.name, metric.prometheus, *metric.series):
        assert semconv.find(name) is metric
    assert semconv.find("trading.nothing") is None


def test_no_two_metrics_share_a_name_or_a_series() -> None:
    assert len(semconv.BY_NAME) == len(semconv.ALL)
    assert len(semconv.BY_SERIES) == sum(len(metric.series) for metric in semconv.ALL)


@given(st.text(max_size=30))
def test_any_text_as_a_name_is_accepted_or_refused_by_our_own_error(name: str) -> None:
    try:
        metric = Metric(name, Kind.COUNTER, Unit("1"), "D.", ())
    except ConventionError:
        return
    assert metric.prometheus.replace("_", "").isalnum()
