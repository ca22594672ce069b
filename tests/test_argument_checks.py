"""Calls with something else than they take: errors of the package, which name it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import vsafsm
from vsafsm.errors import (
    ArgumentError,
    NoiseError,
    OptionError,
    RobustnessError,
    SessionError,
    SweepError,
    VsafsmError,
)
from vsafsm.machine import Machine
from vsafsm.noise import parse_noise, perturb
from vsafsm.program import Program
from vsafsm.testing import assert_robust

NOISE = "additive:1"
Given = Any
"""A namespace with a machine, its program, an open session and a folder."""
CALLS: list[tuple[Callable[[Given], object], type[VsafsmError], str]] = [
    (lambda g: vsafsm.compile(None), ArgumentError, "takes a Machine, and got NoneType"),
    (lambda g: vsafsm.compile(g.machine, jobs=0), OptionError, "jobs is 0"),
    (lambda g: vsafsm.compile(g.machine, jobs=True), OptionError, "jobs is True"),
    (lambda g: vsafsm.compile(g.machine, target_options=1), ArgumentError, "target_options is 1"),
    (
        lambda g: vsafsm.compile(g.machine, target_options={1: 2}),
        ArgumentError,
        "expected a mapping from names",
    ),
    (lambda g: vsafsm.compile(g.machine, codebook="x"), ArgumentError, "codebook is 'x'"),
    (lambda g: vsafsm.compile(g.machine, resume=1), ArgumentError, "resume is 1; expected a path"),
    (lambda g: vsafsm.compile(g.machine, progress=1), ArgumentError, "progress is 1"),
    (lambda g: vsafsm.explain(None), ArgumentError, "explain takes a Program, and got NoneType"),
    (lambda g: vsafsm.explain(g.program, progress=1), ArgumentError, "progress is 1"),
    (lambda g: vsafsm.plot(g.machine), ArgumentError, "plot takes a Program, and got Machine"),
    (lambda g: vsafsm.plot(g.program, None), ArgumentError, "plot takes a word, and got None"),
    (lambda g: vsafsm.draw(None), ArgumentError, "draw takes a Machine, and got NoneType"),
    (lambda g: vsafsm.sweep(g.machine), ArgumentError, "sweep takes a Program, and got Machine"),
    (lambda g: vsafsm.sweep([g.program, None]), ArgumentError, "got NoneType"),
    (lambda g: vsafsm.sweep(None), ArgumentError, "got NoneType"),
    (lambda g: vsafsm.sweep(g.program, NOISE, options=1), ArgumentError, "options is 1"),
    (lambda g: vsafsm.sweep(g.program, NOISE, output=1), ArgumentError, "output is 1"),
    (lambda g: vsafsm.sweep(g.program, NOISE, trials=2.0), SweepError, "trials is 2.0"),
    (lambda g: vsafsm.sweep(g.program, NOISE, trials=True), SweepError, "trials is True"),
    (lambda g: vsafsm.sweep(g.program, NOISE, length=True), SweepError, "length is True"),
    (lambda g: vsafsm.sweep(g.program, NOISE, width=None), SweepError, "width is None"),
    (lambda g: vsafsm.sweep(g.program, NOISE, jobs=None), SweepError, "jobs is None"),
    (lambda g: vsafsm.sweep(g.program, None, trials=2), NoiseError, "noise is None"),
    (lambda g: vsafsm.sweep(g.program, [1], trials=2), NoiseError, "noise is 1"),
    (lambda g: vsafsm.save(None, g.folder / "o.yaml"), ArgumentError, "save takes a Machine"),
    (lambda g: vsafsm.save(g.program, g.folder / "o.yaml"), ArgumentError, "program.machine"),
    (lambda g: vsafsm.save(g.machine, None), ArgumentError, "path is None"),
    (lambda g: vsafsm.save(g.machine, g.folder / "o", format=3), ArgumentError, "format is 3"),
    (lambda g: vsafsm.load(__file__, format=3), ArgumentError, "format is 3; expected its name"),
    (lambda g: vsafsm.load_program(None), ArgumentError, "path is None"),
    (lambda g: g.program.save(None), ArgumentError, "path is None"),
    (lambda g: vsafsm.run(g.program, None), ArgumentError, "run takes a word, and got None"),
    (lambda g: vsafsm.run(g.program, ["coin", 1]), ArgumentError, r"got \['coin', 1\]"),
    (lambda g: perturb(g.program.network, parse_noise(NOISE), rng=1), ArgumentError, "rng is 1"),
    (
        lambda g: perturb(g.program.network, parse_noise(NOISE), rng=np.random.RandomState(0)),
        ArgumentError,
        "rng is RandomState",
    ),
    (lambda g: parse_noise(None), NoiseError, "noise is None"),
    (lambda g: g.session.play(None), SessionError, "a train is None; expected pairs"),
    (lambda g: g.session.play([(0,)]), SessionError, r"an event is \(0,\); expected a pair"),
    (lambda g: g.session.play([0]), SessionError, "an event is 0"),
    (lambda g: g.session.play([(0, 1)]), SessionError, r"an event is \(0, 1\)"),
    (lambda g: assert_robust(g.program, NOISE, words=[1]), RobustnessError, "a word is 1"),
    (lambda g: assert_robust(g.program, NOISE, words=1), RobustnessError, "words are 1"),
    (lambda g: assert_robust(g.program, NOISE, words=[[1]]), ArgumentError, r"got \[1\]"),
    (lambda g: assert_robust(g.machine, NOISE), ArgumentError, "takes a Program, and got Machine"),
]


@pytest.fixture(scope="module")
def given(
    compiled: Callable[..., Program], turnstile: Machine, tmp_path_factory: pytest.TempPathFactory
) -> Given:
    program = compiled(turnstile)
    return SimpleNamespace(
        machine=turnstile,
        program=program,
        session=vsafsm.open(program),
        folder=tmp_path_factory.mktemp("given"),
    )


@pytest.mark.parametrize(("call", "error", "told"), CALLS)
def test_what_a_call_does_not_take_is_told(
    given: Given, call: Callable[[Given], object], error: type[VsafsmError], told: str
) -> None:
    with pytest.raises(error, match=told) as raised:
        call(given)
    assert type(raised.value) is error
    assert not list(given.folder.iterdir())


def test_whole_numbers_of_numpy_are_whole_numbers(given: Given, tmp_path: Path) -> None:
    whole: Any = np.int64(2)
    table = vsafsm.sweep(given.program, NOISE, trials=whole, output=tmp_path / "table.csv")
    assert [row.trials for row in table.rows] == [2]


def test_a_program_is_drawn_by_its_machine(given: Given) -> None:
    assert vsafsm.draw(given.program).axes
