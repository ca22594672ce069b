"""A picture of images: as they are, damaged, and recovered."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.plotting.canvas import check_drawable, drawing, figure, plain, write
from vsafsm.plotting.style import SCREEN, Theme
from vsafsm.sense.recovery.images import Binary, Damaged
from vsafsm.vsa import Bits

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DARK, BRIGHT, COVERED = "#1f2430", "#f4f1e8", "#b9b4a7"
MOST_IMAGES = 12


def draw_recovery(
    binary: Binary,
    before: Mapping[str, Bits],
    damaged: Damaged,
    recovered: Mapping[str, Bits],
    path: Path,
    theme: Theme = SCREEN,
) -> None:
    """Draw up to 12 images in columns, and in rows what they were, what is seen of them (covered
    pixels grey), and what was recovered.

    Parameters
    ----------
    before, recovered
        (F, P) by the name of its row.

    Raises
    ------
    PlotError
        If Matplotlib is not installed, or the name does not say what to draw.
    FileError
        If the file cannot be written.
    """
    check_drawable(path)
    with drawing(theme):
        write(_drawn(binary, before, damaged, recovered, theme), path)


def _drawn(
    binary: Binary,
    before: Mapping[str, Bits],
    damaged: Damaged,
    recovered: Mapping[str, Bits],
    theme: Theme,
) -> Figure:
    from matplotlib.colors import ListedColormap

    count = min(len(damaged.pixels), MOST_IMAGES)
    seen = np.where(damaged.known, damaged.pixels, 2)
    rows: dict[str, Any] = {**before, "damaged": seen, **recovered}
    left = theme.letters(max(map(len, rows)) + 1) / theme.width(1)
    high, wide = flat(seen[0], binary).shape
    # Rows as high as images of this shape are, where all fit beside their names.
    side = theme.width(1) * (1 - left) / count * min(high / wide, 2)
    made = figure(theme, len(rows) * side)
    made.set_layout_engine("none")
    panels: Any = made.subplots(
        *(len(rows), count),
        squeeze=False,
        gridspec_kw={
            "left": left,
            "right": 1,
            "top": 1,
            "bottom": 0,
            "wspace": 0.08,
            "hspace": 0.08,
        },
    )
    colours = ListedColormap([DARK, BRIGHT, COVERED])
    for line, (name, images) in zip(panels, rows.items(), strict=True):
        for axes, image in zip(line, images, strict=False):
            axes.imshow(flat(image, binary), cmap=colours, vmin=0, vmax=2)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
        line[0].set_ylabel(plain(name), rotation=0, ha="right", va="center", size=theme.small)
    return made


def flat(image: Any, binary: Binary) -> Any:
    """Pixels (P,) in rows and columns; channels beside each other."""
    shape = binary.shape if len(binary.shape) > 1 else (1, *binary.shape)
    return image.reshape(shape[0], -1)
