"""The fewest cells for a yield, and budgets of tiles: held against arrays of other seeds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.compiler import compile_machine
from vsafsm.intervals import wilson
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_memristor.acceptance import ArrayTrials
from vsafsm_memristor.crossbar.array import draw_array, plan_array
from vsafsm_memristor.crossbar.mapping import SCHEMES
from vsafsm_memristor.crossbar.parameters import settings
from vsafsm_memristor.crossbar.statistics import expected_crossbar
from vsafsm_memristor.deploy.yields import outcomes

Cli = Callable[..., tuple[int, str, str]]
TURNSTILE, TRAFFIC = "specs/turnstile.yaml", "specs/traffic_light.yaml"
TILE = ("--rows", "32", "--columns", "32", "--tiles", "1")


def sized(machine: Machine, **options: Any) -> Program:
    return compile_machine(machine, target="memristor", target_options=options)


@pytest.mark.parametrize("device", ["pcm", "cmo-hfox"])
def test_a_yield_takes_fewer_cells_and_holds_on_other_arrays(
    turnstile: Machine, device: str
) -> None:
    usual, program = sized(turnstile), sized(turnstile, device=device, yield_=0.9)
    assert program.network.neurons <= usual.network.neurons / 2
    (shown,) = program.tolerated
    assert shown.interval[0] > 0.9
    found = list(outcomes(program, {"device": device}, range(1000, 1060)))
    # With a yield of 0.9 fewer than 44 of 60 are correct once in 10,000 times.
    assert sum(each.wrong is None for each in found) >= 44


def test_a_worse_device_takes_more_cells(turnstile: Machine) -> None:
    neurons = [
        sized(turnstile, device="lognormal", sigma=sigma, yield_=0.8).network.neurons
        for sigma in (0.1, 0.9)
    ]
    assert neurons[0] < neurons[1]


def test_the_search_ends_where_only_all_the_room_is_enough(turnstile: Machine) -> None:
    """Room for 77 neurons: between 64, which are too few, and the limit is one multiple of 8."""
    tried: list[str] = []

    def count(what: str, share: float) -> None:
        tried.append(what)
        assert tried.count(what) < 200, f"{what} is tried again and again"

    options = {"yield_": 0.9, "stuck_off": 0.045, "stuck_on": 0.045}
    room = {"tiles": 1, "rows": 77, "columns": 154}
    program = compile_machine(
        turnstile, target="memristor", target_options={**options, **room}, progress=count
    )
    assert program.network.neurons in (72, 77)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("device", ["neurram", "pcm", "perovskite-mean"])
def test_the_statistics_are_those_of_arrays(
    turnstile: Machine, program: Program, device: str, scheme: str
) -> None:
    options = {"device": device, "scheme": scheme, "rows": 128, "columns": 256}
    plan = plan_array(program.network, settings(options))
    z, rng = program.network.codes[:1], np.random.default_rng(0)
    arrays = np.concatenate([draw_array(plan, rng)[0].drive(z, rng) for _ in range(300)])
    expected = expected_crossbar(plan, rng)
    draws = np.concatenate([expected.drive(z, rng) for _ in range(300)])
    spread = draws.std(0)
    assert np.abs(arrays.mean(0) - draws.mean(0)).mean() < 0.2 * spread.mean()
    assert arrays.std(0).mean() == pytest.approx(spread.mean(), rel=0.1)


def test_a_prediction_is_near_the_yield(turnstile: Machine) -> None:
    options = {"device": "lognormal", "sigma": 1.2}
    program = compile_machine(turnstile, target="memristor", dimension=64)
    predicted = ArrayTrials(settings(options)).predicted(turnstile, program.network)
    correct = sum(each.wrong is None for each in outcomes(program, options, range(100)))
    low, high = wilson(correct, 100)
    assert low - 0.25 < predicted < high + 0.25


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 60), st.sampled_from(SCHEMES))
def test_most_neurons_are_the_most_that_fit(
    tiles: int, rows: int, columns: int, scheme: str
) -> None:
    chosen = settings({"tiles": tiles, "rows": rows, "columns": columns, "scheme": scheme})
    most = chosen.most_neurons
    assert most is not None

    def needed(neurons: int) -> int:
        down, across = chosen.layout(neurons).grid
        return down * across

    room = min(tiles, 48 * chosen.tiles_per_core())
    assert not most or needed(most) <= room < needed(most + 1)


def test_cores_are_those_of_the_device_unless_asked_for() -> None:
    assert settings({"device": "neurram"}).tiles_there == 96
    assert settings({"device": "neurram", "cores": 3}).tiles_there == 6
    assert settings({"device": "neurram", "rows": 256, "cores": 3}).tiles_there == 3
    assert settings({"device": "pcm"}).tiles_there is None


def test_a_default_program_fits_on_one_tile_of_32_by_32(run: Cli, tmp_path: Path) -> None:
    path = str(tmp_path / "small.npz")
    assert run("compile", TURNSTILE, "--for", "memristor", *TILE, "-o", path)[0] == 0
    code, out, _ = run("info", path, "--backend", "memristor", *TILE, "--json")
    assert code == 0
    assert '"tiles": 1' in out


@pytest.mark.parametrize(
    ("spec", "flags", "message"),
    [
        (TURNSTILE, ("--yield", "1"), "yield is 1; expected a share from 0.01, and below 1"),
        (TURNSTILE, ("--yield", "-0.5"), "yield is -0.5; expected a share"),
        (TURNSTILE, ("--tiles", "0"), "tiles is 0; expected 1 to"),
        (TURNSTILE, ("--cores", "0"), "cores is 0; expected 1 to"),
        (TRAFFIC, TILE, "the smallest found that does has 88 (18 tiles of 32 x 32 cells)"),
        (
            TURNSTILE,
            ("--tiles", "1", "--yield", "0.99", "--device", "lognormal", "--sigma", "1.5"),
            "neurons (1 tile of 128 x 128 cells) is accepted: the best, N=",
        ),
    ],
)
def test_what_does_not_fit_is_said(
    run: Cli, tmp_path: Path, spec: str, flags: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "none.npz"
    code, out, err = run("compile", spec, "--for", "memristor", *flags, "-o", str(path))
    assert (code, out) == (2, "")
    assert message in " ".join(err.split())
    assert not path.exists()


def test_more_than_the_cores_hold_is_refused(run: Cli, tmp_path: Path, program: Program) -> None:
    path = tmp_path / "turnstile.npz"
    program.save(path)
    flags = ("--device", "neurram", "--rows", "16", "--columns", "16", "--cores", "1")
    code, _, err = run("info", str(path), "--backend", "memristor", *flags, "--tiles", "4")
    assert code == 2
    assert "neurons, at most 16 are possible" in " ".join(err.split())


def test_a_program_with_a_yield_runs_without_its_options(
    run: Cli, tmp_path: Path, turnstile: Machine
) -> None:
    path = tmp_path / "turnstile.npz"
    sized(turnstile, device="pcm", yield_=0.9).save(path)
    flags = ("--backend", "memristor", "--device", "pcm")
    assert run("run", str(path), "coin", "push", *flags)[0] == 0
