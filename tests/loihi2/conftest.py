"""What the tests of Loihi 2's integers share: programs by name, and neuron, latch, chip and walk in
plain Python.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from vsafsm.cli import main
from vsafsm.lowering import Code
from vsafsm.machine import Machine, Transition
from vsafsm.network import Contract, Network
from vsafsm.program import Program
from vsafsm_loihi2 import ChipNetwork, Settings, lower
from vsafsm_loihi2.latch import Latch
from vsafsm_loihi2.neuron import fire

EDGE = 2**23
Train = Sequence[Collection[int]]


def plain_neuron(
    u: int, v: int, arriving: int, bias: int, du: int, dv: int
) -> tuple[int, int, bool]:
    """One neuron of threshold 0, one step: -> (u, v, whether it spikes)."""

    def left(state: int, decay: int) -> int:
        kept = abs(state) * (4096 - decay) // 4096
        return kept if state >= 0 else -kept

    u = left(u, du + 1) + 64 * arriving
    if u > EDGE:
        u -= 2 * EDGE
    elif u <= -EDGE:
        u += 2 * EDGE
    v = max(1 - EDGE, min(EDGE - 1, left(v, dv) + u + bias))
    return (u, 0, True) if v > 0 else (u, v, False)


class PlainNeurons:
    """n neurons; `recovered` is the most that was ever left of a membrane."""

    def __init__(self, membrane: Sequence[int], bias: Sequence[int], du: int, dv: int) -> None:
        self.u, self.v = [0] * len(membrane), list(membrane)
        self.bias, self.du, self.dv = bias, du, dv
        self.spikes: list[int] = []
        self.residue = 0

    def step(self, arriving: Sequence[int]) -> list[int]:
        self.residue = max([self.residue, *(abs(v) * (4096 - self.dv) // 4096 for v in self.v)])
        done = [
            plain_neuron(u, v, a, b, self.du, self.dv)
            for u, v, a, b in zip(self.u, self.v, arriving, self.bias, strict=True)
        ]
        self.u, self.v = [u for u, _, _ in done], [v for _, v, _ in done]
        self.spikes = [i for i, (_, _, spike) in enumerate(done) if spike]
        return self.spikes


def written_out(arrays: Mapping[str, Any]) -> Any:
    """The one matrix that blocks and synapses between modules make."""
    if "blocks" not in arrays:
        return arrays["weights"]
    modules, n = arrays["blocks"].shape[:2]
    weights = np.zeros((modules * n, modules * n), np.int64)
    for m, block in enumerate(arrays["blocks"]):
        weights[m * n : m * n + n, m * n : m * n + n] = block
    for j in range(modules * n):
        for e in range(arrays["starts"][j], arrays["starts"][j + 1]):
            weights[arrays["targets"][e], j] += arrays["values"][e]
    return weights


class PlainChip:
    """The chip's program from its arrays alone, one neuron after the other.

    `high` and `low` are the largest sums of the positive and of the negative weights that reached a
    neuron in a step.
    """

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self.arrays = {name: np.asarray(value).astype(np.int64) for name, value in arrays.items()}
        self.arrays.setdefault("weights", written_out(self.arrays))
        number = {name: int(self.arrays[name]) for name in ("mask_exp", "bias_exp", "du", "dv")}
        self.synapses = np.hstack(
            [self.arrays["weights"], self.arrays["masks"] * 2 ** number["mask_exp"]]
        )
        bias = (self.arrays["bias"] * 2 ** number["bias_exp"]).tolist()
        self.network = PlainNeurons([0] * len(bias), bias, number["du"], number["dv"])
        membrane = self.arrays["membrane"].tolist()
        self.latch = PlainNeurons(membrane, [0] * len(membrane), 4095, 4095)
        self.channels: list[int] = []
        self.high = self.low = 0

    def step(self, channels: Collection[int]) -> list[int]:
        neurons = len(self.network.bias)
        arriving = self.synapses[
            :, [*self.network.spikes, *(neurons + i for i in self.latch.spikes)]
        ]
        self.high = max(self.high, int(np.maximum(arriving, 0).sum(1).max()))
        self.low = min(self.low, int(np.minimum(arriving, 0).sum(1).min()))
        to_latch = self.arrays["arrivals"][:, self.channels].sum(1)
        to_latch += self.arrays["recurrent"][:, self.latch.spikes].sum(1)
        self.network.step(arriving.sum(1).tolist())
        self.latch.step(to_latch.tolist())
        self.channels = sorted(channels)
        return self.network.spikes


class PlainLatch:
    """What the latch is documented to do: `lines[t]` is the channel whose line is on in step t,
    counted from 1.
    """

    def __init__(self, hold: int, gap: int) -> None:
        self.hold, self.gap = hold, gap

    def lines(self, train: Train, steps: int) -> list[int | None]:
        """The lines of so many steps, where ``train[t - 1]`` are the channels that spike in step
        t.
        """
        on: dict[int, int] = {1: 0}
        free = self.gap
        for t, channels in enumerate(train, 1):
            if not channels or (min(channels) > 0 and t < free):
                continue
            passed = min(channels)
            held = self.hold if passed else 1
            on = {s: line for s, line in on.items() if s < t + 2} | dict.fromkeys(
                range(t + 2, t + 2 + held), passed
            )
            free = t + held + self.gap
        return [on.get(t) for t in range(1, steps + 1)]


class PlainWalk:
    """Every activity that is reached when masks follow each other at once, and its drives, less
    the constant inhibition of an inhibition that is kept apart.
    """

    def __init__(self, network: Network) -> None:
        network = network.to_dense()
        self.rows = network.weights.tolist()
        self.masks = [frozenset(np.flatnonzero(mask).tolist()) for mask in network.masks]
        self.drives: dict[frozenset[int], list[int]] = {}
        self.least = 2**31 - 1
        self.longest = {True: 1, False: 1}
        start = frozenset(np.flatnonzero(network.codes[network.start]).tolist())
        if network.gain:
            start &= self.masks[0]
        self.start, self.constant = start, network.gain * len(start)
        self.points = [self.settle(start, 0)]
        for point in self.points:
            for mask in range(1, len(self.masks)):
                after = self.settle(self.settle(point, mask), 0)
                if after not in self.points:
                    self.points.append(after)

    def settle(self, z: frozenset[int], mask: int) -> frozenset[int]:
        for steps in range(33):
            if z not in self.drives:
                self.drives[z] = [sum(row[j] for j in z) - self.constant for row in self.rows]
            drive = self.drives[z]
            following = frozenset(i for i in self.masks[mask] if drive[i] > 0)
            self.least = min([self.least, *(drive[i] for i in following)])
            if following == z:
                self.longest[mask > 0] = max(self.longest[mask > 0], steps)
                return z
            z = following
        raise OverflowError("still changes")

    @property
    def extremes(self) -> dict[str, int]:
        """As the attributes of the package's own walk; a drive of 0 counts for every network."""
        positive = [sum(max(row[j], 0) for j in z) for z in self.drives for row in self.rows]
        negative = [sum(min(row[j], 0) for j in z) for z in self.drives for row in self.rows]
        every = [0, *(drive for drives in self.drives.values() for drive in drives)]
        return {
            "active": max(len(z) for z in self.drives),
            "up": max(every),
            "down": min([-self.constant, *every]),
            "rise": max(positive),
            "fall": min(negative),
            "least": self.least,
            "fixed_points": len(self.points),
            "hold_steps": self.longest[True],
            "gap_steps": self.longest[False],
        }


def level_machine() -> Machine:
    """A lamp: its inputs may be held, and lead to a state without a transition under way."""
    on, off = Transition("on"), Transition("off")
    return Machine(
        "lamp",
        ("off", "on"),
        ("set", "clear"),
        "off",
        ((on, off), (on, off)),
        (("dark",), ("lit",)),
    )


@pytest.fixture(scope="session")
def program_of(
    compiled: Callable[..., Program],
    examples: dict[str, Machine],
    random_machines: Callable[..., Machine],
    words_machine: Callable[..., Machine],
) -> Callable[[str], Program]:
    """A program for the chip by name: of an example, ``dense EXAMPLE``, ``random SEED``, ``level``,
    ``apart EXAMPLE`` with the inhibition apart, or in modules: ``modules SEED``, ``modules
    elevator``, or ``modules words`` with masks that differ between modules.
    """

    def found(name: str) -> Program:
        kind, _, rest = name.partition(" ")
        if kind == "level":
            return compiled(level_machine(), target="loihi2", trigger="level")
        if kind == "modules" and rest == "elevator":
            return compiled(examples[rest], layout="modules", module_neurons=64, active=16)
        if kind == "modules" and rest == "words":
            return compiled(words_machine(6, 9), layout="modules", active=16, margin=0.1)
        if kind == "modules":
            machine = random_machines(20, 2, int(rest))
            return compiled(machine, layout="modules", module_neurons=64, active=8)
        if kind == "apart":
            return compiled(examples[rest], inhibition="separate")
        if kind == "random":
            return compiled(random_machines(9, 3, int(rest)), target="loihi2")
        more = {"code": "dense"} if kind == "dense" else {}
        return compiled(examples[rest or kind], target="loihi2", **more)

    return found


@pytest.fixture(scope="session")
def chip_of(program_of: Callable[[str], Program]) -> Callable[..., ChipNetwork]:
    """The same in the chip's integers, with settings."""
    return lambda name, **settings: lower(program_of(name).network, Settings(**settings))


@pytest.fixture(scope="session")
def hand_made() -> Callable[..., Network]:
    """A network of one state from weights and masks; every neuron of `start` is in its code, and
    all are open.
    """

    def made(
        weights: Any,
        start: Sequence[int],
        masks: Any = None,
        contract: tuple[int, int] = (2, 2),
        gain: int = 0,
    ) -> Network:
        weights = np.asarray(weights, np.int16 if np.abs(weights).max() > 127 else np.int8)
        masks = (
            np.ones((2, len(weights)), np.bool_) if masks is None else np.asarray(masks, np.bool_)
        )
        code = np.isin(np.arange(len(weights)), start)[None]
        bits = 16 if weights.dtype == np.int16 else 8
        inputs = tuple(f"i{a}" for a in range(len(masks) - 1))
        return Network.dense(
            weights,
            gain,
            1.0,
            bits,
            masks,
            code,
            (Code(0),),
            0,
            ("only",),
            inputs,
            ((),),
            Contract(*contract),
        )

    return made


@pytest.fixture(scope="session")
def plain_fire() -> Callable[..., tuple[int, int, bool]]:
    """One step of one neuron in Python's integers."""
    return plain_neuron


@pytest.fixture(scope="session")
def plain_chip() -> type[PlainChip]:
    """The chip's program in loops."""
    return PlainChip


@pytest.fixture(scope="session")
def plain_latch() -> type[PlainLatch]:
    """The latch as it is documented."""
    return PlainLatch


@pytest.fixture(scope="session")
def plain_walk() -> type[PlainWalk]:
    """The walk in loops."""
    return PlainWalk


@pytest.fixture(scope="session")
def spikes_in() -> Callable[..., Any]:
    """Channels of a step as an array of truths."""
    return lambda channels, width: np.isin(np.arange(width), list(channels))


@pytest.fixture(scope="session")
def run_latch() -> Callable[[Latch, Train, int], list[list[int]]]:
    """Which neurons of a latch fire in each of so many steps, on the chip's neurons."""

    def run(latch: Latch, train: Train, steps: int) -> list[list[int]]:
        neurons = len(latch.membrane)
        u, v, none = np.zeros(neurons, np.int32), latch.membrane.copy(), np.zeros(neurons, np.int32)
        spikes, channels, fired = (
            np.zeros(neurons, np.bool_),
            np.zeros(latch.channels, np.bool_),
            [],
        )
        for t in range(steps):
            arriving = latch.arrivals[:, channels].sum(1, dtype=np.int32)
            arriving += latch.recurrent[:, spikes].sum(1, dtype=np.int32)
            u, v, spikes = fire(u, v, arriving, none, 4095, 4095)
            fired.append(np.flatnonzero(spikes).tolist())
            channels = np.isin(np.arange(latch.channels), list(train[t]) if t < len(train) else [])
        return fired

    return run


@pytest.fixture(scope="session")
def trains() -> Callable[..., st.SearchStrategy[list[list[int]]]]:
    """Makes a strategy for trains of spikes on some channels: the channels that spike in each
    step.
    """

    def made(
        channels: int, longest_wait: int = 12, most: int = 10
    ) -> st.SearchStrategy[list[list[int]]]:
        together = st.lists(st.integers(0, channels - 1), min_size=1, max_size=3)
        event = st.tuples(st.integers(0, longest_wait), together)
        return st.lists(event, max_size=most).map(
            lambda events: [c for n, all_ in events for c in [*([[]] * n), all_]]
        )

    return made


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call the command line: -> (exit code, standard output, standard error)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call
