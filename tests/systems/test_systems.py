"""Machines that exchange outputs: the interpreter, the product, and networks on backends."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm import errors as e
from vsafsm.machine import Clock, Machine, Transition
from vsafsm.systems import System, compile_system
from vsafsm.systems.exchange import EndlessError


def machine(name: str, rows: dict[str, Any], **more: Any) -> Machine:
    return Machine.from_dict({"name": name, "transitions": rows, **more})


DOOR = machine("door", {"shut": {"handle": ["open", "opened"]}, "open": {"handle": "shut"}})
LAMP = machine(
    "lamp",
    {"off": {"opened": ["on", "lit"]}, "on": {"switch": "off"}},
    outputs={"on": "light"},
)
CAT = machine("cat", {"asleep": {"lit": "awake"}, "awake": {"handle": "asleep"}})


@st.composite
def systems(draw: st.DrawFn) -> System:
    """Random machines whose outputs are often inputs of the machines after them."""
    count = draw(st.integers(1, 3))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    made = []
    for m in range(count):
        states, own = int(rng.integers(1, 4)), int(rng.integers(1, 3))
        # Outputs go up in number, so that every exchange ends.
        inputs = (f"i{m}", *(f"o{n}" for n in range(m)))[: own + m]
        outputs = [(), (), (f"o{m}",)]
        table = tuple(
            tuple(Transition(f"s{rng.integers(states)}", outputs[rng.integers(3)]) for _ in inputs)
            for _ in range(states)
        )
        names = tuple(f"s{x}" for x in range(states))
        made.append(Machine(f"m{m}", names, inputs, "s0", table, ((),) * states))
    return System("random", tuple(made))


def test_outputs_of_one_are_inputs_of_others_one_round_later() -> None:
    house = System("house", (DOOR, LAMP, CAT))
    assert house.inputs == ("handle", "opened", "switch", "lit")
    trace = house.run(["handle", "switch", "handle", "handle"])
    # In the first round the door opens, in the second the lamp goes on, in the third the cat wakes.
    assert trace.states == (
        ("shut", "off", "asleep"),
        ("open", "on", "awake"),
        ("open", "off", "awake"),
        ("shut", "off", "asleep"),
        ("open", "on", "awake"),
    )
    assert trace.outputs == (("opened", "lit"), (), (), ("opened", "lit"))


@settings(deadline=None)
@given(systems(), st.data())
def test_the_product_does_the_same(system: System, data: st.DataObject) -> None:
    word = data.draw(st.lists(st.sampled_from(system.inputs), max_size=12))
    trace, flat = system.run(word), system.product()
    assert system.configurations() == len(flat.states)
    found = flat.run(word)
    assert found.states == tuple("|".join(states) for states in trace.states)
    assert found.outputs == trace.outputs


@settings(deadline=None, max_examples=8)
@given(systems(), st.data())
def test_networks_do_what_the_interpreter_says(system: System, data: st.DataObject) -> None:
    program = compile_system(system)
    assert program.holds
    word = data.draw(st.lists(st.sampled_from(system.inputs), max_size=8))
    trace = system.run(word)
    for backend in ("reference", "loihi2"):
        with program.open(backend) as session:
            assert session.state == system.initial
            for n, symbol in enumerate(word):
                assert session.send(symbol) == trace.states[n + 1]
                assert session.outputs == trace.outputs[n]
            assert session.reset() == system.initial


@pytest.mark.parametrize("backend", ["reference", "loihi2", "brian2"])
def test_every_backend_holds_a_system(backend: str) -> None:
    pytest.importorskip("brian2" if backend == "brian2" else "numpy")
    house = System("house", (DOOR, LAMP, CAT))
    word = ["handle", "switch", "lit", "handle", "handle", "opened", "handle"]
    trace = house.run(word)
    with compile_system(house, target=backend).open(backend) as session:
        assert session.state == house.initial
        for symbol, states, outputs in zip(word, trace.states[1:], trace.outputs, strict=True):
            assert session.send(symbol) == states
            assert session.on_the_way == outputs
            assert session.outputs == tuple(dict.fromkeys((*outputs, *house.moore(states))))
        assert session.reset() == house.initial
        assert session.send("handle") == trace.states[1]


def test_moore_outputs_come_after_those_on_the_way() -> None:
    house = System("house", (DOOR, LAMP))
    with compile_system(house).open() as session:
        session.send("handle")
        assert session.outputs == ("opened", "lit", "light")
        session.send("switch")
        assert session.outputs == ()
    assert house.product().outputs_of("open|on") == ("light",)


def test_a_clock_ticks_for_all() -> None:
    row = {"a": {"tick": ["b", "ping"]}, "b": {"tick": "a"}}
    pair = System(
        "pair",
        (
            machine("one", row, clock="100 ms"),
            machine("two", {"x": {"tick": "y", "ping": "z"}, "y": {}, "z": {}}, clock="100 ms"),
        ),
    )
    assert pair.product().clock == pair.clock == Clock("tick", Fraction(1, 10))
    with compile_system(pair).open() as session:
        assert session.wait(0.1) == pair.run(["tick"]).states[-1]
        assert session.wait(0.25) == pair.run(["tick"] * 3).states[-1]


def test_machines_that_answer_each_other_without_end_are_told() -> None:
    one = machine("one", {"a": {"ping": ["a", "pong"]}})
    two = machine("two", {"a": {"pong": ["a", "ping"]}})
    system = System("game", (one, two))
    for call in (lambda: system.run(["ping"]), system.product):
        with pytest.raises(EndlessError, match=r'after "ping" .* expected an exchange that ends'):
            call()
    with compile_system(system).open() as session, pytest.raises(EndlessError):
        session.send("ping")


def test_a_product_beyond_the_bound_is_told() -> None:
    counters = tuple(
        machine(f"c{n}", {f"{x}": {f"i{n}": f"{(x + 1) % 5}"} for x in range(5)}) for n in range(4)
    )
    with pytest.raises(e.TooLargeError, match="more than 100 configurations"):
        System("counters", counters).product(100)
    assert len(System("counters", counters).product().states) == 625
    program = compile_system(System("counters", counters))
    assert (
        program.synapses
        < vsafsm.compile(System("counters", counters[:2]).product()).network.synapses
    )


@pytest.mark.parametrize(
    ("machines", "told"),
    [
        ((), "has no machines"),
        ((DOOR, DOOR), 'two machines of system "s" are named "door"'),
        (
            (
                machine("a", {"x": {"tick": "x"}}, clock="1 s"),
                machine("b", {"x": {"tick": "x"}}, clock="2 s"),
            ),
            r"different clocks \(1 s, 2 s\)",
        ),
    ],
)
def test_what_makes_no_system_is_told(machines: tuple[Machine, ...], told: str) -> None:
    with pytest.raises(e.SpecError, match=told):
        System("s", machines)


def test_misuse_is_told() -> None:
    house = System("house", (DOOR, LAMP))
    with pytest.raises(e.UnknownInputError, match=r'unknown input "handel".*did you mean "handle"'):
        house.run(["handel"])
    session = compile_system(house).open()
    with pytest.raises(e.SessionError, match="has no clock"):
        session.wait(1)
    session.close()
    session.close()
    with pytest.raises(e.SessionError, match="the session is closed"):
        session.send("handle")
    one = machine("one", {"x|y": {"i": "x"}, "x": {"j": "x|y"}})
    two = machine("two", {"z": {"i": "y|z"}, "y|z": {"k": "z"}})
    bars = System("bars", (one, two))
    with pytest.raises(e.SpecError, match="have equal names"):
        bars.product()
