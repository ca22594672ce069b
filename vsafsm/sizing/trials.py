"""Draws of noise that tell whether a network tolerates what it is to tolerate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from vsafsm.any_order import shown_by_bounds
from vsafsm.asynchronous import Timing, timing_of
from vsafsm.machine import Machine
from vsafsm.network import Network
from vsafsm.noise import Noise
from vsafsm.tolerance import ANY_ORDER, AnyOrder, Journal, Tolerance, Tolerated, tried


@dataclass
class Trials:
    """What is to be tolerated, and the draws that are done.

    Attributes
    ----------
    wanted, confidence
        Noises, and the share of draws that is to be shown for each.
    seed
        Of the draws.
    most_draws
        Where a network is given up, as a multiple of the draws that suffice where all are correct.
    missed
        The noise that the last network did not tolerate: it is tried first on the next.
    """

    wanted: tuple[Tolerance, ...]
    confidence: float
    journal: Journal
    seed: int
    most_draws: float
    missed: Noise | None = None

    def shown(
        self, machine: Machine, network: Network, progress: Callable[[str, float], None]
    ) -> list[Tolerated]:
        """What draws of each noise show, up to the first that is not tolerated."""
        found: list[Tolerated] = []
        drawn = hashlib.sha256(network.blocks.tobytes()).hexdigest()
        for noise in sorted(self.wanted, key=self._turn):
            if isinstance(noise, AnyOrder):
                found.append(Tolerated(ANY_ORDER, *shown_by_bounds(machine, network)))
                if found[-1].interval[0] < 1:
                    break
                continue
            what = f"N={network.neurons} {noise}"
            found.append(
                tried(
                    machine,
                    network,
                    noise,
                    self.confidence,
                    self.seed,
                    self.journal,
                    f"{drawn} {noise}",
                    lambda share, what=what: progress(what, share),  # type: ignore[misc]
                    self.most_draws,
                )
            )
            if found[-1].interval[0] <= self.confidence:
                self.missed = noise
                break
        return found

    def timing(self, shown: Tolerated) -> Timing | None:
        """The timing that a noise has, if it has any, of which draws showed something."""
        noise = {str(each): each for each in self.wanted}[shown.noise]
        return None if isinstance(noise, AnyOrder) else timing_of(noise)

    def _turn(self, noise: Tolerance) -> tuple[bool, ...]:
        """What is proven comes first: it takes no draws. Then what the networks before did not
        tolerate, since this one may not either; and timing, which is missed most often.
        """
        if isinstance(noise, AnyOrder):
            return (False,)
        return True, noise != self.missed, timing_of(noise) is None
