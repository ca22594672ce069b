"""Loihi 2's integers: what a compiled network becomes on the chip, and what it takes of it. Imports
no Lava.

``vsafsm.open(program, backend="loihi2")`` runs a program in these integers; the Lava backend hands
them to Lava.
"""

from vsafsm_loihi2.integers import Bounds, ChipNetwork, Settings, lower
from vsafsm_loihi2.simulator import ChipSimulator

__all__ = [
    "Bounds",
    "ChipNetwork",
    "ChipSimulator",
    "Settings",
    "lower",
]
