"""Hooks that wait until the bot imports their library, and that come off again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from opentelemetry.instrumentation.utils import unwrap
from wrapt import register_post_import_hook, wrap_function_wrapper

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

__all__ = ["LazyInstrumentor"]


class LazyInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # untyped upstream
    """Wraps methods of a library once it is imported; a subclass names them.

    A subclass states `versions` (as pip writes requirements), the `module` to wait for, and `hooks`: from
    `Class.method` to its wrapper.
    """

    versions: ClassVar[str]
    module: ClassVar[str]
    hooks: ClassVar[dict[str, Callable[..., Any]]]
    _wrapped: Any = None
    _waiting: bool = False

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return the library and the versions of it that are supported."""
        return (self.versions,)

    def _instrument(self, **kwargs: Any) -> None:
        del kwargs
        self._is_instrumented_by_opentelemetry = True  # the hook below may run at once
        if not self._waiting:
            self._waiting = True
            register_post_import_hook(self._arrived, self.module)
        elif self._wrapped is not None:
            self._wrap(self._wrapped)

    def _arrived(self, module: Any) -> None:
        self._wrapped = module
        if self._is_instrumented_by_opentelemetry:
            self._wrap(module)

    def _wrap(self, module: Any) -> None:
        for name, wrapper in self.hooks.items():
            wrap_function_wrapper(module, name, wrapper)

    def _uninstrument(self, **kwargs: Any) -> None:
        del kwargs
        if self._wrapped is not None:
            for name in self.hooks:
                owner, method = name.split(".")
                unwrap(getattr(self._wrapped, owner), method)
