"""Corrections: cells of the maps that may be written again, no more and no others than were
consented to.
"""

from __future__ import annotations

import json
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm_memristor.rig import errors
from vsafsm_memristor.rig.guard import GuardedRig, Mode
from vsafsm_memristor.rig.log import RigLog


@pytest.fixture
def given_maps(maps, changed):
    """Maps of one tile, of which row 3 is left alone."""
    g = maps().siemens[0].copy()
    g[3] = 0.0
    return changed(maps(), siemens=(g,))


def again(cells, shape=(4, 3)):
    """Conductances for some cells of a tile, the others left alone."""
    g = np.zeros(shape)
    for place, value in cells.items():
        g[place] = value
    return g


def armed(rig, maps, corrections, **options):
    guarded = GuardedRig(rig, **options)
    guarded.arm(maps, guarded.plan(maps, corrections=corrections).token, corrections=corrections)
    return guarded


def holding(rig, maps, corrections, **options):
    """Armed, and the maps written."""
    guarded = armed(rig, maps, corrections, **options)
    guarded.program(0, maps.siemens[0])
    return guarded


# ---- the plan and the token


def test_the_plan_counts_them_in_the_worst_case(memory_rig, given_maps, limits):
    guarded = GuardedRig(memory_rig())
    plain, more = guarded.plan(given_maps), guarded.plan(given_maps, corrections=2)
    assert (plain.corrections, plain.pulses_at_most) == (0, 90)
    assert (more.corrections, more.pulses_at_most, more.cells) == (2, 110, 9)
    g = given_maps.siemens[0]
    worst = np.where(g == 0, limits.g_max_s, g)
    currents = []
    for lines in (worst, worst.T):
        for line in lines:
            rest = np.sort(line)
            rest[:2] = limits.g_max_s
            currents.append(0.2 * rest.sum())
    assert more.line_current_a == pytest.approx(max(currents))
    assert plain.line_current_a == pytest.approx(0.2 * max(worst.sum(0).max(), worst.sum(1).max()))
    everything = guarded.plan(given_maps, corrections=500)
    assert everything.line_current_a == pytest.approx(0.2 * 4 * limits.g_max_s)


@pytest.mark.parametrize("corrections", [-1, True, 1.5, float("nan"), "2", None])
def test_a_number_that_is_none_is_refused(memory_rig, given_maps, corrections):
    rig = memory_rig()
    guarded = GuardedRig(rig)
    token = guarded.plan(given_maps).token
    for call in (
        lambda: guarded.plan(given_maps, corrections=corrections),
        lambda: guarded.arm(given_maps, token, corrections=corrections),
    ):
        with pytest.raises(errors.RefusedError, match="a whole number of cells"):
            call()
    assert rig.calls == []


def test_a_token_is_tied_to_their_number(memory_rig, given_maps, maps):
    rig = memory_rig()
    guarded = GuardedRig(rig)
    tokens = {n: guarded.plan(given_maps, corrections=n).token for n in (0, 1, 2, 11)}
    assert tokens[0] == guarded.plan(given_maps).token
    assert len(set(tokens.values())) == 4
    for made, token in tokens.items():
        for asked in tokens:
            if asked == made:
                continue
            with pytest.raises(errors.RefusedError, match="a dry run prints now"):
                guarded.arm(given_maps, token, corrections=asked)
            assert (guarded.mode, rig.calls) == (Mode.DRY, [])
    with pytest.raises(errors.RefusedError, match=r"made for other maps"):
        guarded.arm(maps(seed=1), tokens[2], corrections=2)
    guarded.arm(given_maps, tokens[2].upper(), corrections=2)
    assert guarded.corrections_left == 2
    guarded.close()


def test_the_write_budget_has_to_bear_them(memory_rig, given_maps, limits, changed):
    guarded = GuardedRig(memory_rig(changed(limits, write_budget=109)))
    guarded.plan(given_maps, corrections=1)
    with pytest.raises(errors.RefusedError, match="11 cells may take 110 pulses"):
        guarded.plan(given_maps, corrections=2)


# ---- what is refused, before anything is sent

REFUSED = {
    "more than were consented to": (
        errors.RefusedError,
        again({(0, 0): 2e-6, (1, 1): 2e-6, (2, 2): 2e-6}),
    ),
    "another cell": (errors.RefusedError, again({(3, 0): 2e-6})),
    "another cell among them": (errors.RefusedError, again({(0, 0): 2e-6, (3, 2): 2e-6})),
    "low": (errors.RefusedError, again({(0, 0): 0.5e-6})),
    "high": (errors.RefusedError, again({(0, 0): 41e-6})),
    "nan": (errors.RefusedError, again({(0, 0): float("nan")})),
}


@pytest.mark.parametrize("name", REFUSED)
def test_corrections_that_are_refused(memory_rig, given_maps, name):
    error, g = REFUSED[name]
    rig = memory_rig()
    with holding(rig, given_maps, 2) as guarded:
        before, cells = list(rig.calls), rig.g.copy()
        with pytest.raises(error):
            guarded.program(0, g)
        assert rig.calls == before
        assert (rig.g == cells).all()
        assert (guarded.mode, guarded.corrections_left) == (Mode.ARMED, 2)
        with pytest.raises(
            errors.RefusedError, match="tile 1 is to be corrected, and its maps were not written"
        ):
            guarded.program(1, again({(0, 0): 2e-6}))


def test_unusable_cells_are_not_corrected(memory_rig, maps, changed):
    usable = np.ones((2, 4, 3), bool)
    usable[0, 1, 2] = False
    given_maps = changed(maps(), siemens=(np.where(usable[0], maps().siemens[0], 0.0),))
    with (
        holding(memory_rig(usable=usable), given_maps, 2) as guarded,
        pytest.raises(errors.RefusedError, match="row 1, column 2"),
    ):
        guarded.program(0, again({(1, 2): 2e-6}))


def test_the_maps_come_first(memory_rig, given_maps):
    rig = memory_rig()
    with armed(rig, given_maps, 2) as guarded:
        with pytest.raises(
            errors.RefusedError,
            match="expected the conductances that the rig was armed for first",
        ):
            guarded.program(0, again({(0, 0): 2e-6}))
        assert "program" not in rig.calls


def test_a_row_that_could_not_be_read_any_more_is_refused(memory_rig, limits, changed, maps):
    rig = memory_rig(changed(limits, i_line_max_a=20e-6, v_program_max_v=0.4))
    given_maps = changed(maps(), siemens=(np.full((4, 3), 30e-6),))
    with holding(rig, given_maps, 12) as guarded:
        guarded.program(0, again({(0, 0): 40e-6}))  # 0.2 V x 100 uS = 20 uA
        with pytest.raises(errors.RefusedError, match="row 0"):
            guarded.program(0, again({(0, 1): 40e-6}))
        assert rig.calls.count("program") == 2


def test_without_consent_nothing_is_corrected(memory_rig, given_maps):
    with (
        holding(memory_rig(), given_maps, 0) as guarded,
        pytest.raises(errors.RefusedError, match="armed for"),
    ):
        guarded.program(0, again({(0, 0): 2e-6}))


# ---- what is done


def test_consented_cells_are_written_and_no_others(memory_rig, given_maps, limits):
    rig = memory_rig()
    with holding(rig, given_maps, 3) as guarded:
        before, left = rig.g.copy(), guarded.budget_left
        guarded.program(0, again({(0, 0): 2e-6, (1, 1): 39e-6}))
        assert guarded.corrections_left == 1
        assert guarded.budget_left == left - 4
        before[0, 0, 0], before[0, 1, 1] = 2e-6, 39e-6
        assert (rig.g == before).all()
        guarded.program(0, again({(0, 0): 3e-6}))  # the same cell again counts again
        with pytest.raises(errors.RefusedError, match="expected at most 0, what is left of 3"):
            guarded.program(0, again({(0, 0): 4e-6}))
        guarded.program(0, given_maps.siemens[0])  # the maps themselves may be written still


def test_a_correction_that_failed_costs_its_cells(memory_rig, given_maps):
    rig = memory_rig()
    with holding(rig, given_maps, 3) as guarded:
        rig.failing["program"] = errors.NoAnswerError("no answer")
        with pytest.raises(errors.NoAnswerError):
            guarded.program(0, again({(0, 0): 2e-6, (1, 1): 39e-6}))
        assert guarded.corrections_left == 1


def test_arming_again_renews_nothing(memory_rig, given_maps):
    with holding(memory_rig(), given_maps, 1) as guarded:
        guarded.program(0, again({(0, 0): 2e-6}))
        guarded.arm(given_maps, guarded.plan(given_maps, corrections=1).token, corrections=1)
        with pytest.raises(errors.RefusedError, match=r"corrections is|to be written again"):
            guarded.program(0, again({(0, 0): 3e-6}))


def test_maps_that_change_after_arming_are_not_consented_to(memory_rig, given_maps):
    rig = memory_rig()
    with armed(rig, given_maps, 0) as guarded:
        given_maps.siemens[0][0, 0] = 2e-6
        with pytest.raises(errors.RefusedError, match=r"armed for"):
            guarded.program(0, given_maps.siemens[0])
        assert "program" not in rig.calls


def test_line_currents_are_those_of_the_cells_as_they_were_corrected(
    memory_rig, limits, changed, maps
):
    rig = memory_rig(changed(limits, i_line_max_a=120.5e-6, v_read_max_v=1.0))
    given_maps = changed(maps(), siemens=(np.full((4, 3), 20e-6),))
    v = [1.0, 1.0, 1.0, 1.0]  # 80 uA a column, 60 a row
    with holding(rig, given_maps, 4) as guarded:
        guarded.read(0, v)
        guarded.program(0, again({(0, 0): 40e-6, (1, 0): 40e-6}))
        guarded.read(0, v)  # 120 uA; the untouched cells are known still
        guarded.program(0, again({(2, 0): 21e-6}))
        with pytest.raises(
            errors.RefusedError, match=r"column 0 of tile 0 could carry 0\.000121 A"
        ):
            guarded.read(0, v)
        guarded.program(0, again({(0, 0): 20e-6}))
        guarded.read(0, v)


def test_a_corrected_cell_that_came_out_higher_counts_as_it_came_out(
    memory_rig, limits, changed, maps
):
    rig = memory_rig(changed(limits, i_line_max_a=120e-6, v_read_max_v=1.0))
    given_maps = changed(maps(), siemens=(np.full((4, 3), 20e-6),))
    with holding(rig, given_maps, 4) as guarded:
        reply = rig.program(0, given_maps.siemens[0])
        rig.reply = changed(reply, g_siemens=np.full((4, 3), 70e-6), pulses=np.zeros((4, 3), int))
        guarded.program(0, again({(0, 0): 2e-6}))
        rig.reply = None
        with pytest.raises(errors.RefusedError, match=r"column 0 of tile 0 could carry 0\.00013 A"):
            guarded.read(0, [1.0] * 4)


def test_what_may_have_been_corrected_counts_as_the_largest(memory_rig, limits, changed, maps):
    given_maps = changed(maps(), siemens=(np.full((4, 3), 1e-6),))
    for corrections, refused in ((0, False), (1, True)):
        rig = memory_rig(changed(limits, i_line_max_a=120e-6, v_read_max_v=0.9))
        with GuardedRig(rig) as guarded:
            token = guarded.plan(given_maps, corrections=corrections).token
            guarded.arm(given_maps, token, written=True, corrections=corrections)
            if refused:
                with pytest.raises(errors.RefusedError, match=r"could carry|would drive"):
                    guarded.read(0, [0.9] * 4)
            else:
                guarded.read(0, [0.9] * 4)


# ---- whatever is asked for

VALUES = st.sampled_from([0.0, 0.0, 0.0, 1e-6, 7e-6, 40e-6, 41e-6])
COMMANDS = st.lists(
    st.tuples(st.integers(0, 1), st.booleans(), st.lists(VALUES, min_size=12, max_size=12)),
    min_size=1,
    max_size=12,
)


@given(
    commands=COMMANDS,
    corrections=st.integers(0, 9),
    budget=st.integers(180, 400),
    fails=st.integers(-1, 12),
)
@settings(deadline=None, max_examples=150)
def test_no_more_cells_and_no_others_are_written_than_were_consented_to(
    memory_rig, maps, limits, changed, tmp_path_factory, commands, corrections, budget, fails
):
    usable = np.ones((2, 4, 3), bool)
    usable[1, 0] = False
    used = [np.where(usable[tile], maps(tiles=2).siemens[tile], 0.0) for tile in (0, 1)]
    used[0][3] = 0.0
    given_maps = changed(maps(), siemens=tuple(used))
    rig = memory_rig(changed(limits, write_budget=budget), usable=usable)
    asked, real = [], rig.program
    rig.program = lambda tile, g: (asked.append((tile, g.copy())), real(tile, g))[1]
    path = tmp_path_factory.mktemp("log") / "rig.jsonl"
    with RigLog(path) as log, GuardedRig(rig, log=log) as guarded:
        try:
            token = guarded.plan(given_maps, corrections=corrections).token
        except errors.RefusedError:
            assert (18 + corrections) * 10 > budget
            return
        guarded.arm(given_maps, token, corrections=corrections)
        for number, (tile, write_maps, values) in enumerate(commands):
            g = used[tile] if write_maps else np.array(values).reshape(4, 3)
            if number == fails:
                rig.failing["program"] = errors.NoAnswerError("x")
            with suppress(errors.RigError):
                guarded.program(tile, g)
        spent = budget - guarded.budget_left
    written_again, held = 0, set()
    for tile, g in asked:
        if np.array_equal(g, used[tile]):
            held.add(tile)
            continue
        assert tile in held
        touched = g != 0
        written_again += int(touched.sum())
        assert not (touched & (used[tile] == 0)).any()
        assert (g[touched] <= limits.g_max_s).all()
    assert written_again <= corrections
    assert 0 <= spent <= budget
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    sent = [line for line in lines if line["event"] == "command"]
    assert [(line["tile"], line["g_siemens"]) for line in sent] == [
        (tile, g.tolist()) for tile, g in asked
    ]
    assert sum(line["corrections"] for line in sent) == written_again
    assert [line["corrections"] for line in lines if line["event"] == "arm"] == [corrections]
