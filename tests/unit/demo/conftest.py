"""A paper venue as its own process, on a free port."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from demo_support import VenueClient, run_venue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="module")
def venue() -> Iterator[VenueClient]:
    """A venue on which nothing goes wrong by itself."""
    with run_venue("--no-faults", "--speed", "5") as client:
        yield client


@pytest.fixture
def own_venue() -> Iterator[Callable[..., VenueClient]]:
    """Starts a venue that only this test uses."""
    with ExitStack() as ends:
        yield lambda *arguments: ends.enter_context(run_venue(*arguments))
