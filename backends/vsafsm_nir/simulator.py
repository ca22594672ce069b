"""NIR's equations of the graph in NumPy: forward Euler, and a step's delay on the recurrent way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import nir


class Simulator:
    """A graph as `graph_of` makes it, from silence on.

    ::

        I  <-  I + dt / tau_syn (w_in S - I)    S: what the lines and the last step's spikes send
        v  <-  v + dt / tau_mem (v_leak - v + r I)
        spike where v > v_threshold, and there v <- v_reset

    Attributes
    ----------
    spikes : (N,)
        Which neurons fired in the last step.
    """

    def __init__(self, graph: nir.NIRGraph, dt_s: float) -> None:
        fsm: Any = graph.nodes["fsm"]
        self._lines: Any = graph.nodes["lines"]
        self._readout: Any = graph.nodes["readout"]
        self._lif, self._recurrent = fsm.nodes["lif"], fsm.nodes["w_rec"]
        self._dt_s = dt_s
        silent = np.zeros(len(self._lif.v_threshold))
        self._current: NDArray[Any] = silent
        self._membrane: NDArray[Any] = silent
        self.spikes = silent.astype(np.bool_)

    def step(self, lines: NDArray[Any]) -> NDArray[Any]:
        """One step with these lines (A + 2,) on: -> what the readout gives (C + 1,)."""
        lif, sent = self._lif, _applied(self._lines, lines) + _applied(self._recurrent, self.spikes)
        self._current = self._current + self._dt_s / lif.tau_syn * (lif.w_in * sent - self._current)
        pull = lif.v_leak - self._membrane + lif.r * self._current
        membrane = self._membrane + self._dt_s / lif.tau_mem * pull
        self.spikes = membrane > lif.v_threshold
        self._membrane = np.where(self.spikes, lif.v_reset, membrane)
        return _applied(self._readout, self.spikes)


def _applied(affine: Any, x: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(affine.weight @ x.astype(affine.weight.dtype) + affine.bias)
