from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from otel_trading.stack import processes

_STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
)

#: Its first thread ends, another one goes on.
_HEADLESS = (
    "import ctypes, threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); "
    "ctypes.CDLL(None).pthread_exit(None)"
)


def _start(folder: Path, program: str) -> tuple[int, str]:
    return processes.start([sys.executable, "-c", program], log=folder / "log", cwd=folder, environment=os.environ)


def test_starts_in_a_session_of_its_own_and_ends(tmp_path: Path) -> None:
    pid, born = _start(tmp_path, "import time; time.sleep(60)")
    assert processes.is_alive(pid, born)
    assert os.getsid(pid) == pid
    processes.stop([(pid, born)])
    assert not processes.is_alive(pid, born)


def test_ends_what_does_not_listen(tmp_path: Path) -> None:
    pid, born = _start(tmp_path, _STUBBORN)
    deadline = time.monotonic() + 10
    while "deaf" not in (tmp_path / "log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    processes.stop([(pid, born)], grace=0.2)
    assert not processes.is_alive(pid, born)


def test_never_ends_a_stranger_that_got_the_same_pid(tmp_path: Path) -> None:
    pid, born = _start(tmp_path, "import time; time.sleep(60)")
    processes.stop([(pid, "some other birth"), (pid, ""), (None, born)], grace=0.1)
    assert processes.is_alive(pid, born)
    processes.stop([(pid, born)])


def test_a_child_that_ended_is_not_alive(tmp_path: Path) -> None:
    pid, born = _start(tmp_path, "pass")
    deadline = time.monotonic() + 10
    while processes.is_alive(pid, born):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert processes.birth(pid) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the threads of a process apart")
def test_a_process_lives_until_its_last_thread_ended(tmp_path: Path) -> None:
    """Until then it holds its ports: whoever took it for ended found them taken."""
    pid, born = _start(tmp_path, _HEADLESS)
    stat = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 10
    while ") Z " not in stat.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert processes.is_alive(pid, born)
    processes.stop([(pid, born)])
    assert not processes.is_alive(pid, born)


def test_nobody_has_no_birth() -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    assert processes.birth(int(ended.stdout)) == ""


def test_ctrl_c_waits_until_a_start_is_noted() -> None:
    noted: list[str] = []

    def start() -> None:
        with processes.uninterrupted():
            signal.raise_signal(signal.SIGINT)
            noted.append("started")

    with pytest.raises(KeyboardInterrupt):
        start()
    assert noted == ["started"]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_elsewhere_than_in_the_main_thread_there_is_nothing_to_hold_back() -> None:
    ran: list[bool] = []

    def work() -> None:
        with processes.uninterrupted():
            ran.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=10)
    assert ran == [True]
