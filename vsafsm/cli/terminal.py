"""What the command line prints: lines, one JSON object, and errors. Imported at every start."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from vsafsm.errors import FileError

_SURROGATES = re.compile("[\ud800-\udfff]")


def print_json(content: Mapping[str, Any]) -> None:
    """One JSON object on standard output, and nothing else."""
    text = json.dumps(content, indent=2, ensure_ascii=not _takes_all(sys.stdout))
    # Bytes of file names that are no UTF-8 would be written as they are.
    print_line(_SURROGATES.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def print_line(text: str = "") -> None:
    """A line on standard output. Raises `FileError`."""
    with _writing():
        sys.stdout.write(text + "\n")


def flush() -> None:
    """Write out what was printed. Raises `FileError`."""
    with _writing():
        sys.stdout.flush()


def note(kind: str, text: str) -> None:
    """``vsafsm: kind: text`` on standard error, or nowhere if that cannot be written.

    It is one line: control characters, which names of the user may have, are escaped.
    """
    shown = "".join(_shown(letter) for letter in text)
    with suppress(OSError):
        sys.stderr.write(f"vsafsm: {kind}: {shown}\n")


def write_message(message: str, file: TextIO | None) -> None:
    """What argparse prints. It swallows errors of writing itself, since Python 3.11; here they are
    raised, so that help that nobody received is no success.
    """
    if message:
        with _writing():
            (file or sys.stderr).write(message)


def prepare_streams() -> None:
    """Let every name be printed, escaped where an encoding lacks it, and let standard error be
    there.
    """
    if (
        sys.stderr is None
    ):  # closed by whoever started us; argparse and note write to it all the same
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors in _failing(stream):
            stream.reconfigure(errors="backslashreplace")


def settle_streams() -> None:
    """Let go of what could not be written: Python tries again when it exits, and would change the
    exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _writing() -> Iterator[None]:
    """A pipe that nobody reads any more is left to whoever called."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise FileError(f"cannot write the output: {error.strerror or error}") from None


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def _failing(stream: TextIO) -> tuple[str, ...]:
    """The ways to treat what cannot be encoded that end in an error."""
    return ("strict",) if _takes_all(stream) else ("strict", "surrogateescape", "surrogatepass")


def _takes_all(stream: TextIO) -> bool:
    """Whether every character can be written; what is only held in memory has no encoding."""
    return not stream.encoding or codecs.lookup(stream.encoding).name.startswith("utf")
