"""Backends: how they are found, what they may refuse, and a third party's beside ours."""

from __future__ import annotations

import ast
import json
import shlex
from argparse import Namespace
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.backend import Backend, Option
from vsafsm.backend_options import read_options
from vsafsm.cli.arguments import Parser, choices
from vsafsm.cli.table import COMMANDS
from vsafsm.discovery import find
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.reference import BACKEND, ReferenceBackend
from vsafsm.requirements import Requirements, largest_sum
from vsafsm.running import check

Compiled = Callable[..., Program]
Install = Callable[..., None]


def arguments_of(texts: list[str]) -> Namespace:
    """What the arguments of ``vsafsm compile`` ask for."""
    parser = Parser()
    COMMANDS["compile"].load().add_arguments(parser)
    return parser.parse(texts)


def reasons() -> dict[str, str | None]:
    return {listing.name: listing.unavailable for listing in vsafsm.backends()}


def test_the_built_in_backend_is_an_entry_point_like_any_other() -> None:
    assert reasons()["reference"] is None
    assert find("reference") is BACKEND


def test_an_unknown_backend_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        e.BackendError, match=r'unknown backend "referenc"; .*did you mean "reference"'
    ):
        find("referenc")
    with pytest.raises(e.BackendError):
        find("")


def test_a_third_partys_backend_is_listed_and_opened(
    install: Install, compiled: Compiled, turnstile: Machine
) -> None:
    install("theirs")
    assert reasons()["theirs"] is None
    with vsafsm.open(compiled(turnstile), backend="theirs") as session:
        assert [session.send(symbol) for symbol in ("coin", "push")] == ["unlocked", "locked"]
    assert vsafsm.compile(turnstile, target="theirs").target == "theirs"


@pytest.mark.parametrize("value", ["no_such_module:BACKEND", "json:NO_SUCH_NAME"])
def test_a_backend_that_cannot_be_imported_is_listed_with_the_reason(
    install: Install, compiled: Compiled, turnstile: Machine, value: str
) -> None:
    install("broken", value=value)
    assert "cannot be imported" in (reasons()["broken"] or "")
    assert reasons()["reference"] is None
    with pytest.raises(e.UnavailableBackendError, match=value.split(":")[0]):
        vsafsm.open(compiled(turnstile), backend="broken")


@pytest.mark.parametrize(
    "raised", ["RuntimeError('no driver')", "OSError('no library')", "ValueError('x')"]
)
def test_whatever_an_import_raises_takes_only_that_backend_down(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: str
) -> None:
    (tmp_path / "raises_when_imported.py").write_text(f"raise {raised}\n")
    monkeypatch.syspath_prepend(tmp_path)
    install("broken", value="raises_when_imported:BACKEND")
    assert "cannot be imported" in (reasons()["broken"] or "")


class Absent(ReferenceBackend):
    def unavailable(self) -> str | None:
        return "needs absent; pip install vsafsm[absent]"


def test_a_backend_that_cannot_run_here_says_what_would_change_that(
    install: Install, compiled: Compiled, turnstile: Machine
) -> None:
    install("absent", backend=Absent())
    assert reasons()["absent"] == "needs absent; pip install vsafsm[absent]"
    with pytest.raises(
        e.UnavailableBackendError, match=r"cannot run here: .*pip install vsafsm\[absent\]"
    ):
        vsafsm.open(compiled(turnstile), backend="absent")


def test_an_unknown_option_is_refused_with_the_nearest(
    install: Install, compiled: Compiled, turnstile: Machine
) -> None:
    class Optional(ReferenceBackend):
        name = "optional"
        options = (Option("hold_ms", float, 20.0, "ms", "How long an input is held."),)

    install("optional", backend=Optional())
    program = compiled(turnstile)
    with vsafsm.open(program, backend="optional", hold_ms=30.0) as session:
        assert session.state == "locked"
    with pytest.raises(
        e.RequirementError,
        match=r'no option "hold_m"; expected one of: hold_ms; did you mean "hold_ms"',
    ):
        vsafsm.open(program, backend="optional", hold_m=30.0)
    with pytest.raises(e.RequirementError, match='no option "hold_ms"; expected one of: none'):
        vsafsm.open(program, hold_ms=30.0)


class Typed(ReferenceBackend):
    name = "typed"
    options = (
        Option("hold_ms", float, None, "ms", "How long an input is held."),
        Option("limit", int, 9, "", "How many."),
        Option("record", bool, False, "", "Whether to record."),
        Option("codegen", str, "numpy", "", "How code is made."),
    )


@pytest.mark.parametrize(
    "options",
    [
        {"hold_ms": None, "limit": 3, "record": True, "codegen": ""},
        {"hold_ms": 3},
        {"hold_ms": np.float32(1.5), "limit": np.int64(3)},
    ],
    ids=str,
)
def test_values_of_the_declared_types_are_taken(
    install: Install, compiled: Compiled, turnstile: Machine, options: dict[str, Any]
) -> None:
    install("typed", backend=Typed())
    vsafsm.open(compiled(turnstile), backend="typed", **options).close()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("hold_ms", "3", "a finite number or None"),
        ("hold_ms", float("inf"), "a finite number or None"),
        ("hold_ms", 10**400, "a finite number or None"),
        ("hold_ms", True, "a finite number"),
        ("limit", 3.0, "a whole number"),
        ("limit", None, "a whole number"),
        ("limit", False, "a whole number"),
        ("record", 1, "true or false"),
        ("record", "true", "true or false"),
        ("codegen", 3, "a text"),
        ("codegen", None, "a text"),
    ],
)
def test_values_of_other_types_are_refused(
    install: Install,
    compiled: Compiled,
    turnstile: Machine,
    name: str,
    value: object,
    expected: str,
) -> None:
    install("typed", backend=Typed())
    with pytest.raises(
        e.OptionError, match=f'option {name} of backend "typed" is .*; expected {expected}'
    ):
        vsafsm.open(compiled(turnstile), backend="typed", **{name: value})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        *(("record", text, True) for text in ("true", "True", "yes", "ON", "1")),
        *(("record", text, False) for text in ("false", "False", "no", "off", "0")),
        ("limit", "-3", -3),
        ("limit", " 12 ", 12),
        ("hold_ms", "1e-3", 0.001),
        ("hold_ms", "5", 5.0),
        ("codegen", "007", "007"),
    ],
)
def test_texts_are_read_as_the_declared_types(name: str, text: str, value: object) -> None:
    found = read_options(Typed(), {name: text})
    assert found == {name: value}
    assert type(found[name]) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("record", text) for text in ("", "2", "truth")),
        *(("limit", text) for text in ("", "1_0", "1.0", "x", "٣", "9" * 5000)),
        *(("hold_ms", text) for text in ("", "nan", "inf", "1_0", "1e999", "x", "None")),
    ],
)
def test_texts_of_other_types_are_refused(name: str, text: str) -> None:
    with pytest.raises(e.OptionError, match=f"option {name} .*; expected (true|a whole|a finite)"):
        read_options(Typed(), {name: text})
    with pytest.raises(e.RequirementError, match='did you mean "limit"'):
        read_options(Typed(), {"limt": "3"})


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("seed", int, 'its option "seed" collides with the compile option "seed"'),
        ("json", bool, 'its option "json" collides with a name that vsafsm itself uses'),
        ("program", str, "collides with a name that vsafsm itself uses"),
        ("hold-ms", float, "cannot be a keyword"),
        ("for", str, "cannot be a keyword"),
        ("_x", str, "cannot be a keyword"),
        ("twice", int, "collides with another of its own"),
        ("times", list, "expected int, float, str or bool"),
    ],
)
def test_options_that_cannot_be_flags_are_refused(
    install: Install, name: str, kind: type, says: str
) -> None:
    class Flawed(ReferenceBackend):
        options = (Option("twice", int, 0, "", "x"), Option(name, kind, None, "", "x"))

    install("flawed", backend=Flawed())
    assert says in (reasons()["flawed"] or "")
    with pytest.raises(e.BackendError, match=says):
        find("flawed")


def test_a_backend_that_fails_when_asked_takes_only_itself_down(install: Install) -> None:
    class Fails(ReferenceBackend):
        def unavailable(self) -> str | None:
            raise RuntimeError("no\ndriver")

    class Wordy(ReferenceBackend):
        def unavailable(self) -> str | None:
            return "needs x;\n  pip install x"

    install("fails", backend=Fails())
    install("wordy", backend=Wordy())
    install("no_backend", backend=object())
    assert (reasons()["fails"] or "").endswith(
        "fails when asked whether it can run: RuntimeError: no driver"
    )
    assert reasons()["wordy"] == "needs x; pip install x"
    assert "fails when asked" in (reasons()["no_backend"] or "")
    assert reasons()["reference"] is None
    with pytest.raises(e.UnavailableBackendError, match="no driver"):
        find("fails")


@pytest.mark.parametrize(
    ("requirements", "message"),
    [
        (Requirements(bits=4), "weights of 8 bits, at most 4"),
        (Requirements(folded=False), "must be separate"),
        (Requirements(least_margin=0.44), "a margin of"),
        (Requirements(least_active=500), "active neurons in a code, at least 500"),
        (Requirements(largest_sum=10), "sums of up to"),
        (Requirements(most_neurons=16), "neurons, at most 16"),
        (Requirements(bits=2, most_neurons=16), "bits.*; .*neurons"),
    ],
    ids=str,
)
def test_a_program_that_does_not_fit_is_refused_with_the_command_that_would(
    install: Install,
    compiled: Compiled,
    turnstile: Machine,
    requirements: Requirements,
    message: str,
) -> None:
    install("strict", requirements)
    with pytest.raises(
        e.RequirementError,
        match=rf'does not fit .*{message}.*`vsafsm.compile\(machine, target="strict"\)`',
    ):
        vsafsm.open(compiled(turnstile), backend="strict")


@pytest.mark.parametrize("requirements", [{}, {"folded": True}, {"least_margin": 0.4}], ids=str)
def test_modules_are_refused_at_once_where_one_matrix_is_needed(
    install: Install,
    compiled: Compiled,
    random_machines: Any,
    requirements: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = random_machines(20, 2, 0)
    program = compiled(machine, layout="modules", module_neurons=64, active=8)
    install("one", Requirements(one_matrix=True, **requirements))
    monkeypatch.setattr("vsafsm.program.Program.prove", None)
    says = (
        'the program does not fit backend "one": the network has 3 modules, and one matrix of'
        " weights is needed (layout=dense); expected a program of"
    )
    with pytest.raises(e.RequirementError) as told:
        vsafsm.open(program, backend="one")
    assert str(told.value).startswith(says)
    monkeypatch.setattr("vsafsm.compiler.size_modules", None)
    for asked in ({"layout": "modules"}, {"module_neurons": 64}):
        with pytest.raises(e.RequirementError, match=r"no modules; .*layout=dense"):
            vsafsm.compile(machine, target="one", **asked)


@pytest.mark.parametrize("name", ["memristor", "nir"])
def test_backends_of_one_matrix_say_so(name: str) -> None:
    assert import_module(f"vsafsm_{name}.backend").BACKEND.requirements({}).one_matrix


class Narrow(Typed):
    name = "narrow"

    def requirements(self, options: object) -> Requirements:
        return Requirements(most_neurons=16)


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ({"hold_ms": 2.5}, " --hold-ms 2.5"),
        ({"limit": 3, "codegen": "c"}, " --limit 3 --codegen c"),
        ({"hold_ms": None, "limit": 7}, " --limit 7"),
        ({"record": True}, None),
        ({"record": False, "hold_ms": 1e-7}, None),
        ({"codegen": "a b"}, None),
        ({"codegen": "it's"}, None),
        ({"codegen": ""}, None),
        ({"limit": -3}, " --limit -3"),
    ],
    ids=str,
)
def test_the_command_that_would_do_repeats_the_options(
    install: Install,
    compiled: Compiled,
    turnstile: Machine,
    options: dict[str, Any],
    flags: str | None,
) -> None:
    install("narrow", backend=Narrow())
    with pytest.raises(e.RequirementError) as told:
        vsafsm.open(compiled(turnstile), backend="narrow", **options)
    call = str(told.value).split("`")[1]
    written = ast.parse(call, mode="eval").body
    assert isinstance(written, ast.Call)
    made = {each.arg: ast.literal_eval(each.value) for each in written.keywords}
    given = {name: value for name, value in options.items() if value is not None}
    assert made == {"target": "narrow", **({"target_options": given} if given else {})}
    command = told.value.shell_message.split("`")[1]
    if flags is not None:
        assert command == f"vsafsm compile SPEC --for narrow{flags} -o PROGRAM"
    chosen = choices(arguments_of(shlex.split(command)[2:]))
    assert chosen.of_target == {name: value for name, value in options.items() if value is not None}


def test_what_fits_exactly_is_accepted(
    compiled: Compiled, turnstile: Machine, install: Install
) -> None:
    program = compiled(turnstile)
    network = program.network
    fitting = Requirements(8, True, program.claim.margin, network.active, None, network.neurons)
    install("exact", fitting)
    backend: Backend = find("exact")
    check(program, backend, {})


def test_the_largest_sum_is_above_every_sum_of_the_walk(
    compiled: Compiled, turnstile: Machine, naive: Any
) -> None:
    network = compiled(turnstile).network
    plain = naive(network)
    plain.walk(turnstile)
    reached = max(
        np.abs(plain.weights @ z).max()
        for z, _ in plain.visited.values()
        if z.sum() <= network.active
    )
    assert reached <= largest_sum(network) <= network.active * 127


# ---- what the reference writes


def test_a_ten_line_simulation_of_what_is_written_reproduces_the_trace(
    compiled: Compiled, examples: dict[str, Machine], tmp_path: Path
) -> None:
    for name, options in (
        ("vending_machine", {}),
        ("turnstile", {"inhibition": "separate"}),
        ("turnstile", {"bits": 12}),
    ):
        machine = examples[name]
        program = compiled(machine, **options)
        BACKEND.emit(program, tmp_path)
        weights, masks, codes = (
            np.load(tmp_path / f"{part}.npy") for part in ("weights", "masks", "codes")
        )
        manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
        word = np.random.default_rng(0).choice(machine.inputs, 30).tolist()

        z, states = codes[manifest["start"]], []
        for symbol in [None, *word]:
            for mask, steps in ((symbol or "(rest)", "hold_steps"), ("(rest)", "gap_steps")):
                for _ in range(manifest[steps]):
                    drive = weights.astype(int) @ z - manifest["gain"] * z.sum()
                    z = masks[manifest["masks"].index(mask)] & (drive > 0)
            overlap = (codes & z).sum(1)
            states.append(manifest["codes"][int(overlap.argmax())]["state"])

        assert tuple(states) == machine.run(word).states
        assert manifest["content_hash"] == program.content_hash


def test_the_description_counts_what_is_there(compiled: Compiled, turnstile: Machine) -> None:
    program = compiled(turnstile)
    n = program.network.neurons
    synapses = sum(w != 0 for row in program.network.weights.tolist() for w in row)
    assert BACKEND.describe(program) == {
        "neurons": n,
        "synapses": synapses,
        "weight_bits": n * n * 8,
    }
