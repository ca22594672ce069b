"""The NIR graph of a program, and its bytes. NIR is imported when it is used.

    input -> lines -> fsm (lif <-> w_rec) -> readout -> output

The neurons are CubaLIF whose time constants are one time step: with forward Euler, current and
membrane forget all but the step, and what a neuron is driven with is what it fires on. The
recurrent layer is a graph of its own, which is the form that simulators wire rightly.
"""

from __future__ import annotations

import io
import json
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from vsafsm.network import LEAD, THRESHOLD
from vsafsm.program import Program
from vsafsm_nir.layers import FIRES_ABOVE, Layers, Single

if TYPE_CHECKING:
    import nir

METADATA = "vsafsm"
"""Name of the graph's metadata: one JSON text."""


def graph_of(program: Program, layers: Layers, dt_s: float) -> nir.NIRGraph:
    """The graph of a program for a time step in seconds."""
    import nir

    neurons = len(layers.recurrent)
    fsm = nir.NIRGraph(
        {
            "input": nir.Input(np.array([neurons])),
            "lif": _neurons(neurons, dt_s),
            "w_rec": _affine(layers.recurrent),
            "output": nir.Output(np.array([neurons])),
        },
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    nodes = {
        "input": nir.Input(np.array([layers.lines.shape[1]])),
        "lines": _affine(layers.lines),
        "fsm": fsm,
        "readout": _affine(layers.readout),
        "output": nir.Output(np.array([len(layers.readout)])),
    }
    described = {METADATA: json.dumps(description(program, dt_s))}
    return nir.NIRGraph(nodes, list(pairwise(nodes)), metadata=described)


def to_bytes(graph: nir.NIRGraph) -> bytes:
    """The graph as a NIR file: the same bytes for the same graph."""
    import nir

    buffer = io.BytesIO()
    nir.write(buffer, graph, compression=None)
    return buffer.getvalue()


def description(program: Program, dt_s: float) -> dict[str, object]:
    """What lines and outputs mean, and how long to hold a line."""
    network = program.network
    return {
        "machine": program.machine.name,
        "dt_s": dt_s,
        "lines": line_names(network.inputs),
        "codes": [
            {
                "state": network.states[label.state],
                "pending": label.pending,
                "outputs": list(label.outputs if label.pending else network.moore[label.state]),
            }
            for label in network.labels
        ],
        "initial": network.states[network.start],
        "hold_steps": network.contract.hold_steps,
        "gap_steps": network.contract.gap_steps,
        "least_similarity": THRESHOLD,
        "least_lead": LEAD,
        "content_hash": program.content_hash,
    }


def line_names(inputs: tuple[str, ...]) -> list[str]:
    """``(rest)``, the inputs, ``(reset)``: with more brackets where an input has that very name."""
    rest, reset = "(rest)", "(reset)"
    while {rest, reset} & set(inputs):
        rest, reset = f"({rest})", f"({reset})"
    return [rest, *inputs, reset]


def _neurons(count: int, dt_s: float) -> nir.CubaLIF:
    # Double precision: SpikingJelly refuses a time constant below its time step, as 1e-4 in single
    # precision is.
    import nir

    ones, zeros = np.ones(count), np.zeros(count)
    return nir.CubaLIF(
        tau_syn=dt_s * ones,
        tau_mem=dt_s * ones,
        r=ones,
        v_leak=zeros,
        v_threshold=FIRES_ABOVE * ones,
        v_reset=zeros,
        w_in=ones,
    )


def _affine(weight: Single) -> nir.Affine:
    """More programs read an Affine of no bias than a Linear."""
    import nir

    return nir.Affine(weight, np.zeros(len(weight), np.float32))
