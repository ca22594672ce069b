"""Backends: how they are found, what they may refuse, and a third party's beside ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm import errors as e
from vsafsm.backend import Backend, Option, check, find
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm.reference import BACKEND, ReferenceBackend
from vsafsm.sizing import Requirements, largest_sum

Compiled = Callable[..., Program]
Install = Callable[..., None]


def reasons() -> dict[str, str | None]:
    return {listing.name: listing.unavailable for listing in vsafsm.backends()}


def test_the_built_in_backend_is_an_entry_point_like_any_other() -> None:
    assert reasons()["reference"] is None
    assert find("reference") is BACKEND


def test_an_unknown_backend_is_refused_with_the_nearest() -> None:
    with pytest.raises(e.UnknownBackendError, match=r'unknown backend "referenc"; .*did you mean "reference"'):
        find("referenc")
    with pytest.raises(e.UnknownBackendError):
        find("")


def test_a_third_partys_backend_is_listed_and_opened(install: Install, compiled: Compiled, turnstile: Machine) -> None:
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


@pytest.mark.parametrize("raised", ["RuntimeError('no driver')", "OSError('no library')", "ValueError('x')"])
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
    with pytest.raises(e.UnavailableBackendError, match=r"cannot run here: .*pip install vsafsm\[absent\]"):
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
        e.RequirementError, match=r'no option "hold_m"; expected one of: hold_ms; did you mean "hold_ms"'
    ):
        vsafsm.open(program, backend="optional", hold_m=30.0)
    with pytest.raises(e.RequirementError, match='no option "hold_ms"; expected one of: none'):
        vsafsm.open(program, hold_ms=30.0)


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
    install: Install, compiled: Compiled, turnstile: Machine, requirements: Requirements, message: str
) -> None:
    install("strict", requirements)
    with pytest.raises(
        e.RequirementError, match=f"does not fit .*{message}.*vsafsm compile SPEC --for strict -o PROGRAM"
    ):
        vsafsm.open(compiled(turnstile), backend="strict")


def test_what_fits_exactly_is_accepted(compiled: Compiled, turnstile: Machine, install: Install) -> None:
    program = compiled(turnstile)
    network = program.network
    fitting = Requirements(8, True, program.claim.margin, network.active, None, network.neurons)
    install("exact", fitting)
    backend: Backend = find("exact")
    check(program, backend, {})


def test_the_largest_sum_is_above_every_sum_of_the_walk(compiled: Compiled, turnstile: Machine, naive: Any) -> None:
    network = compiled(turnstile).network
    plain = naive(network)
    plain.walk(turnstile)
    reached = max(np.abs(plain.weights @ z).max() for z, _ in plain.visited.values() if z.sum() <= network.active)
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
        weights, masks, codes = (np.load(tmp_path / f"{part}.npy") for part in ("weights", "masks", "codes"))
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
    assert BACKEND.describe(program) == {"neurons": n, "synapses": synapses, "weight_bits": n * n * 8}
