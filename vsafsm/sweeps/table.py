"""Tables of sweeps: CSV with where it comes from in its first lines, or Parquet with the same in
its metadata.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from vsafsm.errors import FileError, SweepError
from vsafsm.files import reason, write_atomically
from vsafsm.json_text import parse_json
from vsafsm.sweeps.rows import COLUMNS, Row

if TYPE_CHECKING:
    import pandas

VERSION = 2
TITLE = "# vsafsm sweep table "
KEY = b"vsafsm"
SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Rows of a sweep, and all that their numbers depend on."""

    rows: tuple[Row, ...]
    provenance: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"<Table of a sweep of {self.provenance.get('machine')}: {len(self.rows)} points>"

    def to_pandas(self) -> pandas.DataFrame:
        """One row per point, one column per attribute of `Row`.

        Raises
        ------
        SweepError
            If pandas is not installed.
        """
        try:
            frames = import_module("pandas")
        except ImportError:
            raise SweepError("pandas is not installed; expected: pip install pandas") from None
        frame: pandas.DataFrame = frames.DataFrame(_records(self), columns=list(COLUMNS))
        return frame


def check_suffix(path: Path) -> None:
    """Raise `SweepError` unless a table can be written under this name here."""
    if path.suffix not in SUFFIXES:
        raise SweepError(
            f'"{path}" does not say what to write; expected a name that ends in'
            f" {' or '.join(SUFFIXES)}"
        )
    if path.suffix == ".parquet":
        _arrow()


def write_table(path: Path, table: Table) -> None:
    """Write it whole or not at all. Raises `FileError`."""
    write_atomically(path, (_as_csv if path.suffix == ".csv" else _as_parquet)(table))


def read_table(path: Path) -> Table:
    """Read what `write_table` wrote.

    Raises
    ------
    FileError
        If the file cannot be read.
    SweepError
        If it is no table of a sweep, or one of another version.
    """
    check_suffix(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileError(f'cannot read "{path}": {reason(error)}') from None
    version, provenance, records = (_from_csv if path.suffix == ".csv" else _from_parquet)(
        data, path
    )
    if version != VERSION:
        raise SweepError(
            f'"{path}" is a sweep table of version {version}; expected version {VERSION}'
        )
    try:
        rows = tuple(
            Row(**{name: _typed(name, record[name]) for name in COLUMNS}) for record in records
        )
        return Table(rows, dict(provenance))
    except (KeyError, OverflowError, TypeError, ValueError):
        raise _no_table(path) from None


def holds_table(path: str | Path) -> bool:
    """Whether a file that is there holds a table of a sweep, of any version."""
    place = Path(path)
    try:
        data = place.read_bytes()
        if place.suffix == ".csv":
            return data.startswith(TITLE.encode())
        _from_parquet(data, place)
    except (OSError, SweepError):
        return False
    return True


def _no_table(path: Path) -> SweepError:
    return SweepError(
        f'"{path}" is no table of a sweep; expected one that `vsafsm sweep` wrote, unaltered'
    )


def _records(table: Table) -> list[dict[str, object]]:
    return [{name: getattr(row, name) for name in COLUMNS} for row in table.rows]


_TYPES: Mapping[str, Any] = get_type_hints(Row)


def _typed(name: str, value: object) -> Any:
    """A value as its column has it: texts of a CSV are read."""
    kinds = get_args(_TYPES[name]) or (_TYPES[name],)
    if value is None or (value == "" and type(None) in kinds):
        return None
    if kinds[0] is bool:
        return {"True": True, "False": False}[str(value)]
    return kinds[0](value)


# ---- CSV


def _as_csv(table: Table) -> bytes:
    buffer = io.StringIO()
    buffer.write(f"{TITLE}{VERSION}\n# {json.dumps(table.provenance)}\n")
    writer = csv.DictWriter(buffer, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_records(table))
    return buffer.getvalue().encode()


def _from_csv(data: bytes, path: Path) -> tuple[int, Any, Sequence[Mapping[str, object]]]:
    try:
        title, provenance, *rest = data.decode().splitlines(keepends=True)
        if not title.startswith(TITLE):
            raise ValueError
        return (
            int(title.removeprefix(TITLE)),
            parse_json(provenance.removeprefix("# ")),
            list(csv.DictReader(rest)),
        )
    except ValueError:
        raise _no_table(path) from None


# ---- Parquet


def _arrow() -> Any:
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise SweepError(
            "pyarrow, which Parquet needs, is not installed; expected: pip install 'vsafsm[sweep]',"
            " or a .csv"
        ) from None


def _as_parquet(table: Table) -> bytes:
    arrow, parquet = _arrow()
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64(), bool: arrow.bool_()}
    columns = [(name, kinds[(get_args(_TYPES[name]) or (_TYPES[name],))[0]]) for name in COLUMNS]
    metadata = {KEY: json.dumps({"version": VERSION, "provenance": table.provenance}).encode()}
    whole = arrow.Table.from_pylist(
        _records(table), schema=arrow.schema(columns, metadata=metadata)
    )
    buffer = io.BytesIO()
    parquet.write_table(whole, buffer)
    return buffer.getvalue()


def _from_parquet(data: bytes, path: Path) -> tuple[int, Any, Sequence[Mapping[str, object]]]:
    arrow, parquet = _arrow()
    try:
        whole = parquet.read_table(io.BytesIO(data))
        metadata = parse_json(whole.schema.metadata[KEY])
        return int(metadata["version"]), metadata["provenance"], whole.to_pylist()
    except (arrow.ArrowException, OSError, ValueError, KeyError, OverflowError, TypeError):
        raise _no_table(path) from None
