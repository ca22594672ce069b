"""Every activity that a network can pass through under the latch, and how hard it drives the
neurons.

The walk asks the network alone, not the machine: from the start code, every input is held until
nothing changes, and left until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import RequirementError
from vsafsm.lowering import REST
from vsafsm.network import MOST_STEPS, Network
from vsafsm.vsa import Bits, Numbers

PAIRS = 256
"""(Fixed point, input) pairs walked together."""


@dataclass(frozen=True)
class Reach:
    """Extremes over every step of the walk, in LSBs.

    Attributes
    ----------
    active
        Most neurons active at once.
    up, down
        Largest and smallest recurrent drive of any neuron.
    rise, fall
        The same of the positive and of the negative weights alone: however the weights of a step
        are added up, no sum on the way is beyond these.
    least
        Smallest recurrent drive of a neuron that fires.
    fixed_points
        At rest.
    hold_steps, gap_steps
        The longest settling under an input, and at rest.
    """

    active: int
    up: int
    down: int
    rise: int
    fall: int
    least: int
    fixed_points: int
    hold_steps: int
    gap_steps: int


def reach(network: Network) -> Reach:
    """Walk the network.

    Raises
    ------
    RequirementError
        If an activity still changes after `MOST_STEPS`, or there is no end of fixed points.
    """
    walk = _Walk(network)
    hold, gap = 1, 1
    points = [walk.settled(network.codes[network.start][None], np.array([REST]))[0]]
    gap = max(gap, walk.steps)
    known = {points[0].tobytes()}
    most = 64 + 16 * len(network.states)
    for done in _batches(points, len(network.inputs)):
        held = walk.settled(
            np.stack([points[i] for i, _ in done]), np.array([a + 1 for _, a in done])
        )
        hold = max(hold, walk.steps)
        for point in walk.settled(held, np.full(len(done), REST)):
            if point.tobytes() not in known:
                known.add(point.tobytes())
                points.append(point)
        gap = max(gap, walk.steps)
        if len(points) > most:
            raise RequirementError(
                f"the network has over {most} fixed points; expected about one per state"
            )
    return Reach(
        walk.active, walk.up, walk.down, walk.rise, walk.fall, walk.least, len(points), hold, gap
    )


def _batches(points: list[Bits], inputs: int) -> Iterator[list[tuple[int, int]]]:
    """(Point, input) pairs of all points, those included that are appended meanwhile."""
    done = 0
    while done < len(points):
        pairs = [(i, a) for i in range(done, len(points)) for a in range(inputs)]
        done = len(points)
        yield from (pairs[i : i + PAIRS] for i in range(0, len(pairs), PAIRS))


class _Walk:
    def __init__(self, network: Network) -> None:
        self.network = network
        self.positive = network.with_weights(np.maximum(network.weights, 0))
        self.active, self.up, self.down, self.least = 0, 0, 0, 2**31 - 1
        self.rise = self.fall = self.steps = 0

    def settled(self, start: Bits, masks: NDArray[np.intp]) -> Bits:
        """Where each activity comes to rest under its mask; notes every step on the way, and how
        many there are.
        """
        opened, current, moving = self.network.masks[masks], start.copy(), np.arange(len(start))
        for self.steps in range(MOST_STEPS + 1):
            drive = self.network.drive(current[moving])
            following = (drive > 0) & opened[moving]
            self._note(current[moving], drive, following)
            changed = (following != current[moving]).any(1)
            moving, following = moving[changed], following[changed]
            if not len(moving):
                return current
            current[moving] = following
        raise RequirementError(
            f"an activity still changes after {MOST_STEPS} steps; expected a proven program"
        )

    def _note(self, activity: Bits, drive: Numbers, firing: Bits) -> None:
        rising = self.positive.drive(activity)
        self.rise, self.fall = (
            max(self.rise, int(rising.max())),
            min(self.fall, int((drive - rising).min())),
        )
        self.active = max(self.active, int(activity.sum(1).max()))
        self.up, self.down = max(self.up, int(drive.max())), min(self.down, int(drive.min()))
        self.least = min(self.least, int(drive[firing].min(initial=self.least)))
