"""The builders of the boards under the name that a wheel gives them: here, in a checkout, they are `dashboards/`."""

from __future__ import annotations

from pathlib import Path

__path__ = [str(Path(__file__).resolve().parents[2] / "dashboards")]
