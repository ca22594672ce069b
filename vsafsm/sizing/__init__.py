"""Sizing: how many neurons, how sparse, how far from threshold, until a proof holds and the
requirements are met.

Requirements are plain numbers; who asked for them is not known here. ``choice`` takes one of three
searches: ``usual`` (the smallest size that proves, and headroom), ``tolerant`` (noises are to be
tolerated) and ``accepted`` (a target tries networks). ``search`` tries single networks, ``trials``
draws noise, ``ladder`` has the sizes.
"""

from vsafsm.sizing.choice import size
from vsafsm.sizing.ladder import rung_of, rung_size
from vsafsm.sizing.search import Attempt, Progress, Sized, assembled
from vsafsm.sizing.usual import HEADROOM, MARGINS

__all__ = [
    "HEADROOM",
    "MARGINS",
    "Attempt",
    "Progress",
    "Sized",
    "assembled",
    "rung_of",
    "rung_size",
    "size",
]
