"""A session of a chip's program, whatever runs it: events go in by the channels, activity comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from vsafsm.errors import SessionError
from vsafsm.lowering import REST
from vsafsm.machine import Outputs
from vsafsm.vsa import Bits
from vsafsm_loihi2.integers import ChipNetwork
from vsafsm_loihi2.resources import fan_outs
from vsafsm_loihi2.simulator import ChipSimulator

RESET = 0
"""The channel of the reset; input a has channel a + 1."""
MOST_STEPS_A_CHUNK = 4096


@dataclass(frozen=True)
class Passage:
    """What came of some steps.

    Attributes
    ----------
    watched, last : (N,)
        Which neurons fired in the step that was to be watched, and in the last one.
    spikes, operations
        Spikes of the network, and synaptic operations that they and the lines caused.
    """

    watched: Bits
    last: Bits
    spikes: int
    operations: int


class Engine(Protocol):
    """What runs the steps of a chip's program, from its start on."""

    def run(self, channel: int | None, steps: int, watch: int) -> Passage:
        """Run some steps, with a spike on a channel in the first one; step number `watch` is kept (the first is 1)."""

    def close(self) -> None:
        """Free what it holds; closing twice does nothing."""


class IntegerEngine:
    """Runs the chip's program in plain integers."""

    def __init__(self, chip: ChipNetwork) -> None:
        self._simulator = ChipSimulator(chip)
        self._fan_out, self._lines = fan_outs(chip)

    def run(self, channel: int | None, steps: int, watch: int) -> Passage:
        """As `Engine` says."""
        simulator, spikes, operations = self._simulator, 0, 0
        watched: Bits = simulator.spikes
        for n in range(1, steps + 1):
            channels = np.zeros(simulator.chip.latch.channels, np.bool_)
            if n == 1 and channel is not None:
                channels[channel] = True
            fired = simulator.step(channels)
            watched = fired if n == watch else watched
            spikes += int(fired.sum())
            line = simulator.line
            operations += int(self._fan_out[fired].sum()) + (int(self._lines[line]) if line >= 0 else 0)
        return Passage(watched, simulator.spikes, spikes, operations)

    def close(self) -> None:
        """Nothing to free."""


class ChipSession:
    """A network that stays up from input to input. Units: steps of the chip.

    Raises
    ------
    SessionError
        When it is used after it was closed, or asked for another hold than the latch's.
    """

    def __init__(self, chip: ChipNetwork, engine: Engine) -> None:
        self.chip = chip
        self._engine = engine
        self._open = True
        self._steps = self._spikes = self._operations = 0
        self._mealy: Outputs = ()
        self._activity: Bits = np.zeros(len(chip.bias), np.bool_)
        self._run(None, chip.ready_steps)

    def __enter__(self) -> ChipSession:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the session; closing twice does nothing."""
        self._open = False
        self._engine.close()

    def send(self, symbol: str, hold: int | None = None) -> str | None:
        """One spike on the input's channel, and the steps until its state is settled: -> that state, or None.

        Parameters
        ----------
        hold
            Steps; the latch holds every input equally long, so that this has to be its hold, or None.
        """
        mask = self.chip.network.mask_of(symbol)
        if hold is not None and hold != self.chip.hold_steps:
            raise SessionError(
                f"a hold of {hold!r} steps is asked for; the latch holds every input for {self.chip.hold_steps}: "
                "expected the option hold_steps when the session is opened"
            )
        held = self._run(mask, self.chip.event_steps, self.chip.hold_steps + 3).watched
        code = int(self.chip.network.decode(held[None], mask)[0])
        self._mealy = self.chip.network.labels[code].outputs if code >= 0 else ()
        return self.state

    def reset(self) -> str | None:
        """One spike on the reset's channel, and the steps until the initial state is settled: -> that state."""
        self._run(RESET, self.chip.gap_steps + 4)
        self._mealy = ()
        return self.state

    def wait(self, steps: int) -> None:
        """Let the network run at rest."""
        if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
            raise SessionError(f"{steps!r} steps are not possible; expected a whole number of at least 0")
        self._check_open()
        for start in range(0, steps, MOST_STEPS_A_CHUNK):
            self._run(None, min(MOST_STEPS_A_CHUNK, steps - start))

    @property
    def state(self) -> str | None:
        """Name of the state that the activity stands for, or None."""
        network = self.chip.network
        code = int(network.decode(self._activity[None], REST)[0])
        return network.states[code] if 0 <= code < len(network.states) else None

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, then the Moore outputs of the state."""
        network, state = self.chip.network, self.state
        return self._mealy + (network.moore[network.states.index(state)] if state is not None else ())

    @property
    def activity(self) -> Bits:
        """Which neurons of the network fired in the last step: (N,)."""
        return self._activity.copy()

    @property
    def counts(self) -> Mapping[str, int]:
        """Steps, spikes of the network, and synaptic operations that they and the lines caused, so far."""
        return {"steps": self._steps, "spikes": self._spikes, "synaptic_operations": self._operations}

    def _run(self, channel: int | None, steps: int, watch: int = 0) -> Passage:
        self._check_open()
        passage = self._engine.run(channel, steps, watch)
        self._activity = passage.last
        self._steps += steps
        self._spikes += passage.spikes
        self._operations += passage.operations
        return passage

    def _check_open(self) -> None:
        if not self._open:
            raise SessionError("the session is closed; open a new one")
