"""The options of `otel-trading up` that let other machines in, and what it says of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from otel_trading.stack import Expose, exposure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from otel_trading.stack import Stack

__all__ = ["asked", "lines", "options", "result"]

_CHOSEN: Final = "the address by which this machine reaches others"
_FILE: Final = click.Path(path_type=Path)


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    for option in (
        click.option("--expose-key", metavar="FILE", type=_FILE, help="The key of that certificate."),
        click.option("--expose-certificate", metavar="FILE", type=_FILE, help="A certificate of your own, as PEM."),
        click.option(
            "--expose-as", multiple=True, metavar="NAME", help="What other machines call this one; repeatable."
        ),
        click.option(
            "--expose",
            is_flag=False,
            flag_value=_CHOSEN,
            metavar="[ADDRESS]",
            help="Let other machines in at this address of this one, behind TLS and a token or password.",
        ),
    ):
        command = option(command)
    return command


def asked(address: str | None, names: tuple[str, ...], certificate: Path | None, key: Path | None) -> Expose | None:
    """Return what the options ask for; None without --expose.

    Raises:
        click.UsageError: One of the others stands alone.
    """
    if address is None:
        if names or certificate or key:
            message = "--expose-as, --expose-certificate and --expose-key say how to expose the stack: add --expose"
            raise click.UsageError(message)
        return None
    return Expose("" if address == _CHOSEN else address, names, certificate, key)


def result(running: Stack) -> dict[str, Any] | None:
    """Return how the stack is exposed, for programs; no secret."""
    if running.exposed is None:
        return None
    ports = running.ports
    return {
        "address": running.exposed.address,
        "names": list(running.exposed.names),
        "certificate_until": running.exposed.until,
        "urls": {
            "otlp": exposure.url(running.exposed, ports.otlp_http),
            "otlp_grpc": exposure.url(running.exposed, ports.otlp_grpc),
            "prometheus": exposure.url(running.exposed, ports.prometheus),
            "alertmanager": exposure.url(running.exposed, ports.alertmanager),
        },
        "token_file": str(exposure.bot_token(running.home)),
        "password_file": str(exposure.operator_password(running.home)),
    }


def lines(running: Stack) -> Iterator[str]:
    """Yield what a person is told of an exposed stack."""
    found = result(running)
    if found is None:
        return
    urls = found["urls"]
    yield f"  {'others send':<14}{urls['otlp']}, gRPC {urls['otlp_grpc']}; how: otel-trading env --remote"
    yield f"  {'others look':<14}{urls['prometheus']}, {urls['alertmanager']}"
    yield f"  {'their login':<14}{exposure.OPERATOR}, password in {found['password_file']}"
    yield f"  {'certificate':<14}until {found['certificate_until'][:10]}"
    if running.exposed and (warning := exposure.warning(running.exposed)):
        yield f"  {'':<14}{warning}"
