"""Images for tests, where none can be pulled: from scratch, out of the binaries that we built and this Python."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["full", "make", "pause"]

_PYTHON = Path(sys.executable).resolve()
_STAND_IN = Path(__file__).parent / "grafana_stand_in.py"
_WGET = "#!/bin/python\nimport sys, urllib.request\nurllib.request.urlopen(sys.argv[-1], timeout=2)\n"
_LEFT_OUT = re.compile(r"/(site-packages|test|idlelib|tkinter|ensurepip|lib2to3|config-[^/]*|[^/]*\.a)(/|$)")


def full(image: str) -> str:
    """Return the whole name of an image of compose.yaml."""
    return f"docker.io/{image if '/' in image else f'library/{image}'}"


def pause(podman: list[str], image: str) -> None:
    """Make the image that holds a pod's network; it does nothing."""
    _import(podman, image, "/bin/python -c __import__('signal').pause()", _python())


def make(podman: list[str], images: Mapping[str, str], servers: Mapping[str, Path]) -> None:
    """Make the images of compose.yaml.

    Args:
        podman: The command, with a storage of its own: the names are those of the real images.
        images: Name of each image by service.
        servers: Our binaries by name.
    """
    for service, folder, user in (("prometheus", "/prometheus", 65534), ("alertmanager", "/alertmanager", 65534)):
        tool = "promtool" if service == "prometheus" else "amtool"
        files = [(servers[service], f"/bin/{service}"), (servers[tool], f"/bin/{tool}")]
        _import(podman, images[service], f"/bin/{service}", files, folders={folder: user})
    _import(podman, images["collector"], "/otelcol", [(servers["otelcol"], "/otelcol")])
    _import(podman, images["webhook"], None, _python())
    grafana = [*_python(), (_STAND_IN, "/grafana.py")]
    _import(
        podman, images["grafana"], "/bin/python /grafana.py", grafana, folders={"/var/lib/grafana": 472}, wget=_WGET
    )


def _import(
    podman: list[str],
    image: str,
    entrypoint: str | None,
    files: Iterable[tuple[Path, str]],
    *,
    folders: Mapping[str, int] | None = None,
    wget: str = "",
) -> None:
    changes = ["ENV PATH=/bin", *([f"ENTRYPOINT {json.dumps(entrypoint.split())}"] if entrypoint else [])]
    command = [*podman, "import", "--quiet", *(f"--change={one}" for one in changes), "-", image]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        assert process.stdin is not None
        with tarfile.open(fileobj=process.stdin, mode="w|") as tar:
            for folder, user in {"/tmp": 0, **(folders or {})}.items():  # noqa: S108  in the image
                _add(tar, tarfile.TarInfo(folder), b"", kind=tarfile.DIRTYPE, user=user)
            for source, target in files:
                tar.add(source, target, filter=_plain)
            if any(target == str(_PYTHON) for _, target in files):
                link = tarfile.TarInfo("/bin/python")
                link.linkname = str(_PYTHON)
                _add(tar, link, b"", kind=tarfile.SYMTYPE)
            if wget:
                _add(tar, tarfile.TarInfo("/bin/wget"), wget.encode())
        process.stdin.close()
        assert process.wait(120) == 0


def _add(
    tar: tarfile.TarFile, info: tarfile.TarInfo, text: bytes, *, kind: bytes = tarfile.REGTYPE, user: int = 0
) -> None:
    info.type, info.mode, info.uid, info.size = kind, 0o755, user, len(text)
    tar.addfile(info, io.BytesIO(text))


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if _LEFT_OUT.search(f"/{info.name}"):
        return None
    info.uid = info.gid = 0
    info.mode |= 0o555 if info.isdir() or info.mode & 0o100 else 0o444
    return info


def _python() -> list[tuple[Path, str]]:
    """Return this interpreter, its libraries and its modules, each at its own place: there it looks for them."""
    modules = Path(os.__file__).parent
    compiled = [_PYTHON, *(modules / "lib-dynload").glob("*.so")]
    linked = subprocess.run(["ldd", *compiled], capture_output=True, text=True, timeout=30, check=True).stdout
    libraries = sorted({Path(found) for found in re.findall(r"(/\S+) \(", linked)})
    return [(path.resolve() if path.is_file() else path, str(path)) for path in (_PYTHON, modules, *libraries)]
