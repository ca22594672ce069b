"""A session of a chip's program, whatever runs it: events go in by the channels, activity comes
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import Activities, Neurons, activities_of
from vsafsm.errors import SessionError
from vsafsm.lowering import REST
from vsafsm.machine import Outputs
from vsafsm.playing import Playing
from vsafsm.sessions import MOST_STEPS, checked_steps, session_repr
from vsafsm.trains import Pace
from vsafsm.vsa import Bits
from vsafsm_loihi2.integers import ChipNetwork
from vsafsm_loihi2.resources import fan_outs
from vsafsm_loihi2.simulator import ChipSimulator

RESET = 0
"""The channel of the reset; input a has channel a + 1."""
MOST_STEPS_PER_CHUNK = 4096


class Engine(Protocol):
    """What runs the steps of a chip's program, from its start on."""

    def run(self, channel: int | None, steps: int) -> Activities:
        """Run some steps, with a spike on a channel in the first: -> the neurons that fire in
        each.
        """

    def state(self) -> Sequence[NDArray[Any]] | None:
        """All that the next steps depend on, or None where it cannot be seen."""

    def close(self) -> None:
        """Free what it holds; closing twice does nothing."""


class IntegerEngine:
    """Runs the chip's program in plain integers."""

    def __init__(self, chip: ChipNetwork) -> None:
        self._simulator = ChipSimulator(chip)

    def hold_clock(self, held: bool) -> None:
        """Let the clock stand still, or go on: its bias is 0 meanwhile."""
        if self._simulator.clock is not None:
            self._simulator.clock.running = not held

    def run(self, channel: int | None, steps: int) -> Activities:
        """As `Engine` says."""
        channels = np.zeros((steps, self._simulator.chip.latch.channels), np.bool_)
        if channel is not None:
            channels[0, channel] = True
        return activities_of([self._simulator.advance(row) for row in channels])

    def state(self) -> Sequence[NDArray[Any]]:
        """As `Engine` says."""
        return self._simulator.state()

    def close(self) -> None:
        """Nothing to free."""


class ChipSession(Playing):
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
        self._held: tuple[Neurons, int] | None = None
        self._active: Neurons = np.zeros(0, np.int32)
        self._fan_out, self._of_lines = fan_outs(chip)
        self._run(None, chip.ready_steps)
        self._operations += int(self._of_lines[RESET])

    def __repr__(self) -> str:
        return session_repr(self, self._open)

    def __enter__(self) -> ChipSession:
        return self

    def __exit__(self, *details: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the session; closing twice does nothing."""
        self._open = False
        self._engine.close()

    def send(self, symbol: str, hold: int | None = None) -> str | None:
        """One spike on the input's channel, and the steps until its state is settled: -> that
        state, or None.

        Parameters
        ----------
        hold
            Steps; the latch holds every input equally long, so that this has to be its hold, or
            None.
        """
        mask = self.chip.network.mask_of(symbol)
        if hold is not None and hold != self.chip.hold_steps:
            raise SessionError(
                f"a hold of {hold!r} steps is asked for; the latch holds every input for"
                f" {self.chip.hold_steps}: expected the option hold_steps when the session is"
                " opened"
            )
        self._held = self._run(mask, self.chip.event_steps)[self.chip.hold_steps + 2], mask
        self._operations += int(self._of_lines[mask]) * self.chip.hold_steps
        return self.state

    def reset(self) -> str | None:
        """One spike on the reset's channel, and the steps until the initial state is settled: ->
        that state.
        """
        self._run(RESET, self.chip.gap_steps + 4)
        self._operations += int(self._of_lines[RESET])
        self._held = None
        return self.state

    def rest(self, steps: int) -> None:
        """Let the network run at rest. Once a step changes nothing, those that follow are counted,
        and not run, where the engine shows its state.
        """
        left = checked_steps("rest", steps, 0, self._most)
        self._check_open()
        while left:
            chunk = min(MOST_STEPS_PER_CHUNK, left)
            self._run(None, chunk)
            left -= chunk
            before = self._engine.state() if left else None
            if before is None:
                continue
            self._run(None, 1)
            left -= 1
            after = self._engine.state()
            if after is not None and all(map(np.array_equal, before, after)):
                self._steps += left
                self._spikes += left * len(self._active)
                self._operations += left * int(self._fan_out[self._active].sum())
                left = 0

    @property
    def _most(self) -> int | None:
        """The longest rest: None where the engine shows when it is over."""
        return MOST_STEPS if self._engine.state() is None else None

    @property
    def pace(self) -> Pace:
        """The latch's hold, and the steps after it until the state is read: its gap and 3 more."""
        gap = self.chip.event_steps - self.chip.hold_steps
        return Pace(self.chip.hold_steps, gap, most=self._most)

    def check_input(self, symbol: str) -> None:
        """Raise `UnknownInputError` where there is no such input."""
        self.chip.network.mask_of(symbol)

    @property
    def state(self) -> str | None:
        """Name of the state that the activity stands for, or None."""
        return self.chip.network.state_of(self._code(self._active, REST))

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, then the Moore outputs of the state."""
        network, state = self.chip.network, self.state
        return self._mealy() + (
            network.moore[network.states.index(state)] if state is not None else ()
        )

    @property
    def activity(self) -> Bits:
        """Which neurons of the network fired in the last step: (N,)."""
        result = np.zeros(self.chip.network.neurons, np.bool_)
        result[self._active] = True
        return result

    @property
    def counts(self) -> Mapping[str, int]:
        """Steps, spikes of the network, and synaptic operations that they and the lines caused, so
        far.
        """
        return {
            "steps": self._steps,
            "spikes": self._spikes,
            "synaptic_operations": self._operations,
        }

    def _run(self, channel: int | None, steps: int) -> Activities:
        self._check_open()
        self._open = False  # what is interrupted is no longer in step with its inputs
        fired = self._engine.run(channel, steps)
        self._open = True
        self._active = fired[steps - 1]
        self._steps += steps
        self._spikes += len(fired.neurons)
        self._operations += int(self._fan_out[fired.neurons].sum())
        return fired

    def _mealy(self) -> Outputs:
        """What the activity stood for in the last step of the last input's hold."""
        if self._held is None:
            return ()
        code = self._code(*self._held)
        return self.chip.network.labels[code].outputs if code >= 0 else ()

    def _code(self, active: Neurons, mask: int) -> int:
        return int(self.chip.network.codes_of(activities_of([active]), np.array([mask]))[0])

    def _check_open(self) -> None:
        if not self._open:
            raise SessionError("the session is closed; open a new one")


class ClockedChipSession(ChipSession):
    """The session of a chip with a clock, which counts the steps between events. Here is known
    where it stands, so that the steps are run in which its ticks come.

    Parameters
    ----------
    seconds
        Period of the clock.
    """

    _engine: IntegerEngine

    def __init__(self, chip: ChipNetwork, engine: IntegerEngine, seconds: Fraction) -> None:
        if chip.clock is None:
            raise SessionError("the chip has no clock; expected one")
        super().__init__(chip, engine)
        self._clock, self._seconds = chip.clock, seconds
        self._begin()

    def _begin(self) -> None:
        """Take the clock as a reset leaves it, which is the same at the start: as far after time 0
        as a tick is when its gap has just begun to be over.
        """
        self._position, self._ticks = self.chip.hold_steps + self.chip.gap_steps + 1, 0

    def advance_clock(self, until: Fraction) -> list[tuple[str | None, Outputs]]:
        """Run until the clock stands at `until` seconds, and until the last tick on the way is
        settled: -> the state and the outputs after each tick.
        """
        periods, steps = until / self._seconds, self._clock.period_steps
        due, found = int(periods), []
        for tick in range(self._ticks + 1, due + 1):
            self._idle(tick * steps)
            self._held = (
                self._run(None, self.chip.event_steps)[self.chip.hold_steps + 2],
                self._clock.channel,
            )
            self._position += self.chip.event_steps
            self._operations += int(self._of_lines[self._clock.channel]) * self.chip.hold_steps
            found.append((self.state, self.outputs))
        self._ticks = due
        # The step before a tick is left to the next wait: an input in it would be one too late.
        self._idle(min(int(periods * steps), (due + 1) * steps - 2))
        return found

    def _idle(self, position: int) -> None:
        while self._position < position:
            steps = min(MOST_STEPS_PER_CHUNK, position - self._position)
            self._run(None, steps)
            self._position += steps

    def reset(self) -> str | None:
        """As that of `ChipSession`; the clock is put back to time 0."""
        state = super().reset()
        self._begin()
        return state

    def rest(self, steps: int) -> None:
        """Let the network run at rest, while the clock stands still."""
        self._engine.hold_clock(True)
        try:
            super().rest(steps)
        finally:
            self._engine.hold_clock(False)
