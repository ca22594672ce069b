"""What a page is given to run, run here from its text alone, against the network and the
interpreter.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest

from vsafsm.compiler import compile_machine
from vsafsm.formats import load
from vsafsm.network import Network
from vsafsm.noise import parse_noise, perturb
from vsafsm.program import Program
from vsafsm.report import playground as room
from vsafsm.report.frames import Seen, frames_of
from vsafsm.report.playground import playground
from vsafsm.sense.data import Frames


def numbers(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.dtype(kind))


def matrix_of(given: dict[str, Any]) -> np.ndarray:
    """(from, to), from the text alone."""
    size = given["neurons"]
    weights = numbers(given["weights"], "<i2" if given["wide"] else "<i1")
    if "targets" not in given:
        return weights.reshape(size, size).astype(int)
    found = np.zeros((size, size), int)
    starts, targets = numbers(given["starts"], "<u4"), numbers(given["targets"], "<u4")
    for sender in range(size):
        part = slice(int(starts[sender]), int(starts[sender + 1]))
        assert len(set(targets[part].tolist())) == part.stop - part.start
        found[sender, targets[part]] = weights[part]
    return found


def check_steps(given: dict[str, Any], network: Network, seed: int) -> None:
    """Sixty steps under random masks, from each code of a state."""
    size, rng = given["neurons"], np.random.default_rng(seed)
    matrix = matrix_of(given)
    packed = numbers(given["opens"], "u1").reshape(len(given["inputs"]) + 1, -1)
    opens = np.unpackbits(packed, axis=1)[:, :size].astype(bool)
    for code in range(len(network.states)):
        active = np.zeros(size, bool)
        active[given["codes"][code]] = True
        ours = active[None]
        for mask in rng.integers(len(opens), size=60).tolist():
            drive = matrix[active].sum(0) - given["gain"] * active.sum()
            active = (drive > 0) & opens[mask]
            ours = network.advance(ours, network.opened(mask))
            assert (active == ours[0]).all()


def test_steps_are_the_networks(program: Program) -> None:
    given = playground(program.machine, program.network)
    assert given is not None
    check_steps(given, program.network, 0)
    assert sorted(given["order"]) == list(range(program.network.neurons))
    assert given["deviation"] == pytest.approx(float(np.std(program.network.weights)))


def test_modules_and_wide_weights_are_given_as_they_are() -> None:
    machine = load("specs/junction.yaml")
    options: dict[str, Any]
    for options in ({"layout": "modules"}, {"bits": 10}):
        program = compile_machine(machine, tolerate="none", **options)
        given = playground(machine, program.network)
        assert given is not None
        assert ("targets" in given) == (program.network.modules > 1) == ("layout" in options)
        assert given["wide"] == (program.network.largest_weight > 127)
        check_steps(given, program.network, 1)


def test_the_machines_own_tables_are_its_transitions(program: Program) -> None:
    machine, given = program.machine, playground(program.machine, program.network)
    assert given is not None
    for s, state in enumerate(given["states"]):
        for a, symbol in enumerate(machine.inputs):
            taken = machine.transition(state, symbol)
            assert (given["states"][given["delta"][s][a]], tuple(given["mealy"][s][a])) == (
                taken.to,
                taken.outputs,
            )


def test_what_a_page_has_no_room_for_is_left_out(
    programs: dict[str, Program], monkeypatch: pytest.MonkeyPatch
) -> None:
    program = programs["vending_machine"]
    monkeypatch.setattr(room, "MOST_SYNAPSES", program.network.synapses)
    assert playground(program.machine, program.network) is not None
    monkeypatch.setattr(room, "MOST_SYNAPSES", program.network.synapses - 1)
    assert playground(program.machine, program.network) is None


def test_noisy_weights_are_not_whole_and_left_out(programs: dict[str, Program]) -> None:
    program = programs["turnstile"]
    noisy = perturb(program.network, parse_noise("additive:1"), np.random.default_rng(0))
    assert playground(program.machine, noisy) is None


@pytest.mark.parametrize(
    ("shape", "pictured"), [((6,), [1, 6]), ((2, 3), [2, 3]), ((2, 3, 3), [2, 3])]
)
def test_frames_are_grey_pictures(
    programs: dict[str, Program], shape: tuple[int, ...], pictured: list[int]
) -> None:
    machine = programs["turnstile"].machine
    values = np.linspace(-1, 1, 2 * int(np.prod(shape))).reshape(2, *shape)
    found = frames_of(Seen(Frames(values, ("a", "b")), ("push", "coin")), machine)
    assert [each["input"] for each in found] == [machine.inputs.index("push"), 0]
    assert [each["shape"] for each in found] == [pictured, pictured]
    grey = np.concatenate([numbers(each["values"], "u1") for each in found])
    assert (grey[0], grey[-1]) == (0, 255)
    assert (np.diff(grey.astype(int)) > 0).all()
