"""Sessions and whole words: states, timing, determinism, targets, and what is refused."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brian2 as b2
import numpy as np
import pytest
from brian2 import Hz, ms, mV, second

import vsafsm
from vsafsm import errors as e
from vsafsm.discovery import find
from vsafsm.errors import BackendError
from vsafsm.program import Program
from vsafsm_brian2 import ContractWarning

BRIAN2: Any = find("brian2")
Truth = Callable[[Program, list[str]], vsafsm.Run]
WORD = ["coin", "push", "push", "coin", "coin"]


def warned(call: Callable[[], object]) -> list[str]:
    """What is warned of; Brian2's own warnings about other libraries aside."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call()
    return [
        str(warning.message) for warning in caught if issubclass(warning.category, ContractWarning)
    ]


def spikes(program: Program, word: list[str], **options: object) -> tuple[list[float], list[int]]:
    recording = BRIAN2.record(program, word, **options)[0]
    return np.round(recording.times_ms, 6).tolist(), recording.cells.tolist()


@pytest.mark.slow
def test_a_word_in_one_run_is_what_a_session_makes_of_it(program: Program, truth: Truth) -> None:
    with vsafsm.open(program, backend="brian2") as session:
        for symbol in WORD:
            session.send(symbol)
        sent = session.recording
    whole = BRIAN2.record(program, WORD)[0]
    assert vsafsm.run(program, WORD, "brian2") == truth(program, WORD)
    assert sent.cells.tolist() == whole.cells.tolist()
    assert np.allclose(sent.times_ms, whole.times_ms)
    assert sent.events == whole.events


@pytest.mark.parametrize("hold", [40, 80, 500])
def test_transition_outputs_are_read_at_any_hold(vending: Program, truth: Truth, hold: int) -> None:
    word = ["5", "10", "10", "refund", "10", "10", "5", "5", "refund"]
    assert vsafsm.run(vending, word, "brian2", hold_ms=hold) == truth(vending, word)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"mismatch": 0.1, "noise_pa": 75.0},
        {"weight_noise": 1.0},
        {"delay_ms": 1.0, "delay_jitter_ms": 2.0},
        {"input_jitter_ms": 1.0},
        {"dt_ms": 0.1},
    ],
    ids=str,
)
def test_realism_leaves_the_states_right(
    program: Program, truth: Truth, options: dict[str, float]
) -> None:
    assert vsafsm.run(program, WORD, "brian2", **options) == truth(program, WORD)


def test_the_same_seed_gives_the_same_spikes(program: Program) -> None:
    options = {"mismatch": 0.1, "noise_pa": 50.0, "weight_noise": 0.5, "input_jitter_ms": 1.0}
    one = spikes(program, ["coin"], draw_seed=4, **options)
    assert one == spikes(program, ["coin"], draw_seed=4, **options)
    assert one != spikes(program, ["coin"], draw_seed=5, **options)


@pytest.mark.slow
def test_cython_and_standalone_give_the_same_spikes_as_numpy(program: Program) -> None:
    usual = spikes(program, WORD[:2])
    for codegen in ("cython", "cpp_standalone"):
        assert spikes(program, WORD[:2], codegen=codegen) == usual
    before = b2.prefs.codegen.target
    assert spikes(program, WORD[:2]) == usual
    assert b2.prefs.codegen.target == before
    assert isinstance(b2.get_device(), b2.devices.RuntimeDevice)


def test_what_a_session_tells(program: Program) -> None:
    with vsafsm.open(program, backend="brian2") as session:
        assert session.state == "locked"
        before = dict(session.counts)
        assert session.send("coin", hold=60 * ms) == "unlocked"
        assert session.outputs == ("barrier_open",)
        session.rest(0.5 * second)
        assert session.state == "unlocked"
        assert session.activity.dim == Hz.dim
        active = np.asarray(session.activity / Hz) > 30
        assert (active == (program.network.codes[1] & program.network.masks[0])).mean() > 0.97
        assert session.counts["steps"] - before["steps"] == round((60 + 120 + 500) / 0.5)
        (only,) = session.recording.per_transition()
        assert only["spikes"] > 100
        assert only["synaptic_operations"] > only["spikes"]
        assert session.send("push") == "locked"
        assert session.outputs == ("click", "barrier_closed")
        assert session.reset() == "locked"
        assert session.outputs == ("barrier_closed",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "timing", [{"hold_ms": 60.25, "gap_ms": 110.1}, {"hold_ms": 43.0, "input_jitter_ms": 1.5}]
)
def test_times_between_steps_are_the_same_in_a_session_and_in_a_word(
    program: Program, timing: dict[str, float]
) -> None:
    with vsafsm.open(program, backend="brian2", **timing) as session:
        for symbol in ("coin", "push"):
            session.send(symbol)
        sent = session.recording
    whole = BRIAN2.record(program, ["coin", "push"], **timing)[0]
    assert sent.events == whole.events
    assert sent.cells.tolist() == whole.cells.tolist()
    assert all(round(event.end_ms / 0.5, 9) % 1 == 0 for event in whole.events)


@pytest.mark.slow
def test_random_numbers_are_a_session_s_own(program: Program) -> None:
    options = {"noise_pa": 50.0, "draw_seed": 3}

    def alone() -> list[int]:
        with vsafsm.open(program, backend="brian2", **options) as session:
            session.send("coin")
            return session.recording.cells.tolist()

    b2.seed(11)
    untouched = np.random.rand(3).tolist()  # noqa: NPY002 - Brian2 takes its numbers there
    b2.seed(11)
    expected = alone()
    assert np.random.rand(3).tolist() == untouched  # noqa: NPY002
    with vsafsm.open(program, backend="brian2", **options) as session:
        with vsafsm.open(program, backend="brian2", **options) as other:
            other.send("push")
        session.send("coin")
        assert session.recording.cells.tolist() == expected


@pytest.mark.slow
def test_waiting_after_a_short_gap_changes_no_reading(program: Program) -> None:
    with vsafsm.open(program, backend="brian2") as session:
        session.send("coin")
        warned(lambda: session.send("push", gap=80 * ms))
        before = (session.state, session.outputs)
        for duration in (0 * ms, 5 * ms, 200 * ms):
            session.rest(duration)
            assert (
                (session.state, session.outputs)
                == before
                == ("locked", ("click", "barrier_closed"))
            )


def test_what_is_interrupted_is_over(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    session = vsafsm.open(program, backend="brian2")

    def interrupted(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(session._simulation.network, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        session.send("coin")
    with pytest.raises(e.SessionError, match="closed"):
        session.send("coin")


def test_in_somebody_s_standalone_mode_nothing_of_theirs_is_touched(
    program: Program, tmp_path: Path
) -> None:
    b2.set_device("cpp_standalone", directory=str(tmp_path), build_on_run=False)
    try:
        theirs = b2.get_device()
        with pytest.raises(BackendError, match="standalone mode"):
            vsafsm.run(program, ["coin"], "brian2")
        assert b2.get_device() is theirs
    finally:
        b2.get_device().reinit()
        b2.devices.reset_device()


@pytest.mark.parametrize(
    "hold", [80, 0.08, 80 * mV, [80, 90] * ms, "80 ms", -5 * ms, float("nan") * ms]
)
def test_a_time_without_its_unit_is_refused(program: Program, hold: object) -> None:
    with vsafsm.open(program, backend="brian2") as session:
        for refused in (lambda: session.send("coin", hold=hold), lambda: session.rest(hold)):
            with pytest.raises(BackendError, match="expected a time"):
                refused()
        assert session.state == "locked"


def test_a_rest_of_too_many_steps_is_refused(program: Program) -> None:
    with vsafsm.open(program, backend="brian2") as session:
        with pytest.raises(e.SessionError, match="10000000 time steps"):
            session.rest(10**9 * ms)
        with pytest.raises(e.SessionError, match="after a rest of 1000000000 ms"):
            session.play([(10**9 * ms, "coin")])
        assert session.state == "locked"


def test_a_pulse_shorter_than_the_contract_is_warned_about(program: Program) -> None:
    with vsafsm.open(program, backend="brian2") as session:
        assert any(
            "hold of 20 ms" in text for text in warned(lambda: session.send("coin", hold=20 * ms))
        )
        assert any(
            "gap of 10 ms" in text for text in warned(lambda: session.send("push", gap=10 * ms))
        )
        assert not warned(lambda: session.send("push"))
    assert any(
        "gap of 10 ms" in text
        for text in warned(lambda: vsafsm.run(program, ["coin"], "brian2", gap_ms=10.0))
    )


def test_standalone_is_for_whole_words(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackendError, match="compiles one whole run and ends with it"):
        vsafsm.open(program, backend="brian2", codegen="cpp_standalone")
    for there, codegen, needed in (
        ((), "cpp_standalone", r"a C\+\+ compiler and make"),
        ((), "cython", r"a C\+\+ compiler"),
        (("g++",), "cpp_standalone", "make"),
    ):
        monkeypatch.setattr(
            "vsafsm_brian2.surroundings.shutil.which",
            lambda name, there=there: name if name in there else None,
        )
        with pytest.raises(BackendError, match=f"codegen {codegen} needs {needed}, not found"):
            vsafsm.run(program, ["coin"], "brian2", codegen=codegen)


def test_a_closed_session_is_over(program: Program) -> None:
    session = vsafsm.open(program, backend="brian2")
    session.close()
    for refused in (lambda: session.send("coin"), session.reset, lambda: session.rest(5 * ms)):
        with pytest.raises(e.SessionError, match="closed"):
            refused()
