"""purgatory: the state of each circuit, and the outcome and duration of each call that it guards, sync and async.

| Read from each circuit, decorator or `with` block  | Emitted                                                     |
| -------------------------------------------------- | ----------------------------------------------------------- |
| its state at each call                             | `trading.resilience.circuit_breaker.status`, `.transitions` |
| calls that succeed, fail, or are refused when open | `.call.duration` by outcome                                 |

The name is the circuit's. What the user excludes counts as success, as purgatory does. Of a circuit whose state is kept
in Redis each process shows what its own calls met.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading.instrumentation import _breakers
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric
    from otel_trading.semconv.attributes import BreakerState

__all__ = ["PurgatoryInstrumentor"]

_OPENED: Final = "opened"
_STATES: Final[dict[str, BreakerState]] = {"closed": "closed", _OPENED: "open", "half-opened": "half_open"}


def _enter(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        entered = wrapped(*args, **kwargs)
    except BaseException as error:
        _refused(instance, error)
        raise
    _let_in(instance)
    return entered


def _exit(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    swallowed = wrapped(*args, **kwargs)
    _let_out(instance, *args)
    return swallowed


@quietly
def _refused(circuit: Any, error: BaseException) -> None:
    _breakers.refused(circuit.name, _STATES.get(circuit.state), type(error).__qualname__)


@quietly
def _let_in(circuit: Any) -> None:
    _breakers.entered(circuit, circuit.name, _STATES.get(circuit.state))


@quietly
def _let_out(circuit: Any, _kind: object, error: BaseException | None, _trace: object) -> None:
    # an excluded exception closes the circuit and takes its failures back, as a success does
    failed = error is not None and (circuit.state == _OPENED or bool(circuit.failure_count))
    _breakers.left(circuit, circuit.name, _STATES.get(circuit.state), error, failed=failed)


class PurgatoryInstrumentor(LazyInstrumentor):
    """Looks at each circuit where its sync and its async breaker meet."""

    versions = "purgatory >= 2, < 4"
    tested = ("2.0.0", "3.0.1")
    emits: ClassVar[tuple[Metric, ...]] = _breakers.EMITS
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "purgatory.domain.model": {"Context.__enter__": _enter, "Context.__exit__": _exit}
    }
