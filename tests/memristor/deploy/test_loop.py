"""The closed loop on rigs in memory: right on a perfect one, and grounded however it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from vsafsm import errors as e
from vsafsm.machine import Machine
from vsafsm.program import Program
from vsafsm_memristor.crossbar.mapping import SCHEMES
from vsafsm_memristor.deploy.loop import ClosedLoopSession
from vsafsm_memristor.deploy.maps import RigMaps, maps_of
from vsafsm_memristor.rig.protocol import Identity, Limits


class BrokenError(Exception):
    """What a rig that breaks raises."""


@dataclass
class Perfect:
    """A rig that holds its maps; after so many reads it breaks."""

    siemens: Any
    breaks_after: float = float("inf")
    reads: list[int] = field(default_factory=list)
    grounded: int = 0

    def read(self, tile: int, v_volts: Any) -> Any:
        if len(self.reads) >= self.breaks_after:
            raise BrokenError
        self.reads.append(tile)
        return v_volts @ self.siemens[tile]

    def safe(self) -> None:
        self.grounded += 1


def maps_for(program: Program, scheme: str = "differential") -> RigMaps:
    limits = Limits(60, 64, 64, 1e-6, 40e-6, 0.3, 3.0, 1e-3, 10, 10_000)
    return maps_of(
        program,
        Identity("fake", "F-1", limits, np.ones((60, 64, 64), np.bool_), None),
        scheme=scheme,
    )


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["turnstile", "door_lock"])
def test_it_runs_like_the_interpreter(
    name: str, scheme: str, compiled: Callable[..., Program], examples: dict[str, Machine]
) -> None:
    machine = examples[name]
    program = compiled(machine, target="memristor")
    maps = maps_for(program, scheme)
    word = np.random.default_rng(0).choice(machine.inputs, 15).tolist()
    expected = machine.run(word)
    with ClosedLoopSession(program, maps, Perfect(maps.siemens)) as session:
        assert session.state == machine.initial
        for symbol, state, outputs in zip(word, expected.states[1:], expected.outputs, strict=True):
            assert session.send(symbol) == state
            assert session.outputs == outputs
        assert session.reset() == machine.initial


def test_what_the_rig_holds_is_what_runs(program: Program, turnstile: Machine) -> None:
    maps = maps_for(program)
    with ClosedLoopSession(program, maps, Perfect(tuple(0 * g for g in maps.siemens))) as session:
        assert not session.activity.any()
        assert session.send("coin") is None


def test_each_step_reads_the_tiles_of_active_rows(program: Program) -> None:
    maps = maps_for(program)
    rig = Perfect(maps.siemens)
    with ClosedLoopSession(program, maps, rig) as session:
        rig.reads.clear()
        active = session.activity
        expected = [
            tile for tile, part in enumerate(maps.layout.tiles()) if active[part.inputs].any()
        ]
        session.rest(1)
        assert rig.reads == expected
        assert len(expected) > 1


def test_it_is_grounded_when_closed(program: Program) -> None:
    maps = maps_for(program)
    rig = Perfect(maps.siemens)
    session = ClosedLoopSession(program, maps, rig)
    assert rig.grounded == 0
    session.close()
    assert rig.grounded == 1
    session.close()
    with pytest.raises(e.SessionError, match="closed"):
        session.send("coin")


def test_it_is_grounded_when_left(program: Program) -> None:
    maps = maps_for(program)
    rig = Perfect(maps.siemens)
    with ClosedLoopSession(program, maps, rig) as session:
        session.send("coin")
    assert rig.grounded == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_it_is_grounded_on_an_exception(program: Program, error: type[BaseException]) -> None:
    maps = maps_for(program)
    rig = Perfect(maps.siemens)
    with pytest.raises(error), ClosedLoopSession(program, maps, rig):
        raise error
    assert rig.grounded == 1


def test_it_is_grounded_when_a_read_fails(program: Program) -> None:
    maps = maps_for(program)
    rig = Perfect(maps.siemens)
    session = ClosedLoopSession(program, maps, rig)
    rig.breaks_after = len(rig.reads) + 5
    with pytest.raises(BrokenError), session:
        session.send("coin")
    assert rig.grounded == 1


def test_it_is_grounded_when_it_cannot_begin(program: Program) -> None:
    maps = maps_for(program)
    rig = Perfect(maps.siemens, breaks_after=3)
    with pytest.raises(BrokenError):
        ClosedLoopSession(program, maps, rig)
    assert rig.grounded == 1


def test_inputs_are_held_for_longer_than_the_contract(program: Program) -> None:
    maps = maps_for(program)
    with ClosedLoopSession(program, maps, Perfect(maps.siemens)) as session:
        with pytest.raises(e.SessionError, match="hold of"):
            session.send("coin", hold=program.network.contract.hold_steps)
        before = session.counts["steps"]
        session.send("coin")
        contract = program.network.contract
        assert session.counts["steps"] - before == contract.hold_steps + contract.gap_steps + 4
