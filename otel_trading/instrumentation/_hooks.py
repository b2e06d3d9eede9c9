"""Hooks that wait until the bot imports their library, and that come off again."""

from __future__ import annotations

import functools
import importlib
import inspect
import operator
import weakref
from contextvars import ContextVar
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, ClassVar, Final, ParamSpec

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from wrapt import BoundFunctionWrapper, FunctionWrapper, register_post_import_hook, wrap_object

from otel_trading import _guard

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from otel_trading.semconv import Metric

__all__ = ["LazyInstrumentor", "covered", "covering", "put", "quietly", "take_off"]

P = ParamSpec("P")
_covered: ContextVar[bool] = ContextVar("otel_trading_covered", default=False)


class covering:  # noqa: N801  a function to whoever writes `with covering():`
    """Open a connection inside, when its library's own hooks report of it: then websockets and aiohttp do not as well.

    It holds for the connections opened in the block and in the tasks that it starts, for as long as they live.
    """

    __slots__ = ("_token",)

    def __enter__(self) -> None:
        self._token = _covered.set(True)

    def __exit__(self, *_: object) -> None:
        _covered.reset(self._token)


def covered() -> bool:
    """Return whether a library above reports of the connection that is about to open."""
    return _covered.get()


def quietly(function: Callable[P, None]) -> Callable[P, None]:
    """Keep what goes wrong while a hook reads away from the bot, in strict mode too: it is counted as `internal_error`.

    Foreign objects come in any shape; the library's own result and exception must reach the bot as they are.
    """

    @functools.wraps(function)
    def read(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except Exception:  # noqa: BLE001  the bot goes on as if nobody looked
            _guard.count("internal_error")

    return read


class _BoundHook(BoundFunctionWrapper):  # type: ignore[type-arg]  # untyped upstream
    """A hook as an instance or a class gives it."""

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Be pickled as what is wrapped is: bots hand methods to pools of processes."""
        owner: Any = getattr(self, "__self__", None)  # an instance, or the class of a class method
        if owner is not None:
            return getattr, (owner, self.__name__)
        return _find, (self.__module__, self.__qualname__)


class _Hook(FunctionWrapper):  # type: ignore[type-arg]  # untyped upstream
    """A hook on a function or in a class."""

    __bound_function_wrapper__ = _BoundHook

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        """Be pickled as what is wrapped is."""
        return _find, (self.__module__, self.__qualname__)


def _find(module: str, name: str) -> Any:
    return operator.attrgetter(name)(importlib.import_module(module))


#: Those of our hooks that are functions.
_functions: Final[weakref.WeakSet[Callable[..., Any]]] = weakref.WeakSet()
_YIELDS: Final = inspect.CO_GENERATOR | inspect.CO_ASYNC_GENERATOR


@quietly
def put(module: Any, name: str, wrapper: Callable[..., Any]) -> None:
    """Hook one function; one that a version does not have is no reason to fail the bot's import.

    Args:
        module: Or class that holds it.
        name: `function` or `Class.method`.
        wrapper: Is called in its place, with what it was bound to as wrapt does it.
    """
    owner, _, attribute = name.rpartition(".")
    holder = operator.attrgetter(owner)(module) if owner else module
    hook = _function(inspect.getattr_static(holder, attribute), wrapper, bound=isinstance(holder, type))
    if hook is None:
        wrap_object(module, name, _Hook, (wrapper,))
    else:
        _functions.add(hook)
        setattr(holder, attribute, hook)


def _function(function: Any, wrapper: Callable[..., Any], *, bound: bool) -> Callable[..., Any] | None:
    """Return a hook that is a function like what it stands for, or None: wrapt takes all, for 1 to 2 us a call more."""
    if type(function) is not FunctionType or function.__code__.co_flags & _YIELDS:
        return None
    if not inspect.iscoroutinefunction(function):
        return _plain(function, wrapper, bound=bound)
    # a hook that does something before it is awaited must go on to do it then
    return _awaited(function, wrapper, bound=bound) if inspect.iscoroutinefunction(wrapper) else None


def _plain(function: FunctionType, wrapper: Callable[..., Any], *, bound: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return wrapper(MethodType(function, self), self, args, kwargs)

    @functools.wraps(function)
    def free(*args: Any, **kwargs: Any) -> Any:
        return wrapper(function, None, args, kwargs)

    return method if bound else free


def _awaited(function: FunctionType, wrapper: Callable[..., Any], *, bound: bool) -> Callable[..., Any]:
    @functools.wraps(function)
    async def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return await wrapper(MethodType(function, self), self, args, kwargs)

    @functools.wraps(function)
    async def free(*args: Any, **kwargs: Any) -> Any:
        return await wrapper(function, None, args, kwargs)

    return method if bound else free


def take_off(module: Any, name: str) -> None:
    """Take a hook off again, what runs through it ends as it began; somebody else's upon ours stays."""
    owner, _, attribute = name.rpartition(".")
    holder: Any = getattr(module, owner, None) if owner else module
    hook: object = vars(holder or object).get(attribute)
    if type(hook) is _Hook or (type(hook) is FunctionType and hook in _functions):
        setattr(holder, attribute, operator.attrgetter("__wrapped__")(hook))


class LazyInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # untyped upstream
    """Wraps functions and methods of a library once the bot imports it; a subclass names them.

    A subclass states:
        versions: The library and what of it is supported, as pip writes requirements: from the oldest tested to the
            next version that may break. Empty for a module of Python itself.
        tested: The oldest and the newest version that CI drives (tests/libraries); none for a module of Python.
        emits: The metrics that a bot gains, for the table of support.
        gains: The same in words, where it emits none of ours.
        hooks: What to wrap, `function` or `Class.method`, by the module that holds it. Where wrapping is not enough,
            it overrides `_arrived` and `_left`.
    """

    versions: ClassVar[str]
    tested: ClassVar[tuple[str, str] | tuple[()]]
    emits: ClassVar[tuple[Metric, ...]]
    gains: ClassVar[str] = ""
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]]
    #: Modules that have been imported, by name; None until the first `instrument`.
    _modules: dict[str, Any] | None = None

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the library and the versions of it that are supported."""
        return (self.versions,) if self.versions else ()

    def _instrument(self, **kwargs: Any) -> None:
        del kwargs
        self._is_instrumented_by_opentelemetry = True  # a hook below may run at once
        if self._modules is not None:
            for module in self._modules.values():
                self._arrived(module)
            return
        self._modules = {}
        for name in self.hooks:
            register_post_import_hook(self._imported, name)

    def _imported(self, module: Any) -> None:
        assert self._modules is not None  # noqa: S101  set before the hook was
        self._modules[module.__name__] = module
        if self._is_instrumented_by_opentelemetry:
            self._arrived(module)

    def _arrived(self, module: Any) -> None:
        """Put the hooks on a module that is imported."""
        for name, wrapper in self.hooks[module.__name__].items():
            put(module, name, wrapper)

    def _left(self, module: Any) -> None:
        """Take the hooks off it again."""
        for name in self.hooks[module.__name__]:
            take_off(module, name)

    def _uninstrument(self, **kwargs: Any) -> None:
        del kwargs
        for module in (self._modules or {}).values():
            self._left(module)
