"""Maps for a rig: what a perfect rig that holds them gives back is the drive of the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vsafsm.network import MOST_STEPS, Network
from vsafsm.program import Program
from vsafsm_memristor.crossbar.array import SLACK_STEPS, with_slack
from vsafsm_memristor.crossbar.mapping import SCHEMES, TileLayout
from vsafsm_memristor.deploy.maps import RigMaps, maps_of
from vsafsm_memristor.errors import MappingError
from vsafsm_memristor.rig.protocol import Identity, Limits

Networks = Callable[..., Network]
RANGE_S = (1e-6, 40e-6)


def rig(tiles: int, rows: int, columns: int, unusable: float = 0.0, **changes: Any) -> Identity:
    """What a rig with a share of unusable cells says of itself."""
    limits = Limits(tiles, rows, columns, *RANGE_S, 0.3, 3.0, 1e-3, 10, 10_000)
    usable = np.random.default_rng(0).random((tiles, rows, columns)) >= unusable
    return Identity("fake", "F-1", replace(limits, **changes), usable, None)


def tiles_for(neurons: int, rows: int, columns: int, scheme: Any) -> int:
    down, across = TileLayout(neurons, rows, columns, scheme).grid
    return down * across


def read(maps: RigMaps, activity: Any) -> Any:
    """The drive that a perfect rig leads to."""
    return maps.drive(
        [(tile, volts @ maps.siemens[tile]) for tile, volts in maps.voltages(activity)]
    )


def activities(neurons: int, many: int = 12) -> Any:
    return np.random.default_rng(1).random((many, neurons)) < 0.3


@pytest.fixture
def small(program: Program, networks: Networks) -> Program:
    """A program of a random network of 21 neurons."""
    return replace(program, network=networks(21))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (21, 42), (4, 2), (5, 7), (1, 3)])
def test_a_rig_gives_the_drive_of_the_network(
    small: Program, scheme: str, rows: int, columns: int
) -> None:
    tiles = tiles_for(21, rows, columns, scheme)
    for spare in (0, 2):
        maps = maps_of(small, rig(tiles + spare, rows, columns), scheme=scheme)
        assert len(maps.siemens) == tiles + spare
        assert not np.any(maps.siemens[tiles:])
        for z in activities(21):
            expected = small.network.weights.astype(np.int64) @ z
            assert read(maps, z) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_compiled_program_has_its_drive(program: Program, scheme: str) -> None:
    network = program.network
    maps = maps_of(program, rig(60, 48, 32, v_read_max_v=0.05), scheme=scheme)
    assert maps.v_read_v == 0.05
    for z in network.codes:
        assert read(maps, z) == pytest.approx(network.weights.astype(np.int64) @ z, abs=1e-2)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_targets_are_in_the_range_and_unusable_cells_are_left_alone(
    small: Program, scheme: str
) -> None:
    identity = rig(30, 9, 8, unusable=0.2)
    maps = maps_of(small, identity, scheme=scheme)
    siemens = np.stack(maps.siemens)
    assert siemens.dtype == np.float64
    assert (siemens[~identity.usable] == 0.0).all()
    used = siemens[siemens != 0]
    assert RANGE_S[0] <= used.min() <= used.max() <= RANGE_S[1]
    ones = np.ones((21, 21), np.float32)
    layout = maps.layout
    weighted = np.zeros_like(siemens, np.bool_)
    weighted[: layout.grid[0] * layout.grid[1]] = np.stack(layout.spread(ones, ones)) > 0
    assert ((siemens != 0) == (weighted & identity.usable)).all()


def test_partners_of_unusable_cells_make_up_for_them(small: Program) -> None:
    identity = rig(30, 9, 8, unusable=0.2)
    maps = maps_of(small, identity)
    step_s, exact = maps.scale.us_per_lsb * 1e-6, 0
    for post, pre in np.ndindex(21, 21):
        cells = [cell[:3] for cell in maps.layout.cells_of(post, pre)]
        up, down = (float(maps.siemens[tile][row, column]) for tile, row, column in cells)
        usable = [bool(identity.usable[cell]) for cell in cells]
        wanted = int(small.network.weights[post, pre]) * step_s
        if usable == [True, False]:
            nearest = min(max(wanted, RANGE_S[0]), RANGE_S[1])
        elif usable == [False, True]:
            nearest = -min(max(-wanted, RANGE_S[0]), RANGE_S[1])
        else:
            nearest = wanted if all(usable) else 0.0
        assert up - down == pytest.approx(nearest, abs=1e-11)
        exact += sum(usable) == 1 and nearest == wanted
    assert exact > 20


def test_unusable_cells_that_are_made_up_for_change_no_drive(small: Program) -> None:
    weights = np.where(np.arange(21) % 2, 3, -3).astype(np.int8) * np.ones((21, 1), np.int8)
    program = replace(small, network=small.network.with_weights(weights))
    usable = np.ones((6, 21, 8), np.bool_)
    usable[:, 1::2, 1::2] = usable[:, 0::2, 0::2] = False
    maps = maps_of(program, replace(rig(6, 21, 8), usable=usable))
    for z in activities(21):
        assert read(maps, z) == pytest.approx(weights.astype(np.int64) @ z, abs=1e-3)


def test_voltages_are_those_of_active_rows(small: Program) -> None:
    maps = maps_of(small, rig(20, 6, 16))
    assert maps.v_read_v == 0.1
    z = np.zeros(21, np.bool_)
    z[[6, 8, 20]] = True
    found = dict(maps.voltages(z))
    assert sorted(found) == [1, 3, 5, 7, 9, 11]
    for tile, volts in found.items():
        assert volts.shape == (6,)
        assert np.flatnonzero(volts).tolist() == ([0, 2] if tile % 4 == 1 else [2])
        assert set(volts.tolist()) == {0.0, 0.1}
    assert maps.voltages(np.zeros(21, np.bool_)) == []
    assert not maps.drive([]).any()


def test_too_few_tiles_are_refused(small: Program) -> None:
    with pytest.raises(
        MappingError,
        match="takes 15 tiles of 9 x 10 cells, and the rig has 13: 2 too few; expected",
    ):
        maps_of(small, rig(13, 9, 10))


def test_as_many_tiles_as_needed_will_do(small: Program) -> None:
    assert len(maps_of(small, rig(15, 9, 10)).siemens) == 15


def test_inhibition_apart_is_refused(small: Program, networks: Networks) -> None:
    apart = replace(small, network=networks(21, gain=2))
    with pytest.raises(
        MappingError, match="inhibition is apart; expected a program of `vsafsm compile"
    ):
        maps_of(apart, rig(20, 21, 42))


def test_the_hash_is_that_of_program_and_targets(small: Program, networks: Networks) -> None:
    found = [
        maps_of(small, rig(30, 9, 8)),
        maps_of(small, rig(30, 9, 8), scheme="offset"),
        maps_of(small, rig(30, 9, 8, unusable=0.1)),
        maps_of(small, rig(30, 9, 8, g_max_s=30e-6)),
        maps_of(replace(small, network=networks(21, seed=1)), rig(30, 9, 8)),
    ]
    assert len({maps.content_hash for maps in found}) == len(found)
    assert maps_of(small, rig(30, 9, 8)).content_hash == found[0].content_hash
    assert int(found[0].content_hash, 16) > 0


def test_a_longer_contract(program: Program, networks: Networks) -> None:
    before, after = program.network.contract, with_slack(program.network).contract
    assert (after.hold_steps, after.gap_steps) == (
        before.hold_steps + SLACK_STEPS,
        before.gap_steps + SLACK_STEPS,
    )
    assert (with_slack(program.network).weights == program.network.weights).all()
    longest = with_slack(networks(21, steps=MOST_STEPS))
    assert longest.contract.hold_steps == MOST_STEPS
