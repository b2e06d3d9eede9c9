"""YAML with the line of everything in it; nothing is constructed but text, lists and mappings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, cast

import yaml

__all__ = ["Node", "NotYamlError", "load"]

_NULL: Final = "tag:yaml.org,2002:null"
_MERGE: Final = "tag:yaml.org,2002:merge"


class NotYamlError(ValueError):
    """The text is no YAML that a rule file can be.

    Attributes:
        line: Where, counted from 1.
    """

    def __init__(self, line: int, words: str) -> None:
        super().__init__(words)
        self.line = line


@dataclass
class Node:
    """A value and where it stands.

    Attributes:
        value: Text, None, a list of nodes, or a mapping of nodes by key.
        line: Where it begins, for a value of a mapping its key, counted from 1.
        end: Its last line.
        twice: Keys of a mapping that were given before, with their lines.
    """

    value: Any
    line: int
    end: int
    twice: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    @property
    def mapping(self) -> dict[str, Node]:
        """Its keys, none when it is no mapping."""
        return cast("dict[str, Node]", self.value) if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """Its elements, none when it is no list."""
        return cast("list[Node]", self.value) if isinstance(self.value, list) else []

    @property
    def text(self) -> str | None:
        """Its text, None when it is a list or a mapping, or empty."""
        return self.value if isinstance(self.value, str) else None

    def plain(self) -> Any:
        """Return the value alone."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.mapping.items()}
        return [node.plain() for node in self.items] if isinstance(self.value, list) else self.value


def load(text: str) -> Node | None:
    """Return the one document of a text, None when there is nothing in it.

    Raises:
        NotYamlError: With its line.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        words = " ".join(part for part in (error.context, error.problem) if part)
        raise NotYamlError(mark.line + 1 if mark else 1, words) from error
    except yaml.YAMLError as error:  # characters that YAML does not have
        raise NotYamlError(1, " ".join(str(error).split())) from error
    except RecursionError as error:
        raise NotYamlError(1, "it is nested without end") from error
    return None if root is None else _Builder().node(root)


class _Builder:
    """Turns composed YAML into nodes; each anchor once, so that aliases cost nothing."""

    def __init__(self) -> None:
        self._open: set[int] = set()
        self._done: dict[int, Node] = {}

    def node(self, composed: yaml.Node) -> Node:
        key = id(composed)
        if key in self._open:
            raise NotYamlError(composed.start_mark.line + 1, "an anchor contains itself")
        if key not in self._done:
            self._open.add(key)
            self._done[key] = self._built(composed)
            self._open.remove(key)
        return self._done[key]

    def _built(self, composed: yaml.Node) -> Node:
        end = composed.end_mark
        made = Node(None, composed.start_mark.line + 1, end.line + (1 if end.column else 0))
        if isinstance(composed, yaml.MappingNode):
            made.value = {}
            for key, value in composed.value:
                self._add(made, key, value)
        elif isinstance(composed, yaml.SequenceNode):
            made.value = [self.node(item) for item in composed.value]
        elif composed.tag != _NULL:
            made.value = str(composed.value)
        return made

    def _add(self, made: Node, key: yaml.Node, value: yaml.Node) -> None:
        name, line = str(key.value), key.start_mark.line + 1
        node = self.node(value)
        if key.tag == _MERGE:
            made.value = {**node.mapping, **made.value}
        elif name in made.value:
            made.twice.append((name, line))
        else:
            made.value[name] = Node(node.value, line, max(node.end, line), node.twice)
