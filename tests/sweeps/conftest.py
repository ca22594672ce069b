"""Small sweeps for all tests of the room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from vsafsm.compiler import compile_machine
from vsafsm.formats import load
from vsafsm.noise import Additive, Lognormal
from vsafsm.sweeps.executors import Executor, serial
from vsafsm.sweeps.journal import Journal
from vsafsm.sweeps.plan import Plan, Trials, subject
from vsafsm.sweeps.rows import Row
from vsafsm.sweeps.run import measure

Measured = Callable[..., list[Row]]


@pytest.fixture(scope="session")
def plan() -> Plan:
    machine = load("specs/turnstile.yaml")
    programs = [compile_machine(machine, dimension=n) for n in (64, 96)]
    return Plan(
        tuple(subject(program, "reference") for program in programs),
        (Additive(0), Additive(1), Lognormal(1.2)),
        Trials(most=45, width=0.0, words=3, length=6),
    )


@pytest.fixture(scope="session")
def rows(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> list[Row]:
    """What the plan gives, one draw after the other."""
    return measured(plan, tmp_path_factory.mktemp("rows") / "t.csv")


def measured(plan: Plan, table: Path, execute: Executor = serial) -> list[Row]:
    with Journal(table, plan.described()) as journal:
        return measure(plan, journal, execute)


@pytest.fixture(name="measured")
def _measured() -> Measured:
    return measured
