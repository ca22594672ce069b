"""What a target asks of a network, in plain numbers; who asks is not known here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vsafsm.network import Network
from vsafsm.options import Rule


@dataclass(frozen=True)
class Requirements:
    """What a target asks of a network, in plain numbers; ``None`` asks for nothing.

    The last six say what to aim at when the options leave it open; a program that was made
    otherwise is not refused. Density, tolerances and margin are aims of one matrix.

    Attributes
    ----------
    bits
        Width of its weights: whole numbers of magnitude up to ``2**(bits - 1) - 1``.
    folded
        Whether the inhibition must be folded into the weights (True) or kept apart (False).
    least_margin
        Smallest \\|drive\\| per active neuron, in units, in any step of the proof.
    least_active
        Fewest active neurons in a code.
    largest_sum
        Largest magnitude that the sum of one step's weights may reach, in LSBs.
    most_neurons
        Most neurons of one matrix.
    one_matrix
        Whether it takes one matrix of weights only, and no modules.
    rule
        How to make the weights.
    headroom
        Neurons, as a multiple of the smallest number that proves. Modules have their usual states
        at 2, and half of them at 4.
    density
        Share of active neurons in a code.
    tolerance
        Noise that a step tolerates, in standard deviations of the weights: ``margin sqrt(k) /
        std(W)``. Down to half of the density is tried where it is not reached.
    tolerance_lsb
        The same in LSBs, for noise that does not depend on the weights: ``margin scale
        sqrt(k)``.
    margin
        Distance from threshold, in units, to ask for before the usual ones.
    """

    bits: int | None = None
    folded: bool | None = None
    least_margin: float | None = None
    least_active: int | None = None
    largest_sum: int | None = None
    most_neurons: int | None = None
    one_matrix: bool = False
    rule: Rule | None = None
    headroom: float | None = None
    density: float | None = None
    tolerance: float | None = None
    tolerance_lsb: float | None = None
    margin: float | None = None

    def noise_tolerance_ratio(self, network: Network, margin: float) -> float:
        """Noise that a network with a proven margin tolerates, as a share of what is aimed at;
        infinite where nothing is.

        A step adds up the noise of k synapses, whose deviation is sqrt(k) times that of one.
        """
        steps = margin * network.scale * network.active**0.5
        of_weights = self.tolerance and self.tolerance * max(network.weight_std, 1e-12)
        wanted = [wanted for wanted in (of_weights, self.tolerance_lsb) if wanted]
        return float(min((steps / wanted for wanted in wanted), default=float("inf")))

    def unmet(self, network: Network, margin: float) -> tuple[str, ...]:
        """What a network with a proven margin falls short of, one sentence each; empty where it
        meets all. A network of the wrong layout is told of that alone.
        """
        if wrong := self.wrong_layout(network):
            return (wrong,)
        found = []
        if self.bits is not None and network.bits > self.bits:
            found.append(
                f"weights of {network.bits} bits, at most {self.bits} are possible"
                f" (bits={self.bits})"
            )
        if self.folded is not None and self.folded != (network.gain == 0):
            kind = "folded" if self.folded else "separate"
            found.append(f"the inhibition must be {kind} (inhibition={kind})")
        if self.least_margin is not None and margin < self.least_margin:
            found.append(
                f"a margin of {margin:.3g} units, at least {self.least_margin:.3g} is needed"
            )
        if self.least_active is not None and network.active < self.least_active:
            found.append(
                f"{network.active} active neurons in a code, at least {self.least_active} are"
                " needed"
            )
        most = self.most_neurons
        if most is not None and network.modules == 1 and network.neurons > most:
            found.append(f"{network.neurons} neurons, at most {most} are possible")
        if self.largest_sum is not None and (largest := largest_sum(network)) > self.largest_sum:
            found.append(
                f"sums of up to {largest} in a step, at most {self.largest_sum} is possible"
            )
        return tuple(found)

    def wrong_layout(self, network: Network) -> str | None:
        """Why a network has the wrong layout, or None."""
        if self.one_matrix and network.modules > 1:
            return (
                f"the network has {network.modules} modules, and one matrix of weights is needed"
                " (layout=dense)"
            )
        return None


def largest_sum(network: Network) -> int:
    """No step of an activity of at most k neurons sums weights to more than this, in LSBs."""
    if network.modules > 1:
        return network.active * int(network.largest_weight)
    magnitude = np.abs(network.weights.astype(np.int32))
    return int(np.sort(magnitude, axis=1)[:, -network.active :].sum(1).max())
