"""Files that work goes on from, whatever it was interrupted in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.errors import FileError
from vsafsm.json_lines import JsonLines

FIRST = {"of": "draws", "seed": 1}


def lines_of(path: Path, *contents: dict[str, Any]) -> list[Any]:
    lines = JsonLines(path, FIRST)
    found = lines.read()
    lines.open()
    for content in contents:
        lines.add(content)
    lines.close()
    return found


@given(data=st.data())
def test_a_file_that_was_cut_off_anywhere_goes_on(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("lines") / "journal"
    contents = [{"draw": n} for n in range(4)]
    assert lines_of(path, *contents) == []
    whole = path.read_bytes()
    assert [json.loads(line) for line in whole.splitlines()] == [FIRST, *contents]
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    kept = lines_of(path)
    assert kept == [FIRST, *contents][: whole[:cut].count(b"\n")]
    left = contents[max(0, len(kept) - 1) :]
    lines_of(path, *left)
    assert path.read_bytes() == whole


@pytest.mark.parametrize("text", ["notes of mine", '{"of": "drawn', "no JSON\n", "[" * 100_000])
def test_another_file_is_told_and_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "journal"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"."):
        lines_of(path, {"draw": 0})
    assert path.read_text() == text


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot write"):
        lines_of(tmp_path / "no folder" / "journal")
    with pytest.raises(FileError, match="cannot read"):
        lines_of(tmp_path)
