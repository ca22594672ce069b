"""Graphviz, whose program ``dot`` has to be installed: texts in DOT drawn, or laid out."""

from __future__ import annotations

import shutil
import subprocess

from vsafsm.errors import PlotError

FORMATS = {".svg": "svg", ".png": "png", ".pdf": "pdf"}
SECONDS = 120


def is_there() -> bool:
    """Whether ``dot`` is on the path."""
    return shutil.which("dot") is not None


def laid_out(text: str) -> bytes:
    """A text in DOT with places for all, as JSON. Raises `PlotError` as `rendered` does."""
    return _drawn(text, "json0")


def rendered(text: str, suffix: str) -> bytes:
    """The picture of a text in DOT, as what the suffix says.

    Raises
    ------
    PlotError
        If ``dot`` is not there, fails or takes more than two minutes.
    """
    return _drawn(text, FORMATS[suffix])


def _drawn(text: str, kind: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise PlotError(
            'Graphviz is not installed: there is no program "dot"; expected one on the path'
        )
    try:
        try:
            ran = _ran(program, text, kind)
        except subprocess.CalledProcessError:
            # The usual way to rank breaks off at some boxes in boxes, the newer one does not.
            ran = _ran(program, text.replace("{", "{ newrank=true;", 1), kind)
    except subprocess.TimeoutExpired:
        raise PlotError(
            f"Graphviz took more than {SECONDS} s; expected a smaller machine"
        ) from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise PlotError(f"Graphviz could not draw the machine: {error}") from None
    return ran.stdout


def _ran(program: str, text: str, kind: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - no shell, and the format is one of a few
        [program, f"-T{kind}"],
        input=text.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=True,
    )
