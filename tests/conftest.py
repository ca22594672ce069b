"""What the tests of the core share: small machines, compiled programs, backends, and a network in
plain loops.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from collections.abc import Callable, Generator, Iterator
from functools import lru_cache
from importlib.metadata import EntryPoint
from itertools import product
from pathlib import Path
from typing import Any

# Where there is a worker per core, none of them needs threads. NumPy looks when it is imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray

import vsafsm
import vsafsm.compiler
import vsafsm.discovery
import vsafsm.tolerance
from vsafsm.codebook import Codebook, Layout, sparse
from vsafsm.conditions import loads
from vsafsm.lowering import Lowered, lower
from vsafsm.machine import Machine, Transition
from vsafsm.network import Network
from vsafsm.program import Program
from vsafsm.reference import ReferenceBackend
from vsafsm.requirements import Requirements

Bits = NDArray[np.bool_]
SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.yaml"))
MOST_STEPS = 32


def _excuse(report: pytest.CollectReport | pytest.TestReport) -> None:
    # Where VSAFSM_MAY_SKIP lists phrases, a skip whose reason has none of them is a failure: what
    # should be installed is then missing.
    phrases = os.environ.get("VSAFSM_MAY_SKIP")
    if phrases is None or not report.skipped or not isinstance(report.longrepr, tuple):
        return
    reason = report.longrepr[2]
    if not any(phrase and phrase in reason for phrase in phrases.split(",")):
        report.outcome = "failed"
        report.longrepr = f"{reason}; VSAFSM_MAY_SKIP={phrases!r} has no phrase of it"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _excuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _excuse(report)
    return report


class Naive:
    """A network run in int64 (float64 where perturbed), one activity at a time: shares no code with
    what it tests.

    `hold` and `gap` measure the longest settling seen, `visited` the (activity, open neurons) of
    every step taken.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.kind = np.int64 if network.weights.dtype.kind == "i" else np.float64
        self.weights = network.weights.astype(self.kind)
        self.hold = self.gap = 1
        self.visited: dict[tuple[bytes, bytes], tuple[Bits, Bits]] = {}
        self._events: dict[tuple[bytes, int], list[tuple[int, list[Bits | None]] | None]] = {}

    # ---- dynamics

    def drive(self, z: Bits) -> NDArray[Any]:
        return self.weights @ z.astype(self.kind) - self.network.gain * int(z.sum())

    def step(self, z: Bits, opened: Bits) -> Bits:
        self.visited.setdefault((z.tobytes(), opened.tobytes()), (z, opened))
        return (self.drive(z) > 0) & opened

    def settle(self, z: Bits, opened: Bits) -> tuple[Bits, int] | None:
        """The fixed point and the steps to it, or None where the activity still changes."""
        for n in range(MOST_STEPS):
            following = self.step(z, opened)
            if (following == z).all():
                return z, n
            z = following
        return None

    def decode(self, z: Bits, opened: Bits) -> int:
        scores = []
        for code in self.network.codes:
            own, other = code & opened, ~code & opened
            scores.append(
                (z & own).sum() / max(own.sum(), 1) - (z & other).sum() / max(other.sum(), 1)
            )
        ranked = sorted(range(len(scores)), key=lambda c: -scores[c])
        second = scores[ranked[1]] if len(ranked) > 1 else -1.0
        return ranked[0] if scores[ranked[0]] > 0.5 and scores[ranked[0]] - second > 0.25 else -1

    def begun(self, z: Bits, mask: int) -> list[Bits]:
        """Where an onset or end of an input may begin: at once, after both masks for a step, after
        neither.
        """
        masks = self.network.masks
        return [z, self.step(z, masks[0] & masks[mask]), self.step(z, np.ones_like(z))]

    def start(self) -> Bits | None:
        found = self.settle(self.network.codes[self.network.start], self.network.masks[0])
        if found is None:
            return None
        self.gap = max(self.gap, found[1])
        return found[0]

    def event(self, z: Bits, a: int) -> list[tuple[int, list[Bits | None]] | None]:
        """Every way an input may go: (code held, points at rest); None stands for an activity that
        will not settle.
        """
        key = (z.tobytes(), a)
        if key not in self._events:
            self._events[key] = [self._held(begun, a) for begun in self.begun(z, a + 1)]
        return self._events[key]

    def _held(self, begun: Bits, a: int) -> tuple[int, list[Bits | None]] | None:
        held = self.settle(begun, self.network.masks[a + 1])
        if held is None:
            return None
        self.hold = max(self.hold, held[1])
        points: list[Bits | None] = []
        for left in self.begun(held[0], a + 1):
            rest = self.settle(left, self.network.masks[0])
            self.gap = max(self.gap, rest[1] if rest else 1)
            points.append(rest[0] if rest else None)
        return self.decode(held[0], self.network.masks[a + 1]), points

    # ---- against a machine

    def right_at_rest(self, machine: Machine, z: Bits, state: str) -> bool:
        code = self.decode(z, self.network.masks[0])
        right = 0 <= code < len(self.network.states) and self.network.states[code] == state
        return right and self.network.moore[code] == machine.outputs_of(state)

    def judge(
        self, machine: Machine, points: list[Bits], state: str, a: int
    ) -> tuple[set[str], list[Bits]]:
        """What may come of an input from any of the points: verdicts of {right, wrong, moving},
        points it leads to.
        """
        taken = machine.transition(state, machine.inputs[a])
        found, after = set(), {}
        for way in (way for z in points for way in self.event(z, a)):
            if way is None:
                found.add("moving")
                continue
            label = self.network.labels[way[0]] if way[0] >= 0 else None
            held = label and (self.network.states[label.state], label.outputs) == (
                taken.to,
                taken.outputs,
            )
            found.add("right" if held else "wrong")
            for z in way[1]:
                found.add(
                    "moving"
                    if z is None
                    else "right"
                    if self.right_at_rest(machine, z, taken.to)
                    else "wrong"
                )
                if z is not None:
                    after[z.tobytes()] = z
        return found, list(after.values())

    def judged(self, machine: Machine, most: int) -> Iterator[tuple[tuple[str, ...], set[str]]]:
        """Every word of up to `most` inputs, the shortest first, with the verdicts on its last
        input.
        """
        start = self.start()
        if start is None:
            yield (), {"moving"}
            return
        right = self.right_at_rest(machine, start, machine.initial)
        yield (), {"right" if right else "wrong"}
        layer: dict[tuple[str, ...], list[Bits]] = {(): [start]} if right else {}
        for _ in range(most):
            following: dict[tuple[str, ...], list[Bits]] = {}
            for (word, points), (a, symbol) in product(layer.items(), enumerate(machine.inputs)):
                verdicts, after = self.judge(machine, points, machine.run(word).states[-1], a)
                yield (*word, symbol), verdicts
                if verdicts == {"right"}:
                    following[(*word, symbol)] = after
            layer = following

    def walk(self, machine: Machine) -> int:
        """Reach every fixed point that some word reaches, counting them; for networks that are
        right.
        """
        start = self.start()
        assert start is not None
        seen = {start.tobytes()}
        queue = [(start, machine.initial)]
        for z, state in queue:
            for a, symbol in enumerate(machine.inputs):
                verdicts, after = self.judge(machine, [z], state, a)
                assert verdicts == {"right"}
                for point in after:
                    if point.tobytes() not in seen:
                        seen.add(point.tobytes())
                        queue.append((point, machine.transition(state, symbol).to))
        return len(seen)


@st.composite
def small_machines(
    draw: st.DrawFn, states: int = 4, inputs: int = 3, outputs: bool = True
) -> Machine:
    names = tuple(f"s{i}" for i in range(draw(st.integers(1, states))))
    symbols = tuple("abcdefgh"[: draw(st.integers(1, inputs))])
    emitted = st.sampled_from([(), (), ("p",), ("q",), ("p", "q")]) if outputs else st.just(())
    taken = st.builds(Transition, st.sampled_from(names), emitted)
    return Machine(
        name="small",
        states=names,
        inputs=symbols,
        initial=draw(st.sampled_from(names)),
        table=tuple(tuple(draw(taken) for _ in symbols) for _ in names),
        moore=tuple(draw(emitted) for _ in names),
    )


def random_machine(states: int, inputs: int, seed: int) -> Machine:
    """Uniformly random targets, every state reached over a random tree."""
    rng = np.random.default_rng([seed, states, inputs])
    targets = rng.integers(0, states, (states, inputs))
    free = [(0, a) for a in range(inputs)]
    for state in range(1, states):
        targets[free.pop(int(rng.integers(len(free))))] = state
        free += [(state, a) for a in range(inputs)]
    names = tuple(f"s{i}" for i in range(states))
    table = tuple(tuple(Transition(names[t]) for t in row) for row in targets.tolist())
    return Machine(
        "random", names, tuple(f"i{a}" for a in range(inputs)), names[0], table, ((),) * states
    )


def words_machine(words: int, letters: int, seed: int = 0) -> Machine:
    """Prefixes of random words; a letter that no word goes on with leads to a sink. States tell few
    of the letters apart, each its own.
    """
    rng = np.random.default_rng(seed)
    symbols = tuple("abcdefghijklmnopqrstuvwxyz"[:letters])
    drawn = ["".join(rng.choice(symbols, int(rng.integers(2, 6)))) for _ in range(words)]
    prefixes = dict.fromkeys(word[:i] for word in drawn for i in range(len(word) + 1))
    to = {prefix: Transition(f"{prefix}-") for prefix in prefixes}
    lost = Transition("no word")
    table = [tuple(to.get(prefix + a, lost) for a in symbols) for prefix in prefixes]
    states = (*(taken.to for taken in to.values()), lost.to)
    moore = tuple(("word",) if prefix in drawn else () for prefix in prefixes)
    return Machine("words", states, symbols, "-", (*table, (lost,) * letters), (*moore, ()))


class FakeBackend(ReferenceBackend):
    """A third party's backend: the reference under another name, with requirements of its own."""

    def __init__(self, name: str, requirements: Requirements) -> None:
        self.name = name
        self._requirements = requirements

    def requirements(self, options: object) -> Requirements:
        return self._requirements


@lru_cache(maxsize=64)
def _compiled(machine: Machine, options: tuple[tuple[str, Any], ...]) -> Program:
    return vsafsm.compile(machine, **dict(options))


@pytest.fixture(scope="session")
def compiled() -> Callable[..., Program]:
    """``vsafsm.compile`` that remembers; programs are frozen."""
    return lambda machine, **options: _compiled(machine, tuple(sorted(options.items())))


@pytest.fixture(scope="session", autouse=True)
def smallest_networks() -> Iterator[None]:
    """Networks of tests are the smallest, which are compiled in a tenth of the time: nothing is
    tolerated unless it is asked for.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vsafsm.compiler, "DEFAULT_TOLERANCES", ())
        patch.setenv("VSAFSM_CACHE", "off")
        yield


@pytest.fixture(scope="module")
def usual_tolerances(
    smallest_networks: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """For tests of what users get without options. They share what they compile, also with tests
    in other processes.
    """
    kept = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        kept = kept.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vsafsm.compiler, "DEFAULT_TOLERANCES", vsafsm.tolerance.DEFAULT)
        patch.setenv("VSAFSM_CACHE", str(kept / "compiled"))
        yield


@pytest.fixture(scope="session")
def ticking_lamp() -> Callable[[str], Machine]:
    """Makes a lamp that goes out after 3 ticks of a duration; each tick puts something else out."""
    described = {
        "name": "lamp",
        "transitions": {
            "off": {"press": ["on", "click"]},
            "on": {"tick": "on 1"},
            "on 1": {"tick": ["on 2", "warn"]},
            "on 2": {"tick": ["off", "timeout"], "press": "on"},
        },
        "outputs": {"on": "lit", "on 1": "lit", "on 2": "lit"},
    }
    return lambda tick: Machine.from_dict({**described, "clock": tick})


@pytest.fixture(scope="session")
def benchmark_script() -> Callable[[str], types.ModuleType]:
    """Imports a script of ``benchmarks``, which may import its neighbours, by its name."""

    @lru_cache
    def imported(name: str) -> types.ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
            return importlib.import_module(name)

    return imported


@pytest.fixture(scope="session")
def naive() -> type[Naive]:
    """The network in plain loops."""
    return Naive


@pytest.fixture(scope="session")
def small_machine_strategy() -> Callable[..., st.SearchStrategy[Machine]]:
    """Makes a strategy for machines of a few states and inputs, with Mealy and Moore outputs."""
    return small_machines


@pytest.fixture(scope="session")
def random_machines() -> Callable[[int, int, int], Machine]:
    """Makes a random machine of so many states and inputs from a seed, every state reachable."""
    return random_machine


@pytest.fixture(scope="session", name="words_machine")
def _words_machine() -> Callable[..., Machine]:
    """Machines of many inputs of which each state tells few apart: by words, letters and seed."""
    return words_machine


@pytest.fixture(scope="session")
def examples() -> dict[str, Machine]:
    """The machines of specs/, by name of the file."""
    return {path.stem: vsafsm.load(path) for path in SPECS}


@pytest.fixture(scope="session")
def turnstile(examples: dict[str, Machine]) -> Machine:
    """Two states, two inputs, Mealy and Moore outputs."""
    return examples["turnstile"]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a backend for a test: by name with requirements, as an object, or as the text of an
    entry point.
    """
    points: list[EntryPoint] = []
    real = vsafsm.discovery.entry_points
    monkeypatch.setattr(
        "vsafsm.discovery.entry_points", lambda group: [*real(group=group), *points]
    )

    def installed(
        name: str,
        requirements: Requirements | None = None,
        backend: object = None,
        value: str | None = None,
    ) -> None:
        module = types.ModuleType(f"installed_for_a_test_{name}")
        vars(module)["BACKEND"] = backend or FakeBackend(name, requirements or Requirements())
        monkeypatch.setitem(sys.modules, module.__name__, module)
        points.append(
            EntryPoint(name, value or f"{module.__name__}:BACKEND", vsafsm.discovery.GROUP)
        )

    return installed


@pytest.fixture(scope="session")
def drawn_codes() -> Callable[[Machine], tuple[Lowered, Codebook]]:
    """What a machine is lowered to, and codes of it: 16 active of 128 neurons."""

    def drawn(machine: Machine) -> tuple[Lowered, Codebook]:
        lowered = lower(machine)
        layout = Layout(loads(lowered), len(machine.states), lowered.inputs, 128, 16)
        return lowered, sparse(layout, np.random.default_rng(0))

    return drawn
