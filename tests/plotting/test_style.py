"""One style: what is printed is as wide as a column, has text that stays text, and colours that the
colour-blind tell apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from vsafsm.cli import main
from vsafsm.compiler import compile_machine
from vsafsm.errors import PlotError
from vsafsm.formats import load
from vsafsm.plotting.canvas import drawing, figure, write
from vsafsm.plotting.graph import draw
from vsafsm.plotting.kinds import KINDS, OF_RUNS, plot
from vsafsm.plotting.style import COLOURS, PAPER, SCREEN, THEMES, theme_of
from vsafsm.program import Program

pytest.importorskip("matplotlib")
OKABE_ITO = 6
"""Of their colours there are here; those of Tol follow."""


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_machine(load("specs/turnstile.yaml"), tolerate="none")


@pytest.fixture(scope="module")
def legible(benchmark_script: Callable[[str], ModuleType]) -> ModuleType:
    return benchmark_script("legible")


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_can_be_read(
    program: Program, legible: ModuleType, kind: str, theme: str
) -> None:
    word = ("coin", "push", "push") if kind in OF_RUNS else ()
    made = plot(program, word, what=kind, theme=theme)
    assert legible.problems(made) == []
    chosen = theme_of(theme)
    widths = [chosen.width(columns) for columns in (1, 2)]
    # A graph is as wide as it needs.
    assert kind == "walk" or np.isclose(made.get_figwidth(), widths).any()


@pytest.mark.parametrize("theme", THEMES)
def test_a_graph_can_be_read(program: Program, legible: ModuleType, theme: str) -> None:
    assert legible.problems(draw(program.machine, theme=theme)) == []


def test_what_cannot_be_read_is_found(legible: ModuleType) -> None:
    """Each kind of slip, on purpose."""
    with drawing(PAPER):
        made = figure(PAPER, 2.0)
        axes = made.subplots()
        axes.plot([0, 1], [0, 1], label="line")
        axes.text(0.5, 0.5, "on the line")
        axes.text(0.1, 0.8, "one over")
        axes.text(0.1, 0.8, "the other")
        axes.text(0.8, 0.2, "small", fontsize=5)
        made.text(0.9, 0.5, "far to the right")
        axes.legend(loc="lower right")
    told = "\n".join(legible.problems(made))
    for each in (
        '"on the line": over data',
        '"one over" and "the other": overlap',
        '"small": 5.0 points',
        '"far to the right": outside of the figure',
    ):
        assert each in told


@pytest.mark.parametrize("suffix", [".svg", ".pdf"])
def test_text_stays_text_on_paper(program: Program, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"m{suffix}"
    write(plot(program, what="margins", theme="paper"), path)
    data = path.read_bytes()
    if suffix == ".svg":
        assert b"least margin" in data.replace(b"<!--", b"")
        assert b"<text" in data
        assert b'width="240.9' in data  # 85 mm in points
    else:
        assert b"/FontFile2" in data  # TrueType, embedded
        assert b"/Type3" not in data


def test_settings_elsewhere_change_nothing(program: Program, tmp_path: Path) -> None:
    import matplotlib

    write(plot(program, what="margins", theme="paper"), tmp_path / "a.svg")
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "lines.linewidth": 9}):
        write(plot(program, what="margins", theme="paper"), tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_printed_graph_says_how_wide_it_is(
    tmp_path: Path, legible: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "m.svg"
    spec = "specs/traffic_light.yaml"
    assert main(["draw", spec, "-o", str(path), "--theme", "paper"]) == 0
    assert "85 mm wide (one column)" in capsys.readouterr().out
    assert 'width="85mm"' in path.read_text()
    assert legible.svg_problems(path.read_text()) == []
    small = path.read_text().replace('width="85mm"', 'width="60mm"')
    assert legible.svg_problems(small)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("spec", sorted(Path("specs").glob("*.yaml")), ids=lambda path: path.stem)
def test_no_text_of_a_graph_lies_over_another(
    legible: ModuleType, spec: Path, theme: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.svg"
    assert main(["draw", str(spec), "-o", str(path), "--theme", theme]) == 0
    assert legible.svg_overlaps(path.read_text()) == []
    assert theme != PAPER.name or legible.svg_problems(path.read_text()) == []


def test_no_text_of_the_rooms_lies_over_another(legible: ModuleType) -> None:
    assert legible.svg_overlaps(Path("docs/rooms.svg").read_text()) == []


def test_texts_of_a_graph_over_each_other_are_found(tmp_path: Path, legible: ModuleType) -> None:
    """A graph of ours, and one of Graphviz, each with a text moved onto another."""
    path = tmp_path / "m.svg"
    assert main(["draw", "specs/turnstile.yaml", "-o", str(path)]) == 0
    ours = path.read_text()
    (x, y), (other_x, other_y) = re.findall(r'<text x="([^"]+)" y="([^"]+)">push', ours)
    told = legible.svg_overlaps(
        ours.replace(f'x="{x}" y="{y}">push', f'x="{other_x}" y="{float(other_y) - 2}">push')
    )
    assert told == ['"push" and "push / click": overlap']
    place = 'text-anchor="start" x="8" y="{}" font-size="11.00"'
    texts = "".join(f"<text {place.format(y)}>go</text>" for y in (-8, -12, -24))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><g transform="scale(0.5)">{texts}</g></svg>'
    assert legible.svg_overlaps(svg) == ['"go" and "go": overlap']


def test_an_unknown_theme_is_refused(
    program: Program, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(PlotError, match='did you mean "paper"'):
        plot(program, theme="papre")
    output = str(tmp_path / "m.svg")
    assert main(["draw", "specs/turnstile.yaml", "-o", output, "--theme", "dark"]) == 2
    assert "paper" in capsys.readouterr().err


# ---- colours


def seen(colour: str) -> Any:
    """A colour as one with deuteranopia sees it (Machado, Oliveira and Fernandes 2009, severity 1),
    in CIELAB.
    """
    code = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    weak = np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    )
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ np.clip(weak @ linear, 0, 1) / np.array([0.9505, 1.0, 1.089]))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_colour_blind_tell_colours_apart() -> None:
    """Differences of 10 in CIELAB are seen side by side, and of 5 by those who look for them."""
    for one, other in combinations(COLOURS[:OKABE_ITO], 2):
        assert np.linalg.norm(seen(one) - seen(other)) > 10, (one, other)
    for one, other in pairwise(COLOURS):
        assert np.linalg.norm(seen(one) - seen(other)) > 10, (one, other)


def test_colours_of_lines_stand_out_from_paper() -> None:
    white = seen("#ffffff")
    for colour in COLOURS:
        assert np.linalg.norm(seen(colour) - white) > 25, colour


def test_screens_have_more_room_than_paper() -> None:
    """So what fits in print fits on a screen."""
    assert SCREEN.column / SCREEN.small >= PAPER.column / PAPER.small
    assert SCREEN.page / SCREEN.small >= PAPER.page / PAPER.small
