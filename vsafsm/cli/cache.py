"""Programs that were compiled before, kept for commands that take a spec.

Compiling is deterministic, so a program is found again by the machine, the options, and the code
that compiles: a digest of the three names its file. Files that are damaged or gone are compiled
anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm.cli.arguments import Choices
from vsafsm.discovery import packages
from vsafsm.errors import VsafsmError
from vsafsm.machine import Machine
from vsafsm.program import SUFFIX, Program, load_program

VARIABLE = "VSAFSM_CACHE"
"""Environment variable with the folder; ``off`` keeps nothing."""
LEAST_SECONDS = 1.0
"""What takes less to compile is not kept."""
MOST_PROGRAMS = 100
MOST_BYTES = 256 * 2**20


def places_of(machine: Machine, chosen: Choices, allow_unproven: bool) -> tuple[Path, ...]:
    """Where the program of these may be kept, whether it is there or not; the first is the place
    for a new one. There is none where nothing can be kept.

    What compiles without ``allow_unproven`` is the same with it, but not the other way round.
    """
    folder = _folder()
    if folder is None:
        return ()
    asked = [chosen.target, chosen.of_compile, chosen.of_target]
    digest = hashlib.sha256()
    try:
        digest.update(json.dumps([machine, asked], default=_plain, sort_keys=True).encode())
        for path in _files_named(chosen.of_target.values()):
            digest.update(path.read_bytes())
        digest.update(_code_digest(type(chosen.backend).__module__))
    except (OSError, TypeError, ValueError):
        return ()
    proven = folder / (digest.hexdigest() + SUFFIX)
    return (folder / f"{proven.stem}-unproven{SUFFIX}", proven) if allow_unproven else (proven,)


def find(places: Iterable[Path]) -> tuple[Program, Path] | None:
    """The first program that is kept whole, and where."""
    for place in places:
        with suppress(OSError, VsafsmError):
            program = load_program(place)
            os.utime(place)  # the files that were used last stay
            return program, place
    return None


def keep(place: Path, program: Program) -> None:
    """Keep a program there, as far as the disk lets us, and delete those that were used least."""
    with suppress(OSError, VsafsmError):
        place.parent.mkdir(parents=True, exist_ok=True)
        program.save(place)
        _shrink(place.parent)


def _folder() -> Path | None:
    named = os.environ.get(VARIABLE)
    if named == "off":
        return None
    if named:
        return Path(named)
    from platformdirs import user_cache_path

    return user_cache_path("vsafsm", appauthor=False)


def _plain(value: Any) -> Any:
    """What JSON does not know: the fields of a dataclass, and the text of what is a number."""
    if dataclasses.is_dataclass(value):
        return [getattr(value, field.name) for field in dataclasses.fields(value)]
    return repr(value)


def _files_named(values: Iterable[object]) -> Iterable[Path]:
    """Files that options of a backend name: a table of a device, say."""
    for value in values:
        if isinstance(value, str | os.PathLike) and Path(value).is_file():
            yield Path(value)


def _code_digest(module: str) -> bytes:
    """Digest of all code that compiles: a program of other code is another program.

    Backends of vsafsm use parts of each other, some only when they are asked, so that all of them
    count.
    """
    digest = hashlib.sha256(f"{sys.version} NumPy {np.__version__}".encode())
    backends = {name for name in packages() if name.startswith("vsafsm")}
    for name in sorted({"vsafsm", module.partition(".")[0]} | backends):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        single = origin.name != "__init__.py"
        for path in [origin] if single else sorted(origin.parent.rglob("*.py")):
            place = path.relative_to(origin.parent).as_posix()
            digest.update(place.encode() + b"\0" + path.read_bytes())
    return digest.digest()


def _shrink(folder: Path) -> None:
    """Delete the files that were used longest ago, beyond what the cache may hold."""
    files = [(path, path.stat()) for path in folder.glob(f"*{SUFFIX}")]
    files.sort(key=lambda each: each[1].st_mtime, reverse=True)
    held = 0
    for number, (path, about) in enumerate(files):
        held += about.st_size
        if number >= MOST_PROGRAMS or held > MOST_BYTES:
            path.unlink(missing_ok=True)
