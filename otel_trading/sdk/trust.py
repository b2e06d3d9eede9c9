"""The CA that OTEL_EXPORTER_OTLP_CERTIFICATE names, also where REQUESTS_CA_BUNDLE names another.

requests, with which OTLP leaves over HTTP, prefers what its own variables name, which many companies set on every
machine: the certificate of our Collector would be refused.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import requests

__all__ = ["options"]

_OVERRULE: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def options(signal: str) -> dict[str, Any]:
    """Return what an exporter over HTTP is to be built with, so that it trusts the CA that it is told to trust.

    Args:
        signal: metrics, traces or logs.
    """
    names = (f"OTEL_EXPORTER_OTLP_{signal.upper()}_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE")
    overruled = any(map(os.environ.get, _OVERRULE)) and any(map(os.environ.get, names))
    # Who names a provider of credentials has a session of his own.
    return (
        {"session": _session()} if overruled and not any("_CREDENTIAL_PROVIDER" in name for name in os.environ) else {}
    )


def _session() -> requests.Session:
    import requests  # noqa: PLC0415  the exporter loads it too, but not every bot has this exporter

    class Session(requests.Session):
        def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
            return super().merge_environment_settings(
                url, proxies, stream, self.verify if verify is None else verify, cert
            )

    return Session()
