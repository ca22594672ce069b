"""A worked example of a backend: a clocked circuit of neurons with 16-bit accumulators and lists of
synapses.

At every tick each neuron that fired sends its weights down its list of synapses; a neuron fires at
the next tick where its mask is open and its accumulator is above 0. Durations are in microseconds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vsafsm.backend import Option
from vsafsm.errors import SessionError
from vsafsm.files import write_atomically
from vsafsm.lowering import REST
from vsafsm.machine import Outputs
from vsafsm.network import Network
from vsafsm.playing import Playing
from vsafsm.program import Program
from vsafsm.requirements import Requirements
from vsafsm.trains import Pace

Synapses = list[list[tuple[int, int]]]


class ClockedBackend:
    """Runs a program on the circuit. Exact: the circuit holds the very integers that were
    proven.
    """

    name = "clocked"
    exact = True
    options = (Option("tick_us", float, 10.0, "us", "period of the clock"),)

    def unavailable(self) -> str | None:
        """None: plain Python is all it needs. Otherwise: why it cannot run here, and the command
        that mends it.
        """
        return None

    def requirements(self, options: Mapping[str, object]) -> Requirements:
        """8-bit weights with the inhibition folded in, 4096 neurons, sums that fit 16 bits."""
        return Requirements(bits=8, folded=True, largest_sum=2**15 - 1, most_neurons=4096)

    def lower(self, program: Program, **options: object) -> Network:
        """The network that the circuit holds: the program's own, so that its proof is the
        circuit's.
        """
        return program.network

    def open(self, program: Program, **options: object) -> ClockedSession:
        """Start a session."""
        tick_us = float(options.get("tick_us", 10.0))  # type: ignore[arg-type]
        return ClockedSession(self.lower(program), tick_us)

    def emit(self, program: Program, folder: Path, **options: object) -> None:
        """Write ``synapses.json``: for each neuron, the neurons it reaches and the weights."""
        text = json.dumps(synapses(self.lower(program)))
        write_atomically(folder / "synapses.json", text.encode())

    def describe(self, program: Program, **options: object) -> dict[str, int | float | str]:
        """Neurons, synapses, and the bits that the synapses take (a 12-bit address and an 8-bit
        weight each).
        """
        lists = synapses(self.lower(program))
        count = sum(map(len, lists))
        return {"neurons": len(lists), "synapses": count, "memory_bits": 20 * count}


class ClockedSession(Playing):
    """A running circuit. Durations in microseconds, rounded up to whole ticks."""

    def __init__(self, network: Network, tick_us: float) -> None:
        if not tick_us > 0:
            raise SessionError(f"tick_us is {tick_us}; expected a number above 0")
        self._network, self._tick_us = network, tick_us
        self._synapses = synapses(network)
        self._fired: list[int] = []
        self._mealy: Outputs = ()
        self._open = True
        self._counts = {"steps": 0, "spikes": 0, "synaptic_operations": 0}
        self.reset()

    def __enter__(self) -> ClockedSession:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session."""
        self._open = False

    def reset(self) -> str | None:
        """Set the start code, then let the circuit settle at rest."""
        self._check_open()
        self._fire(np.flatnonzero(self._network.codes[self._network.start]).tolist())
        self._mealy = ()
        self._run(REST, self._network.contract.gap_steps)
        return self.state

    def send(self, symbol: str, hold: float | None = None) -> str | None:
        """Hold an input for `hold` microseconds (the contract's steps by default), then leave the
        contract's gap.
        """
        self._check_open()
        mask, contract = self._network.mask_of(symbol), self._network.contract
        steps = contract.hold_steps if hold is None else self._ticks(hold)
        if steps < contract.hold_steps:
            least = contract.hold_steps * self._tick_us
            raise SessionError(
                f"a hold of {hold:g} us is too short; expected at least {least:g} us"
            )
        self._run(mask, steps)
        code = self._decoded(mask)
        self._mealy = self._network.labels[code].outputs if code >= 0 else ()
        self._run(REST, contract.gap_steps)
        return self.state

    def rest(self, steps: float) -> None:
        """Let the circuit run at rest for a time in microseconds."""
        self._check_open()
        self._run(REST, self._ticks(steps))

    @property
    def pace(self) -> Pace:
        """How long an input is held, and the gap after it, in microseconds: for `play`."""
        contract = self._network.contract
        return Pace(
            contract.hold_steps * self._tick_us, contract.gap_steps * self._tick_us, unit="us"
        )

    def check_input(self, symbol: str) -> None:
        """Raise `UnknownInputError` where there is no such input: for `play`."""
        self._network.mask_of(symbol)

    @property
    def state(self) -> str | None:
        """The state that the activity stands for: decoded, never looked up in the machine."""
        code = self._decoded(REST)
        return self._network.states[code] if 0 <= code < len(self._network.states) else None

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, then Moore outputs of the state."""
        code = self._decoded(REST)
        return self._mealy + (
            self._network.moore[code] if 0 <= code < len(self._network.states) else ()
        )

    @property
    def activity(self) -> Any:
        """Which neurons fired at the last tick: (N,)."""
        fired = np.zeros(self._network.neurons, np.bool_)
        fired[self._fired] = True
        return fired

    @property
    def counts(self) -> Mapping[str, int]:
        """Ticks, spikes and synaptic operations so far."""
        return dict(self._counts)

    def _run(self, mask: int, ticks: int) -> None:
        opened = self._network.masks[mask]
        for _ in range(ticks):
            accumulators = [0] * self._network.neurons
            for sender in self._fired:
                for receiver, weight in self._synapses[sender]:
                    accumulators[receiver] += weight
                self._counts["synaptic_operations"] += len(self._synapses[sender])
            self._fire([i for i, total in enumerate(accumulators) if total > 0 and opened[i]])

    def _fire(self, neurons: list[int]) -> None:
        self._fired = neurons
        self._counts["steps"] += 1
        self._counts["spikes"] += len(neurons)

    def _decoded(self, mask: int) -> int:
        return int(self._network.decode(self.activity[None], mask)[0])

    def _ticks(self, microseconds: float) -> int:
        if not 0 <= microseconds < math.inf:
            raise SessionError(f"{microseconds} us is no duration; expected a number of at least 0")
        return math.ceil(microseconds / self._tick_us)

    def _check_open(self) -> None:
        if not self._open:
            raise SessionError("the session is closed; open a new one")


def synapses(network: Network) -> Synapses:
    """For each neuron the (receiver, weight) pairs that it sends to; weights of 0 are left out."""
    return [
        [(int(i), int(row[i])) for i in np.flatnonzero(row)]
        for row in network.rows  # row j is what neuron j sends
    ]


BACKEND = ClockedBackend()
