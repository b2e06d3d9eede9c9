"""The rules as `PrometheusRule` objects of the Prometheus Operator, made from the files that Prometheus itself reads.

Needs PyYAML, which the extra `check` brings.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import yaml

from otel_trading.errors import ConfigError, StackError
from otel_trading.thresholds.files import Dumper

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["LABELS", "documents", "labels", "prometheus_rules"]

#: What the operator of a kube-prometheus-stack selects by default, where its release has the name of the chart.
LABELS: Final[Mapping[str, str]] = {
    "app.kubernetes.io/name": "otel-trading",
    "release": "kube-prometheus-stack",
}
_OBJECT: Final = {"apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule"}
_LABEL: Final = re.compile(
    r"(?P<key>(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?/)?[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)"
    r"=(?P<value>(?:[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?)?)"
)


def labels(given: Iterable[str]) -> dict[str, str]:
    """Return the labels of every object: the usual ones, and what was given as KEY=VALUE.

    Raises:
        ConfigError: One is no label of Kubernetes.
    """
    found = dict(LABELS)
    for text in given:
        label = _LABEL.fullmatch(text)
        if label is None:
            message = f"--label got {text!r}; allowed is KEY=VALUE as Kubernetes has it, like release=monitoring."
            raise ConfigError(message)
        found[label["key"]] = label["value"]
    return found


def prometheus_rules(files: Iterable[tuple[str, Path]], labels: Mapping[str, str] = LABELS) -> list[dict[str, Any]]:
    """Return one object per file of rules.

    Args:
        files: Where each name begins, and the file that gives the rest of it.
        labels: Of every object, for the operator to select.

    Raises:
        ConfigError: A file is no file of rules, or two would have one name.
        StackError: A file cannot be read.
    """
    objects: dict[str, dict[str, Any]] = {}
    for prefix, file in files:
        name = re.sub(r"[^a-z0-9]+", "-", f"{prefix}-{file.stem}".lower()).strip("-")
        if name in objects:
            message = f"{file} would be the second object of the name {name}. Rename the file."
            raise ConfigError(message)
        metadata = {"name": name, "labels": dict(labels)}
        objects[name] = {**_OBJECT, "metadata": metadata, "spec": {"groups": _groups(file)}}
    return list(objects.values())


def _groups(file: Path) -> list[dict[str, Any]]:
    try:
        loaded = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        message = f"Cannot read {file}: {error.strerror}. Give it to this user."
        raise StackError(message) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        message = f"{file} is no YAML. Look closer: otel-trading check {file}"
        raise ConfigError(message) from error
    groups = cast("dict[str, Any]", loaded).get("groups") if isinstance(loaded, dict) else None
    if not isinstance(groups, list) or not groups:
        message = f"{file} holds no groups of rules. Look closer: otel-trading check {file}"
        raise ConfigError(message)
    return cast("list[dict[str, Any]]", groups)


def documents(objects: Iterable[Mapping[str, Any]]) -> str:
    """Return objects as YAML documents, for `kubectl apply -f -`."""
    return yaml.dump_all(
        map(dict, objects), Dumper=Dumper, sort_keys=False, explicit_start=True, width=10_000, allow_unicode=True
    )
