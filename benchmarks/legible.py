"""Whether a picture can be read in print: sizes and places of its texts, as Matplotlib lays them
out, or as they stand in an SVG.

    python benchmarks/legible.py FILE.svg ...
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

LEAST = 6.0
"""Points of the smallest text."""
SLACK = 0.4
"""Points by which the boxes of two texts may run into each other: they are a little larger than
what is seen.
"""
RAISED = 0.7
"""Size of an exponent in Matplotlib's mathematics."""
LETTER = 0.5
"""Mean width of a letter in an SVG, as a share of the size of the font."""
ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}
"""Share of a text that is left of its place; the texts of our graphs have theirs in the middle."""
UNITS = {"pt": 1.0, "px": 0.75, "mm": 72 / 25.4, "in": 72.0, "": 0.75}
"""Points."""


def problems(figure: Figure) -> list[str]:
    """What a reader of the figure would stumble over; empty where it is legible."""
    with _drawn() as texts:
        figure.draw_without_rendering()
    slack = SLACK * figure.dpi / 72
    boxes = [(text, _inner(text.get_window_extent(), slack)) for text in texts]
    found = [
        f"{_told(text)}: {_smallest(text):.1f} points"
        for text, _ in boxes
        if _smallest(text) < LEAST - 1e-6
    ]
    page = figure.bbox.padded(slack)
    found += [
        f"{_told(text)}: outside of the figure" for text, box in boxes if not _holds(page, box)
    ]
    found += [
        f"{_told(one)} and {_told(other)}: overlap"
        for (one, a), (other, b) in combinations(boxes, 2)
        if a.overlaps(b)
    ]
    legends = [each for each in figure.findobj(Legend) if each.get_visible()]
    for legend in legends:
        own, box = set(map(id, legend.findobj(Text))), legend.get_window_extent()
        found += [
            f"{_told(text)}: over a legend"
            for text, place in boxes
            if id(text) not in own and box.overlaps(place)
        ]
    for axes in figure.axes:
        lines = [line for line in axes.lines if line.get_visible()]
        inside: list[tuple[Artist, str, Bbox]] = [
            (text, _told(text), box) for text, box in boxes if text in axes.texts
        ]
        inside += [
            (legend, "a legend", legend.get_window_extent())
            for legend in legends
            if legend.axes is axes
        ]
        found += [
            f"{told}: over data"
            for _, told, box in inside
            if any(_meets(line, box) for line in lines)
        ]
    return found


@contextmanager
def _drawn() -> Iterator[list[Text]]:
    """The texts that are drawn meanwhile."""
    seen: dict[int, Text] = {}
    usual = Text.draw

    def draw(self: Text, renderer: Any) -> None:
        if self.get_visible() and self.get_text().strip():
            seen[id(self)] = self
        usual(self, renderer)

    texts: list[Text] = []
    Text.draw = draw  # type: ignore[method-assign]
    try:
        yield texts
    finally:
        Text.draw = usual  # type: ignore[method-assign]
        texts += seen.values()


def _smallest(text: Text) -> float:
    """Points of the smallest letters; exponents are smaller than the rest."""
    raised = "^" in text.get_text().replace(r"\$", "") and "$" in text.get_text()
    return float(text.get_fontsize()) * (RAISED if raised else 1)


def _told(text: Text) -> str:
    return f'"{text.get_text()}"'


def _inner(box: Bbox, slack: float) -> Bbox:
    across, down = min(slack, box.width / 3), min(slack, box.height / 3)
    return Bbox.from_extents(box.x0 + across, box.y0 + down, box.x1 - across, box.y1 - down)


def _holds(page: Bbox, box: Bbox) -> bool:
    return bool(page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1)


def _meets(line: Line2D, box: Bbox) -> bool:
    path = line.get_transform().transform_path(line.get_path())
    return bool(path.intersects_bbox(box, filled=False))


# ---- graphs


class Written(NamedTuple):
    """A text of an SVG, the size of its letters and where it is: units of the drawing."""

    text: str
    size: float
    box: Bbox


def svg_problems(text: str) -> list[str]:
    """Texts of a graph of ours or of Graphviz that are smaller than 6 points where it is as wide as
    it says, and those over another.
    """
    root = ElementTree.fromstring(text)
    told = re.fullmatch(r"([\d.]+)(\w*)", root.get("width", ""))
    if told is None:
        return ["no width is told", *svg_overlaps(text)]
    scale = float(told[1]) * UNITS[told[2]] / float(root.get("viewBox", "").split()[2])
    # Graphviz scales all of its drawing once more.
    scales = re.findall(r"scale\(([\d.]+)", "".join(g.get("transform", "") for g in root))
    scale *= float(scales[0]) if scales else 1.0
    found = [
        f'"{each.text}": {each.size * scale:.1f} points'
        for each in _written(root)
        if each.size * scale < LEAST - 0.01
    ]
    return found + svg_overlaps(text)


def svg_overlaps(text: str) -> list[str]:
    """Texts of an SVG that lie over another, by the number of their letters."""
    return [
        f'"{one.text}" and "{other.text}": overlap'
        for one, other in combinations(_written(ElementTree.fromstring(text)), 2)
        if _inner(one.box, SLACK).overlaps(_inner(other.box, SLACK))
    ]


def _written(root: ElementTree.Element) -> list[Written]:
    style = "".join(each.text or "" for each in root.iter() if each.tag.endswith("style"))
    rules = [
        (selector.split(), float(size))
        for selector, size in re.findall(r"([^{}]+)\{[^}]*font(?:-size)?:([\d.]+)px", style)
    ]
    found = []
    for around in root.iter():
        for each in around:
            # A halo is the same text once more.
            if not each.tag.endswith("}text") or each.get("class") == "halo":
                continue
            written = "".join(each.itertext())
            size = _size(each, around, root, rules)
            wide, anchor = size * LETTER * len(written), each.get("text-anchor", "middle")
            left = float(each.get("x", "0")) - ANCHORS[anchor] * wide
            line = float(each.get("y", "0"))
            box = Bbox.from_extents(left, line - 0.75 * size, left + wide, line + 0.2 * size)
            found.append(Written(written, size, box))
    return found


def _size(
    each: ElementTree.Element,
    around: ElementTree.Element,
    root: ElementTree.Element,
    rules: Sequence[tuple[list[str], float]],
) -> float:
    """Size of the letters of a text: its own, or else that of the most particular rule of the
    style, or of the drawing.
    """
    own, outer = (f".{one.get('class')}" for one in (each, around))
    fitting = [
        (len(parts), size)
        for parts, size in rules
        if parts[-1] in ("text", own) and set(parts[1:-1]) <= {outer.split()[0]}
    ]
    given = each.get("font-size") or (not fitting and root.get("font-size"))
    return float(given) if given else max(fitting)[1]


if __name__ == "__main__":
    told = [(path, each) for path in sys.argv[1:] for each in svg_problems(Path(path).read_text())]
    for path, each in told:
        print(f"{path}: {each}")
    sys.exit(bool(told))
