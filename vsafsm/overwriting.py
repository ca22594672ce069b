"""Nothing of ours replaces a file of another kind than the one that it writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from vsafsm.errors import FileError
from vsafsm.files import reason

MANIFEST = "manifest.json"
HASHES = ("content_hash", "map_hash")
"""Keys of which a manifest of ours has one."""


def check_output(
    output: str | Path,
    what: str,
    suffixes: Sequence[str] = (),
    is_kind: Callable[[str], bool] | None = None,
    *,
    sources: Sequence[str | None] = (),
    force: bool | None = None,
) -> None:
    """Refuse to write a file, before anything is computed.

    Parameters
    ----------
    output
        The file to be written.
    what
        What is written, for messages: ``"a program"``.
    suffixes
        Endings that such a file has; none where any will do.
    is_kind
        Whether a file that is there is of the kind that is written, by its content; where it is
        None the suffix decides.
    sources
        Files that are read, and folders of such files: none of them may be replaced, not even with
        `force`.
    force
        Replace what is there, of whatever kind; None where the command has no such flag.

    Raises
    ------
    FileError
        If the folder is not there, the file is a folder or a source, its name has another ending,
        a file of another kind is there, or it cannot be told what is there.
    """
    path = Path(output)
    with suppress(FileNotFoundError, NotADirectoryError):
        try:
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise
        except OSError as error:  # a link to itself, a name too long, a folder that is locked
            raise FileError(f'cannot write "{output}": {reason(error)}') from None
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise FileError(
            f'cannot write "{output}": the folder {folder} is not there; expected an existing one'
        )
    if path.is_dir():
        raise FileError(f'cannot write "{output}": it is a folder; expected the name of a file')
    for source in sources:
        if source is not None and _is_of(path, source):
            raise FileError(
                f'cannot write "{output}": it is the file to be read; expected another one'
            )
    # A device or a pipe, such as /dev/stdout, has no suffix and holds nothing that could be lost.
    if path.exists() and not path.is_file():
        return
    if suffixes and path.suffix not in suffixes:
        expected = ", ".join(suffixes)
        raise FileError(
            f'cannot write {what} to "{output}"; expected a name that ends in {expected}'
        )
    if (
        not force
        and is_kind is not None
        and path.is_file()
        and path.stat().st_size
        and not is_kind(str(path))
    ):
        raise FileError(f'"{output}" is there and is not {what}; {_otherwise("name", force)}')


def check_manifest(folder: str | Path, force: bool | None = None) -> None:
    """Refuse to write what a backend needs into a folder that has a manifest of something else.

    Parameters
    ----------
    force
        As `check_output` takes it.

    Raises
    ------
    FileError
        If it has one, or it cannot be read.
    """
    path = Path(folder) / MANIFEST
    try:
        text = "" if force else path.read_text(encoding="utf-8")
        if force or any(f'"{each}"' in text for each in HASHES) and isinstance(json.loads(text), dict):
            return
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise FileError(f'cannot read "{path}": {reason(error)}') from None
    except (RecursionError, ValueError):
        pass
    raise FileError(
        f'"{path}" is there and is not a manifest of vsafsm; {_otherwise("folder", force)}'
    )


def _otherwise(what: str, force: bool | None) -> str:
    return f"expected another {what}" + ("" if force is None else ", or --force to replace it")


def _is_of(path: Path, source: str) -> bool:
    """Whether a file is `source`, or lies in that folder."""
    with suppress(OSError, ValueError):  # one that is not there is not the other
        if not path.is_file():
            return False
        if Path(source).is_dir():
            return Path(os.path.realpath(source)) in Path(os.path.realpath(path)).parents
        return path.samefile(source)
    return False
