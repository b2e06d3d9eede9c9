"""Contact points and a notification policy in Grafana, for those who write alerts there; off unless asked for.

`STACK_GRAFANA_ALERTS=slack,email` gives Grafana the channels of these names, from the secret files that Alertmanager's
channels have. What ships as rules is delivered by Alertmanager alone, so that nobody is told twice.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from otel_trading.errors import ConfigError
from otel_trading.stack import channel_files, channels, secret_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from otel_trading.stack.state import Kind

__all__ = ["VARIABLE", "GrafanaAlerts", "compose"]

VARIABLE: Final = "STACK_GRAFANA_ALERTS"
_CAN: Final = ("slack", "email")
_FOLDER: Final = "secrets/grafana"
_CONTAINER: Final = "/etc/otel-trading"


@dataclass(frozen=True)
class GrafanaAlerts:
    """What Grafana is given.

    Attributes:
        names: The channels; none when it is off.
        secrets: Name of a file for Grafana -> its content.
        variables: What Grafana's mail client has to be told.
    """

    names: tuple[str, ...] = ()
    secrets: dict[str, str] = field(default_factory=dict[str, str])
    variables: dict[str, str] = field(default_factory=dict[str, str])

    def write(self, home: Path, kind: Kind, provisioning: Path) -> None:
        """Write the secrets, and leave of the files in `provisioning` those that are wanted."""
        secret_files.write(home / _FOLDER, self.secrets, kind)
        wanted = {*self.names, "policies"} if self.names else set[str]()
        for file in (provisioning / "alerting").glob("*.yaml"):
            if file.stem not in wanted:
                file.unlink()
            elif kind == "native":
                file.write_text(file.read_text().replace(_CONTAINER, str(home)))


def compose(home: Path, kind: Kind, environ: Mapping[str, str] | None = None) -> GrafanaAlerts:
    """Work out what Grafana is given.

    Args:
        home: The stack's home.
        kind: Containers see the secrets in a folder of their own.
        environ: The environment; that of this process when not given.

    Raises:
        ConfigError: A name is none of the channels that Grafana can use, or has no secret that can be used.
    """
    environ = os.environ if environ is None else environ
    names = tuple(environ.get(VARIABLE, "").replace(",", " ").split())
    secrets: dict[str, str] = {}
    variables: dict[str, str] = {}
    for name in names:
        if name not in _CAN:
            message = f"{VARIABLE} names {name!r}. Allowed: {', '.join(_CAN)}, comma between. Correct or unset it."
            raise ConfigError(message)
        channel = next(one for one in channels.ALL if one.name == name)
        settings = channel_files.read(channel, home, environ)
        if settings is None:
            wanted = channel_files.folder(home) / channel.file
            message = (
                f"{VARIABLE} names {name!r}, which has no secret. Write {wanted} ({channel.allowed}), or unset it."
            )
            raise ConfigError(message)
        secrets |= settings.secrets
        if name == "email":
            secrets["email_to"] = settings.options["to"].replace(", ", ";")
            place = _CONTAINER if kind == "docker" else home
            variables = _smtp(settings, f"{place}/{_FOLDER}/email_password")
    return GrafanaAlerts(names, secrets, variables)


def _smtp(settings: channels.Settings, password: str) -> dict[str, str]:
    options = settings.options
    policy = "MandatoryStartTLS" if options["require_tls"] else "NoStartTLS"
    variables = {
        "GF_SMTP_ENABLED": "true",
        "GF_SMTP_HOST": options["smarthost"],
        "GF_SMTP_FROM_ADDRESS": options["from"],
        # From the start on port 465, by Grafana's own rule.
        "GF_SMTP_STARTTLS_POLICY": "OpportunisticStartTLS" if options["force_implicit_tls"] else policy,
    }
    if settings.secrets:
        variables |= {"GF_SMTP_USER": options["auth_username"], "GF_SMTP_PASSWORD": f"$__file{{{password}}}"}
    return variables
