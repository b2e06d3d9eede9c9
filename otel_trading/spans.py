"""Spans: what took how long and was part of what, through OpenTelemetry's API only; they cost nothing without an SDK.

::

    with spans.start(semconv.spans.EXECUTION, attributes, client_id="momentum-1842"):
        ...  # what is recorded here carries the trace as its exemplar

A span carries no text of an exception: it may hold secrets. The class of the error stands in `error.type`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_trading import __version__, _carried
from otel_trading._guard import guarded
from otel_trading.semconv import attributes as a
from otel_trading.semconv import spans as declared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextvars import Token
    from types import TracebackType

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, Tracer, TracerProvider
    from typing_extensions import Self

    from otel_trading._attributes import AttributeSet
    from otel_trading.semconv import Span

__all__ = ["Started", "bind", "iteration_of", "restore", "start", "tracer"]

SCOPE: Final = "otel_trading"
_KINDS: Final = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER}
_ITERATION: Final = contexts.create_key("otel_trading.iteration")


class _State:
    tracer: Tracer | None = None


class Started:
    """A span that has begun; it is the current one from `enter` to `close`, or within a `with` block."""

    __slots__ = ("_span", "_token", "context")

    def __init__(self, span: trace.Span, context: Context) -> None:
        self._span = span
        self._token: Token[Context] | None = None
        #: The context in which the span is current.
        self.context: Context | None = context

    def enter(self) -> Self:
        """Make it the current span of this thread or task."""
        if self.context is not None:
            self._token = contexts.attach(self.context)
        return self

    def close(self, error: str | None = None) -> None:
        """End it, and make the one before it current again.

        Args:
            error: The `error.type` of what went wrong, or None.
        """
        if self._token is not None:
            contexts.detach(self._token)
            self._token = None
        self._end(error)

    @guarded
    def _end(self, error: str | None) -> None:
        if error:
            self._span.set_attribute(a.ERROR_TYPE.name, error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()

    def __enter__(self) -> Self:
        """Make it the current span."""
        return self.enter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it, whatever happened."""
        self.close(kind.__qualname__ if kind else None)


class _Nothing(Started):
    """What `start` returns while nobody traces: one object for all."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(trace.INVALID_SPAN, contexts.Context())
        self.context = None

    def close(self, error: str | None = None) -> None:
        """Do nothing."""


_NOTHING: Final = _Nothing()


def start(
    span: Span,
    attributes: AttributeSet,
    *,
    parent: Context | None = None,
    links: Sequence[Link] = (),
    **ids: str | None,
) -> Started:
    """Begin a span; it becomes the current one when it is entered.

    Args:
        span: Which one.
        attributes: As they stand on metrics; those that the span does not carry are left out.
        parent: The context that it is part of; the current one when None.
        links: Other spans that it has to do with.
        ids: client_id, order_id, venue_order_id, execution_id, position_id, backtest_id.

    Raises:
        ConventionError: In strict mode, when a required attribute is missing.
    """
    own = tracer()
    if own is None:
        return _NOTHING
    values = _carried.carried(span, attributes, ids)
    if values is None:
        return _NOTHING
    name = span.name if span.detail is None else f"{span.name} {values.get(span.detail.name, '')}".rstrip()
    begun = own.start_span(name, parent, _KINDS[span.kind.value], values, links)
    context = trace.set_span_in_context(begun, parent)
    if span is declared.ITERATION:
        context = contexts.set_value(_ITERATION, begun.get_span_context(), context)
    return Started(begun, context)


def iteration_of(context: Context | None) -> trace.SpanContext | None:
    """Return the loop of a strategy within which a context was made, or None."""
    found = contexts.get_value(_ITERATION, context)
    return found if isinstance(found, trace.SpanContext) else None


def tracer() -> Tracer | None:
    """Return the tracer, or None while nobody traces."""
    own = _State.tracer
    if own is None:
        provider = trace.get_tracer_provider()
        if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
            return None
        own = _State.tracer = provider.get_tracer(SCOPE, __version__)
    return own


def bind(provider: TracerProvider) -> Tracer | None:
    """Trace under another provider; returns the tracer before."""
    _carried.forget()
    before, _State.tracer = _State.tracer, provider.get_tracer(SCOPE, __version__)
    return before


def restore(before: Tracer | None) -> None:
    """Put back what `bind` returned."""
    _carried.forget()
    _State.tracer = before
