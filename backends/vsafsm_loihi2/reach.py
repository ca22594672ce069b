"""Every activity that a network can pass through under the latch, and how hard it drives the
neurons.

The walk asks the network alone, not the machine: from what a reset drives, every input is held
until nothing changes, and left until nothing changes.

On the chip an inhibition that is kept apart is a constant: that of as many active neurons as the
start has at rest. Masks change at once there and halve every code, so that no activity has another
number. That is not taken for granted: every step of the walk is taken both ways.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from vsafsm.activities import Activities, Indices, Neurons, activities_of, ranges
from vsafsm.errors import RequirementError
from vsafsm.hand_overs import Observer, StepBatch, Walker
from vsafsm.lowering import REST
from vsafsm.network import MOST_STEPS, Drives, Network

PAIRS = 256
"""(Fixed point, input) pairs walked together."""


@dataclass(frozen=True)
class Reach:
    """Extremes over every step of the walk, in LSBs. Drives are less the constant inhibition.

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


def driven_by_reset(network: Network) -> Neurons:
    """The neurons that the reset's line makes fire: (k,).

    They are those of the start code; where the inhibition is kept apart, those of them that are
    open at rest, so that never more are active than the constant inhibition stands for.
    """
    code = network.code_activity(network.start)
    if not network.gain:
        return code
    return np.asarray(code[network.open_at(REST, REST, code)])


def constant_inhibition(network: Network) -> int:
    """The inhibition of as many active neurons as the start has at rest, in LSBs."""
    return network.gain * len(driven_by_reset(network))


def reach(network: Network) -> Reach:
    """Walk the network.

    Raises
    ------
    RequirementError
        If an activity still changes after `MOST_STEPS`, if there is no end of fixed points, or if
        a constant inhibition would change a step.
    """
    return _Walk(network).run()


class _Walk:
    """Points are activities at rest; ``paths`` has the point and the input that each was reached
    from. The owner of a step is the point and the input that it belongs to, as one number.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.inputs = len(network.inputs)
        self.extremes = _Extremes(network)
        self.points: list[Neurons] = []
        self.paths: list[tuple[int, int]] = []

    def run(self) -> Reach:
        most = 64 + 16 * len(self.network.states)
        try:
            gap, hold = self._start(), 1
            known = {self.points[0].tobytes()}
            for pairs in self._batches():
                owners = np.array([i * self.inputs + a for i, a in pairs])
                held, steps = self._settled(
                    activities_of([self.points[i] for i, _ in pairs]),
                    owners % self.inputs + 1,
                    owners,
                )
                hold = max(hold, steps)
                left, steps = self._settled(held, np.full(len(pairs), REST), owners)
                gap = max(gap, steps)
                for i, key in enumerate(left.keys):
                    if key not in known:
                        known.add(key)
                        self.points.append(left[i].copy())
                        self.paths.append(pairs[i])
                if len(self.points) > most:
                    raise RequirementError(
                        f"the network has over {most} fixed points; expected about one per state"
                    )
        except _Differs as step:
            word = " ".join(self._word(step.owner)) or "(the start)"
            raise RequirementError(
                f"in a step of {word}, {step.active} neurons are active, and the chip's constant"
                f" inhibition is that of {len(driven_by_reset(self.network))}: it would take"
                " another step (inhibition=folded)"
            ) from None
        return self.extremes.reach(len(self.points), hold, gap)

    def _start(self) -> int:
        """What the reset drives comes to rest: -> in how many steps."""
        network, owner, rest = self.network, np.array([-1]), np.array([REST])
        first, steps = self._settled(activities_of([driven_by_reset(network)]), rest, owner)
        whole, _, _ = Walker(network, ()).settle(
            network.code_activities([network.start]), rest, owner, "gap"
        )
        # A proof starts with the whole code: it has to lead to the same point.
        if first.keys != whole.keys:
            raise RequirementError(
                "the start code and its neurons that are open at rest settle in two activities;"
                " expected one (inhibition=folded)"
            )
        self.points.append(first[0])
        self.paths.append((-1, 0))
        return max(1, steps)

    def _settled(
        self, start: Activities, masks: Indices, owners: Indices
    ) -> tuple[Activities, int]:
        """Where each activity comes to rest under its mask, and the most steps that one takes."""
        walker = Walker(self.network, (self.extremes,))
        end, steps, moving = walker.settle(start, masks, owners, "gap")
        if moving.any():
            raise RequirementError(
                f"an activity still changes after {MOST_STEPS} steps; expected a proven program"
            )
        return end, int(steps.max())

    def _batches(self) -> Iterator[list[tuple[int, int]]]:
        """(Point, input) pairs of all points, those included that are appended meanwhile."""
        done = 0
        while done < len(self.points):
            pairs = [(i, a) for i in range(done, len(self.points)) for a in range(self.inputs)]
            done = len(self.points)
            yield from (pairs[i : i + PAIRS] for i in range(0, len(pairs), PAIRS))

    def _word(self, owner: int) -> list[str]:
        """The inputs up to a step."""
        point, a = (owner // self.inputs, owner % self.inputs) if owner >= 0 else (-1, 0)
        word = []
        while point >= 0:
            word.append(self.network.inputs[a])
            point, a = self.paths[point]
        return word[::-1]


class _Differs(Exception):  # noqa: N818 - it ends the walk, it is not an error
    """A step that a constant inhibition would change."""

    def __init__(self, owner: int, active: int) -> None:
        self.owner, self.active = owner, active


class _Extremes(Observer):
    """Extremes of all steps."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.constant = constant_inhibition(network)
        # Its inhibition is added again, so that the positive weights alone are left.
        self.positive = network.with_all_weights(
            np.maximum(network.blocks, 0), np.maximum(network.between.values, 0)
        )
        # Silence, in which the chip starts, drives nothing.
        self.active, self.up, self.down, self.least = 0, 0, -self.constant, 2**31 - 1
        self.rise = self.fall = 0

    def observe(self, batch: StepBatch) -> None:
        """Compare a step with the chip's, and note its drives."""
        drives, counts = batch.drives, batch.activity.counts
        chips = shifted(drives, self.network.gain * counts - self.constant)
        if (self.network.gain * counts != self.constant).any():
            self._compare(batch, chips)
        rising = shifted(self.positive.drives(batch.activity), self.network.gain * counts)
        falling = shifted(drives, self.network.gain * counts)
        self.rise = max(self.rise, _largest(rising))
        self.fall = min(
            self.fall,
            int((falling.values - rising.values).min(initial=0)),
            int((falling.reached_values - rising.reached_values).min(initial=0)),
        )
        self.active = max(self.active, int(counts.max()))
        self.up = max(self.up, _largest(chips))
        self.down = min(
            self.down,
            int(chips.values.min(initial=0)),
            int(chips.reached_values.min(initial=0)),
        )
        self.least = min(self.least, _least_firing(self.network, chips, batch))

    def reach(self, fixed_points: int, hold: int, gap: int) -> Reach:
        """What was found."""
        return Reach(
            self.active,
            self.up,
            self.down,
            self.rise,
            self.fall,
            self.least,
            fixed_points,
            hold,
            gap,
        )

    def _compare(self, batch: StepBatch, chips: Drives) -> None:
        steps = (
            self.network.fire(drives, batch.row, batch.masks, batch.also).keys
            for drives in (batch.drives, chips)
        )
        for i, (one, other) in enumerate(zip(*steps, strict=True)):
            if one != other:
                active = int(batch.activity.counts[batch.row[i]])
                raise _Differs(int(batch.owners[i]), active)


def shifted(drives: Drives, by: Indices) -> Drives:
    """Drives of D activities, each more by so much: (D,)."""
    values = drives.values + by[drives.pair_rows, None].astype(drives.values.dtype)
    reached = drives.reached_values + by[drives.reached.rows].astype(drives.values.dtype)
    return replace(drives, values=values, reached_values=reached, elsewhere=drives.elsewhere + by)


def _largest(drives: Drives) -> int:
    return max(int(drives.values.max(initial=0)), int(drives.reached_values.max(initial=0)))


def _least_firing(network: Network, drives: Drives, batch: StepBatch) -> int:
    """The smallest drive of a neuron that fires."""
    counts = np.diff(drives.starts)[batch.row]
    pair = ranges(drives.starts[batch.row], counts)
    row = np.repeat(np.arange(len(batch.row)), counts)
    opened = network.open_in(batch.masks[row], batch.also[row], drives.modules[pair])
    values = drives.values[pair]
    least = values[(values > 0) & opened].min(initial=2**31 - 1)
    reached = drives.reached.counts[batch.row]
    entry = ranges(drives.reached.starts[batch.row], reached)
    row = np.repeat(np.arange(len(batch.row)), reached)
    fires = network.open_at(batch.masks[row], batch.also[row], drives.reached.neurons[entry])
    values = drives.reached_values[entry]
    return int(min(least, values[fires & (values > 0)].min(initial=2**31 - 1)))
