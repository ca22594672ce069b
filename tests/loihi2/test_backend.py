"""The backend behind the protocol: what it requires, refuses and writes, and its command line."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.discovery import find
from vsafsm.errors import BackendError, RequirementError
from vsafsm.layouts import choose
from vsafsm.lowering import lower as lowered
from vsafsm.machine import Machine, Transition
from vsafsm.network import Network
from vsafsm.options import Options
from vsafsm.program import Program, load_program
from vsafsm.synapses import none_between
from vsafsm_loihi2 import Settings, lower
from vsafsm_loihi2.backend import BACKEND, LEAKY, MOST_CHIPS, REQUIREMENTS
from vsafsm_loihi2.resources import most_neurons, partition

SPECS = Path(__file__).parents[2] / "specs"
TURNSTILE = str(SPECS / "turnstile.yaml")
ProgramOf = Callable[[str], Program]
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def program(program_of: ProgramOf) -> Program:
    """The turnstile."""
    return program_of("turnstile")


@pytest.fixture(scope="session")
def large(program: Program) -> Program:
    """The turnstile beside so many idle neurons that it takes two chips."""
    network, idle = program.network, most_neurons(1) + 1 - program.network.neurons
    padded = {
        name: np.pad(getattr(network, name), ((0, 0), (0, idle))) for name in ("masks", "codes")
    }
    found: Network = replace(
        network,
        blocks=np.pad(network.weights, (0, idle))[None],
        between=none_between(network.neurons + idle, network.weights.dtype),
        **padded,
    )
    return replace(program, network=found)


@pytest.fixture
def file(program: Program, tmp_path: Path) -> str:
    """The turnstile's program, as a file."""
    program.save(tmp_path / "turnstile.npz")
    return str(tmp_path / "turnstile.npz")


# ---- requirements and options


def test_it_is_there_and_exact_and_needs_nothing() -> None:
    assert find("loihi2") is BACKEND
    assert BACKEND.unavailable() is None
    assert BACKEND.exact


def test_its_options_are_the_settings_and_the_chips() -> None:
    options = {option.name: option.default for option in BACKEND.options}
    assert options.keys() == {field.name for field in fields(Settings)} | {"chips"}
    defaults = {name: default for name, default in options.items() if name != "chips"}
    assert Settings(**defaults) == Settings()


def test_what_it_asks_for_follows_from_the_options() -> None:
    assert BACKEND.requirements({}) == REQUIREMENTS
    assert BACKEND.requirements({"hold_steps": 9, "gap_steps": 3, "chips": None}) == REQUIREMENTS
    for leaky in ({"du": 4000}, {"dv": 4000}):
        assert BACKEND.requirements(leaky) == LEAKY
    for chips in (1, 3, 40):
        found = BACKEND.requirements({"chips": chips})
        assert found == replace(REQUIREMENTS, most_neurons=most_neurons(chips))
        assert 0 < partition(found.most_neurons or 0).chips <= chips
    assert BACKEND.requirements({"chips": 2, "dv": 1000}) == replace(
        LEAKY, most_neurons=most_neurons(2)
    )


def test_programs_meet_them(program_of: ProgramOf) -> None:
    for name in ("turnstile", "elevator", "dense turnstile", "random 0"):
        found = program_of(name)
        assert found.requirements == REQUIREMENTS
        assert REQUIREMENTS.unmet(found.network, found.claim.margin) == ()
        assert found.smallest is not None
        assert found.network.neurons <= 4 * found.smallest


def test_what_was_compiled_for_anything_else_runs_where_it_fits(
    compiled: Any, turnstile: Machine
) -> None:
    assert vsafsm.run(compiled(turnstile), ["coin"], "loihi2").states == ("locked", "unlocked")
    apart = compiled(turnstile, inhibition="separate")
    assert vsafsm.run(apart, ["coin"], "loihi2").states == ("locked", "unlocked")
    with pytest.raises(e.RequirementError, match=r'`vsafsm.compile\(machine, target="loihi2"\)`'):
        vsafsm.run(compiled(turnstile, bits=12), ["coin"], "loihi2")


def test_a_program_of_too_many_neurons_is_refused_with_the_command_that_would_do(
    large: Program,
) -> None:
    neurons, taken = large.network.neurons, partition(large.network.neurons)
    assert taken.chips == 2
    with pytest.raises(e.RequirementError) as told:
        vsafsm.open(large, backend="loihi2", chips=1, hold_steps=5)
    assert f"{neurons} neurons, at most {neurons - 1} are possible" in str(told.value)
    assert (
        "`vsafsm compile SPEC --for loihi2 --chips 1 --hold-steps 5 -o PROGRAM`"
        in told.value.shell_message
    )
    with pytest.raises(RequirementError) as told_too:
        BACKEND.open(large, chips=1)
    assert f"the network takes {taken.cores} cores on 2 chips, at most 1 is possible" in str(
        told_too.value
    )
    assert "`vsafsm compile SPEC --for loihi2 --chips 1 -o PROGRAM`" in told_too.value.shell_message


def test_what_fits_the_chips_there_are_runs(large: Program) -> None:
    for chips in (2, None):
        assert vsafsm.run(large, ["coin", "push"], "loihi2", chips=chips).states == (
            "locked",
            "unlocked",
            "locked",
        )


def test_chips_limit_what_is_compiled(turnstile: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    found = vsafsm.compile(turnstile, target="loihi2", target_options={"chips": 1})
    assert found.requirements.most_neurons == most_neurons(1)
    monkeypatch.setattr("vsafsm_loihi2.backend.most_neurons", lambda chips: 100 * chips)
    with pytest.raises(e.RequirementError, match="256 neurons, at most 200 are possible"):
        vsafsm.compile(turnstile, target="loihi2", target_options={"chips": 2}, dimension=256)


WRONG = {
    "no chips": ({"chips": 0}, f"chips is 0; expected a whole number from 1 to {MOST_CHIPS}"),
    "more chips than there are": (
        {"chips": MOST_CHIPS + 1},
        f"chips is {MOST_CHIPS + 1}; expected",
    ),
    "hold of nothing": (
        {"hold_steps": 0},
        "hold_steps is 0; expected a whole number from 1 to 1024",
    ),
    "gap too long": (
        {"gap_steps": 1025},
        "gap_steps is 1025; expected a whole number from 1 to 1024",
    ),
    "hold below the contract": (
        {"hold_steps": 1},
        "hold_steps is 1; expected at least the 2 of the program's contract",
    ),
    "decay too large": ({"du": 4096}, "du is 4096; expected a whole number from 0 to 4095"),
    "decay below zero": ({"dv": -1}, "dv is -1; expected a whole number from 0 to 4095"),
    "no number": ({"du": None}, 'option du of backend "loihi2" is None; expected a whole number'),
    "no whole number": (
        {"hold_steps": 2.0},
        'option hold_steps of backend "loihi2" is 2.0; expected a whole number',
    ),
}


@pytest.mark.parametrize(("options", "says"), WRONG.values(), ids=WRONG.keys())
def test_options_out_of_range_are_refused(
    options: dict[str, Any], says: str, program: Program
) -> None:
    with pytest.raises(e.OptionError) as told:
        vsafsm.open(program, backend="loihi2", **options)
    assert str(told.value).startswith(says)


def test_what_is_proven_is_read_back_from_the_integers(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = BACKEND.lower(program, hold_steps=9)
    assert (found.weights == program.network.weights).all()
    with pytest.raises(BackendError):
        BACKEND.lower(program, dv=4094)
    chip = lower(program.network)
    broken = replace(chip, blocks=np.zeros_like(chip.blocks))
    monkeypatch.setattr("vsafsm_loihi2.backend.lower", lambda *given: broken)
    assert not BACKEND.lower(program).weights.any()


# ---- what is written


def emitted(
    program: Program, folder: Path, **options: object
) -> tuple[dict[str, Any], dict[str, Any]]:
    folder.mkdir(exist_ok=True)
    BACKEND.emit(program, folder, **options)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "network.npz"]
    with np.load(folder / "network.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    return arrays, json.loads((folder / "manifest.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["vending_machine", "dense turnstile", "level"])
def test_plain_loops_over_what_is_written_run_the_machine(
    name: str, program_of: ProgramOf, plain_chip: Any, tmp_path: Path
) -> None:
    program = program_of(name)
    arrays, manifest = emitted(program, tmp_path / "out", hold_steps=3)
    plain = plain_chip(arrays)
    readout, sizes = arrays["readout"].astype(int), arrays["readout"].sum(1)

    def run(channels: list[int], steps: int) -> str:
        for t in range(steps):
            spikes = plain.step(channels if t == 0 else [])
        scores = readout[:, spikes].sum(1) / sizes
        return str(manifest["states"][int(scores.argmax())])

    hold, gap, channels = manifest["hold_steps"], manifest["gap_steps"], manifest["channels"]
    assert hold == 3
    word = np.random.default_rng(0).choice(program.machine.inputs, 12).tolist()
    states = [run([], gap + 2), *(run([channels.index(symbol)], hold + gap + 3) for symbol in word)]
    assert tuple(states) == program.machine.run(word).states
    assert run([0], gap + 4) == manifest["initial"] == program.machine.initial
    assert manifest["machine"] == program.machine.name
    assert manifest["content_hash"] == program.content_hash


@pytest.mark.parametrize("name", ["modules 1", "modules elevator"])
def test_plain_loops_over_written_modules_run_the_machine(
    name: str, program_of: ProgramOf, plain_chip: Any, tmp_path: Path
) -> None:
    program = program_of(name)
    arrays, manifest = emitted(program, tmp_path / "out")
    assert manifest["modules"] == len(arrays["blocks"]) == program.network.modules > 1
    plain, n = plain_chip(arrays), arrays["blocks"].shape[1]

    def run(channels: list[int], steps: int) -> str:
        for t in range(steps):
            spikes = plain.step(channels if t == 0 else [])
        scores = [
            sum(int(row[i % n]) for i in spikes if i // n == home) / row.sum()
            for row, home in zip(arrays["readout"], arrays["homes"], strict=True)
        ]
        return str(manifest["states"][int(np.argmax(scores))])

    hold, gap, channels = manifest["hold_steps"], manifest["gap_steps"], manifest["channels"]
    word = np.random.default_rng(0).choice(program.machine.inputs, 12).tolist()
    states = [run([], gap + 2), *(run([channels.index(symbol)], hold + gap + 3) for symbol in word)]
    assert tuple(states) == program.machine.run(word).states
    assert run([0], gap + 4) == manifest["initial"] == program.machine.initial


def test_modules_are_proven_run_and_described(
    program_of: ProgramOf, cli: Cli, tmp_path: Path
) -> None:
    program = program_of("modules 0")
    machine, file = program.machine, str(tmp_path / "modules.npz")
    program.save(file)
    code, out, _ = cli("prove", file, "--backend", "loihi2", "--json")
    assert code == 0
    assert json.loads(out)["verdict"] == "holds"
    word = machine.demonstration()
    code, out, _ = cli("run", file, *word, "--backend", "loihi2", "--json")
    assert code == 0
    assert json.loads(out)["states"] == list(machine.run(word).states)
    code, out, _ = cli("info", file, "--backend", "loihi2", "--json")
    found = json.loads(out)["backend"]
    assert code == 0
    assert (found["modules"], found["cores"], found["chips"]) == (program.network.modules, 1, 1)
    assert (found["boards"], found["board"]) == (1, "Oheo Gulch (1 chip each)")
    assert "synaptic memory" in found["binding_limit"]


def test_modules_on_too_many_chips_are_refused(
    program_of: ProgramOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = program_of("modules 0")
    assert BACKEND.requirements({"chips": 1}).unmet(program.network, 0.1) == ()
    assert vsafsm.run(program, [], "loihi2", chips=1).states == (program.machine.initial,)
    monkeypatch.setattr("vsafsm_loihi2.placement.CORES_PER_CHIP", 0.5)
    with pytest.raises(RequirementError, match="1 cores on 2 chips, at most 1 is possible"):
        vsafsm.run(program, [], "loihi2", chips=1)


def test_large_machines_are_compiled_to_modules_for_the_chip(
    random_machines: Any, turnstile: Machine
) -> None:
    large, small = (lowered(each) for each in (random_machines(3000, 2, 0), turnstile))
    assert choose(large, Options(), REQUIREMENTS) == "modules"
    assert choose(small, Options(), REQUIREMENTS) == "dense"
    assert choose(large, Options(), LEAKY) == "dense"


def test_the_arrays_are_the_chips(program: Program, tmp_path: Path) -> None:
    arrays, _ = emitted(program, tmp_path / "out", gap_steps=7, dv=4000, hold_steps=4)
    chip = lower(program.network, Settings(hold_steps=4, gap_steps=7, dv=4000))
    assert set(arrays) == set(chip.arrays())
    for name, value in chip.arrays().items():
        assert arrays[name].dtype.kind in "iu"
        assert arrays[name].tolist() == np.asarray(value).tolist()


def test_the_same_program_is_written_in_the_same_bytes(program: Program, tmp_path: Path) -> None:
    emitted(program, tmp_path / "one")
    emitted(load_program_again(program, tmp_path), tmp_path / "two")
    for name in ("network.npz", "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def load_program_again(program: Program, folder: Path) -> Program:
    program.save(folder / "again.npz")
    return load_program(folder / "again.npz")


def test_whole_numbers_of_numpy_are_written_too(program: Program, tmp_path: Path) -> None:
    emitted(program, tmp_path / "one", hold_steps=3, gap_steps=4)
    emitted(program, tmp_path / "two", hold_steps=np.int64(3), gap_steps=np.int32(4))
    for name in ("network.npz", "manifest.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_channel_of_the_reset_has_a_name_of_its_own(compiled: Any, tmp_path: Path) -> None:
    row = (Transition("a"), Transition("a"))
    machine = Machine("m", ("a",), ("(reset)", "go"), "a", (row,), ((),))
    _, manifest = emitted(compiled(machine, target="loihi2"), tmp_path / "out")
    assert manifest["channels"] == ["((reset))", "(reset)", "go"]


# ---- the command line


@pytest.mark.parametrize("of", ["spec", "program"])
def test_prove_on_the_command_line(of: str, cli: Cli, file: str) -> None:
    code, out, _ = cli(
        "prove",
        TURNSTILE if of == "spec" else file,
        "--backend",
        "loihi2",
        "--json",
        "--hold-steps",
        "6",
    )
    found = json.loads(out)
    assert code == 0
    assert (found["holds"], found["fixed_points"], found["transitions"]) == (True, 2, 4)


def test_a_program_whose_integers_are_wrong_is_refuted(
    cli: Cli, program: Program, tmp_path: Path
) -> None:
    backwards = replace(program.network, codes=program.network.codes[::-1].copy())
    replace(program, network=backwards).save(tmp_path / "wrong.npz")
    code, out, _ = cli("prove", str(tmp_path / "wrong.npz"), "--backend", "loihi2", "--json")
    assert code == 1
    assert json.loads(out)["holds"] is False


@pytest.mark.parametrize("flags", [["--dv", "2048"], ["--du", "4000"], ["-O", "dv=4094"]], ids=str)
def test_leaky_neurons_have_no_proof_on_the_command_line(flags: list[str], cli: Cli) -> None:
    code, out, err = cli("prove", TURNSTILE, "--backend", "loihi2", *flags)
    assert (code, out) == (2, "")
    assert (
        "leaky neurons have no finite set of activities to walk; expected both at 4095 for a proof"
        in err
    )


def test_info_has_cores_and_chips(cli: Cli, file: str, program: Program) -> None:
    code, out, _ = cli("info", file, "--backend", "loihi2", "--json")
    found = json.loads(out)["backend"]
    assert code == 0
    assert found == json.loads(json.dumps(dict(BACKEND.describe(program))))
    assert (found["cores"], found["chips"]) == (partition(program.network.neurons).cores, 1)
    code, out, _ = cli("info", file, "--backend", "loihi2")
    assert code == 0
    assert "cores 1, chips 1" in out


@pytest.mark.parametrize("spec", ["turnstile", "vending_machine"])
def test_run_on_the_command_line(spec: str, cli: Cli, examples: dict[str, Machine]) -> None:
    machine = examples[spec]
    word = machine.demonstration()
    code, out, _ = cli(
        "run",
        str(SPECS / f"{spec}.yaml"),
        *word,
        "--backend",
        "loihi2",
        "--json",
        "--gap-steps",
        "5",
    )
    found, trace = json.loads(out), machine.run(word)
    assert code == 0
    assert found["backend"] == "loihi2"
    assert found["states"] == found["expected"] == list(trace.states)
    assert found["outputs"] == [list(outputs) for outputs in trace.outputs]


def test_emit_on_the_command_line(cli: Cli, file: str, tmp_path: Path) -> None:
    assert (
        cli("emit", file, "--to", "loihi2", "-o", str(tmp_path / "out"), "--hold-steps", "4")[0]
        == 0
    )
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["hold_steps"] == 4


@pytest.mark.parametrize("command", ["run", "prove", "info", "emit"])
def test_too_few_chips_are_told_with_a_command_that_does(
    command: str,
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    compiled: Any,
    turnstile: Machine,
) -> None:
    compiled(turnstile, target="loihi2", dimension=512).save(tmp_path / "wide.npz")
    monkeypatch.setattr("vsafsm_loihi2.backend.most_neurons", lambda chips: 300)
    flag, more = {
        "emit": ("--to", ["-o", str(tmp_path / "out")]),
        "run": ("--backend", ["--", "coin"]),
    }.get(command, ("--backend", []))
    code, out, err = cli(command, str(tmp_path / "wide.npz"), flag, "loihi2", "--chips", "1", *more)
    assert (code, out) == (2, "")
    assert "512 neurons, at most 300 are possible" in err
    told = shlex.split(
        err.split("`")[1].replace("SPEC", shlex.quote(TURNSTILE)).replace("PROGRAM", "p.npz")
    )
    assert told[0] == "vsafsm"
    monkeypatch.chdir(tmp_path)
    assert cli(*told[1:])[0] == 0
    assert cli("run", "p.npz", "coin", "--backend", "loihi2", "--chips", "1")[0] == 0


def test_options_out_of_range_are_refused_on_the_command_line(cli: Cli, file: str) -> None:
    for flags, says in (
        (["--hold-steps", "1"], "hold_steps is 1; expected at least the 2"),
        (["--du", "4096"], "du is 4096; expected a whole number from 0 to 4095"),
        (["--chips", "0"], "chips is 0; expected a whole number from 1 to"),
        (["-O", "hold_step=3"], 'did you mean "hold_steps"'),
    ):
        code, out, err = cli("run", file, "coin", "--backend", "loihi2", *flags)
        assert (code, out) == (2, "")
        assert says in err
