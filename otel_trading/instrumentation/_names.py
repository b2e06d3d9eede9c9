"""What a user calls a function."""

from __future__ import annotations

from functools import partial

__all__ = ["UNNAMED", "name_of"]

#: Stands where a library guards or repeats a block of which it knows no name.
UNNAMED = "unnamed"


def name_of(function: object) -> str:
    """Return the name of a function as it stands in its module: `Bot.fetch`, `fetch` for one made inside another.

    Args:
        function: Anything that can be called; a partial is called as what it calls.
    """
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    return str(name).rpartition("<locals>.")[2]
