"""Processes that outlive the command that started them. Nothing is ended that we did not begin."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping

__all__ = ["birth", "is_alive", "start", "stop", "uninterrupted"]

_POLL: Final = 0.02
_GRACE: Final = 10.0
_ZOMBIE: Final = "Z"


def start(command: list[str], *, log: Path, cwd: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Begin a process in a session of its own, so that no Ctrl-C of ours reaches it.

    Args:
        command: Program and arguments.
        log: File that takes its output, appended.
        cwd: Folder in which it runs.
        environment: All of its variables.

    Returns:
        Its pid and its birth, which together name it for ever.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=cwd,
            env=environment,
            start_new_session=True,
        )
    # From here on the state file owns it; without this Python would warn that it outlives its starter.
    process.returncode = 0
    return process.pid, birth(process.pid)


@contextlib.contextmanager
def uninterrupted() -> Generator[None]:
    """Hold Ctrl-C back until the end of the block: a process that was started is also noted, or ended."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    held: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _frame: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if held:
            signal.raise_signal(signal.SIGINT)


def birth(pid: int) -> str:
    """Return when the process with this pid began, as the system writes it; empty when there is none, or a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that has ended must not look alive
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        try:
            # The second field is the name in brackets and may hold anything: count from its end.
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        # The first thread may have ended while others still hold the ports.
        return "" if fields[0] == _ZOMBIE and int(fields[17]) <= 1 else fields[19]
    ps = shutil.which("ps") or "/bin/ps"
    run = subprocess.run([ps, "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, timeout=10, check=False)
    return run.stdout.strip()


def is_alive(pid: int | None, born: str) -> bool:
    """Say whether this very process still runs; a stranger that got its pid does not count."""
    return pid is not None and born != "" and birth(pid) == born


def stop(processes: Iterable[tuple[int | None, str]], grace: float = _GRACE) -> None:
    """End these processes: asked first, forced after a while.

    Args:
        processes: Pid and birth of each.
        grace: How long they may take to end by themselves, in seconds.
    """
    waiting = [(pid, born) for pid, born in processes if pid is not None and is_alive(pid, born)]
    for sign, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, grace)):
        for pid, _ in waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        deadline = time.monotonic() + patience
        while waiting and time.monotonic() < deadline:
            waiting = [(pid, born) for pid, born in waiting if is_alive(pid, born)]
            time.sleep(_POLL if waiting else 0)
