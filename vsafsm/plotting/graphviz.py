"""Graphviz, whose program ``dot`` has to be installed: texts in DOT drawn, or laid out."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from typing import Any

from vsafsm.errors import PlotError
from vsafsm.plotting.printing import POINTS, Printed, printed
from vsafsm.plotting.style import LEAST_TEXT, MILLIMETRES, PAPER

FORMATS = {".svg": "svg", ".png": "png", ".pdf": "pdf"}
SECONDS = 120
PAD = 4.0
"""Points that Graphviz leaves around a picture."""
_DATE = re.compile(rb"(?<=/CreationDate \(D:)\d{14}")
_NO_DATE = b"19700101000000"


def is_there() -> bool:
    """Whether ``dot`` is on the path."""
    return shutil.which("dot") is not None


def laid_out(text: str) -> bytes:
    """A text in DOT with places for all, as JSON. Raises `PlotError` as `rendered` does."""
    return _drawn(text, "json0")


def rendered(text: str, suffix: str, size: Printed | None = None) -> bytes:
    """The picture of a text in DOT, as what the suffix says; of the width of its print, where one
    is given. The same text gives the same bytes, at any time.

    Raises
    ------
    PlotError
        If ``dot`` is not there, fails or takes more than two minutes.
    """
    sized: tuple[str, ...] = ()
    if size is not None:
        # A picture is made smaller until it fits both ways; so it is as wide as is asked for.
        sized = (f"-Gsize={size.width / MILLIMETRES:.4f},1000!",)
        sized += (f"-Gdpi={PAPER.resolution}",) if suffix == ".png" else ()
    drawn = _drawn(text, FORMATS[suffix], sized)
    # A PDF has a table of places in its bytes: what stands for the date has its length.
    return _DATE.sub(_NO_DATE, drawn) if suffix == ".pdf" else drawn


def print_of(text: str, font: float) -> Printed:
    """How large the picture of a text in DOT is printed, whose smallest letters have `font` points.
    Raises `PlotError` as `rendered` does.
    """
    found: Any = json.loads(laid_out(text))
    width = float(found["bb"].split(",")[2]) + 2 * PAD
    # Graphviz writes a scale with two digits into an SVG, and rounds it.
    scale = math.floor(100 * printed(width, font).scale) / 100
    scale = max(scale, math.ceil(100 * LEAST_TEXT / font) / 100)
    return Printed(width * scale / POINTS, scale)


def _drawn(text: str, kind: str, attributes: Sequence[str] = ()) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise PlotError(
            'Graphviz is not installed: there is no program "dot"; expected one on the path'
        )
    try:
        try:
            ran = _ran(program, text, kind, attributes)
        except subprocess.CalledProcessError:
            # The usual way to rank breaks off at some boxes in boxes, the newer one does not.
            newer = text.replace("{", "{ newrank=true;", 1)
            ran = _ran(program, newer, kind, attributes)
    except subprocess.TimeoutExpired:
        raise PlotError(
            f"Graphviz took more than {SECONDS} s; expected a smaller machine"
        ) from None
    except (OSError, subprocess.CalledProcessError) as error:
        raise PlotError(f"Graphviz could not draw the machine: {error}") from None
    return ran.stdout


def _ran(
    program: str, text: str, kind: str, attributes: Sequence[str]
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603 - no shell, and the format is one of a few
        [program, f"-T{kind}", *attributes],
        input=text.encode(),
        capture_output=True,
        timeout=SECONDS,
        check=True,
        # Newer versions of Graphviz and Cairo take the date of a PDF from the first of these.
        env={**os.environ, "SOURCE_DATE_EPOCH": "0", "TZ": "UTC"},
    )
