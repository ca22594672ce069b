"""Nothing of ours replaces a file of another kind than the one that it writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from vsafsm.errors import FileError


def check_output(
    output: str | Path,
    what: str,
    suffixes: Sequence[str] = (),
    is_kind: Callable[[str], bool] | None = None,
    *,
    sources: Sequence[str | None] = (),
    force: bool = False,
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
        Files that are read: none of them may be replaced, not even with `force`.
    force
        Replace what is there, of whatever kind.

    Raises
    ------
    FileError
        If the folder is not there, the file is a folder or a source, its name has another ending,
        or a file of another kind is there.
    """
    path = Path(output)
    folder = path.resolve().parent
    if not folder.is_dir():
        raise FileError(
            f'cannot write "{output}": the folder {folder} is not there; expected an existing one'
        )
    if path.is_dir():
        raise FileError(f'cannot write "{output}": it is a folder; expected the name of a file')
    for source in sources:
        if source is not None and _is_same(path, source):
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
        raise FileError(
            f'"{output}" is there and is not {what}; expected another name, or --force'
            " to replace it"
        )


def _is_same(path: Path, source: str) -> bool:
    with suppress(OSError, ValueError):  # one that is not there is not the other
        return path.is_file() and path.samefile(source)
    return False
