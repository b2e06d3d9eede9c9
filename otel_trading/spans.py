"""Spans: what took how long and was part of what, through OpenTelemetry's API only; they cost nothing without an SDK.

::

    with spans.start(semconv.spans.EXECUTION, attributes, client_id="momentum-1842"):
        ...  # what is recorded here carries the trace as its exemplar

A span carries no text of an exception: it may hold secrets. The class of the error stands in `error.type`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.trace import SpanKind, Status, StatusCode

from otel_trading import __version__, _carried, _locks
from otel_trading._guard import guarded
from otel_trading.semconv import attributes as a
from otel_trading.semconv import spans as declared

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from contextvars import Token
    from types import TracebackType
    from typing import TypeAlias

    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer, TracerProvider
    from typing_extensions import Self

    from otel_trading._attributes import AttributeSet
    from otel_trading.semconv import Span

    Moment: TypeAlias = "tuple[int, str, dict[str, str]]"

__all__ = ["Started", "bind", "is_kept", "iteration_of", "kept", "past", "restore", "start", "tracer"]

SCOPE: Final = "otel_trading"
_KINDS: Final = {"internal": SpanKind.INTERNAL, "client": SpanKind.CLIENT, "consumer": SpanKind.CONSUMER}
_ITERATION: Final = contexts.create_key("otel_trading.iteration")
_KEPT: Final = contexts.create_key("otel_trading.kept")


#: Seconds after which a provider that somebody set meanwhile is looked for: asking each time would cost a microsecond.
_PATIENCE: Final = 0.1


class _State:
    tracer: Tracer | None = None
    again = 0.0


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
        _locks.run(self._span.end)

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


_NOTHING: Final = _Nothing()


def start(
    span: Span,
    attributes: AttributeSet,
    *,
    parent: Context | None = None,
    **ids: str | None,
) -> Started:
    """Begin a span; it becomes the current one when it is entered.

    Args:
        span: Which one.
        attributes: As they stand on metrics; those that the span does not carry are left out.
        parent: The context that it is part of, in which case it is linked to the current one; None for that one.
        ids: client_id, order_id, venue_order_id, execution_id, position_id, backtest_id.

    Raises:
        ConventionError: In strict mode, when a required attribute is missing.
    """
    own = tracer()
    values = None if own is None else _carried.carried(span, attributes, ids)
    if own is None or values is None:
        return _NOTHING
    name = span.name if span.detail is None else f"{span.name} {values.get(span.detail.name, '')}".rstrip()
    begun = own.start_span(name, parent, _KINDS[span.kind.value], values, _around(parent))
    context = trace.set_span_in_context(begun, parent)
    if span is declared.ITERATION:
        context = contexts.set_value(_ITERATION, begun.get_span_context(), context)
    return Started(begun, context)


def past(
    span: Span,
    attributes: AttributeSet,
    *,
    parent: Context,
    links: Iterable[trace.SpanContext],
    moments: Sequence[Moment],
    failed: bool,
    **ids: str | None,
) -> None:
    """Emit a span whose time is over.

    Args:
        span: Which one.
        attributes: As they stand on metrics; those that the span does not carry are left out.
        parent: The context that it is part of.
        links: Other spans that it has to do with.
        moments: Unix nanoseconds, name and attributes of what happened in it; it lasts from the first to the last.
        failed: Whether it came to a bad end.
        ids: client_id, order_id, venue_order_id, execution_id, position_id, backtest_id.

    Raises:
        ConventionError: In strict mode, when a required attribute is missing.
    """
    own = tracer()
    values = None if own is None else _carried.carried(span, attributes, ids)
    if own is None or values is None:
        return
    linked = [trace.Link(link) for link in links]
    made = own.start_span(span.name, parent, _KINDS[span.kind.value], values, linked, moments[0][0])
    for when, name, happened in moments:
        made.add_event(name, happened, when)
    if failed:
        made.set_status(Status(StatusCode.ERROR))
    made.end(moments[-1][0])


def _around(parent: Context | None) -> list[trace.Link]:
    """Return a link to where a span begins that is part of something else."""
    here = trace.get_current_span().get_span_context()
    return [trace.Link(here)] if parent is not None and here.is_valid else []


def kept(context: Context) -> Context:
    """Return a context whose spans are kept, whatever the sampler says of others."""
    return contexts.set_value(_KEPT, value=True, context=context)


def is_kept(context: Context | None) -> bool:
    """Return whether a span that begins in the context is kept; for samplers."""
    return bool(contexts.get_value(_KEPT, context))


def iteration_of(context: Context | None) -> trace.SpanContext | None:
    """Return the loop of a strategy within which a context was made, or None."""
    found = contexts.get_value(_ITERATION, context)
    return found if isinstance(found, trace.SpanContext) else None


def tracer() -> Tracer | None:
    """Return the tracer, or None while nobody traces."""
    own = _State.tracer
    return _find() if own is None and time.monotonic() >= _State.again else own


def _find() -> Tracer | None:
    provider = trace.get_tracer_provider()
    if isinstance(provider, (trace.ProxyTracerProvider, trace.NoOpTracerProvider)):
        _State.again = time.monotonic() + _PATIENCE
        return None
    return bind(provider)[1]


def bind(provider: TracerProvider) -> tuple[Tracer | None, Tracer]:
    """Trace under another provider; returns the tracer before and the one now."""
    _carried.forget()
    before, now = _State.tracer, provider.get_tracer(SCOPE, __version__)
    _State.tracer = now
    return before, now


def restore(before: Tracer | None) -> None:
    """Put back what `bind` returned."""
    _carried.forget()
    _State.tracer = before
