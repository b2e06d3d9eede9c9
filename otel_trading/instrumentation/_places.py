"""Names of connections that outlive the object that keeps one up."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Places"]


@dataclass(slots=True)
class _Place:
    client: Callable[[], Any]
    owner: Callable[[], Any]


class Places:
    """By venue and host, who holds each connection: a new one takes the place, and so the name, of one that broke.

    A name is the host, which is all of a URL that may leave: the rest may be the key of a stream. Further connections
    to a host are numbered.
    """

    def __init__(self) -> None:
        self._places: dict[tuple[str, str], list[_Place]] = {}

    def name(self, venue: str, url: str, client: Any, owner: Any, *, is_over: Callable[[Any], bool]) -> str:
        """Return the name of a client's connection.

        Args:
            venue: To which it goes.
            url: Of which the host is looked at.
            client: Keeps it up.
            owner: For whom; a connection ends for good with it.
            is_over: Whether a client, or None for one that is gone, keeps its connection up no more.
        """
        host = urlsplit(url).hostname or "websocket"
        places = self._places.setdefault((venue, host), [])
        return _name(host, _number(places, client, owner, is_over))

    def left(self, owner: Any) -> Iterator[tuple[str, str]]:
        """Give venue and name of every connection of an owner who is done, and free them."""
        for (venue, host), places in list(self._places.items()):
            for number, place in enumerate(places):
                if place.owner() is owner:
                    places[number] = _Place(_nobody, _nobody)
                    yield venue, _name(host, number)


def _number(places: list[_Place], client: Any, owner: Any, is_over: Callable[[Any], bool]) -> int:
    for number, place in enumerate(places):
        if place.client() is client:
            return number
    own = _Place(weakref.ref(client), weakref.ref(owner))
    for number, place in enumerate(places):
        if is_over(place.client()):
            places[number] = own
            return number
    places.append(own)
    return len(places) - 1


def _name(host: str, number: int) -> str:
    return host if number == 0 else f"{host} {number + 1}"


def _nobody() -> None:
    return None
