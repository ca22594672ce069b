"""Tables come back as they were written, with where they come from; other tools read them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from vsafsm.errors import FileError, SweepError
from vsafsm.sweeps.plan import Plan
from vsafsm.sweeps.rows import COLUMNS, Row
from vsafsm.sweeps.table import Table, read_table, write_table


@pytest.fixture
def table(plan: Plan, rows: list[Row]) -> Table:
    return Table(tuple(rows), json.loads(json.dumps(plan.described())))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_comes_back(table: Table, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"t{suffix}"
    write_table(path, table)
    again = read_table(path)
    assert again.rows == table.rows
    assert again.provenance == table.provenance
    other = tmp_path / f"u{suffix}"
    write_table(other, again)
    assert other.read_bytes() == path.read_bytes()


def test_a_csv_is_tidy(table: Table, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    write_table(path, table)
    lines = path.read_text().splitlines()
    comments = [line for line in lines if line.startswith("#")]
    assert comments[0] == "# vsafsm sweep table 2"
    assert json.loads(comments[1][1:])["machine"] == "turnstile"
    records = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert tuple(records[0]) == COLUMNS
    assert [float(each["correct_share"]) for each in records] == [
        row.correct_share for row in table.rows
    ]


def test_a_parquet_file_is_one_of_arrows(table: Table, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    write_table(tmp_path / "t.parquet", table)
    found = parquet.read_table(tmp_path / "t.parquet").to_pydict()
    assert tuple(found) == COLUMNS
    assert found["correct"] == [row.correct for row in table.rows]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("sweep table 2", "sweep table 1", "version 1; expected version 2"),
        ("sweep table 2", "sweep table x", "no table of a sweep"),
        ("# vsafsm", "# another", "no table of a sweep"),
        ("turnstile,", "turnstile;", "no table of a sweep"),
        ("correct_low", "correct_lower", "no table of a sweep"),
        (",True,", ",Maybe,", "no table of a sweep"),
        ("# {", "# " + '{"a":' * 10**5, "no table of a sweep"),
    ],
)
def test_another_table_is_refused(
    table: Table, tmp_path: Path, old: str, new: str, told: str
) -> None:
    path = tmp_path / "t.csv"
    write_table(path, table)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SweepError, match=told):
        read_table(path)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
@pytest.mark.parametrize("data", [b"", b"\x00\xff", b"a,b\n1,2\n", b"PAR1 and no more PAR1"])
def test_what_is_no_table_is_refused(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(SweepError, match="no table of a sweep"):
        read_table(path)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read"):
        read_table(tmp_path / "t.csv")
    with pytest.raises(SweepError, match=r"ends in \.csv or \.parquet"):
        read_table(tmp_path / "t.xlsx")
