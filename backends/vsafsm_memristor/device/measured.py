"""A device of one's own, from a file of measurements."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.device.affine import AffineDevice
from vsafsm_memristor.errors import DeviceError

COLUMNS = ("target_us", "measured_us")


def fit_device(path: Path) -> AffineDevice:
    """The device that a CSV of measurements describes: columns ``target_us`` and ``measured_us``, a
    row per programming.

    Mean and deviation are fitted as straight lines over the target; the range is that of the
    targets.

    Raises
    ------
    DeviceError
        If the file cannot be read, lacks a column, or has too few or senseless rows.
    """
    target, measured = _measurements(path)
    gain, offset = np.polyfit(target, measured, 1)
    apart = np.abs(measured - (offset + gain * target)) * math.sqrt(math.pi / 2)
    share, start = np.polyfit(target, apart, 1)
    if start < 0:
        start, share = 0.0, float((apart * target).sum() / (target**2).sum())
    elif share < 0:
        start, share = float(apart.mean()), 0.0
    source = f"fitted to {len(target)} measurements in {path.name}"
    return AffineDevice(
        path.stem,
        source,
        float(target.min()),
        float(target.max()),
        sigma_us=float(start),
        sigma_share=max(0.0, float(share)),
        offset_us=float(offset),
        gain=float(gain),
    )


def _measurements(path: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            rows, names = [(reader.line_num, row) for row in reader], reader.fieldnames or ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DeviceError(f'cannot read "{path}": {error}') from None
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        found = ", ".join(names) or "nothing"
        raise DeviceError(f'"{path}" lacks the column {" and ".join(missing)}; found {found}')
    values = []
    for number, row in rows:
        try:
            values.append([float(row[name]) for name in COLUMNS])
        except (TypeError, ValueError):
            raise DeviceError(
                f'"{path}", line {number}: expected a number in each of {", ".join(COLUMNS)}'
            ) from None
    table = np.array(values).reshape(-1, 2)
    if not np.isfinite(table).all() or (table < 0).any():
        raise DeviceError(f'"{path}" has values that are not finite, or below 0')
    if len(table) < 10 or np.ptp(table[:, 0]) == 0:
        raise DeviceError(
            f'"{path}" has {len(table)} rows; expected at least 10, of more than one target'
        )
    return table[:, 0], table[:, 1]
