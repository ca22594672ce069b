"""What the tests of NIR share: programs, files read back by the NIR library, and its equations in
plain terms.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vsafsm.cli import main
from vsafsm.program import Program
from vsafsm_nir.backend import BACKEND
from vsafsm_nir.graph import to_bytes

DT_S = 1e-4
Values = NDArray[Any]


class PlainGraph:
    """Any NIR graph of Affine and CubaLIF nodes, node by node, in single precision; shares no code
    with ours.

    What a neuron sends back to itself, over whatever way, are its spikes of the step before. `rng`
    shuffles the order of all sums; `decay` takes ``(1 - dt / tau) v + dt / tau x`` in place of ``v
    + dt / tau (x - v)``.
    """

    def __init__(
        self, graph: Any, dt_s: float, rng: np.random.Generator | None = None, decay: bool = False
    ) -> None:
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self._flatten(graph, "")
        self.dt_s, self.rng, self.decay = dt_s, rng, decay
        self.neurons = [
            name for name, node in self.nodes.items() if type(node).__name__ == "CubaLIF"
        ]
        self.spikes = {name: np.zeros(len(self.nodes[name].r), np.float32) for name in self.neurons}
        self.current, self.membrane = dict(self.spikes), dict(self.spikes)

    def _flatten(self, graph: Any, prefix: str) -> None:
        inner = {
            name: node for name, node in graph.nodes.items() if type(node).__name__ == "NIRGraph"
        }
        for name, node in graph.nodes.items():
            if name in inner:
                self._flatten(node, f"{prefix}{name}.")
            else:
                self.nodes[prefix + name] = node
        for a, b in graph.edges:
            source = f"{prefix}{a}.output" if a in inner else prefix + a
            self.edges.append((source, f"{prefix}{b}.input" if b in inner else prefix + b))

    def step(self, x: Values) -> Values:
        """One step: -> the values of the node ``output``."""
        self._values: dict[str, Values] = {"input": np.asarray(x, np.float32)}
        self._fired: dict[str, Values] = {}
        self._pending: set[str] = set()
        found = self._value("output")
        self.spikes.update(self._fired)
        return found

    def _value(self, name: str) -> Values:
        if name in self._fired:
            return self._fired[name]
        if name in self._pending and name in self.neurons:
            return self.spikes[name]
        if name in self._values:
            return self._values[name]
        self._pending.add(name)
        total = sum((self._value(a) for a, b in self.edges if b == name), np.float32(0))
        node, kind = self.nodes[name], type(self.nodes[name]).__name__
        if kind == "CubaLIF":
            self._fired[name] = self._integrated(name, node, total)
            return self._fired[name]
        found = self._affine(node, total) if kind == "Affine" else total
        if not self._pending & set(self.neurons) - set(self._fired):
            self._values[name] = found
        return found

    def _affine(self, node: Any, x: Values) -> Values:
        order = np.arange(len(x)) if self.rng is None else self.rng.permutation(len(x))
        total = np.zeros(len(node.weight), np.float32)
        for j in order:
            total = total + node.weight[:, j].astype(np.float32) * np.float32(x[j])
        return total + node.bias.astype(np.float32)

    def _integrated(self, name: str, node: Any, x: Values) -> Values:
        single = {
            key: getattr(node, key).astype(np.float32)
            for key in ("w_in", "r", "v_leak", "v_threshold", "v_reset")
        }
        self.current[name] = self._towards(self.current[name], single["w_in"] * x, node.tau_syn)
        pull = single["v_leak"] + single["r"] * self.current[name]
        v = self._towards(self.membrane[name], pull, node.tau_mem)
        fired = v > single["v_threshold"]
        self.membrane[name] = np.where(fired, single["v_reset"], v)
        return fired.astype(np.float32)

    def _towards(self, state: Values, x: Values, tau: Values) -> Values:
        share = (self.dt_s / tau).astype(np.float32)
        return (1 - share) * state + share * x if self.decay else state + share * (x - state)


@pytest.fixture(scope="session")
def plain_graph() -> type[PlainGraph]:
    """NIR's equations in plain terms."""
    return PlainGraph


@pytest.fixture(scope="session")
def read_back() -> Callable[..., Any]:
    """The graph of a program as the NIR library reads it from the bytes of its file."""
    import nir

    return lambda program, **options: nir.read(
        io.BytesIO(to_bytes(BACKEND.graph(program, **options)))
    )


@pytest.fixture(scope="session")
def program_of(compiled: Callable[..., Program], examples: Any) -> Callable[..., Program]:
    """An example by its name, compiled for NIR."""
    return lambda name, **options: compiled(examples[name], target="nir", **options)


@pytest.fixture(scope="session")
def program(program_of: Callable[..., Program]) -> Program:
    """The turnstile."""
    return program_of("turnstile")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call the command line: -> (exit code, standard output, standard error)."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return code, captured.out, captured.err

    return call
