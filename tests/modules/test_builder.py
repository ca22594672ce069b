"""What is built: codes, placement, the same bytes from any number of processes, and its cost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.codebook import orthogonal_array
from vsafsm.errors import CodebookError, CompileError
from vsafsm.machine import Machine, Transition
from vsafsm.modules import build, plan
from vsafsm.modules.codebook import draw_codes
from vsafsm.modules.sizes import Sizes
from vsafsm.network import Network

Built = tuple[Machine, Network]


def same(one: Network, two: Network) -> bool:
    arrays = ("blocks", "masks", "codes", "homes")
    between = ("starts", "targets", "values")
    return all((getattr(one, name) == getattr(two, name)).all() for name in arrays) and all(
        (getattr(one.between, name) == getattr(two.between, name)).all() for name in between
    )


def test_it_does_not_matter_how_many_processes_build(random_network: Built) -> None:
    machine, network = random_network
    assert same(build(machine, states=10, jobs=2), network)


def test_seeds_give_other_networks(random_network: Built) -> None:
    machine, network = random_network
    assert same(build(machine, states=10), network)
    other = build(machine, states=10, seed=1)
    assert other.codes.shape != network.codes.shape or not (other.codes == network.codes).all()


def test_codes_and_masks_are_balanced(random_network: Built) -> None:
    network = random_network[1]
    assert set(network.codes.sum(1).tolist()) == {16}
    halves = (network.codes[:, None] & network.masks).sum(2)
    assert (halves == 8).all()
    both = (network.codes[:, None] & network.masks[1:] & network.masks[0]).sum(2)
    assert (both == 4).all()


def test_a_state_and_its_pending_codes_share_a_module(tcp: Built) -> None:
    network = tcp[1]
    for label, home in zip(network.labels, network.homes.tolist(), strict=True):
        assert home == network.homes[label.state]


def reached_by_moves(machine: Machine, network: Network) -> dict[int, set[int]]:
    """For each neuron the open halves of the pending codes that its states lead to."""
    n = network.module_neurons
    reached: dict[int, set[int]] = {}
    for x, row in enumerate(machine.table):
        for a, taken in enumerate(row):
            y = machine.state_index(taken.to)
            labels = enumerate(network.labels)
            pending = [c for c, each in labels if each.pending and each.state == y]
            if network.homes[x] == network.homes[y] or x == y:
                continue
            fires = np.flatnonzero(network.codes[pending[0]] & network.masks[a + 1])
            for neuron in network.code_activity(x).tolist():
                reached.setdefault(neuron, set()).update(int(network.homes[y]) * n + fires)
    return reached


@pytest.mark.parametrize(("margin", "most_more"), [(0.1, 0.02), (0.3, 1.5)])
def test_synapses_between_modules_lead_to_where_moves_go(
    random_network: Built, margin: float, most_more: float
) -> None:
    """A state's neurons reach the open half of its targets' pending codes. Other neurons of its
    module reach these as well where the margin needs it, and only to keep them silent.
    """
    machine = random_network[0]
    network = build(machine, states=10, margin=margin)
    reached = reached_by_moves(machine, network)
    n = network.module_neurons
    more = 0
    for neuron in range(network.neurons):
        part = slice(network.between.starts[neuron], network.between.starts[neuron + 1])
        others = set().union(*(reached.get(n * (neuron // n) + j, set()) for j in range(n)))
        for target, value in zip(
            network.between.targets[part], network.between.values[part], strict=True
        ):
            assert value != 0
            if target not in reached.get(neuron, set()):
                more += 1
                assert target in others
                assert value < 0
    assert more <= most_more * sum(map(len, reached.values()))


def masks_of(inputs: int, neurons: int) -> tuple[np.ndarray, np.ndarray]:
    array = orthogonal_array(inputs + 1)
    classes = np.arange(neurons) % len(array)
    return classes, array[classes].T > 0


@settings(deadline=None, max_examples=20)
@given(inputs=st.integers(1, 8), count=st.integers(1, 40), seed=st.integers(0, 99))
def test_codes_take_as_many_neurons_of_each_class(inputs: int, count: int, seed: int) -> None:
    classes, masks = masks_of(inputs, 384)
    active = 2 * int(classes.max() + 1)
    codes = draw_codes(count, classes, masks, active, np.random.default_rng(seed))
    for c in range(int(classes.max()) + 1):
        assert set(codes[:, classes == c].sum(1).tolist()) == {2}


@pytest.mark.parametrize("seed", range(3))
def test_few_codes_share_two_neurons_of_a_quarter(seed: int) -> None:
    """Beside codes that are drawn without regard to each other."""
    classes, masks = masks_of(2, 256)
    rng = np.random.default_rng(seed)
    careful = draw_codes(96, classes, masks, 16, rng)
    careless = np.zeros_like(careful)
    for code in careless:
        for c in range(8):
            code[rng.choice(np.flatnonzero(classes == c), 2, replace=False)] = True

    def crowded(codes: np.ndarray) -> int:
        found = 0
        for a in (1, 2):
            quarter = (codes & masks[a] & masks[0]).astype(int)
            found += int((np.triu(quarter @ quarter.T, 1) >= 2).sum())
        return found

    assert 10 * crowded(careful) < crowded(careless)


def test_classes_that_are_too_small_are_told() -> None:
    classes, masks = masks_of(2, 16)
    with pytest.raises(CodebookError, match="more than there are"):
        draw_codes(3, classes, masks, 32, np.random.default_rng(0))
    with pytest.raises(CodebookError, match="two codes of a module are equal"):
        draw_codes(9, classes, masks, 16, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"module_neurons": 250}, "module_neurons is 250; expected a multiple of 8"),
        ({"active": 12}, "active is 12; expected a multiple of 8"),
        ({"states": -1}, "expected at least 1"),
        ({"margin": 0.0}, "above 0 up to 0.45"),
        ({"bits": 4}, "5 to 16"),
        ({"placement": "balance"}, 'placement is "balance".*did you mean "balanced"'),
        (
            {"states": 20, "module_neurons": 64, "margin": 0.4},
            "lack the margin 0.4; expected fewer than 20 states",
        ),
    ],
)
def test_what_cannot_be_built_is_told(
    random_network: Built, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(CompileError, match=told):
        build(random_network[0], **options)


@pytest.mark.parametrize("states", [None, 40])
def test_what_is_too_much_for_a_module_is_tried_with_less(
    random_network: Built, monkeypatch: pytest.MonkeyPatch, states: int | None
) -> None:
    """Fewer states per module, or more neurons where the states are given."""
    machine = random_network[0]
    much = Sizes(128, 16, 40, 200, 2)
    monkeypatch.setattr(plan, "usual_sizes", lambda *args, **options: much)
    network = build(machine, margin=0.2, states=states)
    assert vsafsm.prove(machine, network).margin >= 0.2
    assert network.modules == (2 if states is None else 1)
    assert (network.module_neurons > 128) == (states is not None)


def grid(width: int, height: int) -> Machine:
    """Cells, and moves to the four sides; at a border the machine stays."""
    names = [[f"{x},{y}" for x in range(width)] for y in range(height)]

    def to(x: int, y: int) -> Transition:
        return Transition(names[min(max(y, 0), height - 1)][min(max(x, 0), width - 1)])

    table = tuple(
        (to(x, y - 1), to(x + 1, y), to(x, y + 1), to(x - 1, y))
        for y in range(height)
        for x in range(width)
    )
    states = tuple(name for row in names for name in row)
    return Machine("grid", states, ("n", "e", "s", "w"), states[0], table, ((),) * len(states))


def test_states_that_lead_to_each_other_cost_less_in_one_module() -> None:
    machine = grid(12, 8)
    blocks = [x // 6 + 2 * (y // 4) for y in range(8) for x in range(12)]
    near, grown = build(machine, homes=blocks), build(machine, states=24)
    far = build(machine, states=24, placement="balanced")
    assert near.modules == grown.modules == far.modules == 4
    assert vsafsm.prove(machine, near).holds
    assert vsafsm.prove(machine, grown).holds
    assert (near.homes[:96] == blocks).all()
    assert len(grown.between) < 1.2 * len(near.between) < 0.4 * len(far.between)


@pytest.mark.parametrize(
    ("homes", "told"),
    [
        ([0] * 39, "shape \\(39,\\)"),
        ([0.5] * 40, "type float64"),
        ([0] * 39 + [2], "from 0 to 2, without 1"),
        ([0] * 39 + [-1], "from -1 to 0"),
    ],
)
def test_homes_that_make_no_sense_are_told(
    random_network: Built, homes: list[int], told: str
) -> None:
    with pytest.raises(CompileError, match=told):
        build(random_network[0], homes=homes)


@pytest.mark.slow
def test_the_cost_of_a_transition_does_not_grow(random_machines_of_modules: Any) -> None:
    costs = []
    for states in (250, 1000):
        machine = random_machines_of_modules(states, 2, 0)
        network = build(machine)
        assert vsafsm.prove(machine, network).holds
        costs.append(network.synapses / (2 * states))
    assert costs[1] < 1.15 * costs[0]
    assert max(costs) < 1200
