"""Programs for all tests of the room: with outputs of both kinds, with names that mean something in
HTML, unproven.
"""

from __future__ import annotations

import pytest

from vsafsm.compiler import compile_machine
from vsafsm.formats import load
from vsafsm.machine import Machine, Transition
from vsafsm.program import Program

ODD = ("</script><script>alert(1)</script>", "a & b \"c\" 'd'", "{{ 7 * 7 }}", "état 日本")


def odd_machine() -> Machine:
    table = tuple(
        tuple(
            Transition(ODD[(i + step) % len(ODD)], ("<i>o</i>",) if step == 2 else ())
            for step in (1, 2)
        )
        for i in range(len(ODD))
    )
    moore = tuple((f"<m{i}>",) for i in range(len(ODD)))
    return Machine("<b>odd</b>", ODD, ("</title>", "\\u003c&"), ODD[0], table, moore)


@pytest.fixture(scope="session")
def programs() -> dict[str, Program]:
    machines = {
        name: load(f"specs/{name}.yaml")
        for name in ("turnstile", "vending_machine", "working_memory")
    }
    found = {name: compile_machine(machine) for name, machine in machines.items()}
    found["odd"] = compile_machine(odd_machine(), dimension=128)
    found["unproven"] = compile_machine(
        load("specs/traffic_light.yaml"), dimension=32, allow_unproven=True
    )
    return found


@pytest.fixture(params=["turnstile", "vending_machine", "working_memory", "odd"])
def program(request: pytest.FixtureRequest, programs: dict[str, Program]) -> Program:
    return programs[request.param]
