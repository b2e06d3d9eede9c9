"""The sampler: what the user chose, and besides every order that went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk._configuration import _get_sampler, _import_sampler
from opentelemetry.sdk.trace.sampling import DEFAULT_ON, Decision, Sampler, SamplingResult

from otel_trading import spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.context import Context
    from opentelemetry.trace import Link, SpanKind, TraceState
    from opentelemetry.util.types import Attributes

__all__ = ["KeepingSampler", "sampler"]


class KeepingSampler(Sampler):
    """Keeps the lifecycle of an order that was rejected, denied, lost or slow, and asks another sampler otherwise.

    Args:
        other: Who decides otherwise.
    """

    def __init__(self, other: Sampler) -> None:
        self._other = other

    def should_sample(  # noqa: PLR0917  the interface of the SDK
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Decide on one span, as OpenTelemetry's samplers do."""
        if spans.is_kept(parent_context):
            return SamplingResult(Decision.RECORD_AND_SAMPLE, attributes)
        return self._other.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Say what it does, with the other sampler's words."""
        return f"TradingKeeping{{{self._other.get_description()}}}"


def sampler() -> KeepingSampler:
    """Return ours around what OTEL_TRACES_SAMPLER says, by default everything that the caller's trace keeps."""
    return KeepingSampler(_import_sampler(_get_sampler()) or DEFAULT_ON)
