from __future__ import annotations

import pytest

from otel_trading import semconv
from otel_trading.errors import ConventionError
from otel_trading.semconv import Event, Span
from otel_trading.semconv import attributes as a


@pytest.mark.parametrize("kind", [Span, Event])
@pytest.mark.parametrize(
    ("name", "uses", "complaint"),
    [
        ("trading.Order", (), "is not a convention name"),
        ("http.client.call", (), "is not ours"),
        ("trading.order.sent", (a.required(a.MODE), a.opt_in(a.MODE)), "names an attribute twice"),
    ],
)
def test_a_declaration_that_is_wrong_is_refused(
    kind: type[Span | Event], name: str, uses: tuple[semconv.Use, ...], complaint: str
) -> None:
    with pytest.raises(ConventionError, match=complaint):
        kind(name, "Something.", uses)


def test_a_span_reads_by_its_name_and_the_attribute_behind_it() -> None:
    assert semconv.spans.ORDER.title == "trading.order {operation}"
    assert str(semconv.spans.ORDER) == semconv.spans.ORDER.name
    assert semconv.spans.LIFECYCLE.title == "trading.order.lifecycle"
    assert a.ORDER_CLIENT_ID in semconv.spans.LIFECYCLE.attributes
