"""The guard: each rule, what is sent and what is not, and that no sequence of calls and faults gets
past it.
"""

from __future__ import annotations

import json
import math
import os
import signal
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.guard import GuardedRig, Mode
from vsafsm_memristor.rig.log import RigLog


@pytest.fixture
def rig(memory_rig):
    return memory_rig()


@pytest.fixture
def guarded(rig):
    with GuardedRig(rig) as guard:
        yield guard


@pytest.fixture
def armed(guarded, maps):
    guarded.arm(maps(), guarded.plan(maps()).token)
    return guarded


def low(rig):
    return np.full(rig.limits.rows, 0.1)


# ---- the dry run


def test_nothing_is_sent_until_it_is_armed(rig, guarded, maps):
    target = maps().siemens[0]
    guarded.plan(maps())
    reply = guarded.program(0, target)
    assert (reply.sent, reply.pulses.sum()) == (False, 0)
    np.testing.assert_allclose(guarded.read(0, low(rig)), low(rig) @ target)
    assert guarded.mode is Mode.DRY
    guarded.close()
    assert rig.calls == []
    assert rig.closed


def test_a_dry_run_checks_as_an_armed_one_does(rig, guarded):
    with pytest.raises(errors.RefusedError, match=r"V is asked of row|are read at"):
        guarded.read(0, np.full(4, 0.31))
    with pytest.raises(errors.RefusedError, match=r"S is asked of"):
        guarded.program(0, np.full((4, 3), 1.0))


def test_the_plan_says_what_would_be_done(guarded, maps, limits):
    given = maps(tiles=2)
    plan = guarded.plan(given)
    both = np.stack(given.siemens)
    assert (plan.tiles, plan.cells, plan.pulses_at_most) == (2, 24, 240)
    assert (plan.g_least_s, plan.g_most_s) == (both.min(), both.max())
    worst = 0.2 * max(both.sum(axis=1).max(), both.sum(axis=2).max())
    assert plan.line_current_a == pytest.approx(worst)
    assert (plan.v_read_v, plan.v_program_max_v) == (0.2, limits.v_program_max_v)


# ---- what is refused, before anything is sent


def cell(value, where=(1, 2)):
    g = np.full((4, 3), 10e-6)
    g[where] = value
    return g


REFUSED_PROGRAMS = {
    "nan": (errors.RefusedError, 0, cell(math.nan)),
    "infinite": (errors.RefusedError, 0, cell(math.inf)),
    "shape": (errors.RefusedError, 0, np.full((3, 4), 10e-6)),
    "ragged": (errors.RefusedError, 0, [[1e-5], [1e-5, 2e-5]]),
    "texts": (errors.RefusedError, 0, np.full((4, 3), "1e-5")),
    "complex": (errors.RefusedError, 0, np.full((4, 3), 1e-5 + 0j)),
    "truths": (errors.RefusedError, 0, np.ones((4, 3), bool)),
    "low": (errors.RefusedError, 0, cell(0.9e-6)),
    "high": (errors.RefusedError, 0, cell(40.1e-6)),
    "negative": (errors.RefusedError, 0, cell(-10e-6)),
    "other maps": (errors.RefusedError, 0, cell(10e-6)),
    "a tile that is not in the maps": (errors.RefusedError, 1, cell(10e-6)),
}


@pytest.mark.parametrize("name", REFUSED_PROGRAMS)
def test_programs_that_are_refused(rig, armed, name):
    error, tile, g = REFUSED_PROGRAMS[name]
    before = list(rig.calls)
    with pytest.raises(error):
        armed.program(tile, g)
    assert rig.calls == before
    assert armed.mode is Mode.ARMED


@pytest.mark.parametrize("tile", [2, -1, 0.5, True])
def test_tiles_that_the_rig_has_not_are_refused(rig, armed, maps, tile):
    before = list(rig.calls)
    for call in (
        lambda: armed.program(tile, maps().siemens[0]),
        lambda: armed.read(tile, np.full(4, 0.1)),
    ):
        with pytest.raises(errors.RefusedError, match=f"^tile {tile}; expected .* from 0 to 1$"):
            call()
    assert rig.calls == before


REFUSED_READS = {
    "nan": (errors.RefusedError, 0, [0.1, math.nan, 0, 0]),
    "shape": (errors.RefusedError, 0, [0.1] * 3),
    "columns": (errors.RefusedError, 0, [[0.1]] * 4),
    "high": (errors.RefusedError, 0, [0.1, 0.3000001, 0, 0]),
    "negative": (errors.RefusedError, 0, [-0.31, 0, 0, 0]),
}


@pytest.mark.parametrize("name", REFUSED_READS)
def test_reads_that_are_refused(rig, armed, name):
    error, tile, v = REFUSED_READS[name]
    before = list(rig.calls)
    with pytest.raises(error):
        armed.read(tile, v)
    assert rig.calls == before


def test_a_message_names_the_cell(armed):
    with pytest.raises(
        errors.RefusedError,
        match=r"4\.1e-05 S is asked of row 1, column 2 of tile 0; expected 1e-06",
    ):
        armed.program(0, cell(41e-6))


def test_unusable_cells_are_left_alone(memory_rig, maps):
    usable = np.ones((2, 4, 3), bool)
    usable[0, 1, 2] = usable[0, 3] = False
    guarded = GuardedRig(memory_rig(usable=usable))
    with pytest.raises(errors.RefusedError, match="row 1, column 2 of tile 0"):
        guarded.program(0, np.full((4, 3), 10e-6))
    guarded.program(0, np.where(usable[0], 10e-6, 0.0))
    with pytest.raises(errors.RefusedError, match="row 3"):
        guarded.read(0, np.full(4, 0.1))
    guarded.read(0, [0.1, 0.1, 0.1, 0.0])


def test_the_current_of_columns_and_rows_is_predicted(memory_rig, limits, changed, maps):
    rig = memory_rig(changed(limits, i_line_max_a=121e-6))
    with GuardedRig(rig) as guarded:
        given = changed(maps(), siemens=(np.full((4, 3), 40e-6),))
        guarded.arm(given, guarded.plan(given).token)
        guarded.program(0, given.siemens[0])
        guarded.read(0, [0.3, 0.3, 0.3, 0.3 / 3])  # columns: 1.0 V x 40 uS = 40 uA
        assert rig.calls[-1] == "read"
    rig = memory_rig(changed(limits, i_line_max_a=120e-6, v_read_max_v=1.1, v_program_max_v=2.9))
    with GuardedRig(rig) as guarded:
        guarded.arm(given, guarded.plan(given).token)
        guarded.program(0, given.siemens[0])
        guarded.read(0, [0.99, -0.5, 0, 0])
        with pytest.raises(errors.RefusedError, match=r"row 0 of tile 0 could carry 0\.000132 A"):
            guarded.read(0, [1.1, 0, 0, 0])
        with pytest.raises(
            errors.RefusedError, match="column 0 of tile 0"
        ):  # signs are not taken off each other
            guarded.read(0, [0.9, -0.9, 0.9, -0.9])
        assert rig.calls.count("read") == 1


def test_cells_that_were_not_written_count_as_the_largest(memory_rig, limits, changed, maps):
    rig = memory_rig(changed(limits, i_line_max_a=120e-6, v_read_max_v=0.9))
    given = changed(maps(), siemens=(np.full((4, 3), 1e-6),))
    v = [0.9] * 4
    for written, refused in ((False, True), (True, False)):
        with GuardedRig(rig) as guarded:
            guarded.arm(given, guarded.plan(given).token, written=written)
            if refused:
                with pytest.raises(errors.RefusedError, match=r"could carry|would drive"):
                    guarded.read(0, v)
                guarded.program(0, given.siemens[0])
            guarded.read(0, v)


def test_a_cell_that_came_out_higher_counts_as_it_came_out(memory_rig, limits, changed, maps):
    rig = memory_rig(changed(limits, i_line_max_a=120e-6, v_read_max_v=1.0))
    given = changed(maps(), siemens=(np.full((4, 3), 1e-6),))
    with GuardedRig(rig) as guarded:
        guarded.arm(given, guarded.plan(given).token)
        reply = rig.program(0, given.siemens[0])
        rig.reply = changed(reply, g_siemens=np.full((4, 3), 80e-6), ok=np.zeros((4, 3), bool))
        guarded.program(0, given.siemens[0])
        with pytest.raises(errors.RefusedError, match="row 0"):
            guarded.read(0, [0.6, 0, 0, 0])


def test_a_pulse_that_a_line_cannot_bear_is_refused(memory_rig, limits, changed, maps):
    guarded = GuardedRig(memory_rig(changed(limits, i_line_max_a=119e-6)))
    with pytest.raises(errors.RefusedError, match="a pulse of 3 V"):
        guarded.program(0, np.full((4, 3), 40e-6))


def test_maps_whose_rows_can_never_be_read_are_refused(memory_rig, limits, changed, maps):
    guarded = GuardedRig(memory_rig(changed(limits, i_line_max_a=20e-6, v_program_max_v=0.4)))
    with pytest.raises(errors.RefusedError, match="row"):
        guarded.plan(changed(maps(), siemens=(np.full((4, 3), 40e-6),)))


def test_maps_for_another_rig_are_refused(guarded, maps, limits, changed):
    with pytest.raises(errors.RefusedError, match="3 tiles; expected 1 to 2"):
        guarded.plan(maps(tiles=3))
    with pytest.raises(errors.RefusedError, match="tile 0"):
        guarded.plan(maps(changed(limits, rows=8)))
    with pytest.raises(errors.RefusedError, match=r"read at 0\.4 V"):
        guarded.plan(changed(maps(), v_read_v=0.4))
    with pytest.raises(errors.RefusedError, match=r"V is asked of row|are read at"):
        guarded.plan(changed(maps(), v_read_v=math.nan))


def test_the_budget_is_counted_in_pulses(memory_rig, limits, changed, maps):
    rig = memory_rig(changed(limits, write_budget=140))
    with GuardedRig(rig) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)
        guarded.program(0, maps().siemens[0])  # 120 in the worst case, 24 really
        assert guarded.budget_left == 116
        with pytest.raises(
            errors.RefusedError,
            match=r"12 cells may take 120 pulses \(10 each\); expected at most 116",
        ):
            guarded.program(0, maps().siemens[0])
        assert rig.calls.count("program") == 1


def test_a_command_that_failed_costs_its_worst_case(armed, rig, maps, limits):
    rig.failing["program"] = errors.NoAnswerError("no answer")
    with pytest.raises(errors.NoAnswerError):
        armed.program(0, maps().siemens[0])
    assert armed.budget_left == limits.write_budget - 120


# ---- limits


def test_the_tighter_of_the_users_and_the_rigs_limits_is_in_force(rig, limits, changed, maps):
    own = changed(limits, v_read_max_v=0.1, v_program_max_v=2.0, i_line_max_a=1.0, g_max_s=1.0)
    with GuardedRig(rig, own) as guarded:
        assert guarded.limits == changed(limits, v_read_max_v=0.1, v_program_max_v=2.0)
        assert guarded.identify().limits == guarded.limits
        given = changed(maps(), v_read_v=0.1)
        guarded.arm(given, guarded.plan(given).token)
        assert rig.kept == guarded.limits
        guarded.program(0, given.siemens[0])
        assert rig.pulsed == [2.0]


def test_cells_beyond_the_users_shape_cannot_be_used(rig, limits, changed):
    guarded = GuardedRig(rig, changed(limits, rows=2, columns=1, tiles=1))
    identity = guarded.identify()
    assert (identity.limits.rows, identity.usable.sum()) == (4, 2)
    with pytest.raises(errors.RefusedError, match=r"can(not)? be used"):
        guarded.program(0, np.full((4, 3), 10e-6))


def test_a_rig_that_cannot_be_told_is_not_armed_within_tighter_pulses(
    memory_rig, limits, changed, maps
):
    class Plain:
        def __init__(self):
            self.inner = memory_rig()
            self.identify, self.program = self.inner.identify, self.inner.program
            self.read, self.safe = self.inner.read, self.inner.safe

    for name in ("v_program_max_v", "pulses_per_cell"):
        guarded = GuardedRig(Plain(), changed(limits, **{name: 2}), allow_shared=True)
        with pytest.raises(errors.RefusedError, match=name):
            guarded.arm(maps(), guarded.plan(maps()).token)
    tighter = changed(limits, v_read_max_v=0.25)
    with GuardedRig(Plain(), tighter, allow_shared=True) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)
        assert "OTHERS ARE NOT KEPT OUT" in guarded.not_guaranteed[0]
    guarded = GuardedRig(Plain())
    with pytest.raises(errors.RefusedError, match="does not keep other clients out"):
        guarded.arm(maps(), guarded.plan(maps()).token)


def test_a_rig_that_does_not_say_who_it_is_is_not_guarded(memory_rig):
    with pytest.raises(errors.NoAnswerError):
        GuardedRig(memory_rig(failing={"identify": errors.NoAnswerError("no answer")}))


# ---- arming


def test_a_token_is_tied_to_maps_rig_and_limits(memory_rig, limits, changed, maps):
    guarded, given = GuardedRig(memory_rig()), maps()
    token = guarded.plan(given).token
    assert guarded.plan(given).token == token
    others = {
        errors.RefusedError: [
            (guarded, maps(seed=1)),
            (guarded, changed(given, content_hash="other")),
            (guarded, changed(given, v_read_v=0.1)),
        ],
        errors.RefusedError: [
            (GuardedRig(memory_rig(), changed(limits, v_read_max_v=0.25)), given)
        ],
        errors.RefusedError: [(GuardedRig(renamed(memory_rig())), given)],
    }
    for error, cases in others.items():
        for guard, these in cases:
            with pytest.raises(error, match="expected the token that a dry run prints now"):
                guard.arm(these, token)
            assert guard.mode is Mode.DRY
    for text in ("", "yes", token[:-1], token + "0", "é" * 22):
        with pytest.raises(errors.RefusedError, match="is no token"):
            guarded.arm(given, text)
    guarded.arm(given, f" {token.upper()}\n")
    guarded.close()


def renamed(rig):
    real = rig.identify
    rig.identify = lambda: type(real())(
        "memory", "M-2", *[getattr(real(), n) for n in ("limits", "usable", "watchdog_s")]
    )
    return rig


def test_a_rig_without_a_watchdog_is_armed_on_demand_only(memory_rig, maps):
    rig = memory_rig(watchdog_s=None)
    guarded = GuardedRig(rig)
    with pytest.raises(errors.RefusedError, match="allow_no_watchdog"):
        guarded.arm(maps(), guarded.plan(maps()).token)
    assert rig.calls == []
    with GuardedRig(rig, allow_no_watchdog=True) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)


def test_only_the_main_thread_arms(guarded, maps):
    raised = []

    def arm():
        try:
            guarded.arm(maps(), guarded.plan(maps()).token)
        except errors.RefusedError as error:
            raised.append(error)

    thread = threading.Thread(target=arm)
    thread.start()
    thread.join(10)
    assert "expected the main thread" in str(raised[0])


def test_require_armed(guarded, armed):
    armed.require_armed()


def test_require_armed_when_it_is_not(guarded):
    with pytest.raises(errors.RefusedError, match="vsafsm rig program"):
        guarded.require_armed()


# ---- ending at 0 V

FAULTS = [
    errors.NoAnswerError("x"),
    errors.FaultError("x"),
    RuntimeError("x"),
    KeyboardInterrupt(),
    SystemExit(1),
]


@pytest.mark.parametrize("what", ["read", "program"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_any_exception_grounds_the_lines_and_ends_trust(rig, armed, maps, what, fault):
    rig.failing[what] = fault
    with pytest.raises(type(fault)):
        armed.read(0, low(rig)) if what == "read" else armed.program(0, maps().siemens[0])
    assert (rig.calls[-1], rig.lines_v) == ("safe", 0.0)
    rig.failing.clear()
    for call in (
        lambda: armed.read(0, low(rig)),
        lambda: armed.program(0, maps().siemens[0]),
        armed.require_armed,
    ):
        with pytest.raises(errors.FaultError, match="expected it to be opened again"):
            call()


REPLIES = {
    "length": (errors.FaultError, np.zeros(4)),
    "nan": (errors.FaultError, np.full(3, math.nan)),
    "over range": (errors.FaultError, np.full(3, 151e-6)),
}


@pytest.mark.parametrize("name", REPLIES)
def test_replies_that_cannot_be_ground_the_lines(rig, armed, name):
    error, rig.reply = REPLIES[name]
    with pytest.raises(error):
        armed.read(0, low(rig))
    assert rig.calls[-1] == "safe"


@pytest.mark.parametrize(
    ("error", "wrong"),
    [
        (errors.FaultError, {"g_siemens": np.full((4, 3), 1.0)}),
        (errors.FaultError, {"g_siemens": np.full((4, 3), -1e-6)}),
        (errors.FaultError, {"pulses": np.full((4, 3), 11)}),
        (errors.FaultError, {"ok": np.ones(3, bool)}),
        (errors.FaultError, {"g_siemens": np.ones(3)}),
    ],
)
def test_programs_whose_replies_cannot_be(rig, armed, maps, changed, error, wrong):
    rig.reply = changed(rig.program(0, maps().siemens[0]), **wrong)
    with pytest.raises(error):
        armed.program(0, maps().siemens[0])
    assert rig.calls[-1] == "safe"


def test_grounding_that_fails_once_is_tried_again_and_then_said(rig, armed):
    rig.failing["read"] = errors.FaultError("x")
    rig.failing["safe"] = errors.DisconnectedError("gone")
    with pytest.raises(errors.NotSafeError, match="its watchdog has 1 s"):
        armed.read(0, low(rig))
    assert rig.calls[-2:] == ["safe", "safe"]
    del rig.failing["safe"]


def test_leaving_the_block_grounds_and_closing_twice_does_nothing(rig, maps):
    guarded = GuardedRig(rig)
    guarded.arm(maps(), guarded.plan(maps()).token)
    with pytest.raises(ZeroDivisionError), guarded:
        raise ZeroDivisionError
    assert (rig.calls[-2:], rig.closed) == (["safe", "release"], True)
    count = len(rig.calls)
    guarded.close()
    guarded.safe()
    assert len(rig.calls) == count
    with pytest.raises(errors.RefusedError, match="the rig was closed"):
        guarded.read(0, low(rig))


def test_grounding_may_be_repeated_and_leaves_it_armed(rig, armed):
    armed.safe()
    armed.safe()
    armed.read(0, low(rig))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_grounds_first_and_then_does_what_it_did(rig, maps, number):
    heard = []
    before = signal.signal(number, lambda *_: heard.append(list(rig.calls)))
    own = signal.getsignal(number)
    try:
        with GuardedRig(rig) as guarded:
            guarded.arm(maps(), guarded.plan(maps()).token)
            os.kill(os.getpid(), number)
            assert heard == [["take", "safe"]]
            with pytest.raises(errors.FaultError, match=f"stopped by {number.name}"):
                guarded.read(0, low(rig))
        assert signal.getsignal(number) is own
    finally:
        signal.signal(number, before)


def test_a_signal_in_the_middle_of_a_read_grounds_after_it_too(rig, maps):
    before = signal.signal(signal.SIGTERM, lambda *_: None)
    real = rig.read
    rig.read = lambda tile, v: (os.kill(os.getpid(), signal.SIGTERM), real(tile, v))[1]
    try:
        with GuardedRig(rig) as guarded:
            guarded.arm(maps(), guarded.plan(maps()).token)
            with pytest.raises(errors.FaultError, match="stopped by SIGTERM"):
                guarded.read(0, low(rig))
            assert rig.calls == ["take", "safe", "read", "safe"]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_ignored_signal_stays_ignored(rig, maps):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with GuardedRig(rig) as guarded:
            guarded.arm(maps(), guarded.plan(maps()).token)
            os.kill(os.getpid(), signal.SIGHUP)
            guarded.read(0, low(rig))
    finally:
        signal.signal(signal.SIGHUP, before)


def test_interrupting_raises_as_it_always_did(rig, maps):
    guarded = GuardedRig(rig)
    guarded.arm(maps(), guarded.plan(maps()).token)
    with pytest.raises(KeyboardInterrupt), guarded:
        os.kill(os.getpid(), signal.SIGINT)
    assert rig.calls[-2:] == ["safe", "release"]


# ---- the log


def lines_of(path):
    return [json.loads(line, parse_constant=pytest.fail) for line in path.read_text().splitlines()]


def test_the_log_has_every_command_voltage_and_reply(rig, maps, tmp_path):
    path = tmp_path / "rig.jsonl"
    with RigLog(path) as log, GuardedRig(rig, log=log) as guarded:
        guarded.read(0, low(rig))
        guarded.arm(maps(), guarded.plan(maps()).token)
        guarded.program(0, maps().siemens[0])
        guarded.read(0, low(rig))
        during = lines_of(path)  # written through at once
        with pytest.raises(errors.RefusedError, match=r"V is asked of row|are read at"):
            guarded.read(0, np.full(4, 9.0))
        rig.reply = np.full(3, math.inf)
        with pytest.raises(errors.FaultError, match=r"the rig (reports|gave)|are not finite"):
            guarded.read(0, low(rig))
    events = lines_of(path)
    assert [line["event"] for line in events] == [
        *("open", "dry", "plan", "arm", "command", "reply", "command", "reply"),
        *("refused", "command", "error", "safe", "safe", "close"),
    ]
    assert during == events[:8]
    assert [line["n"] for line in events] == list(range(1, 15))
    assert events[6] == {**events[6], "command": "read", "tile": 0, "v_volts": [0.1] * 4}
    np.testing.assert_allclose(events[7]["amperes"], low(rig) @ maps().siemens[0])
    np.testing.assert_array_equal(events[4]["g_siemens"], maps().siemens[0])
    assert events[8]["error"] == "RefusedError"


def test_what_cannot_be_logged_is_not_sent(rig, maps, tmp_path):
    log = RigLog(tmp_path / "rig.jsonl")
    with GuardedRig(rig, log=log) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)
        log.close()
        with pytest.raises(errors.LogError, match="nothing more is sent"):
            guarded.read(0, low(rig))
        assert rig.calls == ["take"]
    assert rig.calls == ["take", "safe", "release"]


def test_a_reply_that_cannot_be_logged_grounds_the_lines(rig, maps, tmp_path):
    log = RigLog(tmp_path / "rig.jsonl")
    real = rig.read
    rig.read = lambda tile, v: (log.close(), real(tile, v))[1]
    with GuardedRig(rig, log=log) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token)
        with pytest.raises(errors.LogError):
            guarded.read(0, low(rig))
        assert rig.calls == ["take", "read", "safe"]


def test_a_log_that_cannot_be_opened(tmp_path):
    with pytest.raises(errors.LogError, match="cannot write the log"):
        RigLog(tmp_path / "no" / "rig.jsonl")


def test_numbers_that_are_not_finite_stay_json(tmp_path):
    log = RigLog(tmp_path / "log")
    log.write("x", v=np.array([math.nan, 1.0, -math.inf]))
    log.close()
    assert lines_of(tmp_path / "log")[0]["v"] == ["nan", 1.0, "-inf"]


# ---- whatever is called, in whatever order

VOLTS = st.one_of(st.floats(-0.5, 0.5), st.sampled_from([math.nan, math.inf, 1e9, 0.25, 0.2500001]))
SIEMENS = st.one_of(st.floats(-1e-6, 60e-6), st.sampled_from([0.0, math.nan, 1e-6, 30e-6, 40e-6]))


def test_no_sequence_of_calls_and_faults_gets_past_the_guard(memory_rig, maps, limits, changed):
    user = changed(
        limits, v_read_max_v=0.25, g_max_s=30e-6, v_program_max_v=2.5, i_line_max_a=80e-6
    )
    given = changed(maps(), siemens=tuple(np.minimum(g, 30e-6) for g in maps(tiles=2).siemens))

    class Calls(RuleBasedStateMachine):
        @initialize()
        def begin(self):
            self.rig = memory_rig()
            self.guard = GuardedRig(self.rig, user)

        def tried(self, call):
            try:
                return call()
            except (errors.RigError, RuntimeError, KeyboardInterrupt):
                return None
            finally:
                assert self.rig.lines_v == 0.0

        @rule(right=st.booleans())
        def arm(self, right):
            token = self.tried(lambda: self.guard.plan(given).token)
            self.tried(lambda: self.guard.arm(given, token if right else "00000000-000000-000000"))

        @rule(tile=st.integers(-1, 2), v=st.lists(VOLTS, min_size=3, max_size=5))
        def read(self, tile, v):
            self.tried(lambda: self.guard.read(tile, v))

        @rule(v=st.lists(st.floats(-0.25, 0.25), min_size=4, max_size=4))
        def read_within(self, v):
            self.tried(lambda: self.guard.read(0, v))

        @rule(tile=st.integers(0, 1), right=st.booleans(), wrong=SIEMENS)
        def program(self, tile, right, wrong):
            g = given.siemens[tile].copy()
            if not right:
                g[0, 0] = wrong
            self.tried(lambda: self.guard.program(tile, g))

        @rule(what=st.sampled_from(["read", "program"]), fault=st.sampled_from(FAULTS[:4]))
        def fail_next(self, what, fault):
            self.rig.failing = {what: fault}

        @rule(reply=st.sampled_from([None, np.zeros(2), np.full(3, math.nan), np.full(3, 1.0)]))
        def reply_wrong(self, reply):
            self.rig.reply = reply
            self.tried(lambda: self.guard.read(0, [0.1, 0, 0, 0]))
            self.rig.reply = None

        @rule()
        def ground(self):
            self.tried(self.guard.safe)

        @rule()
        def reopen(self):
            self.guard.close()
            self.guard = GuardedRig(self.rig, user)

        @invariant()
        def within_the_tighter_limits(self):
            assert max(self.rig.commanded, default=0.0) <= 0.25
            assert max(self.rig.pulsed, default=0.0) <= 2.5
            assert self.rig.lines_v == 0.0

        def teardown(self):
            if hasattr(self, "guard"):
                armed = self.guard.mode is not Mode.DRY
                self.guard.close()
                assert self.rig.lines_v == 0.0
                assert not armed or self.rig.calls[-2:] == ["safe", "release"]

    Calls.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
    case = Calls.TestCase()
    case.runTest()


@given(st.lists(VOLTS, min_size=4, max_size=4))
@settings(deadline=None)
def test_what_is_sent_is_within_limits_and_as_asked(memory_rig, maps, v):
    rig = memory_rig()
    with GuardedRig(rig) as guarded:
        guarded.arm(maps(), guarded.plan(maps()).token, written=True)
        try:
            guarded.read(0, v)
        except errors.RefusedError:
            assert "read" not in rig.calls
        else:
            assert np.abs(v).max() <= 0.3
            assert (np.abs(v) @ maps().siemens[0]).max() <= rig.limits.i_line_max_a
            assert rig.commanded == [np.abs(v).max()]
