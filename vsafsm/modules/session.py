"""A session of a modular network, as `vsafsm.synchronous.Session`. A step does not cost more in a
larger machine.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from vsafsm.errors import SessionError
from vsafsm.lowering import REST
from vsafsm.machine import Outputs
from vsafsm.modules.network import Activity, ModularNetwork, batch, patterns
from vsafsm.sessions import session_repr, steps_of


class ModularSession:
    """A modular network that stays up from input to input. Units: synchronous steps.

    Parameters
    ----------
    network
        What runs. Its contract says how long an input is held and left: that of a proof, or before
        one the most steps there can be.

    Raises
    ------
    SessionError
        When it is used after it was closed, or asked for less than the contract's hold or gap.
    UnknownInputError
        If an input is not in the machine's alphabet.

    Examples
    --------
    >>> import vsafsm
    >>> from vsafsm.modules import ModularSession, build
    >>> machine = vsafsm.load("specs/tcp_connection.yaml")
    >>> with ModularSession(build(machine, states=4)) as session:
    ...     session.send(machine.inputs[0]) == machine.run(machine.inputs[:1]).states[1]
    True
    """

    def __init__(self, network: ModularNetwork) -> None:
        self._network = network
        self._open = True
        self._active: Activity = np.zeros(0, np.int32)
        self._spikes = self._synaptic_operations = self._steps = 0
        self._mealy: Outputs = ()
        self.reset()

    def __repr__(self) -> str:
        return session_repr(self, self._open)

    def __enter__(self) -> ModularSession:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()

    def close(self) -> None:
        """End the session; closing twice does nothing."""
        self._open = False

    def reset(self) -> str | None:
        """Drive exactly the start code's neurons for one step, then settle at rest: -> the
        state.
        """
        self._check_open()
        self._fire(self._network.code_activity(self._network.start))
        self._mealy = ()
        self._advance(REST, self._network.contract.gap_steps)
        return self.state

    def send(self, symbol: str, hold: int | None = None, gap: int | None = None) -> str | None:
        """Hold an input, then leave it: -> the state reached, or None where the activity stands for
        none.

        Parameters
        ----------
        symbol
        hold, gap
            Steps; the contract's by default, and at least those.
        """
        self._check_open()
        mask, contract = self._network.mask_of(symbol), self._network.contract
        hold = steps_of("hold", hold, contract.hold_steps)
        gap = steps_of("gap", gap, contract.gap_steps)
        self._advance(mask, hold)
        code = self._decode(mask)
        self._mealy = self._network.labels[code].outputs if code >= 0 else ()
        self._advance(REST, gap)
        return self.state

    def wait(self, steps: int) -> None:
        """Let the network run at rest."""
        self._check_open()
        self._advance(REST, steps_of("steps", steps, 0))

    @property
    def state(self) -> str | None:
        """Name of the state that the activity stands for, or None."""
        code = self._decode(REST)
        label = self._network.labels[code] if code >= 0 else None
        return None if label is None or label.pending else self._network.states[label.state]

    @property
    def outputs(self) -> Outputs:
        """Mealy outputs of the last input, then the Moore outputs of the state."""
        code = self._decode(REST)
        label = self._network.labels[code] if code >= 0 else None
        here = label is not None and not label.pending
        return self._mealy + (self._network.moore[label.state] if label and here else ())

    @property
    def activity(self) -> Activity:
        """The neurons that fired in the last step, sorted: (k,)."""
        return self._active.copy()

    @property
    def counts(self) -> Mapping[str, int]:
        """Steps, spikes and synaptic operations (a spike over a weight that is not 0) so far."""
        return {
            "steps": self._steps,
            "spikes": self._spikes,
            "synaptic_operations": self._synaptic_operations,
        }

    def _decode(self, mask: int) -> int:
        return int(self._network.decode(batch([self._active]), np.array([mask]))[0])

    def _advance(self, mask: int, steps: int) -> None:
        masks = np.array([mask])
        opened = patterns(self._network.masks, masks, masks)
        for _ in range(steps):
            self._synaptic_operations += self._network.fan_out(self._active)
            self._fire(self._network.advance(batch([self._active]), opened)[0])

    def _fire(self, active: Activity) -> None:
        self._active = active
        self._steps += 1
        self._spikes += len(active)

    def _check_open(self) -> None:
        if not self._open:
            raise SessionError("the session is closed; open a new one")
