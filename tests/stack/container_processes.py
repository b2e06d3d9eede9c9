"""What the kernel says of the processes in containers."""

from __future__ import annotations

from pathlib import Path

__all__ = ["confined"]


def confined(pid: int, name: str, *, root: bool = False) -> None:
    """Assert that a process has no capability, gets none, and has no disk to write on.

    Args:
        pid: Its number.
        name: Of its container, for the message.
        root: Whether its user may be the one who runs the tests.
    """
    process = Path(f"/proc/{pid}")
    lines = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    assert "0" not in lines["Uid"].split() or root, name
    assert {lines[key].strip() for key in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}, name
    assert lines["NoNewPrivs"].strip() == "1", name
    (mount,) = [line.split() for line in (process / "mountinfo").read_text().splitlines() if line.split()[4] == "/"]
    assert "ro" in mount[5].split(","), name
