"""Who this process is: a stable instance, so that a restart continues its series instead of beginning new ones."""

from __future__ import annotations

import multiprocessing
import os
import socket
import uuid
from typing import Final

from opentelemetry.sdk.resources import (
    SERVICE_INSTANCE_ID,
    SERVICE_NAME,
    SERVICE_NAMESPACE,
    SERVICE_VERSION,
    Resource,
)

from otel_trading import _context
from otel_trading.sdk.redaction import clean
from otel_trading.semconv import attributes as a

__all__ = ["FIRST_PROCESS", "PROMOTED", "is_worker", "job_and_instance", "resource"]

ENVIRONMENT: Final = "deployment.environment.name"
#: Resource attributes that Prometheus promotes to labels; `collector/prometheus.yaml` says the same, a test compares.
PROMOTED: Final = (SERVICE_NAME, SERVICE_NAMESPACE, SERVICE_INSTANCE_ID, SERVICE_VERSION, ENVIRONMENT)
#: Holds the number of the process that is the bot; `otel-trading run` begins a new one.
FIRST_PROCESS: Final = "_OTEL_TRADING_FIRST_PROCESS"
_MAIN: Final = "MainProcess"
_NAMESPACE: Final = uuid.UUID("5a0f4c1e-8f0b-5c3a-9a67-0d8e1b7a3c52")


def resource(extra: dict[str, str] | None = None) -> Resource:
    """Return the resource of this process: OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win over what we add.

    Args:
        extra: Attributes of the caller, such as the version of an auto-instrumentation.
    """
    base = _cleaned(Resource.create({**(extra or {})}))
    stated = os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    if f"{SERVICE_INSTANCE_ID}=" in stated or SERVICE_INSTANCE_ID in (extra or {}):
        named = str(base.attributes[SERVICE_INSTANCE_ID])
    else:
        named = _stable(str(base.attributes[SERVICE_NAME]))
    return base.merge(Resource({SERVICE_INSTANCE_ID: _of_worker(named) if is_worker() else named}))


def _cleaned(base: Resource) -> Resource:
    """Leave the key of each attribute: OpenTelemetry reads the environment again, and what is here then wins."""
    return Resource(clean(base.attributes), base.schema_url)


def job_and_instance(attributes: dict[str, str]) -> dict[str, str]:
    """Return the labels `job` and `instance` as Prometheus derives them from a resource on the OTLP road.

    Source: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
    """
    name, namespace = attributes.get(SERVICE_NAME, ""), attributes.get(SERVICE_NAMESPACE, "")
    return {
        "job": f"{namespace}/{name}" if namespace else name,
        "instance": attributes.get(SERVICE_INSTANCE_ID, ""),
    }


def is_worker() -> bool:
    """Return whether a process above this one is the bot: Python children inherit auto-instrumentation.

    `multiprocessing` does not know its spawned children that early, hence the mark in the environment.
    """
    if multiprocessing.parent_process() is not None:
        return True
    mine = str(os.getpid())
    return os.environ.setdefault(FIRST_PROCESS, mine) != mine


def _stable(service: str) -> str:
    """Hash what tells two bots apart and outlives a restart."""
    defaults = _context.current().values
    parts = [socket.gethostname(), service]
    parts += [defaults.get(attribute.name, "") for attribute in (a.MODE, a.ACCOUNT, a.STRATEGY)]
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def _of_worker(instance: str) -> str:
    """Add the worker's name or number: two processes never write one series."""
    name = multiprocessing.current_process().name
    return f"{instance}-{os.getpid() if name == _MAIN else name}"
