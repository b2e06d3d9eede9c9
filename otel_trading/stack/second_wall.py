"""The Collector's wall against secrets, from the SDK's patterns: `python -m otel_trading.stack.second_wall` writes it.

A developer runs it in the checkout after a change of `otel_trading/_secrets.py`; a test compares.
"""

from __future__ import annotations

import re
import sys
from typing import Final

from otel_trading import _secrets
from otel_trading.stack._files import shipped

__all__ = ["render"]

_HEAD: Final = (
    "  # The second wall against secrets; the SDK is the first. Written by `python -m otel_trading.stack.second_wall`."
)
_PLACES: Final = {
    "metric": ("resource", "datapoint"),
    "trace": ("resource", "span", "spanevent"),
    "log": ("resource", "log"),
}


def render(config: str) -> str:
    """Return the text of a Collector's configuration with the wall as it has to be.

    Args:
        config: The text so far.
    """
    return re.sub(rf"{re.escape(_HEAD)}\n.*?(?=\nexporters:)", lambda _: _wall(), config, flags=re.DOTALL)


def _wall() -> str:
    texts = {
        "trace": ("span", [*_text("name"), *_text("status.message")]),
        "log": ("log", [*_text("body", " where IsString(body)"), *_values("body", " where IsMap(body)")]),
    }
    lines = [_HEAD, "  transform/secrets:", "    error_mode: ignore"]
    anchor = ["&no_secrets", *_listed(_attributes(_secrets.NAMES))]
    for signal, places in _PLACES.items():
        lines.append(f"    {signal}_statements:")
        for place in places:
            if place == "datapoint":  # without a label `token` all assets of a metric would be one series
                lines += [f"      - context: {place}", "        statements:", *_listed(_attributes(_secrets.LABELS))]
                continue
            lines += [f"      - context: {place}", f"        statements: {anchor[0]}", *anchor[1:]]
            anchor = ["*no_secrets"]
        if signal in texts:
            place, statements = texts[signal]
            lines += [f"      - context: {place}", "        statements:", *_listed(statements)]
    return "\n".join(lines) + "\n"


def _attributes(names: str) -> list[str]:
    return [
        f"delete_matching_keys(attributes, {_quoted(names)})",
        'delete_key(attributes, "url.query")',
        'delete_key(attributes, "process.command_args")',
        *_values("attributes"),
    ]


def _listed(statements: list[str]) -> list[str]:
    return ["          - '" + statement.replace("'", "''") + "'" for statement in statements]


def _text(place: str, where: str = "") -> list[str]:
    return [f"replace_pattern({place}, {replaced}){where}" for replaced in _replaced()]


def _values(place: str, where: str = "") -> list[str]:
    return [f'replace_all_patterns({place}, "value", {replaced}){where}' for replaced in _replaced()]


def _replaced() -> tuple[str, str]:
    """Return pattern and replacement of what is left out, and of what is masked: one pattern, whose groups stay."""
    groups = "".join(f"$${number}" for number in range(1, len(_secrets.MASKED) + 1))
    masked = "|".join(pattern for _, pattern in _secrets.MASKED)
    return f'{_quoted(_secrets.LEFT_OUT)}, "$$1"', f'{_quoted(masked)}, "{groups}{_secrets.MASK}"'


def _quoted(pattern: str) -> str:
    """As OTTL writes a text, in a file in which a dollar begins a variable."""
    return '"' + pattern.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$") + '"'


if __name__ == "__main__":
    path = shipped("collector/config.yaml")
    path.write_text(render(path.read_text(encoding="utf-8")), encoding="utf-8")
    sys.stderr.write(f"Wrote the wall into {path}.\n")
