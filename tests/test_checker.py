"""The checker, which imports nothing of the package, against the package's proof: on programs of
every kind, on forged ones, and on damaged files.
"""

from __future__ import annotations

import ast
import io
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import npz
from vsafsm.errors import CompileError
from vsafsm.machine import Machine, Transition
from vsafsm.modules import build
from vsafsm.network import Contract
from vsafsm.options import Options
from vsafsm.program import Claim, Program, _members
from vsafsm.requirements import Requirements
from vsafsm.symbolic import SymbolicMachine, symbolic_machine
from vsafsm.testing import machines
from vsafsm_checker import main

ROOT = Path(__file__).parents[1]
SPECS = sorted(path.stem for path in (ROOT / "specs").glob("*.yaml"))
VARIANTS: list[dict[str, Any]] = [
    {},
    {"code": "dense"},
    {"inhibition": "separate"},
    {"bits": 4},
    {"bits": 12},
    {"rule": "robust"},
    {"rule": "one-shot", "dimension": 192},
    {"target": "loihi2"},
    {"layout": "modules"},
]
Checked = Callable[[Program], tuple[int, str]]


@pytest.fixture
def checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Checked:
    """The exit code and the text for a program, which is saved as it is."""

    def check(program: Program) -> tuple[int, str]:
        program.save(tmp_path / "p.npz")
        capsys.readouterr()
        code = main(str(tmp_path / "p.npz"))
        told = capsys.readouterr()
        return code, told.out + told.err

    return check


def test_it_is_one_short_file_that_imports_nothing_of_ours() -> None:
    text = (ROOT / "vsafsm_checker.py").read_text()
    assert len(text.splitlines()) <= 200
    imported = {
        name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [node.names[0].name])
    }
    assert imported <= {*sys.stdlib_module_names, "numpy", "__future__"}


def gates(bits: int = 4) -> SymbolicMachine:
    """Each state looks at a bit of its own, and one at two."""
    states = tuple(f"s{x}" for x in range(bits))
    rows = [
        [
            ([(1 << x, 1 << x)], Transition(states[(x + 1) % bits], ("on",))),
            ([(1 << x, 0)], Transition(states[x])),
        ]
        for x in range(bits - 1)
    ]
    rows.append([([(3, 3)], Transition("s0")), ([(1, 0), (3, 1)], Transition("s1"))])
    return symbolic_machine("gates", bits, states, "s0", rows)


def test_it_walks_the_representatives_of_guards_and_says_so(checked: Checked) -> None:
    program = vsafsm.compile(gates())
    code, told = checked(program)
    assert (code, "as the file claims" in told) == (0, True), told
    assert "the guards' other vectors are not walked" in told
    turned = replace(program, network=program.network.with_weights(-program.network.weights))
    assert checked(turned)[0] == 1


def test_guards_that_say_something_else_than_the_table_are_no_sound_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    members = _members(vsafsm.compile(gates()))
    guards, cubes = members["guards"], members["cubes"]
    other, order = guards.copy(), guards[::-1].copy()
    other[0, 1] += 1
    wrong: list[dict[str, Any]] = [
        {"guards": other},
        {"guards": order},
        {"cubes": cubes ^ 1},
        {"cubes": cubes[:, ::-1]},
        {"cubes": cubes[1:]},
        {"guards": guards[:-1]},
    ]
    for arrays in wrong:
        with (tmp_path / "p.npz").open("wb") as file:
            npz.write({**members, **arrays}, file)
        assert main(str(tmp_path / "p.npz")) == 2, arrays
        assert "no sound program file" in capsys.readouterr().err


@pytest.mark.parametrize("spec", SPECS)
def test_it_confirms_what_is_proven(spec: str, checked: Checked) -> None:
    program = vsafsm.compile(vsafsm.load(ROOT / "specs" / f"{spec}.yaml"))
    code, told = checked(program)
    assert (code, "as the file claims" in told) == (0, True), told
    assert f"{program.claim.fixed_points} fixed points" in told
    contract = program.network.contract
    assert f"hold {contract.hold_steps}, gap {contract.gap_steps}" in told


@pytest.mark.parametrize("options", VARIANTS, ids=str)
def test_it_confirms_programs_of_every_kind(options: dict[str, Any], checked: Checked) -> None:
    program = vsafsm.compile(vsafsm.load(ROOT / "specs" / "turnstile.yaml"), **options)
    assert checked(program)[0] == 0


def test_it_confirms_masks_that_differ_between_modules(
    words_machine: Callable[..., Machine], checked: Checked
) -> None:
    program = vsafsm.compile(words_machine(8, 9), layout="modules", active=16, margin=0.1)
    assert len(np.unique(program.network.opens, axis=1).T) > 1
    assert checked(program)[0] == 0


@settings(max_examples=25, deadline=None)
@given(machine=machines(), data=st.data())
def test_it_says_what_the_proof_says_of_any_network(
    machine: Machine, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Also where some weights are changed: of both verdicts, and to the last bit of the margin."""
    program = vsafsm.compile(machine)
    changes = data.draw(st.sampled_from([0, 1, 5, 25, 100]))
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    weights = program.network.weights.copy()
    at = tuple(rng.integers(0, len(weights), (2, changes)))
    weights[at] = rng.integers(-100, 100, changes)
    network = program.network.with_weights(weights)
    proof = vsafsm.prove(machine, network)
    claim = Claim(proof.verdict, proof.fixed_points, proof.radius, proof.margin)
    forged = replace(program, network=network, claim=claim)
    path = tmp_path_factory.mktemp("checked") / "p.npz"
    forged.save(path)
    assert (main(str(path)) == 0) == proof.holds


@settings(max_examples=15, deadline=None)
@given(machine=machines(states=(2, 6)), data=st.data())
def test_it_says_what_the_proof_says_of_any_modules(
    machine: Machine, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    try:
        network = build(machine, states=data.draw(st.integers(1, 3)))
    except CompileError:
        return
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    blocks, values = network.blocks.copy(), network.between.values.copy()
    share = data.draw(st.sampled_from([0.0, 0.001, 0.02, 0.3]))
    hit = rng.random(blocks.shape) < share
    blocks[hit] = rng.integers(-127, 128, int(hit.sum()))
    hit = rng.random(values.shape) < share
    values[hit] = -values[hit]
    network = network.with_all_weights(blocks, values)
    proof = vsafsm.prove(machine, network)
    if proof.holds:
        network = replace(network, contract=proof.contract)
    claim = Claim(proof.verdict, proof.fixed_points, proof.radius, proof.margin)
    options = Options(layout="modules", inhibition="separate")
    program = Program(machine, network, options, Requirements(), "reference", claim)
    path = tmp_path_factory.mktemp("checked") / "p.npz"
    program.save(path)
    assert (main(str(path)) == 0) == proof.holds


# ---- forged


def test_a_claim_that_is_too_good_is_told(program: Program, checked: Checked) -> None:
    for claim in (
        replace(program.claim, margin=0.4),
        replace(program.claim, radius=99.0),
        replace(program.claim, fixed_points=1),
    ):
        code, told = checked(replace(program, claim=claim))
        assert code == 1
        assert "claimed: " in told


def test_a_transition_of_another_machine_is_found(program: Program, checked: Checked) -> None:
    machine = program.machine
    table = (machine.table[0][::-1], machine.table[1])
    code, told = checked(replace(program, machine=replace(machine, table=table)))
    assert code == 1
    assert "does not hold: " in told


def test_outputs_of_another_machine_are_found(program: Program, checked: Checked) -> None:
    machine, network = program.machine, program.network
    labels = tuple(
        label._replace(outputs=("clack",)) if label.outputs else label for label in network.labels
    )
    code, told = checked(replace(program, network=replace(network, labels=labels)))
    assert code == 1
    assert "while held" in told
    assert machine.inputs[1] in told


def test_a_contract_that_is_too_short_is_found(program: Program, checked: Checked) -> None:
    network = replace(program.network, contract=Contract(1, 1))
    code, told = checked(replace(program, network=network))
    assert code == 1
    assert "more than the contract" in told


def test_codes_that_swing_are_found(program: Program, checked: Checked) -> None:
    network = program.network.with_weights(-program.network.weights)
    assert checked(replace(program, network=network))[0] == 1


# ---- damaged


def test_every_changed_byte_is_found(program: Program, tmp_path: Path) -> None:
    data = program.to_bytes()
    path = tmp_path / "p.npz"
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(data), 60).tolist():
        damaged = bytearray(data)
        damaged[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        code = main(str(path))
        # Some bytes of the archive's own book-keeping say nothing of the content.
        assert code == 2 or vsafsm.load_program(path) == program


@pytest.mark.parametrize("part", [0.0, 0.3, 0.99])
def test_a_file_that_is_cut_off_is_no_program(
    program: Program, part: float, tmp_path: Path
) -> None:
    data = program.to_bytes()
    (tmp_path / "p.npz").write_bytes(data[: int(part * len(data))])
    assert main(str(tmp_path / "p.npz")) == 2


def test_other_files_are_no_programs(tmp_path: Path) -> None:
    assert main(str(tmp_path / "none.npz")) == 2
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    assert main(str(tmp_path / "other.npz")) == 2
    assert main(str(ROOT / "specs" / "turnstile.yaml")) == 2


def test_a_pickle_is_not_loaded(program: Program, tmp_path: Path) -> None:
    with np.load(io.BytesIO(program.to_bytes())) as archive:
        arrays = {name: archive[name] for name in archive}
    np.savez(tmp_path / "p.npz", **{**arrays, "codes": np.array([{"a": 1}], object)})
    assert main(str(tmp_path / "p.npz")) == 2


# ---- by itself


def test_it_runs_where_vsafsm_is_not_installed(program: Program, tmp_path: Path) -> None:
    (tmp_path / "vsafsm_checker.py").write_bytes((ROOT / "vsafsm_checker.py").read_bytes())
    program.save(tmp_path / "p.npz")
    code = "import sys, runpy; sys.modules['vsafsm'] = None; sys.argv = ['c', 'p.npz'];"
    code += "runpy.run_path('vsafsm_checker.py', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "as the file claims" in done.stdout


@pytest.fixture(scope="module")
def program() -> Program:
    return vsafsm.compile(vsafsm.load(ROOT / "specs" / "turnstile.yaml"))
