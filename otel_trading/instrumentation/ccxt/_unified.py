"""Hooks on the unified methods of each venue's class, which overrides those of the base class."""

from __future__ import annotations

import functools
import inspect
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from otel_trading.instrumentation._hooks import quietly
from otel_trading.instrumentation.ccxt import _streams
from otel_trading.instrumentation.ccxt._calls import CALL, Call

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["dress", "dress_all", "undress"]

_UN_WATCH: Final = "un_"
#: Where ccxt declares what all venues share.
_BASE: Final = "ccxt.base.exchange"
#: What each class had before, by name; and the hook of each method.
_dressed: Final[dict[type, dict[str, Callable[..., Any]]]] = {}
_hooks: Final[dict[Callable[..., Any], Callable[..., Any]]] = {}


@quietly
def dress(kind: type) -> None:
    """Hook what a class and those above it declare of the unified methods; once, and only in ccxt's own classes."""
    for one in kind.__mro__:
        if one not in _dressed and one.__module__.startswith("ccxt.") and ".base." not in one.__module__:
            _dressed[one] = {}
            for name in _names(_base(kind)):
                method = vars(one).get(name)
                if inspect.isfunction(method):
                    _hooks.setdefault(method, _hook(name, method))
    for one in kind.__mro__:
        # those of an earlier instance in camel case too, which ccxt copies down to the class of the instance
        for name, method in list(vars(one).items()):
            if inspect.isfunction(method) and method in _hooks:
                _dressed.setdefault(one, {})[name] = method
                setattr(one, name, _hooks[method])


def undress() -> None:
    """Take the hooks off again; where somebody else hooked since, ours stay below his and do nothing."""
    for one, before in _dressed.items():
        for name, method in before.items():
            if vars(one).get(name) is _hooks[method]:
                setattr(one, name, method)
    _dressed.clear()
    _hooks.clear()


def dress_all(base: type[object]) -> None:
    """Hook every class that is there already, for bots that instrument late."""
    for one in base.__subclasses__():
        dress(one)
        dress_all(one)


def _base(kind: type) -> type:
    return next(one for one in kind.__mro__ if one.__module__ == _BASE and "describe" in vars(one))


@lru_cache(maxsize=8)
def _names(base: type) -> tuple[str, ...]:
    """Return every unified method that ccxt lists, in snake case as its own code calls them."""
    listed = vars(base)["describe"](base)["has"]
    names = [re.sub("(?!^)([A-Z]+)", r"_\1", name).lower() for name in listed]
    return (*names, *(_UN_WATCH + name for name in _streams.WATCHED))


def _hook(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    if name.startswith(_UN_WATCH):
        return _unwatched(name.removeprefix(_UN_WATCH), method)
    if name in _streams.WATCHED:
        return _watched(name, method)
    return _called_async(name, method) if inspect.iscoroutinefunction(method) else _called(name, method)


def _again(outer: Call | None, exchange: Any, name: str) -> bool:
    """Whether a hook below is at it already, for a class that calls what it inherits; or none is wanted any more."""
    return not _hooks or (outer is not None and outer.name == name and outer.exchange is exchange)


def _called(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = CALL.get()
        if _again(outer, self, name):
            return method(self, *args, **kwargs)
        this = Call(self, name, args, kwargs)
        CALL.set(this)
        try:
            result = method(self, *args, **kwargs)
        except Exception as error:
            this.raised(error)
            raise
        finally:
            CALL.set(outer)  # not by a token: a coroutine may end in another context
        this.returned(result)
        return result

    return call


def _called_async(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = CALL.get()
        if _again(outer, self, name):
            return await method(self, *args, **kwargs)
        this = Call(self, name, args, kwargs)
        CALL.set(this)
        failed: BaseException | None = None
        this.begin()
        try:
            result = await method(self, *args, **kwargs)
        except BaseException as error:
            failed = error
            raise
        finally:
            this.end(failed)
            CALL.set(outer)
            if failed is not None:
                this.raised(failed)
        this.returned(result)
        return result

    return call


def _watched(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def watch(self: Any, *args: Any, **kwargs: Any) -> Any:
        outer = CALL.get()
        if not _hooks or (outer is not None and outer.name in _streams.WATCHED and outer.exchange is self):
            return await method(self, *args, **kwargs)
        _streams.subscribed(self, name, args, kwargs)
        CALL.set(Call(self, name))
        try:
            update = await method(self, *args, **kwargs)
        except Exception as error:
            _streams.refused(self, name, args, kwargs, error)
            raise
        finally:
            CALL.set(outer)
        _streams.received(self, name, args, kwargs, update)
        return update

    return watch


def _unwatched(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    async def unwatch(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = await method(self, *args, **kwargs)
        if _hooks:
            _streams.unsubscribed(self, name, args, kwargs)
        return result

    return unwatch
