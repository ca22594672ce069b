"""Conductance maps of a classifier's layers: a file per tile, and a manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vsafsm.files import write_atomically
from vsafsm.sense.arrays import Matrix
from vsafsm.version import __version__
from vsafsm_memristor.crossbar.layer import LayerPlan, blocks, plan_layer
from vsafsm_memristor.crossbar.parameters import ArraySettings
from vsafsm_memristor.device.model import Conductances
from vsafsm_memristor.tile_files import check_folder, made, write_tile

ORDER = (
    "tile = block of outputs * blocks_of_inputs + block of inputs; rows are inputs, columns 2 c and"
    " 2 c + 1 the positive and negative cell of output c"
)


def emit_layers(matrices: Sequence[Matrix], settings: ArraySettings, folder: Path) -> list[Path]:
    """Write ``layer_000_tile_000.csv`` and so on (uS), and ``manifest.json``: what was written.

    Raises
    ------
    FileError
        If a file cannot be written, or the folder has tiles of another map, which would stay.
    MappingError
        If a layer does not fit the settings.
    """
    plans = [plan_layer(each.weights, each.limit, settings) for each in matrices]
    kind = settings.tile_format
    files = [
        {f"layer_{n:03}_tile_{t:03}.{kind}": cells for t, cells in enumerate(tiles_of(plan))}
        for n, plan in enumerate(plans)
    ]
    check_folder(folder, {name for each in files for name in each})
    layers = [
        _described(matrix, plan, tiles)
        for matrix, plan, tiles in zip(matrices, plans, files, strict=True)
    ]
    manifest = {
        "unit": "uS",
        "device": settings.model.name,
        "source": settings.model.source,
        "scheme": "differential",
        "order": ORDER,
        "format": kind,
        "layers": layers,
        "map_hash": _hash(list(files)),
        "vsafsm": __version__,
    }
    written = []
    made(folder)
    for name, cells in (pair for each in files for pair in each.items()):
        write_tile(folder / name, cells)
        written.append(folder / name)
    path = folder / "manifest.json"
    write_atomically(path, (json.dumps(manifest, indent=2) + "\n").encode())
    return [*written, path]


def tiles_of(plan: LayerPlan) -> list[Conductances]:
    """Targets of a layer as tiles (rows, columns) in microsiemens; cells without a weight are 0."""
    outputs, inputs = plan.target.positive.shape
    rows, pairs = plan.tile
    found = []
    for out in blocks(outputs, pairs):
        for into in blocks(inputs, rows):
            tile = np.zeros((rows, 2 * pairs), np.float32)
            high, wide = into.stop - into.start, out.stop - out.start
            for column, cells in enumerate(plan.target):
                tile[:high, column : 2 * wide : 2] = cells[out, into].T
            found.append(tile)
    return found


def _described(
    matrix: Matrix, plan: LayerPlan, tiles: dict[str, Conductances]
) -> dict[str, object]:
    outputs, inputs = plan.target.positive.shape
    rows, pairs = plan.tile
    sums = (
        float(np.abs(matrix.rows[:, block] @ matrix.weights[block]).max(initial=0))
        for block in blocks(inputs, rows)
    )
    return {
        "inputs": inputs,
        "outputs": outputs,
        "input_bits": matrix.input_bits,
        "largest_weight": matrix.limit,
        "base_us": plan.scale.base_us,
        "us_per_lsb": plan.scale.us_per_lsb,
        "tile_rows": rows,
        "tile_columns": 2 * pairs,
        "blocks_of_inputs": -(-inputs // rows),
        "blocks_of_outputs": -(-outputs // pairs),
        # Of a tile's column, over the examples: what a converter has to reach.
        "largest_sum": max(sums),
        "tiles": list(tiles),
    }


def _hash(layers: Sequence[dict[str, Conductances]]) -> str:
    """SHA-256 of the targets of all cells, in hexadecimal."""
    digest = hashlib.sha256()
    for name, cells in (pair for each in layers for pair in each.items()):
        digest.update(f"{name.partition('.')[0]} {cells.shape}".encode())
        digest.update(np.ascontiguousarray(cells, "<f4").tobytes())
    return digest.hexdigest()
