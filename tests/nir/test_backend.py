"""The backend behind the protocol: what it requires, refuses and writes, and its command line."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.discovery import find
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.proof import prove
from vsafsm.requirements import Requirements
from vsafsm_nir import nir_graph
from vsafsm_nir.backend import BACKEND
from vsafsm_nir.graph import to_bytes
from vsafsm_nir.layers import layers

SPECS = Path(__file__).parents[2] / "specs"
TURNSTILE = str(SPECS / "turnstile.yaml")
Cli = Callable[..., tuple[int, str, str]]
Compiled = Callable[..., Program]


@pytest.fixture
def file(program: Program, tmp_path: Path) -> str:
    """The turnstile's program, as a file."""
    program.save(tmp_path / "turnstile.npz")
    return str(tmp_path / "turnstile.npz")


def test_it_is_there_and_exact() -> None:
    assert find("nir") is BACKEND
    assert BACKEND.exact
    assert BACKEND.unavailable() is None
    assert (
        BACKEND.requirements({})
        == BACKEND.requirements({"dt_s": 1e-3})
        == Requirements(folded=True, one_matrix=True)
    )


def test_without_nir_it_gives_the_install_command(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vsafsm_nir.backend.find_spec", lambda name: None)
    says = r"NIR is not installed; expected: pip install 'vsafsm\[nir\]'"
    for attempt in (lambda: vsafsm.open(program, backend="nir"), lambda: nir_graph(program)):
        with pytest.raises(e.UnavailableBackendError, match=says):
            attempt()


def test_a_folder_of_that_name_is_not_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "nir").mkdir()
    for name in [name for name in sys.modules if name.partition(".")[0] == "nir"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert BACKEND.unavailable() == "NIR is not installed; expected: pip install 'vsafsm[nir]'"


def test_a_program_with_separate_inhibition_is_refused_with_the_command(
    compiled: Compiled, turnstile: Machine
) -> None:
    program = compiled(turnstile, inhibition="separate")
    for attempt in (lambda: vsafsm.run(program, ["coin"], "nir"), lambda: nir_graph(program)):
        with pytest.raises(
            e.RequirementError,
            match=r"inhibition must be folded.*`vsafsm.compile\(machine, target=.nir",
        ):
            attempt()


def test_what_is_proven_is_what_the_weights_say(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert prove(program.machine, BACKEND.lower(program)).margin == program.prove().margin
    network = program.network
    flipped = network.with_weights((-network.weights).astype(network.weights.dtype))
    monkeypatch.setattr("vsafsm_nir.backend.layers", lambda given: layers(flipped))
    assert not prove(program.machine, BACKEND.lower(program)).holds


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"dt_s": 0.0}, e.OptionError, "dt_s is 0; expected seconds, from 1e-09 to 1"),
        ({"dt_s": -1e-4}, e.OptionError, "dt_s is -0.0001; expected seconds"),
        ({"dt_s": 2}, e.OptionError, "dt_s is 2; expected seconds"),
        (
            {"dt_s": float("nan")},
            e.OptionError,
            'option dt_s of backend "nir" is nan; expected a finite number',
        ),
        ({"dt_s": "1"}, e.OptionError, "expected a finite number"),
        (
            {"dt": 1e-4},
            e.RequirementError,
            'no option "dt"; expected one of: dt_s; did you mean "dt_s"',
        ),
    ],
    ids=str,
)
def test_bad_options_are_refused_by_name(
    options: dict[str, Any], error: type[Exception], says: str, program: Program
) -> None:
    for attempt in (
        lambda: vsafsm.open(program, backend="nir", **options),
        lambda: nir_graph(program, **options),
    ):
        with pytest.raises(error, match=says):
            attempt()


def test_the_description_counts_what_is_in_the_graph(program: Program) -> None:
    graph, found = BACKEND.graph(program, dt_s=1e-3), BACKEND.describe(program, dt_s=1e-3)
    recurrent, lines = graph.nodes["fsm"].nodes["w_rec"].weight, graph.nodes["lines"].weight
    assert found["synapses"] == sum(w != 0 for row in recurrent.tolist() for w in row)
    assert (found["neurons"], found["lines"]) == lines.shape
    assert found["outputs"] == len(graph.nodes["readout"].weight)
    assert (found["closing_drive"], found["reset_drive"]) == (-lines.min(), lines.max())
    contract = program.network.contract
    assert found["transition_s"] == pytest.approx((contract.hold_steps + contract.gap_steps) * 1e-3)


# ---- the command line


@pytest.mark.parametrize("of", ["spec", "program"])
def test_emit_writes_the_one_file(
    of: str, cli: Cli, file: str, program: Program, tmp_path: Path
) -> None:
    path = tmp_path / "net.nir"
    path.write_bytes(b"\x89HDF\r\n\x1a\nold")
    code, out, err = cli(
        "emit", TURNSTILE if of == "spec" else file, "--to", "nir", "-o", str(path)
    )
    assert (code, out, err) == (0, f"wrote {path}\n", "")
    assert path.read_bytes() == to_bytes(BACKEND.graph(program))
    assert {each.name for each in tmp_path.iterdir()} == {"net.nir", "turnstile.npz"}


def test_emit_writes_into_a_folder(cli: Cli, file: str, tmp_path: Path) -> None:
    code, out, _ = cli("emit", file, "--to", "nir", "-o", str(tmp_path / "out"), "--dt-s", "1e-3")
    assert (code, out) == (0, f"wrote {tmp_path / 'out' / 'network.nir'}\n")
    graph = nir.read(tmp_path / "out" / "network.nir")
    assert (graph.nodes["fsm"].nodes["lif"].tau_mem == 1e-3).all()


@pytest.mark.parametrize(
    ("output", "flags", "says"),
    [
        ("here.nir", [], "it is a folder; expected the name of a file"),
        ("not/there.nir", [], "the folder .* is not there"),
        ("net.nir", ["--dt-s", "0"], "dt_s is 0; expected seconds"),
        ("net.nir", ["--dt-s", "x"], "option dt_s .* expected a finite number"),
        ("net.nir", ["-O", "dts=1"], 'unknown option "dts"; .*did you mean "dt_s"'),
    ],
)
def test_emit_refuses_and_writes_nothing(
    output: str, flags: list[str], says: str, cli: Cli, file: str, tmp_path: Path
) -> None:
    (tmp_path / "here.nir").mkdir()
    code, out, err = cli("emit", file, "--to", "nir", "-o", str(tmp_path / output), *flags)
    assert (code, out) == (2, "")
    assert re.search(says, err)
    assert {each.name for each in tmp_path.iterdir()} == {"here.nir", "turnstile.npz"}
    assert not list((tmp_path / "here.nir").iterdir())


def test_what_is_not_proven_is_not_written(cli: Cli, program: Program, tmp_path: Path) -> None:
    backwards = replace(program.network, codes=program.network.codes[::-1].copy())
    replace(program, network=backwards).save(tmp_path / "wrong.npz")
    code, out, err = cli(
        "emit", str(tmp_path / "wrong.npz"), "--to", "nir", "-o", str(tmp_path / "net.nir")
    )
    assert (code, out) == (1, "")
    assert "expected a proven program" in err
    assert not (tmp_path / "net.nir").exists()


def test_run_prove_and_info_on_the_command_line(
    cli: Cli, file: str, examples: dict[str, Machine]
) -> None:
    machine = examples["vending_machine"]
    word = machine.demonstration()
    spec = str(SPECS / "vending_machine.yaml")
    code, out, _ = cli("run", spec, *word, "--backend", "nir", "--json", "--dt-s", "0.001")
    found = json.loads(out)
    assert code == 0
    assert found["states"] == list(machine.run(word).states)
    code, out, _ = cli("prove", file, "--backend", "nir", "--json")
    assert code == 0
    assert json.loads(out)["holds"]
    code, out, _ = cli("info", file, "--backend", "nir", "--json")
    assert code == 0
    assert json.loads(out)["backend"]["dt_s"] == 1e-4


def test_compile_for_nir_folds_the_inhibition(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "p.npz"
    assert cli("compile", TURNSTILE, "--for", "nir", "-o", str(path))[0] == 0
    graph = nir.read(io.BytesIO(to_bytes(nir_graph(vsafsm.load_program(path)))))
    weights = vsafsm.load_program(path).network.weights
    assert (graph.nodes["fsm"].nodes["w_rec"].weight == weights.astype(np.float32)).all()
