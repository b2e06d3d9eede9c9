"""A small Trader Workstation on loopback: enough of its socket protocol (server version 157) for the real decoders.

What an order becomes follows from its symbol and type: a market order fills in halves, `MARGIN` is refused, a limit
order rests until it is cancelled, and `DROP` fills while the connection breaks.
"""

from __future__ import annotations

import socketserver
import struct
import threading
import time
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Fields: TypeAlias = "list[str]"

__all__ = ["PRICE", "Tws"]

VERSION: Final = "157"
ACCOUNT: Final = "DUPLANTED"
PRICE: Final = 100.0
COMMISSION: Final = 1.0
WORDS: Final = "Order rejected - reason: available funds are insufficient, PLANTED"


class Tws(socketserver.ThreadingTCPServer):
    """One gateway with its day: the executions, orders and positions that it replays to whom connects again."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.executions: list[tuple[Any, ...]] = []
        self.commissions: list[tuple[Any, ...]] = []
        self.open: dict[int, Fields] = {}
        self.held = 0.0
        self.orders = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    def server_close(self) -> None:
        """End, as the `with` block around it does."""
        self.shutdown()
        super().server_close()


class _Client(socketserver.StreamRequestHandler):
    server: Tws

    def handle(self) -> None:
        assert self.rfile.read(4) == b"API\0"
        self._read()
        self._say(VERSION, "20260105 10:00:00 EST")
        answers: dict[str, Callable[[Fields], None]] = {
            "71": self._start,
            "61": self._positions,
            "5": self._open_orders,
            "99": lambda _: self._say(102),
            "6": self._account,
            "76": lambda fields: self._say(74, 1, fields[2]),
            "7": self._executions,
            "3": self._order,
            "4": self._cancel,
            "1": self._quote,
            "92": lambda fields: self._say(94, fields[1], 7, 5, 3),
        }
        while fields := self._read():
            if fields[0] in answers:
                answers[fields[0]](fields)

    def _read(self) -> Fields:
        head = self.rfile.read(4)
        if len(head) < 4:
            return []
        return self.rfile.read(struct.unpack(">I", head)[0]).decode().split("\0")

    def _say(self, *fields: object) -> None:
        text = "".join(f"{field}\0" for field in fields).encode()
        self.wfile.write(struct.pack(">I", len(text)) + text)

    def _start(self, fields: Fields) -> None:
        self.client_id = fields[2]
        self._say(9, 1, self.server.orders + 1)
        self._say(15, 1, ACCOUNT)
        self._say(4, 2, -1, 2104, "Market data farm connection is OK:usfarm")

    def _positions(self, _fields: Fields) -> None:
        self._position()
        self._say(62, 1)

    def _position(self) -> None:
        self._say(61, 3, ACCOUNT, *_contract("AAPL"), self.server.held, PRICE)

    def _open_orders(self, _fields: Fields) -> None:
        for order in self.server.open.values():
            self._opened(order, "Submitted")
        self._say(53, 1)

    def _account(self, _fields: Fields) -> None:
        for tag, value in {"NetLiquidation": 5000, "CashBalance": 4000, "AccountCode": ACCOUNT}.items():
            self._say(6, 2, tag, value, "USD", ACCOUNT)
        self._say(54, 1, ACCOUNT)

    def _executions(self, fields: Fields) -> None:
        for execution in self.server.executions:
            self._say(11, fields[2], *execution)
        for commission in self.server.commissions:
            self._say(59, 1, *commission)
        self._say(55, 1, fields[2])

    def _order(self, fields: Fields) -> None:
        number, symbol, quantity, kind = int(fields[1]), fields[3], float(fields[17]), fields[18]
        self.server.orders = max(self.server.orders, number)
        if symbol == "MARGIN":
            self._say(4, 2, number, 201, WORDS)
            return
        self.server.open[number] = fields
        self._opened(fields, "PreSubmitted")
        self._status(number, "PreSubmitted", 0, quantity)
        self._status(number, "Submitted", 0, quantity)
        if kind == "MKT" and symbol != "DROP":
            self._fill(fields, quantity / 2, quantity / 2)
            self._fill(fields, quantity / 2, quantity)
        elif symbol == "DROP":
            self._remember(fields, quantity, quantity)
            del self.server.open[number]
            self.connection.shutdown(2)

    def _fill(self, fields: Fields, size: float, filled: float) -> None:
        number, quantity = int(fields[1]), float(fields[17])
        execution, commission = self._remember(fields, size, filled)
        if fields[3] == "AAPL":
            self.server.held += size if fields[16] == "BUY" else -size
            self._position()  # overtakes the execution that made it
        self._say(11, -1, *execution)
        self._status(number, "Submitted" if filled < quantity else "Filled", filled, quantity - filled)
        self._say(59, 1, *commission)
        if filled == quantity:
            del self.server.open[number]

    def _remember(self, fields: Fields, size: float, filled: float) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        name = f"0000e0d5.6576fd38.{len(self.server.executions) + 1:02}.01"
        clock = time.strftime("%Y%m%d  %H:%M:%S")
        side = "BOT" if fields[16] == "BUY" else "SLD"
        what = (*_contract(fields[3]), name, clock, ACCOUNT, "ISLAND", side, size, PRICE)
        permanent = 1000 + int(fields[1])
        execution = (fields[1], *what, permanent, self.client_id, 0, filled, PRICE, "", "", "", "", 2)
        commission = (name, COMMISSION, "USD", "", "", "")
        self.server.executions.append(execution)
        self.server.commissions.append(commission)
        return execution, commission

    def _cancel(self, fields: Fields) -> None:
        number = int(fields[2])
        order = self.server.open.pop(number, None)
        if order is not None:
            self._status(number, "Cancelled", 0, float(order[17]))
            self._say(4, 2, number, 202, "Order Canceled - reason:")

    def _quote(self, fields: Fields) -> None:
        for kind, price in ((1, PRICE - 1), (2, PRICE + 1), (4, PRICE)):
            self._say(1, 6, fields[2], kind, price, 10, 0)

    def _status(self, number: int, status: str, filled: float, left: float) -> None:
        self._say(3, number, status, filled, left, PRICE, 1000 + number, 0, PRICE, self.client_id, "", 0)

    def _opened(self, fields: Fields, status: str) -> None:
        number, action, quantity, kind, limit, stop, tif = fields[1], *fields[16:22]
        self._say(
            5,
            number,
            *_contract(fields[3]),
            action,
            quantity,
            kind,
            limit,
            stop,
            tif,
            *_order(number, self),
            status,
            *_rest(),
        )


def _contract(symbol: str) -> tuple[Any, ...]:
    return (f"1{len(symbol)}", symbol, "STK", "", 0, "", "", "SMART", "USD", symbol, symbol)


def _order(number: str, client: _Client) -> Iterator[object]:
    """Give what stands between time in force and status."""
    yield from ("", ACCOUNT, "", 0, "", client.client_id, 1000 + int(number), 0, 0, *_blank(7))
    yield from (*_blank(29), *_blank(7), 0, 0, 0, *_blank(3), "", *_blank(4), 0, "", *_blank(2))


def _rest() -> Iterator[object]:
    yield from (*_blank(16), 0, *_blank(16))


def _blank(count: int) -> tuple[str, ...]:
    return ("",) * count
