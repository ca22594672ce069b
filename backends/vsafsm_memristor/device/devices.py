"""Models of memristive devices: what comes of programming a conductance, of time, and of reading.
In microsiemens.

Each preset says where its numbers are from. What stands for a device without being its measurement
is a *proxy*, and what no source gives is *assumed*; both words are in its source.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import did_you_mean
from vsafsm_memristor.errors import DeviceError, MeasurementError

Conductances = NDArray[Any]
"""float32, in microsiemens."""


class DeviceModel(Protocol):
    """How a kind of device behaves. A model of one's own needs these attributes and methods."""

    @property
    def name(self) -> str:
        """As options have it."""

    @property
    def source(self) -> str:
        """Where its numbers are from, with the words proxy and assumed where they apply."""

    @property
    def g_min_us(self) -> float:
        """Smallest conductance to be programmed."""

    @property
    def g_max_us(self) -> float:
        """Largest conductance to be programmed."""

    @property
    def rows(self) -> int:
        """Of an array of these devices: the tile."""

    @property
    def columns(self) -> int:
        """Of an array of these devices."""

    @property
    def stuck_off(self) -> float:
        """Share of cells that stay at no conductance."""

    @property
    def stuck_on(self) -> float:
        """Share of cells that stay at the largest conductance."""

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """What is there right after programming cells to their targets."""

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """What becomes of it some seconds after."""

    def read_sigma_us(self, g_us: Conductances, seconds: float) -> Conductances:
        """Standard deviation of a read of each cell, some seconds after programming."""


@dataclass(frozen=True)
class BaseDevice:
    """What all models share: names, range, array, faults, and a read noise in proportion to the
    conductance.
    """

    name: str
    source: str
    g_min_us: float
    g_max_us: float
    rows: int = 128
    columns: int = 128
    stuck_off: float = 0.0
    stuck_on: float = 0.0
    read_noise: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.g_min_us < self.g_max_us < math.inf:
            raise DeviceError(
                f'device "{self.name}" has conductances from {self.g_min_us} to {self.g_max_us} uS;'
                " expected 0 or more, then more"
            )
        if min(self.stuck_off, self.stuck_on) < 0 or self.stuck_off + self.stuck_on > 1:
            raise DeviceError(
                f'device "{self.name}" has shares of stuck cells that do not fit into 0 to 1'
            )

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """Nothing changes with time."""
        return g_us

    def read_sigma_us(self, g_us: Conductances, seconds: float) -> Conductances:
        """In proportion to the conductance."""
        return np.asarray(self.read_noise * g_us, np.float32)


@dataclass(frozen=True)
class WriteVerifyDevice(BaseDevice):
    """Programmed by pulses until a read is within a tolerance; then the conductance relaxes.

    Attributes
    ----------
    tolerance_us
        A cell is done when a read is this near to its target.
    most_pulses
        A cell that is not done after so many is left as it is: it failed.
    pulse_share, pulse_spread
        Share of the distance that a pulse covers on average, and its lognormal spread from pulse to
        pulse.
    relaxation
        Seconds, and coefficients in ascending powers of g / g_max of the standard deviation (uS)
        there. In between the deviation is interpolated over the logarithm of time; before and
        behind it stays.
    """

    tolerance_us: float = 1.0
    most_pulses: int = 60
    pulse_share: float = 0.5
    pulse_spread: float = 0.6
    relaxation: tuple[tuple[float, tuple[float, ...]], ...] = ()

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """By write-verify, from the smallest conductance."""
        return write_verify(self, target_us, np.full_like(target_us, self.g_min_us), rng).g_us

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """A normal step of the deviation at that time."""
        if not self.relaxation:
            return g_us
        moved = g_us + self.relaxation_sigma_us(g_us, seconds) * _normal(g_us, rng)
        return np.asarray(np.maximum(moved, 0), np.float32)

    def relaxation_sigma_us(self, g_us: Conductances, seconds: float) -> Conductances:
        """Standard deviation of the relaxation after some seconds."""
        share = np.clip(g_us / self.g_max_us, 0, 1)
        times = [math.log(at) for at, _ in self.relaxation]
        sigmas = [
            np.maximum(sum(c * share**i for i, c in enumerate(cs)), 0) for _, cs in self.relaxation
        ]
        now = min(max(math.log(max(seconds, 1e-9)), times[0]), times[-1])
        later = min(range(len(times)), key=lambda i: (times[i] < now, times[i]))
        if later == 0:
            return np.asarray(sigmas[0], np.float32)
        part = (now - times[later - 1]) / (times[later] - times[later - 1])
        return np.asarray((1 - part) * sigmas[later - 1] + part * sigmas[later], np.float32)


@dataclass(frozen=True)
class WriteResult:
    """What came of a write-verify: conductances, which cells got within the tolerance, pulses each
    took.
    """

    g_us: Conductances
    ok: NDArray[np.bool_]
    pulses: NDArray[np.int32]


def write_verify(
    device: WriteVerifyDevice,
    target_us: Conductances,
    from_us: Conductances,
    rng: np.random.Generator,
) -> WriteResult:
    """Pulse each cell towards its target until a noisy read is within the tolerance, or the pulses
    are used up.
    """
    g = from_us.astype(np.float32)
    pulses = np.zeros(g.shape, np.int32)
    open_ = np.ones(g.shape, np.bool_)
    for _ in range(device.most_pulses + 1):
        at = np.flatnonzero(open_)
        here, wanted = g.flat[at], target_us.flat[at]
        seen = here + device.read_sigma_us(here, 1.0) * _normal(here, rng)
        done = np.abs(seen - wanted) <= device.tolerance_us
        open_.flat[at[done]] = False
        at, left = at[~done], (wanted - seen)[~done]
        if not len(at) or pulses.max() == device.most_pulses:
            break
        step = device.pulse_share * np.exp(
            device.pulse_spread * _normal(left, rng) - device.pulse_spread**2 / 2
        )
        g.flat[at] = np.clip(g.flat[at] + step * left, 0, device.g_max_us * 1.05)
        pulses.flat[at] += 1
    return WriteResult(g, ~open_, pulses)


@dataclass(frozen=True)
class PhaseChangeDevice(BaseDevice):
    """Phase-change memory: programming noise, drift with an exponent that depends on the state, 1/f
    read noise.
    """

    drift_from_s: float = 20.0
    read_time_s: float = 250e-9

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """With a standard deviation that is largest for middling conductances."""
        x = target_us / self.g_max_us
        sigma = np.maximum(0.26348 + 1.9650 * x - 1.1731 * x * x, 0)
        return np.asarray(np.maximum(target_us + sigma * _normal(target_us, rng), 0), np.float32)

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """``g (t / 20 s) ** -nu``, with an exponent for each cell."""
        log = np.log(np.clip(g_us / self.g_max_us, 1e-4, 1))
        spread = np.clip(-0.0125 * log - 0.0059, 0.008, 0.045)
        exponent = np.abs(_mean_exponent(log) + spread * _normal(g_us, rng))
        return np.asarray(
            g_us * (max(seconds, self.drift_from_s) / self.drift_from_s) ** -exponent, np.float32
        )

    def read_sigma_us(self, g_us: Conductances, seconds: float) -> Conductances:
        """Grows with the square root of the logarithm of time.

        Its share of the conductance is that of the one which was programmed: what there was before
        an average drift.
        """
        seconds = max(seconds, self.drift_from_s)
        drifted, log = np.clip(g_us / self.g_max_us, 1e-4, 1), math.log(seconds / self.drift_from_s)
        share = drifted
        for _ in range(
            3
        ):  # the exponent is itself that of the programmed conductance, and nearly the same for all
            share = np.clip(drifted * np.exp(_mean_exponent(np.log(share)) * log), 1e-4, 1)
        time = math.sqrt(math.log((seconds + self.read_time_s) / (2 * self.read_time_s)))
        return np.asarray(g_us * np.minimum(0.2, 0.0088 / share**0.65) * time, np.float32)


def _mean_exponent(log_share: NDArray[Any]) -> NDArray[Any]:
    """Of phase-change drift, for the logarithm of g / g_max."""
    return np.asarray(np.clip(-0.0155 * log_share + 0.0244, 0.049, 0.1))


@dataclass(frozen=True)
class AffineDevice(BaseDevice):
    """Programming error with a deviation ``sigma_us + sigma_share g``; a mean and a deviation that
    move with log time.

    `offset_us` and `gain` are what a target becomes on average.
    """

    sigma_us: float = 0.0
    sigma_share: float = 0.0
    offset_us: float = 0.0
    gain: float = 1.0
    drift_us: float = 0.0
    drift_sigma_us: tuple[float, float] = (0.0, 0.0)

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """Normal about what the target becomes on average."""
        mean = self.offset_us + self.gain * target_us
        g = mean + (self.sigma_us + self.sigma_share * np.abs(target_us)) * _normal(target_us, rng)
        return np.asarray(np.maximum(g, 0), np.float32)

    def relax(self, g_us: Conductances, seconds: float, rng: np.random.Generator) -> Conductances:
        """``drift_us ln t`` on average, with a deviation of ``a ln t + b``; nothing before the
        first second.
        """
        if seconds < 1 or (self.drift_us == 0 and self.drift_sigma_us == (0.0, 0.0)):
            return g_us
        log, (slope, start) = math.log(seconds), self.drift_sigma_us
        moved = g_us + self.drift_us * log + (slope * log + start) * _normal(g_us, rng)
        return np.asarray(np.maximum(moved, 0), np.float32)


@dataclass(frozen=True)
class LognormalDevice(BaseDevice):
    """Each cell has its target times a lognormal factor of mean 1: ``exp(sigma n - sigma^2 / 2)``.

    ``cycle_sigma`` is a second factor of that kind, from programming to programming.
    """

    sigma: float = 0.0
    cycle_sigma: float = 0.0

    def program(self, target_us: Conductances, rng: np.random.Generator) -> Conductances:
        """The factors of device and cycle, drawn together."""
        sigma = math.hypot(self.sigma, self.cycle_sigma)
        return np.asarray(
            target_us * np.exp(sigma * _normal(target_us, rng) - sigma**2 / 2), np.float32
        )


def _normal(like: Conductances, rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.standard_normal(like.shape, np.float32)


# ---- presets

_NEURRAM = (
    "NeuRRAM (Wan et al., Nature 608, 2022): 1 to 40 uS, write-verify to 1 uS, 48 cores of 256 x"
    " 256, 0.18 to 1.35 % of cells fail; {fit}; read noise 1 % and equally many cells stuck on and"
    " off are assumed"
)
PRESETS: Mapping[str, DeviceModel] = {
    device.name: device
    for device in (
        WriteVerifyDevice(
            "neurram",
            _NEURRAM.format(fit="relaxation after the fits of aihwkit at 1 s, 1 day and 2 days"),
            *(1.0, 40.0, 256, 256, 0.005, 0.005),
            relaxation=(
                (1.0, (0.348, 16.030, -43.853, 45.393, -16.815)),
                (86_400.0, (0.701, 22.086, -50.773, 47.095, -16.458)),
                (172_800.0, (0.782, 20.274, -43.507, 37.062, -11.934)),
            ),
        ),
        WriteVerifyDevice(
            "neurram-crosssim",
            _NEURRAM.format(
                fit="relaxation after the fit of CrossSim at 1 s, which disagrees with the other"
            ),
            *(1.0, 40.0, 256, 256, 0.005, 0.005),
            relaxation=((1.0, (1.053, 0.2374 * 40, -0.01167 * 40**2, 1.536e-4 * 40**3)),),
        ),
        PhaseChangeDevice(
            "pcm",
            "phase-change memory after aihwkit (Nandakumar et al.): programming noise, drift, read"
            " noise; up to 25 uS; 0.1 % of cells stuck is assumed",
            *(0.0, 25.0, 256, 256, 0.0005, 0.0005),
        ),
        AffineDevice(
            "cmo-hfox",
            "CMO/HfOx ReRAM after aihwkit (IBM): programming at 2 % acceptance, drift and its"
            " spread over log time; 9 to 88.19 uS; read noise 1 % and 0.1 % of cells stuck are"
            " assumed",
            *(9.0, 88.19, 128, 128, 0.0005, 0.0005),
            sigma_us=0.0112,
            sigma_share=0.0113,
            drift_us=-0.0890,
            drift_sigma_us=(0.0420, 0.412),
        ),
        LognormalDevice(
            "perovskite",
            "halide perovskite (Ye et al., BayesMulti data, 37 devices): lognormal, the median"
            " sigma 0.113 (mean 0.456, largest 2.35); 10 x 10 arrays; range 10 to 100 uS, read"
            " noise 1 % and 0.5 % of cells stuck are assumed; proxy",
            *(10.0, 100.0, 10, 10, 0.0025, 0.0025),
            sigma=0.113,
        ),
        LognormalDevice(
            "perovskite-mean",
            "halide perovskite (Ye et al., BayesMulti data, 37 devices): lognormal, the mean sigma"
            " 0.456; 10 x 10 arrays; range 10 to 100 uS, read noise 1 % and 0.5 % of cells stuck"
            " are assumed; proxy",
            *(10.0, 100.0, 10, 10, 0.0025, 0.0025),
            sigma=0.456,
        ),
        LognormalDevice(
            "perovskite-nanowire",
            "nanowire perovskite (Poddar et al.): 139 states, 10 to 100 uS, below 5 % from device"
            " to device and 1.5 % from cycle to cycle, 64 x 64; read noise 1 % and 0.1 % of cells"
            " stuck are assumed; proxy",
            *(10.0, 100.0, 64, 64, 0.0005, 0.0005),
            sigma=0.05,
            cycle_sigma=0.015,
        ),
        LognormalDevice(
            "lognormal",
            "a generic device: lognormal of mean 1, sigma 0.2; all of it assumed",
            *(1.0, 100.0, 128, 128, 0.0, 0.0),
            sigma=0.2,
        ),
    )
}


def device_named(name: str) -> DeviceModel:
    """A preset. Raises `DeviceError`."""
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise DeviceError(
            f'unknown device "{name}"; expected one of: {known}{did_you_mean(name, PRESETS)}'
        )
    return PRESETS[name]


# ---- a device of one's own

COLUMNS = ("target_us", "measured_us")


def fit_device(path: Path) -> AffineDevice:
    """The device that a CSV of measurements describes: columns ``target_us`` and ``measured_us``, a
    row a programming.

    Mean and deviation are fitted as straight lines over the target; the range is that of the
    targets.

    Raises
    ------
    MeasurementError
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
        raise MeasurementError(f'cannot read "{path}": {error}') from None
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        found = ", ".join(names) or "nothing"
        raise MeasurementError(f'"{path}" lacks the column {" and ".join(missing)}; found {found}')
    values = []
    for number, row in rows:
        try:
            values.append([float(row[name]) for name in COLUMNS])
        except (TypeError, ValueError):
            raise MeasurementError(
                f'"{path}", line {number}: expected a number in each of {", ".join(COLUMNS)}'
            ) from None
    table = np.array(values).reshape(-1, 2)
    if not np.isfinite(table).all() or (table < 0).any():
        raise MeasurementError(f'"{path}" has values that are not finite, or below 0')
    if len(table) < 10 or np.ptp(table[:, 0]) == 0:
        raise MeasurementError(
            f'"{path}" has {len(table)} rows; expected at least 10, of more than one target'
        )
    return table[:, 0], table[:, 1]
