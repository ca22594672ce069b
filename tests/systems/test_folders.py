"""Compiled systems as folders: what is read back is what was written, and nothing else is
replaced or believed.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vsafsm.errors import FileError, ProgramError
from vsafsm.machine import Machine
from vsafsm.systems import System, SystemProgram, compile_system, load_system, save_system
from vsafsm.systems.folders import LIST, check_folder, is_system


def machine(name: str) -> Machine:
    rows = {"off": {"press": ["on", "lit"]}, "on": {"press": "off"}}
    return Machine.from_dict({"name": name, "transitions": rows})


@pytest.fixture(scope="module")
def program() -> SystemProgram:
    return compile_system(System("two", (machine("a/b: ü"), machine("a.b: ü"))))


@pytest.fixture
def folder(program: SystemProgram, tmp_path: Path) -> Path:
    save_system(program, tmp_path / "two")
    return tmp_path / "two"


def test_what_is_written_is_read_back(program: SystemProgram, folder: Path) -> None:
    found = load_system(folder)
    assert is_system(folder)
    assert found.system == program.system
    assert found.programs == program.programs
    assert sorted(each.name for each in folder.iterdir()) == ["1-a-b-.npz", "2-a-b-.npz", LIST]
    assert [each.name for each in folder.parent.iterdir()] == ["two"]


def test_a_system_is_replaced_whole(program: SystemProgram, folder: Path) -> None:
    one = SystemProgram(System("one", program.system.machines[:1]), program.programs[:1])
    assert save_system(one, folder) == ("1-a-b-.npz",)
    assert load_system(folder).system == one.system
    assert len(list(folder.iterdir())) == 2
    assert [each.name for each in folder.parent.iterdir()] == ["two"]


def test_a_new_and_an_empty_folder_will_do(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    check_folder(tmp_path / "empty")
    check_folder(tmp_path / "new")


def test_a_link_to_itself_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(FileError, match="Too many levels"):
        check_folder(tmp_path / "loop")


@pytest.mark.parametrize("name", ["notes.txt", "1.npy", ".hidden"])
def test_nothing_else_is_replaced(
    name: str, program: SystemProgram, folder: Path, tmp_path: Path
) -> None:
    (folder / name).write_text("mine")
    with pytest.raises(FileError, match=f'has "{name}" in it, which is no part of a system'):
        save_system(program, folder)
    other = tmp_path / "other"
    other.mkdir()
    (other / "1.npz").write_text("mine")
    with pytest.raises(FileError, match=r'has "1\.npz" in it'):
        save_system(program, other)
    assert (folder / name).read_text() == (other / "1.npz").read_text() == "mine"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("file", "is there and is no folder"),
        ("x.npz", "the name of one program"),
        ("nowhere/x", "is not there; expected an existing one"),
    ],
)
def test_where_no_system_can_be(path: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError, match=told):
        check_folder(tmp_path / path)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"format": "else"}, "is no system"),
        ({"version": 2}, "another version"),
        ({"name": 3}, "lacks a name"),
        ({"programs": "1.npz"}, "names of programs"),
        ({"programs": ["../two/1-a-b-.npz"]}, "names of programs"),
        ({"programs": ["1-a-b-.npz", "1-a-b-.npz"]}, 'two machines .* are named "a/b: ü"'),
        ({"programs": []}, "has no machines"),
        ({"name": " "}, "make no system"),
    ],
)
def test_what_is_no_system_is_told(change: dict[str, object], told: str, folder: Path) -> None:
    listed = json.loads((folder / LIST).read_text())
    (folder / LIST).write_text(json.dumps({**listed, **change}))
    with pytest.raises(ProgramError, match=told):
        load_system(folder)


def test_damage_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / LIST).write_text("{")
    with pytest.raises(ProgramError, match="is no JSON"):
        load_system(folder)
    with pytest.raises(FileError, match="cannot be read"):
        load_system(tmp_path / "nowhere")
