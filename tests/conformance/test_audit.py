"""`python .ci/audit` against a database that speaks the real protocols; the real pip-audit and govulncheck ask it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from audit_support import database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from audit_support import Database

ROOT: Final = Path(__file__).parents[2]
TODAY: Final = dt.datetime.now(dt.timezone.utc).date()
MAIN: Final = """package main

import "golang.org/x/text/language"

func main() { println(language.Make("de").String()) }
"""


@pytest.fixture
def known() -> Iterator[Database]:
    with database() as one:
        yield one


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    for name, version in (("jinja2", "2.4.1"), ("click", "8.1.8")):
        info = folder / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder


def _refused() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def _audit(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, ROOT / ".ci" / "audit", *arguments]
    return subprocess.run(
        command, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=110, check=False
    )


def _of_python(url: str, packages: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    return _audit("--osv-url", f"{url}/v1/query", "--path", packages, "--go-db", _refused(), *more)


def _list(folder: Path, *entries: dict[str, object]) -> Path:
    file = folder / "exceptions.yaml"
    file.write_text(yaml.safe_dump({"exceptions": list(entries)}))
    return file


def test_a_known_vulnerability_fails_and_is_named(known: Database, packages: Path) -> None:
    run = _of_python(known.url, packages)
    assert run.returncode == 1, run
    assert "VULNERABLE: jinja2 2.4.1: " in run.stdout
    assert "CVE-2019-10906" in run.stdout
    assert "fixed in 2.10.1" in run.stdout
    assert "click" not in run.stdout
    assert {query["package"]["name"] for _, query in known.asked} == {"jinja2", "click"}


def test_nothing_known_passes(known: Database, packages: Path) -> None:
    shutil.rmtree(packages / "jinja2-2.4.1.dist-info")
    run = _of_python(known.url, packages)
    assert run.returncode == 0, run
    assert "Python packages: no known vulnerabilities" in run.stdout


def test_a_database_out_of_reach_is_said_and_left_out(packages: Path) -> None:
    run = _of_python(_refused(), packages)
    assert run.returncode == 0, run
    assert run.stdout.count("NOT AUDITED") == 2
    assert "no known vulnerabilities" not in run.stdout


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_mirror_without_the_service_is_no_clean_result(known: Database, packages: Path, status: int) -> None:
    known.status = status
    run = _of_python(known.url, packages)
    assert run.returncode == 0, run
    assert run.stdout.count("NOT AUDITED") == 2
    assert f"answers {status}" in run.stdout


def test_a_database_that_lacks_what_everybody_knows_fails(known: Database, packages: Path) -> None:
    known.knows = False
    run = _of_python(known.url, packages)
    assert run.returncode == 1, run
    assert "no copy of OSV" in run.stdout


def test_a_page_of_something_between_fails(known: Database, packages: Path) -> None:
    known.page = "<html>Please log in</html>"
    run = _audit("--osv-url", f"{known.url}/v1/query", "--path", packages, "--go-db", known.url)
    assert run.returncode == 1, run
    assert run.stdout.count("answers what is no database: b'<html>Please log in</html>'") == 2


@pytest.mark.parametrize("name", ["GHSA-462w-v97r-4m45", "CVE-2019-10906"])
def test_an_exception_by_any_of_its_names_holds_until_its_day(
    known: Database, packages: Path, tmp_path: Path, name: str
) -> None:
    accepted = _list(tmp_path, {"id": name, "package": "jinja2", "reason": "Never renders.", "until": TODAY})
    run = _of_python(known.url, packages, "--list", accepted)
    assert run.returncode == 0, run
    assert f"until {TODAY}: jinja2 {name}: Never renders." in run.stdout


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"until": TODAY - dt.timedelta(days=1)}, "ended on"),
        ({"until": TODAY + dt.timedelta(days=181)}, "at most 180 days"),
        ({"until": "soon"}, "write a day"),
        ({"reason": ""}, "each with a value"),
    ],
)
def test_an_exception_that_ended_or_says_nothing_fails_without_any_database(
    tmp_path: Path, packages: Path, change: dict[str, object], says: str
) -> None:
    entry = {"id": "CVE-2019-10906", "package": "jinja2", "reason": "Never renders.", "until": TODAY, **change}
    run = _of_python(_refused(), packages, "--list", _list(tmp_path, entry))
    assert run.returncode == 1, run
    assert says in run.stderr


def test_an_exception_for_another_package_does_not_cover(known: Database, packages: Path, tmp_path: Path) -> None:
    accepted = _list(tmp_path, {"id": "CVE-2019-10906", "package": "click", "reason": "Other.", "until": TODAY})
    run = _of_python(known.url, packages, "--list", accepted)
    assert run.returncode == 1, run
    assert "click CVE-2019-10906 (not found)" in run.stdout


def test_the_list_in_force_holds_today() -> None:
    run = _audit("--osv-url", f"{_refused()}/v1/query", "--go-db", _refused())
    assert run.returncode == 0, run


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_old_go_module_is_found_in_a_program(known: Database, tmp_path: Path, servers: dict[str, Path]) -> None:
    assert servers
    (tmp_path / "main.go").write_text(MAIN)
    (tmp_path / "go.mod").write_text("module example.test/old\n\ngo 1.20\n\nrequire golang.org/x/text v0.3.5\n")
    environment = {**os.environ, "GOFLAGS": "-mod=mod -buildvcs=false", "GOWORK": "off"}
    subprocess.run(["go", "build", "-o", "old", "."], cwd=tmp_path, env=environment, timeout=300, check=True)
    arguments = ("--osv-url", f"{_refused()}/v1/query", "--go-db", known.url)
    run = _audit(*arguments, "--binary", tmp_path / "old")
    assert run.returncode == 1, run
    assert "VULNERABLE: golang.org/x/text v0.3.5: GO-2021-0113" in run.stdout
    assert "fixed in v0.3.7" in run.stdout
    entry = {"id": "CVE-2021-38561", "package": "golang.org/x/text", "reason": "No tags.", "until": TODAY}
    run = _audit(*arguments, "--binary", tmp_path / "old", "--list", _list(tmp_path, entry))
    assert run.returncode == 0, run
    # Our own servers, against the same database: they have what repairs it.
    run = _audit(*arguments)
    assert run.returncode == 0, run
    assert "Go modules of the servers: no known vulnerabilities" in run.stdout
