"""Conductance maps as files: a CSV per tile, a manifest, and a picture."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsafsm.files import write_atomically
from vsafsm.program import Program
from vsafsm.version import __version__
from vsafsm_memristor.crossbar.array import ArrayPlan
from vsafsm_memristor.crossbar.placement import avoid_cells
from vsafsm_memristor.crossbar.usable import read_usable
from vsafsm_memristor.device.model import Conductances
from vsafsm_memristor.tile_files import check_folder, write_tile


def emit(program: Program, plan: ArrayPlan, folder: Path) -> None:
    """Write ``tile_000.csv`` and so on (uS), ``manifest.json`` and, where matplotlib is there,
    ``maps.png``.

    Where some cells cannot be used, neurons are brought into an order that loses least by them,
    their partners make up for them, and ``usable_000.csv`` and so on are written beside the tiles.

    Raises
    ------
    FileError
        If a file cannot be read or written, or the folder has tiles or masks of another map, which
        would stay.
    DeviceError, MappingError
        If what is usable is wrong, or cannot be avoided.
    """
    usable: tuple[NDArray[np.bool_], ...] = ()
    if plan.settings.usable is not None:
        usable = read_usable(plan.settings.usable, plan.layout)
        plan = _avoid_unusable(plan, usable)
    tiles = plan.layout.spread(*plan.target)
    for cells, works in zip(tiles, usable, strict=False):
        cells[~works] = 0
    kind = plan.settings.tile_format
    files = {f"tile_{number:03}.{kind}": cells for number, cells in enumerate(tiles)}
    masks = {f"usable_{number:03}.{kind}": works for number, works in enumerate(usable)}
    # Masks that are read from this folder are those of this map.
    read = folder.glob("usable_*") if plan.settings.usable is not None else ()
    check_folder(folder, {*files, *(path.name for path in read)})
    for name, cells in files.items():
        write_tile(folder / name, cells)
    for name, works in masks.items():
        write_tile(folder / name, works.astype(np.uint8), "%d")
    write_atomically(
        folder / "manifest.json",
        (json.dumps(manifest(program, plan, tiles), indent=2) + "\n").encode(),
    )
    if find_spec("matplotlib") is not None:
        write_atomically(folder / "maps.png", picture(program, plan, tiles))


def _avoid_unusable(plan: ArrayPlan, usable: tuple[NDArray[np.bool_], ...]) -> ArrayPlan:
    model = plan.settings.model
    layout, target = avoid_cells(plan.layout, plan.target, usable, model.g_min_us, model.g_max_us)
    return replace(plan, layout=layout, target=target)


def content_hash(program: Program, tiles: tuple[Conductances, ...]) -> str:
    """SHA-256 of the program's hash and the targets of all cells, in hexadecimal: what
    distinguishes maps.
    """
    digest = hashlib.sha256(program.content_hash.encode())
    for cells in tiles:
        digest.update(f"{cells.shape}".encode())
        digest.update(np.ascontiguousarray(cells, "<f4").tobytes())
    return digest.hexdigest()


def manifest(
    program: Program, plan: ArrayPlan, tiles: tuple[Conductances, ...]
) -> dict[str, object]:
    """What the tiles are."""
    chosen, network = plan.settings, plan.network
    layout = plan.layout
    down, across = layout.grid
    return {
        "machine": program.machine.name,
        "unit": "uS",
        "device": chosen.model.name,
        "source": chosen.model.source,
        "scheme": layout.scheme,
        "order": (
            f"tile = block of outputs * {down} + block of inputs; rows are inputs, "
            + (
                "columns 2 c and 2 c + 1 the positive and negative cell of output c"
                if layout.scheme == "differential"
                else "columns are outputs, the last one the reference"
            )
            + (
                "; input i of a tile lies in row orders[tile].rows[i], output c in place"
                " orders[tile].outputs[c]"
                if layout.orders
                else ""
            )
        ),
        "format": chosen.tile_format,
        "tiles": len(tiles),
        "tile_rows": layout.rows,
        "tile_columns": layout.columns,
        "blocks_of_inputs": down,
        "blocks_of_outputs": across,
        "base_us": plan.scale.base_us,
        "us_per_lsb": plan.scale.us_per_lsb,
        "orders": [
            {"rows": list(order.rows), "outputs": list(order.outputs)} for order in layout.orders
        ],
        "neurons": network.neurons,
        "hold_steps": network.contract.hold_steps,
        "gap_steps": network.contract.gap_steps,
        "program_hash": program.content_hash,
        "map_hash": content_hash(program, tiles),
        "vsafsm": __version__,
    }


def picture(program: Program, plan: ArrayPlan, tiles: tuple[Conductances, ...]) -> bytes:
    """All tiles as they lie, and the histogram of the targets: a PNG."""
    from vsafsm.plotting.canvas import drawing, figure, in_full, plain
    from vsafsm.plotting.style import COLOURS, SCREEN

    layout = plan.layout
    down, across = layout.grid
    whole = np.block([[tiles[b * down + a] for b in range(across)] for a in range(down)])
    buffer = io.BytesIO()
    with drawing(SCREEN):
        made = figure(SCREEN, SCREEN.lines(32))
        left, right = made.subplots(1, 2, width_ratios=(3, 1))
        shown = np.where(whole > 0, whole, np.nan)
        image = left.imshow(shown, aspect="auto")
        left.set(
            xlabel=f"columns, {layout.columns} per tile", ylabel=f"rows, {layout.rows} per tile"
        )
        made.suptitle(
            f"{plain(program.machine.name)}: {len(tiles)} tiles, {layout.cells:,} cells,"
            f" {layout.scheme}"
        )
        for edge in range(layout.columns, whole.shape[1], layout.columns):
            left.axvline(edge - 0.5, color="white", linewidth=SCREEN.thin)
        for edge in range(layout.rows, whole.shape[0], layout.rows):
            left.axhline(edge - 0.5, color="white", linewidth=SCREEN.thin)
        made.colorbar(image, ax=left, label="target (µS)")
        right.hist(whole[whole > 0], bins=40, orientation="horizontal", color=COLOURS[0])
        right.set(xlabel="cells", ylabel="target (µS)", xscale="log")
        in_full(right.xaxis)
        made.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()
