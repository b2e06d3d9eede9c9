"""Reads compose.yaml with its variables filled in, as `docker compose` does: its services can run elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

from otel_trading.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["read"]

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def read(file: Path, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the document.

    Args:
        file: With variables as `${NAME}`, `${NAME:-default}` and `${NAME:?what is missing}`.
        variables: Their values; an empty one counts as none.

    Raises:
        ConfigError: A variable that has to be there is not.
    """

    def value(found: re.Match[str]) -> str:
        name, kind, text = found.groups(default="")
        if kind == "?" and not variables.get(name):
            message = f"{file.name} needs the variable {name}: {text}"
            raise ConfigError(message)
        return variables.get(name) or (text if kind == "-" else "")

    def filled(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: filled(each) for key, each in cast("dict[str, Any]", node).items()}
        if isinstance(node, list):
            return [filled(each) for each in cast("Iterable[Any]", node)]
        return _VARIABLE.sub(value, node) if isinstance(node, str) else node

    return cast("dict[str, Any]", filled(yaml.safe_load(file.read_text(encoding="utf-8"))))
