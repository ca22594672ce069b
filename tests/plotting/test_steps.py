"""Steps of a run, against a session of the built-in simulator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vsafsm.compiler import compile_machine
from vsafsm.errors import PlotError, UnknownInputError
from vsafsm.formats import load
from vsafsm.machine import Machine
from vsafsm.plotting.kinds import OF_RUNS, plot
from vsafsm.plotting.overlaps import spans
from vsafsm.plotting.steps import run_steps
from vsafsm.program import Program
from vsafsm.running import run_word
from vsafsm.synchronous import Session

WORD = ("5", "10", "10", "5", "refund")


@pytest.fixture(scope="module")
def program() -> Program:
    return compile_machine(load("specs/vending_machine.yaml"))


def test_the_last_steps_are_where_a_session_ends(program: Program) -> None:
    word = [symbol for symbol in WORD if symbol in program.machine.inputs]
    steps = run_steps(program.network, word)
    contract = program.network.contract
    each = contract.hold_steps + contract.gap_steps
    assert len(steps.mask) == 1 + contract.gap_steps + each * len(word)
    with Session(program.network) as session:
        assert (steps.activity[contract.gap_steps] == session.activity).all()
        for n, symbol in enumerate(word, 1):
            session.send(symbol)
            assert (steps.activity[contract.gap_steps + each * n] == session.activity).all()
    ends = steps.decoded[contract.gap_steps :: each].tolist()
    assert tuple(program.network.states[code] for code in ends) == run_word(program, word).states


def test_overlaps_are_one_for_a_code_itself(program: Program) -> None:
    steps = run_steps(program.network, ())
    assert steps.overlaps[0, program.network.start] == 1
    assert steps.overlaps.shape == (len(steps.mask), len(program.network.codes))
    assert not np.isnan(steps.overlaps).any()


def test_inputs_are_told_where_they_are_held(program: Program) -> None:
    word = list(program.machine.inputs[:2])
    steps = run_steps(program.network, word)
    held, gap = program.network.contract.hold_steps, program.network.contract.gap_steps
    first = gap + 1
    assert spans(steps) == [
        (first, first + held - 1, word[0]),
        (first + held + gap, first + 2 * held + gap - 1, word[1]),
    ]


def test_codes_have_names(program: Program) -> None:
    names = list(program.network.code_names)
    assert names[: len(program.network.states)] == list(program.network.states)
    assert all(name.startswith("→ ") for name in names[len(program.network.states) :])


def test_an_unknown_input_is_refused(program: Program) -> None:
    with pytest.raises(UnknownInputError, match="expected"):
        run_steps(program.network, ["20"])


def test_a_picture_of_too_many_steps_is_refused(program: Program) -> None:
    with pytest.raises(PlotError, match=r"a word of 50000 inputs takes .* at most 100000"):
        plot(program, ["5"] * 50_000)


@pytest.mark.parametrize("kind", OF_RUNS)
def test_ticks_one_after_another_are_a_wait(
    ticking_lamp: Callable[[str], Machine], kind: str
) -> None:
    text = pytest.importorskip("matplotlib.text")
    lamp = compile_machine(ticking_lamp("250 ms"), tolerate="none")
    figure = plot(lamp, ["press", "tick", "tick", "press", "tick"], what=kind)
    figure.draw_without_rendering()
    told = {each.get_text() for each in figure.findobj(text.Text)}
    assert {"press", "wait 250 ms", "wait 500 ms", "time (steps)"} <= told
    assert "tick" not in told
    lines = [line.get_xdata() for line in figure.axes[0].lines if not line.get_clip_on()]
    contract = lamp.network.contract
    each = contract.hold_steps + contract.gap_steps
    first = [contract.gap_steps + 0.5 + n * each for n in (1, 4)]
    assert [tuple(line) for line in lines] == [
        (begin, begin + (ticks - 1) * each + contract.hold_steps)
        for begin, ticks in zip(first, (2, 1), strict=True)
    ]
