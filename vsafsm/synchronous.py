"""The built-in simulator: the executable definition of `Network`. Every step is computed from the
weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from vsafsm.activities import activities_of
from vsafsm.encoder import Encoder
from vsafsm.errors import SessionError
from vsafsm.lowering import REST
from vsafsm.machine import Outputs
from vsafsm.network import Network
from vsafsm.playing import Playing
from vsafsm.sessions import MOST_STEPS, checked_steps, session_repr, steps_of
from vsafsm.trains import Pace
from vsafsm.vsa import Bits

# ---- one network, one activity

LONG = 16
"""Steps from which on it is worth looking for an activity that comes back."""


def step(network: Network, active: NDArray[np.intp], mask: int) -> NDArray[np.intp]:
    """One step of one activity, given and returned as the indices of the neurons that fire.

    Parameters
    ----------
    active : (k,)
    mask
        Index of the mask that is on: 0 at rest, a + 1 while input a is held.
    """
    if network.modules > 1:
        return network.step(activities_of([active]), np.array([mask]))[0].astype(np.intp)
    rows = network.rows[active]
    drive = rows.sum(0, dtype=np.int32 if network.whole else rows.dtype)
    return np.flatnonzero((drive > network.gain * len(active)) & network.masks[mask])


# ---- batches


def settle(
    network: Network, activity: Bits, mask: int, most_steps: int = 32
) -> tuple[Bits, NDArray[np.bool_]]:
    """Run each activity (B, N) under a mask until it no longer changes: -> (activities, whether
    each came to rest).
    """
    current, moving = activity.copy(), np.arange(len(activity))
    for _ in range(most_steps):
        following = network.advance(current[moving], network.opened(mask))
        changed = (following != current[moving]).any(1)
        current[moving] = following
        moving = moving[changed]
        if not len(moving):
            break
    return current, ~np.isin(np.arange(len(activity)), moving)


def run_batch(network: Network, words: NDArray[np.intp]) -> NDArray[np.intp]:
    """Run B words of equal length n at once, at the contract's timing.

    Parameters
    ----------
    words : (B, n)
        Input indices.

    Returns
    -------
    (B, n + 1)
        State indices, the initial state first; -1 where the activity stands for no state.
    """
    activity = network.code_activities([network.start] * len(words))
    states = []
    for symbols in [np.full(len(words), -1), *words.T]:
        for masks, steps in (
            (symbols + 1, network.contract.hold_steps),
            (symbols * 0, network.contract.gap_steps),
        ):
            for _ in range(steps):
                activity = network.step(activity, masks)
        code = network.codes_of(activity, symbols * 0)
        states.append(np.where((code >= 0) & (code < len(network.states)), code, -1))
    return np.stack(states, axis=1)


# ---- a session


Stepper = Callable[[NDArray[np.intp], Bits], NDArray[np.intp]]
"""One step of a network of one matrix: the neurons that fire, by index, and those that are open ->
those that fire next.
"""


class Session(Playing):
    """A network that stays up from input to input. Units: steps of the synchronous network.

    Parameters
    ----------
    network
        What runs.
    stepper
        What computes its steps, where that is not the network itself: a device, for instance.
    encoder
        What makes masks of the vectors of a symbolic machine, each when it comes.

    Raises
    ------
    SessionError
        When it is used after it was closed, or asked for less than the contract's hold or gap; with
        a stepper, also when it is asked for more steps than `vsafsm.sessions.MOST_STEPS`.
    """

    def __init__(
        self, network: Network, stepper: Stepper | None = None, encoder: Encoder | None = None
    ) -> None:
        self._network, self._encoder = network, encoder
        self._stepper = stepper
        self._open = True
        self._active: NDArray[np.intp] = np.zeros(0, np.intp)
        self._spikes = self._synaptic_operations = self._steps = 0
        self._mealy: Outputs = ()
        self.reset()

    def __repr__(self) -> str:
        return session_repr(self, self._open)

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session; closing twice does nothing."""
        self._open = False

    def reset(self) -> str | None:
        """Drive exactly the start code's neurons for one step, then settle at rest: -> the
        state.
        """
        self._check_open()
        self._fire(self._network.code_activity(self._network.start).astype(np.intp))
        self._mealy = ()
        self._advance(REST, self._network.contract.gap_steps)
        return self.state

    def send(self, symbol: str, hold: int | None = None, gap: int | None = None) -> str | None:
        """Hold an input, then leave it: -> the state reached, or None where the activity stands for
        none.

        Parameters
        ----------
        hold, gap
            Steps; the contract's by default.
        """
        self._check_open()
        if self._encoder is not None:
            self._network = self._encoder.over((symbol,))
        mask = self._network.mask_of(symbol)
        contract = self._network.contract
        hold = steps_of("hold", hold, contract.hold_steps, self._most)
        gap = steps_of("gap", gap, contract.gap_steps, self._most)
        self._advance(mask, hold)
        code = self._decode(mask)
        self._mealy = self._network.labels[code].outputs if code >= 0 else ()
        self._advance(REST, gap)
        return self.state

    def rest(self, steps: int) -> None:
        """Let the network run at rest."""
        self._check_open()
        self._advance(REST, checked_steps("rest", steps, 0, self._most))

    @property
    def pace(self) -> Pace:
        """The contract's hold and gap."""
        contract = self._network.contract
        return Pace(contract.hold_steps, contract.gap_steps, most=self._most)

    def check_input(self, symbol: str) -> None:
        """Raise `UnknownInputError` where there is no such input."""
        if self._encoder is not None:
            self._encoder.machine.check_input(symbol)
        else:
            self._network.mask_of(symbol)

    @property
    def state(self) -> str | None:
        """Name of the state that the activity stands for, or None."""
        return self._network.state_of(self._decode(REST))

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, then the Moore outputs of the state."""
        code = self._decode(REST)
        here = self._network.state_of(code) is not None
        return self._mealy + (self._network.moore[code] if here else ())

    @property
    def activity(self) -> Bits:
        """Which neurons fired in the last step: (N,)."""
        result = np.zeros(self._network.neurons, np.bool_)
        result[self._active] = True
        return result

    @property
    def counts(self) -> Mapping[str, int]:
        """Steps, spikes and synaptic operations (a spike reaching one neuron over a weight that is
        not 0) so far.
        """
        return {
            "steps": self._steps,
            "spikes": self._spikes,
            "synaptic_operations": self._synaptic_operations,
        }

    def _decode(self, mask: int) -> int:
        activity, masks = activities_of([self._active]), np.array([mask])
        return int(self._network.codes_of(activity, masks)[0])

    @property
    def _most(self) -> int | None:
        """The most steps in one go; None where the network itself steps, and can pass some over."""
        return None if self._stepper is None else MOST_STEPS

    def _advance(self, mask: int, steps: int) -> None:
        if self._stepper is None and steps >= LONG:
            self._advance_long(mask, steps)
            return
        for _ in range(steps):
            self._step(mask)

    def _advance_long(self, mask: int, steps: int) -> None:
        """The network's activity is all its state. Where one comes back, at a fixed point or after
        a round, the rounds that follow are counted, and not run.
        """
        seen, since, before, done = self._active, 0, self.counts, 0
        while done < steps:
            self._step(mask)
            done += 1
            # Compared with the activity at the last power of two of steps, so that a round of any
            # length is found.
            if np.array_equal(self._active, seen):
                rounds, counts = (steps - done) // (done - since), self.counts
                done += rounds * (done - since)
                self._steps += rounds * (counts["steps"] - before["steps"])
                self._spikes += rounds * (counts["spikes"] - before["spikes"])
                self._synaptic_operations += rounds * (
                    counts["synaptic_operations"] - before["synaptic_operations"]
                )
            elif done & (done - 1) == 0:
                seen, since, before = self._active, done, self.counts

    def _step(self, mask: int) -> None:
        self._synaptic_operations += int(self._network.fan_out[self._active].sum())
        if self._stepper is None:
            self._fire(step(self._network, self._active, mask))
        else:
            self._fire(self._stepper(self._active, self._network.masks[mask]))

    def _fire(self, active: NDArray[np.intp]) -> None:
        self._active = active
        self._steps += 1
        self._spikes += len(active)

    def _check_open(self) -> None:
        if not self._open:
            raise SessionError("the session is closed; open a new one")
