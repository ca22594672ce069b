"""A machine in snnTorch: python nir_snntorch.py FILE.nir [INPUT ...]

Needs snnTorch, NIR and NumPy, not vsafsm. A line of the graph is a mask, held for some time steps;
what the readout gives is how many neurons of each code fire, and how many fire at all.
"""

import contextlib
import io
import json
import sys

import nir
import numpy as np
import torch
from snntorch.import_nir import import_from_nir

graph = nir.read(sys.argv[1])
about = json.loads(graph.metadata["vsafsm"])
lines, codes = about["lines"], about["codes"]
rest, reset = lines[0], lines[-1]
is_open = (graph.nodes["lines"].weight[:, :-1] == 0).astype(float)  # (N, masks)
in_code = graph.nodes["readout"].weight[:-1]  # (C, N)
own, others = (
    in_code @ is_open,
    (1 - in_code) @ is_open,
)  # (C, masks): open neurons of a code, and not of it

with contextlib.redirect_stdout(io.StringIO()):  # it says what it does
    network = import_from_nir(graph)


def hold(line, steps, state):
    """Hold a line: -> (what the readout gives after the last step, the state of the network)."""
    x = torch.zeros(1, len(lines))
    x[0, lines.index(line)] = 1
    with torch.no_grad():
        for _ in range(steps):
            output, state = network(x, state)
    return output[0].numpy(), state


def read(output, line):
    """The code that an activity stands for while a line is held, or None."""
    mask, hits, alarms = lines.index(line), output[:-1], output[-1] - output[:-1]
    similarity = hits / np.maximum(own[:, mask], 1) - alarms / np.maximum(others[:, mask], 1)
    second, best = np.sort([-1, *similarity])[-2:]
    if best <= about["least_similarity"] or best - second <= about["least_lead"]:
        return None
    return codes[int(similarity.argmax())]


def event(line, steps, state):
    """Hold a line, then rest: -> (code while it was held, code at rest, the state of the
    network).
    """
    held, state = hold(line, steps, state)
    settled, state = hold(rest, about["gap_steps"], state)
    return read(held, line) if line != reset else None, read(settled, rest), state


_, code, state = event(reset, 1, None)
print(f"{'':16} {code['state']:12} {', '.join(code['outputs'])}")
for symbol in sys.argv[2:]:
    passed, code, state = event(symbol, about["hold_steps"], state)
    mealy = passed["outputs"] if passed and passed["pending"] else []
    print(f"{symbol:16} {code['state']:12} {', '.join(mealy + code['outputs'])}")
