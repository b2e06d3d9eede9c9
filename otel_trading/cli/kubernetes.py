"""`otel-trading kubernetes`: the stack for a cluster, as objects for `kubectl apply`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from otel_trading import stack
from otel_trading.cli._output import emit_json
from otel_trading.cli.up import home_option
from otel_trading.stack import cluster, kubernetes

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["command"]


@click.command()
@click.option("--namespace", default=cluster.NAMESPACE, show_default=True, help="Where it shall run; of its own.")
@click.option("--no-secrets", is_flag=True, help="Leave the Secret objects out, for what is kept in a repository.")
@click.option("--json", "as_json", is_flag=True, help="As one List.")
@home_option
def command(*, namespace: str, no_secrets: bool, as_json: bool, home: Path | None) -> None:
    """Print the stack as objects of Kubernetes; nothing is started or sent.

    The same servers as in compose.yaml, with the settings, rules, boards, targets and secrets of this home:

    \b
      otel-trading kubernetes | kubectl apply --server-side -f -

    --server-side, since boards are larger than what kubectl keeps of an object otherwise. The output holds your
    secrets, in Secret objects only: pipe it, or print it with --no-secrets.
    """  # noqa: D301  \b is click's
    found = cluster.objects((home or stack.default_home()).absolute(), namespace)
    if no_secrets:
        found = [each for each in found if each["kind"] != "Secret"]
    if as_json:
        emit_json({"apiVersion": "v1", "kind": "List", "items": found})
    else:
        click.echo(kubernetes.documents(found), nl=False)
