"""What a model of a memristive device is, in microsiemens: what comes of programming a conductance,
of time, and of reading.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm_memristor.errors import DeviceError

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

    ``cores`` is how many arrays a chip has; None where that is open.
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
    cores: int | None = None

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


def draw_normal(like: Conductances, rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.standard_normal(like.shape, np.float32)
