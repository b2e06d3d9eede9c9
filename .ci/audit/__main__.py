"""Looks up known vulnerabilities of what we depend on: Python's packages and the servers' Go modules.

`python .ci/audit` ends with 1 when there is one that exceptions.yaml does not name, when an entry there has ended,
or when an audit failed. A database that cannot be reached is said and left out.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import databases
import exceptions
from databases import BrokenError, Finding, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable

HERE: Final = Path(__file__).parent


@click.command(help=__doc__)
@click.option("--list", "accepted", type=click.Path(path_type=Path), default=HERE / "exceptions.yaml")
@click.option("--osv-url", default=databases.OSV_URL, show_default=True, help="Database of Python's vulnerabilities.")
@click.option("--go-db", default=databases.GO_DB, show_default=True, help="Database of Go's, http(s):// or file://.")
@click.option("--path", type=click.Path(path_type=Path), help="Packages of this folder instead of this environment.")
@click.option("--binary", type=click.Path(path_type=Path), multiple=True, help="This program instead of our servers.")
def main(accepted: Path, osv_url: str, go_db: str, path: Path | None, binary: tuple[Path, ...]) -> None:
    """Audit both; see above."""
    try:
        known = exceptions.read(accepted, dt.datetime.now(dt.timezone.utc).date())
    except exceptions.BadListError as error:
        sys.exit(f"audit: {error}")
    found: set[Finding] = set()
    every = [
        _audited("Python packages", lambda: _python(osv_url, path), found),
        _audited("Go modules of the servers", lambda: databases.go(go_db, lambda: binary or _servers()), found),
    ]
    open_ones = sorted(str(one) for one in found if not any(entry.covers(one) for entry in known))
    for entry in known:
        used = any(entry.covers(one) for one in found)
        print(f"audit: until {entry.until}: {entry.package} {entry.id}{'' if used else ' (not found)'}: {entry.reason}")
    for line in open_ones:
        print(f"audit: VULNERABLE: {line}")
    sys.exit(1 if open_ones or not all(every) else 0)


def _audited(what: str, audit: Callable[[], set[Finding]], found: set[Finding]) -> bool:
    try:
        new = audit()
    except UnreachableError as error:
        print(f"audit: NOT AUDITED: {what}: the database cannot be reached from here, so this is left out: {error}")
        return True
    except BrokenError as error:
        print(f"audit: FAILED: {what}: {error}")
        return False
    print(f"audit: {what}: {len(new) or 'no'} known vulnerabilities")
    found |= new
    return True


def _python(url: str, path: Path | None) -> set[Finding]:
    found, skipped = databases.python(url, path)
    for one in skipped:
        print(f"audit: not looked up: {one}")
    return found


def _servers() -> tuple[Path, ...]:
    # Only here: their parts need what an audit of other programs does not.
    from otel_trading.stack.build import binaries  # noqa: PLC0415
    from otel_trading.stack.progress import Progress  # noqa: PLC0415
    from otel_trading.stack.servers import ALL, GATE  # noqa: PLC0415

    return tuple(path for server in (*ALL, GATE) for path in binaries(server, Progress()).values())


if __name__ == "__main__":
    main()
