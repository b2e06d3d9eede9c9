"""Every error that otel-trading raises.

::

    OtelTradingError            catch this one to catch them all
    ├── ConfigError             a setting is wrong; raised at start, never while recording
    ├── ConventionError         a name or a value does not fit the trading convention
    └── StackError              a server, a port, a disk or a tool is not as it has to be

Each message is a sentence: what, what was got, what is allowed, what to do.
"""

__all__ = ["ConfigError", "ConventionError", "OtelTradingError", "StackError"]


class OtelTradingError(Exception):
    """Base of every error that otel-trading raises."""


class ConfigError(OtelTradingError, ValueError):
    """A setting cannot be used; raised at start with what to change."""


class ConventionError(OtelTradingError, ValueError):
    """A name or a value breaks the convention; raised in strict mode and tests, counted otherwise."""


class StackError(OtelTradingError, RuntimeError):
    """The stack cannot do what was asked; the message says what to do next."""
