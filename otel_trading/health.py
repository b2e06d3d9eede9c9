"""Health checks of a bot: registered once, run together, exported by themselves.

::

    from otel_trading import health

    checks = health.Registry()
    checks.register("database", lambda: (database.ping(), "ping"))
    checks.run_all()
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading._timer import error_type

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    Answer: TypeAlias = "bool | tuple[bool, str]"
    Check: TypeAlias = "Callable[[], Answer | Awaitable[Answer]]"

__all__ = ["Registry", "Result"]

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Result:
    """What a check said: whether it passed, its message, its seconds, and the class of error when it raised."""

    ok: bool
    message: str = ""
    seconds: float = 0.0
    error: str | None = None


class Registry:
    """Named checks; each returns a bool, or a bool and a message, and may be async. One that raises has failed.

    A check that fails for the first time, or again after it passed, is logged with its class of error.

    Emits: `trading.resilience.health_check.duration`; feeds `trading.resilience.health_check.status`.
    """

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._failed: set[str] = set()

    def register(self, name: str, check: Check) -> None:
        """Add a check, or replace the one of this name.

        Args:
            name: Your name of it, one of few.
            check: Takes nothing; what it returns may be awaitable.
        """
        self._checks[name] = check

    def run_all(self) -> dict[str, Result]:
        """Run every check, one after the other, and export the results; async ones in a loop of their own.

        Raises:
            RuntimeError: Inside a running loop, which an async check would have to share: await `run_all_async`.
        """
        if any(inspect.iscoroutinefunction(check) for check in self._checks.values()):
            return asyncio.run(self.run_all_async())
        return {name: self._taken(name, _timed(check)) for name, check in list(self._checks.items())}

    async def run_all_async(self) -> dict[str, Result]:
        """Run every check at the same time and export the results; those that are not async run in threads."""
        names, checks = list(self._checks), list(self._checks.values())
        results = await asyncio.gather(*(_timed_async(check) for check in checks))
        return {name: self._taken(name, result) for name, result in zip(names, results, strict=True)}

    def _taken(self, name: str, result: Result) -> Result:
        meter.health(name=name, ok=result.ok, seconds=result.seconds)
        if result.ok:
            self._failed.discard(name)
        elif name not in self._failed:
            self._failed.add(name)
            _log.warning("Health check %s failed: %s: %s", name, result.error or "no error", result.message)
        return result


def _timed(check: Callable[[], Any]) -> Result:
    begin = time.perf_counter()
    try:
        answer = check()
    except Exception as error:  # noqa: BLE001  whatever a check raises, it has failed
        return _raised(error, begin)
    return _result(answer, begin)


async def _timed_async(check: Callable[[], Any]) -> Result:
    begin = time.perf_counter()
    try:
        answer = check() if inspect.iscoroutinefunction(check) else await asyncio.to_thread(check)
        if inspect.isawaitable(answer):
            answer = await answer
    except Exception as error:  # noqa: BLE001  whatever a check raises, it has failed
        return _raised(error, begin)
    return _result(answer, begin)


def _raised(error: Exception, begin: float) -> Result:
    return Result(ok=False, message=str(error), seconds=time.perf_counter() - begin, error=error_type(error))


def _result(answer: object, begin: float) -> Result:
    seconds = time.perf_counter() - begin
    match answer:
        case bool():
            return Result(ok=answer, seconds=seconds)
        case (bool() as ok, str() as message):
            return Result(ok=ok, message=message, seconds=seconds)
        case _:
            said = f"It returned a {type(answer).__name__}. Return True, False or (ok, message)."
            return Result(ok=False, message=said, seconds=seconds)
