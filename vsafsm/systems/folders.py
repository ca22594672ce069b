"""Compiled systems as folders: a program file for each machine, and one that lists them."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from vsafsm.errors import FileError, ProgramError, SpecError
from vsafsm.files import reason
from vsafsm.json_text import parse_json
from vsafsm.overwriting import check_place
from vsafsm.program import SUFFIX, load_program
from vsafsm.systems.programs import SystemProgram
from vsafsm.systems.system import System

LIST = "system.json"
FORMAT_VERSION = 1
_MOST_BYTES = 2**24
_FILE = re.compile(r"[0-9]{1,9}[\w-]*\.npz")


def is_system(path: str | Path) -> bool:
    """Whether a folder holds a compiled system."""
    with suppress(OSError, ValueError):
        return (Path(path) / LIST).is_file()
    return False


def check_folder(path: str | Path) -> None:
    """Refuse to write a system, before anything is computed.

    Raises
    ------
    FileError
        If the name is that of a program file, the folder around is not there, or something else is
        there than an empty folder or one with a system and nothing more.
    """
    folder = Path(path)
    if folder.suffix == SUFFIX:
        raise FileError(
            f'cannot write a system to "{path}", which is the name of one program; expected the'
            " name of a folder, for a program of each machine"
        )
    check_place(folder)
    if not folder.exists():
        return
    if not folder.is_dir():
        raise FileError(f'"{path}" is there and is no folder; expected another name')
    try:
        files = [each.name for each in folder.iterdir()]
    except OSError as error:
        raise FileError(f'cannot read "{path}": {reason(error)}') from None
    other = [each for each in files if each != LIST and not _FILE.fullmatch(each)]
    if other or (files and not is_system(folder)):
        raise FileError(
            f'the folder "{path}" has "{(other or files)[0]}" in it, which is no part of a system;'
            " expected a new or an empty folder"
        )


def save_system(program: SystemProgram, path: str | Path) -> tuple[str, ...]:
    """Write a system, whole or not at all: -> the names of the program files, in order.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    check_folder(path)
    folder = Path(os.path.realpath(path))
    names = tuple(
        f"{number}-{re.sub(r'[^A-Za-z0-9_]+', '-', machine.name)[:80]}{SUFFIX}"
        for number, machine in enumerate(program.system.machines, 1)
    )
    listed = {
        "format": "vsafsm system",
        "version": FORMAT_VERSION,
        "name": program.system.name,
        "programs": names,
        "inner": sorted(program.system.inner),
    }
    new = folder.parent / f".vsafsm-{secrets.token_hex(8)}.tmp"
    try:
        new.mkdir()
        try:
            for name, each in zip(names, program.programs, strict=True):
                each.save(new / name)
            (new / LIST).write_text(json.dumps(listed, indent=2) + "\n", encoding="utf-8")
            _replace(folder, new)
        finally:
            shutil.rmtree(new, ignore_errors=True)
    except (OSError, ValueError) as error:
        raise FileError(f'cannot write "{path}": {reason(error)}') from None
    return names


def load_system(path: str | Path) -> SystemProgram:
    """Read a system that `save_system` wrote.

    Raises
    ------
    FileError
        If a file cannot be read.
    ProgramError
        If the folder holds no system, or its programs make none.
    """
    name = str(Path(path) / LIST)
    try:
        with Path(name).open("rb") as file:
            listed = parse_json(file.read(_MOST_BYTES))
    except OSError as error:
        raise FileError(f"{name}: cannot be read: {reason(error)}") from None
    except ValueError:
        raise ProgramError(f"{name}: is no JSON; expected what vsafsm compile wrote") from None
    _check(listed, name)
    programs = tuple(load_program(Path(path) / each) for each in listed["programs"])
    try:
        machines = tuple(each.machine for each in programs)
        system = System(listed["name"], machines, frozenset(listed.get("inner", ())))
    except SpecError as error:
        raise ProgramError(f"{name}: the programs make no system: {error}") from None
    return SystemProgram(system, programs)


def _check(listed: object, name: str) -> None:
    if not isinstance(listed, dict) or listed.get("format") != "vsafsm system":
        raise ProgramError(f"{name}: is no system; expected what vsafsm compile wrote")
    if listed.get("version") != FORMAT_VERSION:
        raise ProgramError(
            f"{name}: has another version of the format than {FORMAT_VERSION}; expected a newer"
            " vsafsm"
        )
    programs = listed.get("programs")
    files = isinstance(programs, list) and all(
        isinstance(each, str) and _FILE.fullmatch(each) for each in programs
    )
    inner = listed.get("inner", [])
    events = isinstance(inner, list) and all(isinstance(each, str) for each in inner)
    if not files or not events or not isinstance(listed.get("name"), str):
        raise ProgramError(f"{name}: lacks a name, or the names of programs in its folder")


def _replace(folder: Path, new: Path) -> None:
    """Put a folder where another may be. The old one is put aside first, and back where that
    fails.
    """
    if not folder.exists():
        new.rename(folder)
        return
    old = folder.parent / f".vsafsm-{secrets.token_hex(8)}.old"
    folder.rename(old)
    try:
        new.rename(folder)
    finally:
        if not folder.exists():
            old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
