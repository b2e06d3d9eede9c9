"""Asks the databases of known vulnerabilities, by the tools of those who keep them: pip-audit and govulncheck.

Each database is first asked for what it must know. So a machine that cannot reach it is told from one where nothing was
found: pip-audit for one takes a mirror without that service for an environment without a fault.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

__all__ = ["GO_DB", "OSV_URL", "BrokenError", "Finding", "UnreachableError", "go", "python"]

OSV_URL: Final = "https://api.osv.dev/v1/query"
GO_DB: Final = "https://vuln.go.dev"
_GOVULNCHECK: Final = "golang.org/x/vuln/cmd/govulncheck@v1.8.0"
_KNOWN: Final = {"package": {"name": "jinja2", "ecosystem": "PyPI"}, "version": "2.4.1"}
_SECONDS: Final = 15
_LONGEST: Final = 600


class UnreachableError(Exception):
    """The database does not answer here."""


class BrokenError(Exception):
    """The audit itself failed: neither a finding nor its absence."""


@dataclass(frozen=True)
class Finding:
    """A known vulnerability of something that we depend on."""

    id: str
    package: str
    version: str
    fixed: str
    names: frozenset[str]

    def __str__(self) -> str:
        """Say it in one line."""
        others = ", ".join(sorted(self.names - {self.id}))
        also = f" ({others})" if others else ""
        return f"{self.package} {self.version}: {self.id}{also}, fixed in {self.fixed or 'no version yet'}"


def python(url: str, path: Path | None = None) -> tuple[set[Finding], list[str]]:
    """Audit the packages of this environment.

    Args:
        url: The OSV database's query.
        path: Look at the packages in this folder instead.

    Returns:
        What was found, and a sentence for each package that could not be looked up.

    Raises:
        UnreachableError: No database there.
        BrokenError: The tool failed, or the database lacks what everybody knows.
    """
    if not _asked(url, json.dumps(_KNOWN).encode()).get("vulns"):
        message = f"{url} does not know that {_KNOWN['package']} {_KNOWN['version']} is vulnerable: no copy of OSV."
        raise BrokenError(message)
    where = ["--path", str(path)] if path else ["--skip-editable"]
    command = ["pip-audit", *where, "-s", "osv", "--osv-url", url, "-f", "json", "--progress-spinner", "off"]
    run = _run(command)
    try:
        packages = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError) as error:
        message = f"pip-audit ended with {run.returncode}: {_last(run.stderr)}"
        raise BrokenError(message) from error
    skipped = [f"{one['name']}: {one['skip_reason']}" for one in packages if "skip_reason" in one]
    return {found for one in packages for found in _of_python(one)}, skipped


def go(database: str, binaries: Callable[[], Iterable[Path]]) -> set[Finding]:
    """Audit the modules, and Go's own library, that are in these programs.

    Args:
        database: Its URL; `file://` for a folder.
        binaries: Finds the programs; asked when there is a database.

    Raises:
        UnreachableError: No database there.
        BrokenError: The tool failed, or what answers is no such database.
    """
    if not _asked(f"{database}/index/db.json").get("modified"):
        message = f"{database} is no database of Go's vulnerabilities: its index has no date."
        raise BrokenError(message)
    findings: set[Finding] = set()
    for binary in binaries():
        # Our servers are stripped, so what they call cannot be told: every module that is in counts.
        how = ["-mode", "binary", "-scan", "module", "-format", "json", "-db", database, str(binary)]
        run = _run(["go", "run", _GOVULNCHECK, *how])
        if run.returncode != 0:
            message = f"govulncheck of {binary.name} ended with {run.returncode}: {_last(run.stderr)}"
            raise BrokenError(message)
        findings |= set(_of_go(run.stdout))
    return findings


def _asked(url: str, body: bytes | None = None) -> dict[str, Any]:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310  see --help
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as reply:  # noqa: S310  see --help
            text = reply.read()
    except urllib.error.HTTPError as error:
        message = f"{url} answers {error.code}"
        raise UnreachableError(message) from error
    except (OSError, http.client.HTTPException) as error:
        message = f"{url}: {error}"
        raise UnreachableError(message) from error
    try:
        return dict(json.loads(text))
    except (ValueError, TypeError) as error:
        message = f"{url} answers what is no database: {text[:80]!r}"
        raise BrokenError(message) from error


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        message = f"{command[0]} cannot be run: {error}"
        raise BrokenError(message) from error


def _last(text: str) -> str:
    return " / ".join(text.strip().splitlines()[-2:]) or "it said nothing"


def _of_python(package: dict[str, Any]) -> Iterator[Finding]:
    for one in package.get("vulns", []):
        names = frozenset((one["id"], *one["aliases"]))
        yield Finding(one["id"], package["name"], package["version"], ", ".join(one["fix_versions"]), names)


def _of_go(text: str) -> Iterator[Finding]:
    messages = list(_values(text))
    aliases = {one["osv"]["id"]: one["osv"].get("aliases", []) for one in messages if "osv" in one}
    for found in (one["finding"] for one in messages if "finding" in one):
        place = found["trace"][0]
        names = frozenset((found["osv"], *aliases.get(found["osv"], [])))
        yield Finding(found["osv"], place["module"], place.get("version", ""), found.get("fixed_version", ""), names)


def _values(text: str) -> Iterator[dict[str, Any]]:
    decoder, at = json.JSONDecoder(), 0
    while rest := text[at:].lstrip():
        value, length = decoder.raw_decode(rest)
        at = len(text) - len(rest) + length
        yield value
