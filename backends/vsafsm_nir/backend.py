"""The backend: a program as a NIR graph, run by our own integration of it, and written for other
simulators.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vsafsm.backend import Description, Option
from vsafsm.errors import OptionError
from vsafsm.files import write_atomically
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.requirements import Requirements
from vsafsm_nir.graph import graph_of, to_bytes
from vsafsm_nir.layers import EXACT, Layers, layers
from vsafsm_nir.session import NirSession
from vsafsm_nir.simulator import Simulator

if TYPE_CHECKING:
    import nir

DT_S = 1e-4
"""The time step that snnTorch and SpikingJelly take."""
LEAST_DT_S, MOST_DT_S = 1e-9, 1.0
OPTIONS = (
    Option("dt_s", float, DT_S, "s", "time step of the simulator, and the neurons' time constants"),
)


class NirBackend:
    """A graph whose every step is exact where it is simulated at the time step that it is made
    for.
    """

    name = "nir"
    exact = True
    whole_weights = True
    suffix = ".nir"
    options = OPTIONS

    def unavailable(self) -> str | None:
        """Why NIR cannot be used here, or None."""
        found = find_spec("nir")
        if found is None or found.origin is None:
            return "NIR is not installed; expected: pip install 'vsafsm[nir]'"
        return None

    def requirements(self, options: Mapping[str, Any]) -> Requirements:
        """Inhibition folded into the weights. Raises `OptionError`."""
        _dt_s(options)
        return Requirements(folded=True, one_matrix=True)

    def lower(self, program: Program, **options: Any) -> Network:
        """The network that the graph's weights make, read back from them. Raises
        `RequirementError`.
        """
        _dt_s(options)
        return layers(program.network).held(program.network)

    def graph(self, program: Program, **options: Any) -> nir.NIRGraph:
        """The graph. Raises `RequirementError`."""
        return graph_of(program, layers(program.network), _dt_s(options))

    def open(self, program: Program, **options: Any) -> NirSession:
        """Start a session."""
        found, dt_s = layers(program.network), _dt_s(options)
        return NirSession(
            found.held(program.network), Simulator(graph_of(program, found, dt_s), dt_s)
        )

    def emit(self, program: Program, folder: Path, **options: Any) -> None:
        """Write ``network.nir`` into `folder`."""
        self.emit_file(program, folder / "network.nir", **options)

    def emit_file(self, program: Program, path: Path, **options: Any) -> None:
        """Write the graph into the file `path`."""
        write_atomically(path, to_bytes(self.graph(program, **options)))

    def describe(self, program: Program, **options: Any) -> Description:
        """Neurons, synapses, drives and durations."""
        return _described(layers(program.network), program.network, _dt_s(options))


def _described(found: Layers, network: Network, dt_s: float) -> Description:
    contract = network.contract
    return {
        "neurons": network.neurons,
        "synapses": int(np.count_nonzero(found.recurrent)),
        "lines": found.lines.shape[1],
        "outputs": len(found.readout),
        "closing_drive": found.closing,
        "reset_drive": found.opening,
        "largest_sum": found.largest,
        "exact_below": EXACT,
        "dt_s": dt_s,
        "hold_steps": contract.hold_steps,
        "gap_steps": contract.gap_steps,
        "transition_s": (contract.hold_steps + contract.gap_steps) * dt_s,
    }


def _dt_s(options: Mapping[str, Any]) -> float:
    dt_s = float(options.get("dt_s", DT_S))
    if not LEAST_DT_S <= dt_s <= MOST_DT_S:
        raise OptionError(
            f"dt_s is {dt_s:g}; expected seconds, from {LEAST_DT_S:g} to {MOST_DT_S:g}"
        )
    return dt_s


BACKEND = NirBackend()
