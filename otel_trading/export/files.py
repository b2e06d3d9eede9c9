"""Writes rows as CSV, JSON, JSON Lines or Parquet: whole or not at all, and for this user only.

Which labels there are is known at the end only, so rows wait in a file beside the target, not in memory.
"""

from __future__ import annotations

import contextlib
import csv
import importlib
import importlib.util
import json
import math
import os
import tempfile
from datetime import datetime, timezone
from typing import IO, TYPE_CHECKING, Any, Final

from otel_trading.errors import ConfigError, StackError
from otel_trading.export.period import written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

__all__ = ["FORMATS", "MOMENTS", "VALUE", "check", "write"]

#: The columns that hold a moment, as milliseconds since 1970 until they are written.
MOMENTS: Final = ("time", "since", "until")
#: The column that holds a number, as text until it is written.
VALUE: Final = "value"
_BATCH: Final = 50_000

Row = dict[str, Any]


def check(file: Path) -> None:
    """Refuse a file whose name says no format, and Parquet where its library is missing.

    Raises:
        ConfigError: Says which names are allowed, or what to install.
    """
    if file.suffix not in FORMATS:
        message = f"{file} says no format. Allowed: a name that ends in {', '.join(FORMATS)}. Name another file."
        raise ConfigError(message)
    if file.suffix == ".parquet" and importlib.util.find_spec("pyarrow") is None:
        message = "Parquet needs pyarrow. Install: pip install 'otel-trading[parquet]', or name a .csv or .json file."
        raise ConfigError(message)


def write(file: Path, rows: Iterable[Row], first: Sequence[str]) -> int:
    """Write rows into a file whose name says the format and return how many; none leaves no file.

    Args:
        file: What is there is replaced once all is written.
        rows: Column -> value; strings but for moments.
        first: Columns that come first, in this order; then the others by name, the value last.

    Raises:
        StackError: It cannot be written.
    """
    new = file.with_name(f".{file.name}.new")
    try:
        with tempfile.TemporaryFile("w+", dir=file.parent, encoding="utf-8") as waiting:
            count, columns = _spool(rows, waiting, first)
            if count:
                new.unlink(missing_ok=True)
                # Ours alone: never what somebody else has put there, or a link of theirs.
                os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                waiting.seek(0)
                FORMATS[file.suffix](new, map(json.loads, waiting), columns)
                new.replace(file)
            return count
    except OSError as error:
        message = f"{file} cannot be written: {error}. Make room, or name another file."
        raise StackError(message) from error
    finally:
        with contextlib.suppress(OSError):
            new.unlink()


def _spool(rows: Iterable[Row], waiting: IO[str], first: Sequence[str]) -> tuple[int, list[str]]:
    count, seen = 0, set[str]()
    for row in rows:
        count += 1
        seen.update(row)
        waiting.write(json.dumps(row) + "\n")
    between = sorted(seen - {*first, VALUE})
    return count, [*first, *between, VALUE]


def _csv(file: Path, rows: Iterator[Row], columns: list[str]) -> None:
    with file.open("w", encoding="utf-8", newline="") as output:
        writer = csv.DictWriter(output, columns, restval="")
        writer.writeheader()
        for row in rows:
            writer.writerow(_dated(row))


def _json(file: Path, rows: Iterator[Row], columns: list[str]) -> None:
    del columns
    with file.open("w", encoding="utf-8") as output:
        for number, row in enumerate(rows):
            output.write(("[\n" if number == 0 else ",\n") + json.dumps(_numbered(_dated(row)), ensure_ascii=False))
        output.write("\n]\n")


def _lines(file: Path, rows: Iterator[Row], columns: list[str]) -> None:
    del columns
    with file.open("w", encoding="utf-8") as output:
        for row in rows:
            output.write(json.dumps(_numbered(_dated(row)), ensure_ascii=False) + "\n")


def _parquet(file: Path, rows: Iterator[Row], columns: list[str]) -> None:
    # The extra `parquet`, which says nothing of its types.
    pa: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    types = {**dict.fromkeys(MOMENTS, pa.timestamp("ms", tz="UTC")), VALUE: pa.float64()}
    schema = pa.schema([(column, types.get(column, pa.string())) for column in columns])
    with parquet.ParquetWriter(file, schema) as output:
        batch: list[Row] = []
        for row in rows:
            batch.append({name: _typed(name, held) for name, held in row.items()})
            if len(batch) == _BATCH:
                output.write_table(pa.Table.from_pylist(batch, schema))
                batch = []
        if batch:
            output.write_table(pa.Table.from_pylist(batch, schema))


def _typed(name: str, held: Any) -> Any:
    if name in MOMENTS:
        return datetime.fromtimestamp(held / 1000, timezone.utc)
    return float(held) if name == VALUE else held


def _dated(row: Row) -> Row:
    return row | {name: written(row[name]) for name in MOMENTS if name in row}


def _numbered(row: Row) -> Row:
    """JSON has no word for what is no number: it stays a string, `NaN` or `+Inf`."""
    number = float(row[VALUE])
    return row | {VALUE: number if math.isfinite(number) else row[VALUE]}


#: End of the name -> who writes it.
FORMATS: Final[dict[str, Callable[[Path, Iterator[Row], list[str]], None]]] = {
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _lines,
    ".parquet": _parquet,
}
