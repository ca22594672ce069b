"""Every picture of the docs from one list of commands, as wide as a column of a paper, and checked:
text of at least 6 points, no text over another, over a legend, over data or outside.

    python benchmarks/pictures.py [--to FOLDER] [NAME ...]      all, or some; into docs/

What takes long to measure is kept in ``benchmarks/tables`` and drawn from there. Without its table
a sweep is measured anew. Screenshots of pages (``report.png`` and those of the playground) are not
here: see ``benchmarks/landing.py``.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import csv
import io
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from legible import problems, svg_problems
from matplotlib.image import imread

from vsafsm.cli import main as vsafsm
from vsafsm.compiler import compile_machine as compiled
from vsafsm.formats import load
from vsafsm.intervals import wilson
from vsafsm.plotting.canvas import bare, below, drawing, figure, in_full, write
from vsafsm.plotting.picture import Picture
from vsafsm.plotting.style import COLOURS, MARKERS, MILLIMETRES, PAPER
from vsafsm.sweeps.table import read_table

ROOT = Path(__file__).parents[1]
TABLES = Path(__file__).parent / "tables"
SIZES = (25, 50, 100, 200, 400, 800)
LEAST_DRAWS = 100
"""Behind every point of a picture of noise."""
LIGHT = "specs/traffic_light.yaml"
COMMANDS = {
    "overlaps": f"plot {LIGHT} timer request timer timer timer",
    "raster": f"plot {LIGHT} timer request timer timer timer --what raster",
    "similarity": f"plot {LIGHT} --what similarity",
    "margins": f"plot {LIGHT} --what margins",
    "weights": f"plot {LIGHT} --what weights",
    "terms": f"plot {LIGHT} --what terms",
    "walk": "plot specs/turnstile.yaml --what walk",
    "graph": f"draw {LIGHT}",
    "chart": "draw specs/wake_word.yaml",
    "brian2-run": f"plot {LIGHT} timer request timer timer timer request timer timer"
    " --backend brian2",
    "loihi2": f"info {LIGHT} --backend loihi2 --picture",
    "tiles": "info specs/turnstile.yaml --backend memristor --device neurram --picture",
    "yield": "yield specs/turnstile.yaml --device lognormal --sigma 1.5 --stuck-off 0.03"
    " --stuck-on 0.03 --compare --least 0.9 --picture",
    "sweep": f"sweep {LIGHT} --noise additive:0:2:0.25 --dimension 256,512"
    " -o benchmarks/tables/sweep.csv --picture",
    "timing": f"sweep {LIGHT} --noise timing:async:0.05:1:0.05 -O tolerate=none,auto --words 0"
    " -o benchmarks/tables/timing.csv --picture",
}
"""By the name of the picture, whose path stands behind ``--picture``, or else behind ``-o``."""
TWO_COLUMNS = {"chart", "weights", "recipes", "prediction", "spread", "models"}
"""Meant for 178 mm; all others for 85 mm."""


@lru_cache
def program(spec: str) -> str:
    """A spec compiled as by default, once for all pictures of it."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    path = f"{folder}/{Path(spec).stem}.npz"
    compiled(load(spec)).save(path)
    return path


def command(name: str) -> list[str]:
    """What is typed behind ``vsafsm``, up to the path."""
    words = COMMANDS[name].split()
    if words[0] == "plot" and "--backend" not in words:
        words[1] = program(words[1])
    flag = [] if words[-1] == "--picture" else ["-o"]
    more = ["--force"] if words[0] in ("plot", "draw") else []
    return [*words[:1], *more, "--theme", "paper", *words[1:], *flag]


# ---- pictures of what was measured


def sizes_and_failures(path: Path) -> None:
    """Predicted sizes against those that proved; the bound on failures against those measured."""
    table = json.loads((TABLES / "prediction.json").read_text())
    with drawing(PAPER):
        made = figure(PAPER, PAPER.lines(24), columns=2)
        left, right = made.subplots(1, 2)
        for i, bits in enumerate(dict.fromkeys(each["bits"] for each in table["sizes"])):
            points = [(e["predicted"], e["smallest"]) for e in table["sizes"] if e["bits"] == bits]
            left.plot(*zip(*points, strict=True), MARKERS[i], label=f"{bits} bits")
        ends = (SIZES[0], SIZES[-1])
        left.plot(ends, ends, color="black", linewidth=PAPER.thin, label="equal")
        left.set(xscale="log", yscale="log", xlabel="predicted N", ylabel="smallest N that proved")
        for axis in (left.xaxis, left.yaxis):
            axis.set_ticks(
                [25, 50, 100, 200, 400, 800], labels=map(str, (25, 50, 100, 200, 400, 800))
            )
            axis.set_ticks([], minor=True)
        rows = [each for each in table["failures"] if each["noise"]]
        noise = [each["noise"] for each in rows]
        shares = np.array([each["wrong"] / each["draws"] for each in rows])
        ends_of = np.array([wilson(each["wrong"], each["draws"]) for each in rows]).T
        right.errorbar(
            noise, shares, np.abs(ends_of - shares), fmt="o", label="measured, 95 % interval"
        )
        right.plot(noise, [min(1.0, each["bound"]) for each in rows], "--", label="proven bound")
        right.set(
            xlabel="noise (standard deviation over the proven radius)",
            ylabel="share of draws with a wrong word",
        )
        for axes in (left, right):
            bare(axes)
        below(
            made, [*left.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]], 4
        )
        write(made, path)


def shares_of_devices(name: str, label: str, path: Path) -> None:
    """Share of correct devices against what was varied, a panel for each table's panel."""
    table = json.loads((TABLES / f"{name}.json").read_text())
    panels = list(dict.fromkeys(each["panel"] for each in table))
    across = min(3, len(panels))
    down = -(-len(panels) // across)
    named = {"none": "as programmed", "trim": "trimmed", "loop": "chip in the loop"}
    with drawing(PAPER):
        made = figure(PAPER, down * PAPER.lines(17) + PAPER.lines(2), columns=2)
        every = made.subplots(down, across, sharey=True, sharex=True, squeeze=False)
        for axes, panel in zip(every.flat, panels, strict=True):
            rows = [each for each in table if each["panel"] == panel]
            width = 0.012 * max(each["amount"] for each in rows)
            for i, (kind, called) in enumerate(named.items()):
                shares = np.array([e["right"][kind] / e["devices"] for e in rows])
                ends = np.array([wilson(e["right"][kind], e["devices"]) for e in rows]).T
                axes.errorbar(
                    [each["amount"] + (i - 1) * width for each in rows],
                    shares,
                    np.abs(ends - shares),
                    marker=MARKERS[i],
                    color=COLOURS[i],
                    label=called,
                )
            axes.set(title=panel, ylim=(-0.03, 1.03))
            axes.grid()
            bare(axes)
        for axes in every[-1]:
            axes.set_xlabel(label)
        for axes in every[:, 0]:
            axes.set_ylabel("share of correct devices")
        below(made, every[0, 0].get_legend_handles_labels()[0], 3)
        write(made, path)


def synapses(path: Path) -> None:
    """Synapses of random machines against their transitions, a line per layout."""
    with (TABLES / "scale.csv").open() as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    named = {"dense": "one matrix", "modules": "modules"}
    with drawing(PAPER):
        made = figure(PAPER, PAPER.lines(22))
        axes = made.subplots()
        for i, (layout, called) in enumerate(named.items()):
            points = sorted(
                (int(row["states"]) * int(row["inputs"]), int(row["synapses"]))
                for row in rows
                if row["layout"] == layout
            )
            axes.plot(*zip(*points, strict=True), f"{MARKERS[i]}-", label=called)
        axes.set(xscale="log", yscale="log", xlabel="transitions", ylabel="synapses")
        for axis in (axes.xaxis, axes.yaxis):
            in_full(axis)
        axes.grid()
        bare(axes)
        below(made, axes.get_legend_handles_labels()[0])
        write(made, path)


def bound(path: Path) -> None:
    """Share of correct draws beside the proof's bound, over sizes."""
    from vsafsm.sweeps.picture import draw

    draw(read_table(TABLES / "bound.csv"), path, PAPER)


def recovered(kind: str, path: Path) -> None:
    """Digits as they are, damaged and recovered."""
    from vsafsm.sense.recovery.images import Binary, Damaged
    from vsafsm.sense.recovery.picture import draw_recovery

    with np.load(TABLES / "recovery.npz") as kept:
        arrays = {
            name: kept[f"{kind}_{name}"]
            for name in ("original", "seen", "known", "software", "array")
        }
    shown = {"in software": arrays["software"], "on an array": arrays["array"]}
    damaged = Damaged(arrays["seen"], arrays["known"])
    binary = Binary((28, 28), 0.5)
    draw_recovery(binary, {"original": arrays["original"]}, damaged, shown, path, PAPER)


def recipes(path: Path) -> None:
    """What was learnt of a simulated fab."""
    from recipes import PLAN

    from vsafsm.recipes.picture import draw_learnt
    from vsafsm.recipes.table import load_table
    from vsafsm.recipes.values import values

    file = str(TABLES / "fab.csv")
    trials = load_table(file, PLAN).trials
    draw_learnt(PLAN, [t.settings for t in trials], values(PLAN, trials, file), path, PAPER)


DRAWN: dict[str, Callable[[Path], None]] = {
    "prediction": sizes_and_failures,
    "spread": partial(shares_of_devices, "spread", "spread (standard deviation of the logarithm)"),
    "models": partial(shares_of_devices, "models", "share of stuck cells"),
    "scale": synapses,
    "bound": bound,
    "recovery-flipped": partial(recovered, "flipped"),
    "recovery-covered": partial(recovered, "covered"),
    "recipes": recipes,
}
"""Those that no command draws."""
NAMES = (*COMMANDS, *DRAWN)


# ---- drawing and checking


def made(name: str, path: Path) -> list[str]:
    """Draw a picture, and tell what is wrong with it."""
    with _watched() as found:
        if name in DRAWN:
            DRAWN[name](path)
        else:
            with contextlib.redirect_stdout(io.StringIO()):
                code = vsafsm([*command(name), str(path)])
            if code == 2:
                found.append("the command was refused")
    found += _wide(name, path) + few(name)
    if COMMANDS.get(name, "").startswith("draw"):
        found += _of_svg(name, path)
    return found


@contextlib.contextmanager
def _watched() -> Iterator[list[str]]:
    """What is wrong with pictures that are written meanwhile."""
    found: list[str] = []
    usual = Picture.savefig

    def savefig(self: Picture, *where: Any, **options: Any) -> None:
        found.extend(problems(self))
        usual(self, *where, **options)

    Picture.savefig = savefig  # type: ignore[method-assign]
    try:
        yield found
    finally:
        Picture.savefig = usual  # type: ignore[method-assign]


def _wide(name: str, path: Path) -> list[str]:
    width = imread(path).shape[1] / PAPER.resolution * MILLIMETRES
    most = PAPER.page if name in TWO_COLUMNS else PAPER.column
    return [] if width <= most + 0.2 else [f"{width:.0f} mm wide, and {most:.0f} at most are meant"]


def few(name: str) -> list[str]:
    """Points with fewer draws than there are to be."""
    draws: list[int] = []
    words = COMMANDS.get(name, "").split()
    file = Path(words[words.index("-o") + 1]) if "-o" in words else TABLES / f"{name}.csv"
    if name in ("spread", "models"):
        table = json.loads((TABLES / f"{name}.json").read_text())
        draws = [each["devices"] for each in table]
    elif name == "prediction":
        table = json.loads((TABLES / "prediction.json").read_text())
        draws = [each["draws"] for each in table["failures"] if each["noise"]]
    elif name in ("sweep", "timing", "bound") and file.exists():
        draws = [row.trials for row in read_table(file).rows]
    least = min(draws, default=LEAST_DRAWS)
    return [] if least >= LEAST_DRAWS else [f"{least} draws behind a point"]


def _of_svg(name: str, path: Path) -> list[str]:
    """What is wrong with a graph as an SVG."""
    svg = path.with_suffix(".check.svg")
    with contextlib.redirect_stdout(io.StringIO()):
        vsafsm([*command(name), str(svg)])
    text = svg.read_text()
    svg.unlink()
    return svg_problems(text)


def main() -> int:
    """-> 1 where a picture cannot be read."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--to", type=Path, default=ROOT / "docs", metavar="FOLDER")
    args = parser.parse_args()
    folder = args.to.resolve()
    os.chdir(ROOT)
    wrong = 0
    for name in args.names or NAMES:
        if name not in NAMES:
            parser.error(f'no picture "{name}"; expected {", ".join(NAMES)}')
        found = made(name, folder / f"{name}.png")
        print(f"{name}: {'; '.join(found) or 'can be read'}", flush=True)
        wrong += bool(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
