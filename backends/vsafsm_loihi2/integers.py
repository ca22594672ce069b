"""From a `Network` to the chip's integers, and back.

A weight is an even number: twice the network's. The masks act without a hand-over: neurons that the
rest phase's mask closes carry a negative bias, and an input's line takes it away from those that
the input's mask opens, and closes others, in the same step. Closing is an inhibition that outweighs
every recurrent drive that the network can reach; the reset's line outweighs that too, for the
neurons of the start code. Thresholds are 0.

An inhibition that is kept apart, as in a network of modules, is a negative bias of every neuron.
It is the constant that the inhibition is in every activity that the network can reach.

A neuron with the largest decays keeps 1/4096 of its membrane. That residue is never positive,
because a neuron above threshold spikes and starts again at 0, and the lowering holds its largest
magnitude against the smallest drive at which a neuron has to fire: no residue changes a step. So
the chip's network takes the very steps of the `Network`, and a proof of that one is a proof of the
chip's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vsafsm.errors import BackendError, CompileCall, OptionError, RequirementError
from vsafsm.lowering import REST
from vsafsm.network import Network, patterns_of
from vsafsm.synapses import Synapses
from vsafsm.vsa import Numbers
from vsafsm_loihi2.clock import STEP, Clock, clock
from vsafsm_loihi2.latch import Latch, latch
from vsafsm_loihi2.limits import (
    ACCUMULATOR,
    BIAS,
    BIAS_EXPONENT,
    DECAY,
    DECAY_SHIFT,
    MANTISSA,
    MOST_EXPONENT,
    SHIFT,
)
from vsafsm_loihi2.reach import Reach, constant_inhibition, driven_by_reset, reach

SMALLER = (CompileCall("loihi2", options={"bits": 6}), ", or of sparse codes")
"""How a program with smaller sums is compiled."""
MOST_STEPS = 1024
"""Longest hold or gap that a latch is built for."""
MOST_TICK_STEPS = 2**16
"""More than any clock counts to."""
Whole = NDArray[np.int16]


@dataclass(frozen=True)
class Settings:
    """How the chip's program runs.

    Attributes
    ----------
    hold_steps, gap_steps
        Steps that the latch holds an input, and rests after it; None for the network's contract,
        and for leaky neurons more.
    du, dv
        Decay of the current and of the membrane in 1/4096 a step; 4095, the most, is nearly
        memoryless, and exact.
    tick_steps
        Steps of the clock from tick to tick; None for twice those of an event.
    """

    hold_steps: int | None = None
    gap_steps: int | None = None
    du: int = DECAY
    dv: int = DECAY
    tick_steps: int | None = None

    def __post_init__(self) -> None:
        ranges = {
            "hold_steps": (1, MOST_STEPS),
            "gap_steps": (1, MOST_STEPS),
            "du": (0, DECAY),
            "dv": (0, DECAY),
            "tick_steps": (1, MOST_TICK_STEPS),
        }
        for name, (least, most) in ranges.items():
            value = getattr(self, name)
            if value is None and name.endswith("steps"):
                continue
            if (
                isinstance(value, bool)
                or not isinstance(value, Integral)
                or not least <= int(value) <= most
            ):
                raise OptionError(
                    f"{name} is {value!r}; expected a whole number from {least} to {most}"
                )
            object.__setattr__(self, name, int(value))
        if self.steps(1) > MOST_STEPS and None in (self.hold_steps, self.gap_steps):
            raise OptionError(
                f"neurons with du {self.du} and dv {self.dv} forget so slowly that an input would"
                f" be held for at least {self.steps(1)} steps; expected faster decays"
            )

    @property
    def leaky(self) -> bool:
        """Whether the neurons remember: then nothing is proven."""
        return (self.du, self.dv) != (DECAY, DECAY)

    def steps(self, contract: int) -> int:
        """Steps to hold or to leave by default: the contract's, and more the slower the neurons
        forget.
        """
        slowest = 2**DECAY_SHIFT / max(1, min(self.du + 1, self.dv))
        return contract * (1 + ceil(8 * (slowest - 1))) if self.leaky else contract


@dataclass(frozen=True)
class Bounds:
    """How near the integers come to their limits, in the worst step that the network can reach.

    Attributes
    ----------
    reach
        What the walk over all activities found, in the network's LSBs.
    mask_drive, reset_drive
        Magnitude of the inhibition of a closed neuron, and of the drive of the start code's neurons
        by the reset.
    accumulator
        Largest magnitude that the synaptic input of a neuron has on the way, however it is added
        up; limit 32767.
    residue
        Largest magnitude of what is left of a membrane after a step, as a share of the smallest
        drive that fires.
    """

    reach: Reach
    mask_drive: int
    reset_drive: int
    accumulator: int
    residue: float


@dataclass(frozen=True)
class ChipNetwork:
    """A network in the chip's integers. N = M n neurons in M modules, A inputs, S states.

    Attributes
    ----------
    blocks : (M, n, n)
        Even, from -254 to 254; ``blocks[m, i, j]`` from neuron j of module m to its neuron i.
    between
        Synapses between modules, of such weights.
    masks : (N, A + 1)
        Even, from the line of the reset and those of the inputs; times 2 to the `mask_exp`. Those
        of the inputs are the same in every module.
    bias : (N,)
        Mantissas, the same in every module; times 2 to the `bias_exp`.
    readout : (S, n)
        1 where a neuron is in a state's code, in its module, and open at rest: what the scores are
        summed with.
    latch
        Neurons that turn a spike into a held line.
    clock
        What ticks, or None.
    hold_steps, gap_steps, du, dv
        As in `Settings`, with the contract filled in.
    network
        What this was made of, for the decoding.
    bounds
        How near the limits it comes.
    """

    blocks: Whole
    between: Synapses
    masks: Whole
    mask_exp: int
    bias: Whole
    bias_exp: int
    readout: Whole
    latch: Latch
    clock: Clock | None
    hold_steps: int
    gap_steps: int
    du: int
    dv: int
    network: Network
    bounds: Bounds

    @property
    def ready_steps(self) -> int:
        """Steps from the start until the initial state is reached and settled; from then on an
        event passes.
        """
        return self.gap_steps + 2

    @property
    def event_steps(self) -> int:
        """Steps from an event's spike, that step included, until its state is reached and
        settled.
        """
        return self.hold_steps + self.gap_steps + 3

    @property
    def weights(self) -> Whole:
        """The one matrix (N, N) of a network of one module. Raises `NetworkError` for others."""
        self.network.check_one_matrix()
        return np.asarray(self.blocks[0])

    def decoded(self) -> Network:
        """The `Network` that these integers make, read back from them. Raises `BackendError` where
        they make none.
        """
        network, n = self.network, self.network.module_neurons
        bias = self.bias.astype(np.int64)
        gain, left = divmod(-int(bias.max()), len(driven_by_reset(network)))
        if left:
            raise BackendError("the largest bias is no multiple of the active neurons")
        closing = bias - bias.max()
        opened = [closing == 0]
        for line in self.masks[:, 1:].T:
            driven = line.astype(np.int64) << (self.mask_exp + SHIFT)
            opened.append((closing << self.bias_exp) + driven >= 0)
        weights = network.with_all_weights(
            _halved(self.blocks), _halved(np.asarray(self.between.values))
        )
        masks, opens = patterns_of(np.reshape(opened, (len(opened), -1, n)))
        return replace(weights, gain=gain, masks=masks, opens=opens)

    def arrays(self) -> Mapping[str, Any]:
        """Everything that a simulator or an archive needs, by name: arrays, and whole numbers as
        arrays of one.

        One matrix is ``weights``. Modules are ``blocks``, and between them neuron j sends
        ``values[e]`` to ``targets[e]``, for e from ``starts[j]`` up to ``starts[j + 1]``; ``homes``
        has the module of each row of the readout. What begins with ``clock_`` is the neuron of the
        clock, and ``from_clock`` what it sends to the latch.
        """
        return {
            **self._synapses(),
            **self._clock(),
            "masks": self.latch.widened(self.masks),
            "mask_exp": self.mask_exp,
            "bias": self.bias,
            "bias_exp": self.bias_exp,
            "readout": self.readout,
            "arrivals": self.latch.arrivals,
            "recurrent": self.latch.recurrent,
            "membrane": self.latch.membrane,
            "hold_steps": self.hold_steps,
            "gap_steps": self.gap_steps,
            "du": self.du,
            "dv": self.dv,
        }

    def _clock(self) -> Mapping[str, Any]:
        if self.clock is None:
            return {}
        return {
            "clock_threshold": self.clock.threshold,
            "clock_bias": STEP,
            "clock_bias_exp": SHIFT,
            "clock_from_channels": self.clock.from_channels,
            "clock_from_latch": self.clock.from_latch,
            "from_clock": self.latch.from_clock,
        }

    def _synapses(self) -> Mapping[str, Any]:
        if len(self.blocks) == 1:
            return {"weights": self.weights}
        return {
            "blocks": self.blocks,
            "starts": self.between.starts,
            "targets": self.between.targets,
            "values": self.between.values,
            "homes": self.network.homes[: len(self.readout)],
        }


def lower(
    network: Network, settings: Settings = Settings(), ticking: int | None = None
) -> ChipNetwork:
    """A network in the chip's integers, with a clock for the channel `ticking` if that is given.

    Raises
    ------
    RequirementError
        If a limit of the chip is not kept; the message says which, and by how much.
    RequirementError
        If the network does not come to rest.
    OptionError
        If a hold or gap is shorter than the network's contract, or the clock's period not possible.
    """
    if not network.whole:
        raise RequirementError(
            "the network's weights are no whole numbers; expected those of a program, without noise"
            " on them"
        )
    if network.gain and settings.leaky:
        raise RequirementError(
            f"an inhibition of {network.gain} is kept apart, which leaky neurons cannot have:"
            " expected it folded in (inhibition=folded, layout=dense)"
        )
    _within("weight", int(network.largest_weight), MANTISSA)
    hold = _at_least("hold_steps", settings, network.contract.hold_steps)
    gap = _at_least("gap_steps", settings, network.contract.gap_steps)
    if ticking is not None and hold == gap == 1:
        gap = 2  # so that a tick keeps the pending neuron out until that has heard of it
    found = reach(network)
    if found.hold_steps > hold or found.gap_steps > gap:
        raise RequirementError(
            f"the network takes up to {found.hold_steps} steps to settle under an input and"
            f" {found.gap_steps} at rest, and is given {hold} and {gap}; expected the contract of a"
            " proof"
        )
    up, down = max(0, 2 * found.up), max(0, -2 * found.down)

    at_rest, started = network.opened(REST), np.zeros(network.neurons, np.bool_)
    started[driven_by_reset(network)] = True

    closing, opening, exponent = _drives(max(2, up), down)
    masks = np.empty((network.neurons, network.no_mask), np.int16)
    masks[:, 0] = np.where(started, opening, -closing * at_rest)
    for mask in range(1, network.no_mask):
        masks[:, mask] = closing * (network.opened(mask).astype(np.int16) - at_rest)
    inhibition = closing << exponent
    constant = _bias(2 * constant_inhibition(network), settings)
    bias = _bias(inhibition, settings)
    _within("bias", bias + constant, BIAS)
    accumulator = max(2 * found.rise + (opening << exponent), -2 * found.fall + inhibition)
    _within("accumulator", accumulator, ACCUMULATOR)
    residue = ((down + inhibition) << SHIFT) // DECAY
    least = (2 * found.least) << SHIFT
    if residue >= least and not settings.leaky:
        raise RequirementError(
            f"a neuron fires at a drive of {2 * found.least}, and up to {residue / 2**SHIFT:.3g}"
            " may be left of its membrane: the residue must be less than the drive (a larger"
            " margin, or more neurons)"
        )
    made = latch(len(network.inputs), hold, gap, ticking)
    return ChipNetwork(
        blocks=_doubled(network.blocks),
        between=replace(network.between, values=_doubled(network.between.values)),
        masks=masks,
        mask_exp=exponent,
        bias=(-constant - bias * ~at_rest).astype(np.int16),
        bias_exp=BIAS_EXPONENT,
        readout=network.readout.astype(np.int16),
        latch=made,
        clock=None if ticking is None else _clock(made, ticking, hold, gap, settings),
        hold_steps=hold,
        gap_steps=gap,
        du=settings.du,
        dv=settings.dv,
        network=network,
        bounds=Bounds(found, inhibition, opening << exponent, accumulator, residue / least),
    )


def _clock(made: Latch, ticking: int, hold: int, gap: int, settings: Settings) -> Clock:
    given, event = settings.tick_steps, hold + gap + 3
    return clock(made, ticking, hold, gap, 2 * event if given is None else given)


def proven_form(chip: ChipNetwork) -> Network:
    """What a proof of the chip's program has to walk. Raises `BackendError` where neurons
    remember.
    """
    if (chip.du, chip.dv) != (DECAY, DECAY):
        raise BackendError(
            f"du is {chip.du} and dv is {chip.dv}: leaky neurons have no finite set of activities"
            f" to walk; expected both at {DECAY} for a proof, or a measurement with `vsafsm run`"
        )
    return chip.decoded()


def _drives(up: int, down: int) -> tuple[int, int, int]:
    """Mantissas of the masks' and the reset's drives, and their exponent.

    The one outweighs a recurrent drive of `up`; the other the masks, a recurrent drive of `-down`,
    and any residue.
    """
    for exponent in range(MOST_EXPONENT + 1):
        closing = _even(up, exponent)
        against = (closing << exponent) + down
        opening = _even(against + against // 2 ** (DECAY_SHIFT - 1) + 4, exponent)
        if opening <= 2 * MANTISSA:
            return closing, opening, exponent
    largest = 2 * MANTISSA << MOST_EXPONENT
    raise RequirementError(
        f"recurrent drives from {-down} to {up} are reached, so that a reset of"
        f" {opening << exponent} is needed, and at most {largest} is possible:"
        f" {(opening << exponent) - largest} too much",
        *SMALLER,
    )


def _halved(weights: NDArray[Any]) -> NDArray[np.int8]:
    return np.asarray(weights // 2, np.int8)


def _doubled(weights: Numbers) -> Whole:
    return np.multiply(weights, 2, dtype=np.int16)


def _bias(inhibition: int, settings: Settings) -> int:
    """The mantissa that inhibits as much as so large a synaptic input in every step."""
    kept = (settings.du + 1) << (BIAS_EXPONENT - SHIFT)
    return int(-(-inhibition * 2**DECAY_SHIFT // kept))


def _even(drive: int, exponent: int) -> int:
    """The smallest even mantissa that makes at least this drive."""
    return 2 * -(-drive // (2 << exponent))


def _within(what: str, value: int, limit: int) -> None:
    if value > limit:
        raise RequirementError(
            f"the largest {what} is {value}, at most {limit} is possible: {value - limit} too much",
            *SMALLER,
        )


def _at_least(name: str, settings: Settings, least: int) -> int:
    value: int | None = getattr(settings, name)
    if value is not None and value < least:
        raise OptionError(
            f"{name} is {value}; expected at least the {least} of the program's contract"
        )
    steps = settings.steps(least) if value is None else value
    if steps > MOST_STEPS:
        raise OptionError(
            f"neurons with du {settings.du} and dv {settings.dv} forget so slowly that {name} would"
            f" be {steps}; expected faster decays, or {name} of at most {MOST_STEPS}"
        )
    return steps
