"""`AttractorFSM`: a compiled state machine as a Lava Process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from numpy.typing import NDArray


class Between(NamedTuple):
    """Synapses between modules, sorted by sender, and the module of each row of the readout; as
    `AttractorFSM` takes them.
    """

    starts: NDArray[np.int64]
    targets: NDArray[np.int64]
    values: NDArray[np.int64]
    homes: NDArray[np.int64]


class AttractorFSM(AbstractProcess):  # type: ignore[misc]
    """A state machine in an attractor network. N neurons, A inputs, S states.

    One spike on a channel of `input_in` is one event; a latch inside holds it long enough. Of the
    channels that spike in one step the lowest counts. An event while another is held, or before its
    gap is over, is dropped; a reset always counts, and ends what is under way. The network starts
    in the machine's initial state by itself.

    A spike in step t takes effect on the network in steps t + 3 to t + 2 + hold_steps, and the
    state that it leads to is settled from step t + 2 + hold_steps + gap_steps on. The next event
    may come in step t + hold_steps + gap_steps.

    Parameters
    ----------
    weights : (N, N)
        Even integers from -254 to 254.
    blocks : (M, n, n), starts : (N + 1,), targets : (E,), values : (E,), homes : (S,)
        In place of `weights`, for N = M n neurons in M modules: weights inside each; between them
        neuron j sends ``values[e]`` to ``targets[e]``, for e from ``starts[j]`` up to ``starts[j +
        1]``; and the module of each row of the readout, which is (S, n) then.
    masks : (N, L)
        From the neurons of the latch, of which only the lines have any: columns A + 1 to 2 A + 1,
        the reset's first. Times 2 to the `mask_exp`.
    bias : (N,)
        Mantissas, with the exponent ``bias_exp``.
    readout : (S, N)
        Of the scores.
    arrivals : (L, A + 1), recurrent : (L, L), membrane : (L,)
        The latch: weights from the channels and among its L neurons, and their membranes at the
        start.
    hold_steps, gap_steps
        Of the latch.
    du, dv
        Decays of the network's neurons in 1/4096 a step.
    channel_names : A + 1 names, state_names : S names
        For the user; nothing is computed with them.

    Attributes
    ----------
    input_in : InPort (A + 1,)
        Spikes. Channel 0 resets, channel a + 1 is input a.
    s_out : OutPort (N,)
        Spikes of the network.
    state_out : OutPort (S,)
        For each state, how many neurons of its code, of those that are open at rest, fired in the
        step before (int32).
    weights, masks, readout, u, v, vth, du, dv : Var
        What the network is made of, and its currents and membranes. `weights` of modules are those
        inside them, (M, n, n). In the stock model Lava's LIF takes vth, du and dv as numbers, which
        can be read and not set; with modules, `weights` and `readout` can be neither.

    Raises
    ------
    TypeError
        If there are neither weights nor modules with all their parts, or both.
    """

    def __init__(
        self,
        *,
        weights: NDArray[np.integer[Any]] | None = None,
        blocks: NDArray[np.integer[Any]] | None = None,
        starts: NDArray[np.integer[Any]] | None = None,
        targets: NDArray[np.integer[Any]] | None = None,
        values: NDArray[np.integer[Any]] | None = None,
        homes: NDArray[np.integer[Any]] | None = None,
        masks: NDArray[np.integer[Any]],
        mask_exp: int,
        bias: NDArray[np.integer[Any]],
        bias_exp: int,
        readout: NDArray[np.integer[Any]],
        arrivals: NDArray[np.integer[Any]],
        recurrent: NDArray[np.integer[Any]],
        membrane: NDArray[np.integer[Any]],
        hold_steps: int,
        gap_steps: int,
        du: int,
        dv: int,
        channel_names: Sequence[str] = (),
        state_names: Sequence[str] = (),
        name: str | None = None,
    ) -> None:
        super().__init__(
            name=name,
            mask_exp=int(mask_exp),
            bias=np.asarray(bias, np.int32),
            bias_exp=int(bias_exp),
            arrivals=np.asarray(arrivals, np.int32),
            recurrent=np.asarray(recurrent, np.int32),
            membrane=np.asarray(membrane, np.int32),
            hold_steps=int(hold_steps),
            gap_steps=int(gap_steps),
        )
        self.proc_params["between"] = _between(weights, blocks, starts, targets, values, homes)
        inside = np.asarray(weights if blocks is None else blocks, np.int32)
        neurons, channels, states = len(bias), np.shape(arrivals)[1], len(readout)
        self.channel_names, self.state_names = tuple(channel_names), tuple(state_names)
        self.hold_steps, self.gap_steps = int(hold_steps), int(gap_steps)

        self.input_in = InPort(shape=(channels,))
        self.s_out = OutPort(shape=(neurons,))
        self.state_out = OutPort(shape=(states,))

        self.weights = Var(shape=inside.shape, init=inside)
        self.masks = Var(shape=np.shape(masks), init=np.asarray(masks, np.int32))
        self.readout = Var(shape=np.shape(readout), init=np.asarray(readout, np.int32))
        self.u = Var(shape=(neurons,), init=np.zeros(neurons, np.int32))
        self.v = Var(shape=(neurons,), init=np.zeros(neurons, np.int32))
        self.vth = Var(shape=(1,), init=np.zeros(1, np.int32))
        self.du = Var(shape=(1,), init=np.array([du], np.int32))
        self.dv = Var(shape=(1,), init=np.array([dv], np.int32))

    def channel(self, name: str) -> int:
        """Index of the channel of this name. Raises `KeyError`."""
        if name not in self.channel_names:
            raise KeyError(f'no channel "{name}"; expected one of: {", ".join(self.channel_names)}')
        return self.channel_names.index(name)


def _between(
    weights: NDArray[np.integer[Any]] | None,
    blocks: NDArray[np.integer[Any]] | None,
    *parts: NDArray[np.integer[Any]] | None,
) -> Between | None:
    """What lies between modules; None for one matrix."""
    given = [part for part in (blocks, *parts) if part is not None]
    if (weights is None) == (not given) or len(given) not in (0, 1 + len(parts)):
        raise TypeError(
            "AttractorFSM has neither one matrix nor modules; expected weights, or blocks, starts,"
            " targets, values and homes"
        )
    if weights is not None:
        return None
    starts, targets, values, homes = (np.asarray(part, np.int64) for part in given[1:])
    return Between(starts, targets, values, homes)
