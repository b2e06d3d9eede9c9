"""Circuit breakers of others: attached in one line, never replaced."""

from __future__ import annotations

import inspect
import time
from contextlib import suppress
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Protocol

from otel_trading import trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded, lose
from otel_trading.meter.resilience import breaker_called
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from otel_trading._attributes import AttributeSet

__all__ = ["Breaker", "attend_breaker", "leave_breaker", "watch_breaker"]

_WATCHED: Final = Keywords("watch_breaker", name=a.BREAKER, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT)
_MAX_OPEN: Final = 16
#: When the guarded calls began that are under way here, the innermost last.
_began: ContextVar[tuple[float, ...]] = ContextVar("otel_trading_breaker_calls", default=())
#: Whether the call under way was let through; nobody tells a listener of one that was not.
_passed: ContextVar[list[bool] | None] = ContextVar("otel_trading_breaker_passed", default=None)
#: Seconds of a success that is not told yet.
_succeeded: ContextVar[list[float] | None] = ContextVar("otel_trading_breaker_succeeded", default=None)


class Breaker(Protocol):
    """What pybreaker's `CircuitBreaker` offers; its documentation says what each means."""

    @property
    def name(self) -> str | None: ...  # noqa: D102
    @property
    def current_state(self) -> str: ...  # noqa: D102
    @property
    def listeners(self) -> tuple[Any, ...]: ...  # noqa: D102

    def add_listener(self, listener: Any) -> None:
        """Tell one more of changes and calls."""

    def remove_listener(self, listener: Any) -> None:
        """Tell it no longer."""

    def call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function, or refuse to."""


class _Listener:
    """Hears what pybreaker tells; the state belongs to the trackers that were in force when it was attached.

    One with a `naming` came by itself: it gives way to the user's own, and keeps silent until something happens.
    """

    def __init__(self, place: dict[str, str | None], naming: Callable[[object], str] | None = None) -> None:
        self.naming = naming
        self._place = place
        self._name = ""
        self._attributes: AttributeSet | None = None
        self._tracker = trackers.default().breakers

    @guarded
    def meet(self, name: str | None, state: str) -> None:
        """Take name and state when they are known first."""
        if name and self._attributes is None:
            self._attributes = _WATCHED.resolve(name, *self._place.values())
            self._name = name
            self._tracker.found(self._attributes, _state(state))

    @guarded
    def state_change(self, breaker: Breaker, old: Any, new: Any) -> None:
        """Note a change."""
        self.meet(breaker.name, old.name)
        if self._attributes is not None:  # else nobody knows yet what it guards
            self._tracker.changed(self._attributes, _state(new.name))

    @guarded
    def before_call(self, breaker: Breaker, func: object, *args: object, **kwargs: object) -> None:
        """Note that a call was let through."""
        del args, kwargs
        self._guards(breaker, (func,))
        _began.set((*_began.get()[1 - _MAX_OPEN :], time.perf_counter()))
        passed = _passed.get()
        if passed is not None:
            passed.append(True)

    def success(self, breaker: Breaker) -> None:
        """Note that it succeeded."""
        del breaker
        self._called("success", None)

    def failure(self, breaker: Breaker, error: BaseException) -> None:
        """Note that it failed."""
        del breaker
        self._called("failure", error)

    def through(self, breaker: Breaker) -> Callable[..., Any]:
        """Return the breaker's own `call`, which also notes what was not let through."""
        call = breaker.call

        @wraps(call)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._guards(breaker, args)
            outer, passed, begin = _passed.get(), list[bool](), time.perf_counter()
            token = _passed.set(passed)
            succeeded = list[float]()
            held = _succeeded.set(succeeded)
            try:
                result = call(*args, **kwargs)
            except BaseException as error:
                if not passed:
                    self._record("short_circuited", time.perf_counter() - begin, error)
                self._tell(succeeded)  # of an error that the breaker excludes
                raise
            finally:
                _succeeded.reset(held)
                _passed.reset(token)
                if outer is not None:
                    outer.extend(passed)  # pybreaker calls itself once more when it tries again after an open time
            if succeeded and inspect.iscoroutine(result):
                return self._awaited(breaker, result, begin)
            self._tell(succeeded)
            return result

        return watched

    def _tell(self, succeeded: list[float]) -> None:
        for seconds in succeeded:
            self._record("success", seconds, None)

    async def _awaited(self, breaker: Breaker, coroutine: Awaitable[Any], begin: float) -> Any:
        """Note how a coroutine ends; to pybreaker it succeeded when it was made, and whatever it raises is no news."""
        try:
            result = await coroutine
        except Exception as error:
            outcome: a.BreakerOutcome = "failure" if _counts(breaker, error) else "success"
            self._record(outcome, time.perf_counter() - begin, error if outcome == "failure" else None)
            raise
        self._record("success", time.perf_counter() - begin, None)
        return result

    @guarded
    def _guards(self, breaker: Breaker, functions: tuple[Any, ...]) -> None:
        if self._attributes is None and self.naming is not None and functions:
            self.meet(breaker.name or self.naming(functions[0]), breaker.current_state)

    @guarded
    def _called(self, outcome: a.BreakerOutcome, error: BaseException | None) -> None:
        began = _began.get()
        _began.set(began[:-1])
        seconds = time.perf_counter() - began[-1] if began else 0.0
        succeeded = _succeeded.get() if outcome == "success" else None
        if succeeded is None:
            self._record(outcome, seconds, error)
        else:
            succeeded.append(seconds)  # until it is known whether it was only a coroutine that was made

    def _record(self, outcome: a.BreakerOutcome, seconds: float, error: BaseException | None) -> None:
        breaker_called(name=self._name, outcome=outcome, seconds=seconds, error=error, **self._place)


def _counts(breaker: Any, error: Exception) -> bool:
    """Whether a breaker would take an error for a failure; one that cannot say takes every one."""
    with suppress(Exception):
        return bool(breaker.is_system_error(error))
    return True


@guarded
def watch_breaker(
    breaker: Breaker,
    /,
    *,
    name: str | None = None,
    enabled: bool = True,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Attach to a circuit breaker of pybreaker, or to one that offers the same; a second time changes nothing.

    The breaker decides as before. For one without listeners say `breaker_changed` and `breaker_called` yourself.

    Args:
        breaker: The breaker.
        name: Your name of it; its own when left out.
        enabled: False leaves the breaker alone.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.resilience.circuit_breaker.transitions` and `.call.duration`; feeds
        `trading.resilience.circuit_breaker.status`.
    """
    if not enabled or any(isinstance(one, _Listener) and one.naming is None for one in breaker.listeners):
        return
    called = name or breaker.name
    if not called:
        lose("invalid_value", "watch_breaker() needs a name: this breaker has none. Pass name=.")
        return
    leave_breaker(breaker)
    listener = _Listener({"venue": venue, "strategy": strategy, "account": account})
    listener.meet(called, breaker.current_state)
    _attach(breaker, listener)


def attend_breaker(breaker: Breaker, naming: Callable[[object], str]) -> None:
    """Attach without being asked; the user's own `watch_breaker` takes the place of this.

    Args:
        breaker: The breaker; one that is watched already is left alone.
        naming: Gives a breaker without a name one, of the first function that it guards.
    """
    if not any(isinstance(listener, _Listener) for listener in breaker.listeners):
        _attach(breaker, _Listener({"venue": None, "strategy": None, "account": None}, naming))


def leave_breaker(breaker: Breaker) -> None:
    """Take off again what `attend_breaker` attached."""
    for listener in breaker.listeners:
        if isinstance(listener, _Listener) and listener.naming is not None:
            breaker.remove_listener(listener)
            del breaker.call


def _attach(breaker: Breaker, listener: _Listener) -> None:
    breaker.add_listener(listener)
    breaker.call = listener.through(breaker)  # type: ignore[method-assign]  # a decorator of it calls it too


def _state(name: str) -> str:
    """Return our word for a state; pybreaker writes half-open."""
    return name.replace("-", "_")
