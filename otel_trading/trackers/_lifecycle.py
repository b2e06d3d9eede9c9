"""The trace of one order: remembered from its first request, emitted as one span when the order ends."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from opentelemetry import context as contexts
from opentelemetry import trace

from otel_trading import spans
from otel_trading.semconv import attributes as a
from otel_trading.semconv import events as happened
from otel_trading.semconv import spans as declared

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanContext

    from otel_trading._attributes import AttributeSet
    from otel_trading.spans import Moment

__all__ = ["Lifecycle"]

#: Ends that somebody will want to look at, sampled or not.
_BAD: Final = frozenset({"rejected", "denied", "lost"})
_SLOW: Final = 1_000_000_000
#: An order that is replaced all day keeps its first moments and the last ones.
_MAX_MOMENTS: Final = 64
_MAX_LINKS: Final = 32


class Lifecycle:
    """What is known of one order's trace; 1.4 kB for an open order, and none where nobody traces.

    Args:
        context: Of the request that sent the order, in which its span is current.
    """

    __slots__ = ("_links", "_moments", "context")

    def __init__(self, context: Context) -> None:
        request = trace.get_current_span(context).get_span_context()
        iteration = spans.iteration_of(context)
        #: Where everything that happens to the order belongs, whichever thread or task it happens on.
        self.context = trace.set_span_in_context(trace.NonRecordingSpan(request), contexts.Context())
        self._links: list[SpanContext] = [request] if iteration is None else [iteration, request]
        self._moments: list[Moment] = []

    @classmethod
    def of(cls, context: Context | None) -> Lifecycle | None:
        """Return a new one, or None when the order was sent in no trace.

        Args:
            context: Of the request, or None for the current one.
        """
        here = contexts.get_current() if context is None else context
        # nothing is in an empty context
        return cls(here) if here and trace.get_current_span(here).get_span_context().is_valid else None

    def requested(self, context: Context) -> None:
        """Link a further request about the order."""
        if len(self._links) < _MAX_LINKS:
            self._links.append(trace.get_current_span(context).get_span_context())

    def entered(self, status: str) -> None:
        """Note a state that the order entered now."""
        if len(self._moments) >= _MAX_MOMENTS:
            del self._moments[_MAX_MOMENTS // 2]
        self._moments.append((time.time_ns(), happened.ORDER_STATUS_CHANGED.name, {a.ORDER_STATUS.name: status}))

    def ended(self, attributes: AttributeSet, client_id: str, **ids: str) -> None:
        """Emit the span, from the first state to the last one.

        Args:
            attributes: Of the order, its last state included.
            client_id: Id under which it was sent.
            ids: order_id and venue_order_id, where they are known.
        """
        bad = attributes.get(a.ORDER_STATUS) in _BAD
        spans.past(
            declared.LIFECYCLE,
            attributes,
            parent=spans.kept(self.context) if bad or self._slow() else self.context,
            links=self._links,
            moments=self._moments,
            failed=bad,
            client_id=client_id,
            **ids,
        )

    def _slow(self) -> bool:
        """Whether the venue took more than a second to say anything."""
        return self._moments[min(1, len(self._moments) - 1)][0] - self._moments[0][0] > _SLOW
