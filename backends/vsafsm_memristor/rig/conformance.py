"""What a rig promises, as checks that a lab can run on its own: each returns findings, none needs
pytest.

`check_read_only` applies no voltage; it is what ``vsafsm rig check`` runs. `check_reading` applies
small read voltages and `check_programming` writes a tile: both through a `GuardedRig` rig that is
armed, so within all limits; ``vsafsm rig check --arm`` runs them on the few cells of `few_cells`.
What a rig ought to refuse is sent on purpose only where it applies no voltage: its owner is looked
at from a second connection.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from vsafsm.errors import VsafsmError
from vsafsm_memristor.rig.errors import RefusedError
from vsafsm_memristor.rig.findings import Finding, passed
from vsafsm_memristor.rig.guard import GuardedRig
from vsafsm_memristor.rig.ownership import ownership
from vsafsm_memristor.rig.protocol import (
    UNTOUCHED,
    Bools,
    Floats,
    Identity,
    Limits,
    Ownable,
    Rig,
    TargetMaps,
)

__all__ = [
    "Finding",
    "Pattern",
    "check_programming",
    "check_read_only",
    "check_reading",
    "few_cells",
    "passed",
    "pattern",
]

NOISE_SHARE = 0.1
"""Two reads of one thing may differ by this share of the largest of its currents."""
ZERO_SHARE = 0.02
"""A read at 0 V may show this share of the largest line current."""
FEWEST_REACHED = 0.9
FEW = 4
"""Rows, and columns, of the few cells."""
MOST_ROWS = 8
"""Rows whose cells are read one by one."""
SCALE_SHARE = 0.05
"""Readings of all these cells together may be larger or smaller than was reported by this share."""
FOLLOW_SHARE = 0.3
"""A cell may move more or less than was asked by this share."""
SLACK_S = 1.0
"""A write may take so much longer than its pulses."""


@dataclass(frozen=True)
class Pattern:
    """A checkerboard of two conductances in the usable cells of one tile, as `TargetMaps`."""

    siemens: tuple[Floats, ...]
    v_read_v: float
    content_hash: str = "checkerboard"


def check_read_only(rig: Rig, another: Callable[[], Rig] | None = None) -> list[Finding]:
    """Checks that apply no voltage: who it is, that its limits make sense, that grounding works and
    may be repeated, and that it has one owner at a time. A rig that another owns is only asked.

    Parameters
    ----------
    another
        Opens a second connection to the same rig.
    """
    return [
        *_guarded_from_errors("identify", lambda: _identity(rig)),
        *_guarded_from_errors("safe", lambda: _safe(rig)),
        *_guarded_from_errors("ownership", lambda: ownership(rig, another)),
    ]


def check_reading(guarded: GuardedRig, tile: int = 0) -> list[Finding]:
    """Checks with read voltages up to the voltage limit in force, fewer rows where a line could
    carry too much.

    `guarded` has to be armed.
    """
    guarded.require_armed()
    return _guarded_from_errors("read", lambda: _reading(guarded, tile))


def check_programming(guarded: GuardedRig, maps: TargetMaps) -> list[Finding]:
    """Write the maps that the rig was armed for (such as `pattern`), and hold what is read against
    what was asked. Where it was armed for as many corrections as the maps have cells, their largest
    and smallest conductances are then exchanged, and the cells have to follow.
    """
    guarded.require_armed()
    return _guarded_from_errors("program", lambda: _programming(guarded, maps))


def pattern(identity: Identity) -> Pattern:
    """A checkerboard at a quarter and a half of the range, to be read at half of the voltage
    limit.
    """
    limits = identity.limits
    board = _checkerboard(limits, (limits.rows, limits.columns), 0.25, 0.5)
    return Pattern((np.where(identity.usable[0], board, UNTOUCHED),), limits.v_read_max_v / 2)


def few_cells(identity: Identity) -> Pattern:
    """A checkerboard at a quarter and three quarters of the range in at most 16 usable cells of the
    first tile.

    Raises
    ------
    RefusedError
        If no cell of it can be used.
    """
    usable = identity.usable[0]
    rows = np.flatnonzero(usable.any(axis=1))[:FEW]
    columns = np.flatnonzero(usable[rows].any(axis=0))[:FEW]
    if not rows.size:
        raise RefusedError("no cell of tile 0 can be used; expected some to try")
    board = _checkerboard(identity.limits, usable.shape, 0.25, 0.75)
    chosen = np.zeros_like(usable)
    chosen[np.ix_(rows, columns)] = True
    g = np.where(chosen & usable, board, UNTOUCHED)
    return Pattern((g,), identity.limits.v_read_max_v / 2, "few cells")


def _checkerboard(limits: Limits, shape: tuple[int, ...], *shares: float) -> Floats:
    rows, columns = np.indices(shape)
    low, high = (limits.g_min_s + share * (limits.g_max_s - limits.g_min_s) for share in shares)
    return np.where((rows + columns) % 2 == 0, low, high)


# ---- the checks


def _identity(rig: Rig) -> Iterator[Finding]:
    first, second = rig.identify(), rig.identify()
    limits = first.limits
    yield Finding("it says who it is", True, f"{first.model}, serial {first.serial}")
    same = (first.model, first.serial, limits, first.watchdog_s) == (
        *(second.model, second.serial, second.limits, second.watchdog_s),
    ) and np.array_equal(first.usable, second.usable)
    yield Finding(
        "it says the same twice", same, "twice the same" if same else f"{first} and then {second}"
    )
    share = float(first.usable.mean())
    yield Finding(
        "it has cells to use", share > 0, f"{100 * share:.2f} % of {first.usable.size} cells"
    )
    yield Finding(
        "its read voltage is below its programming voltage",
        limits.v_read_max_v < limits.v_program_max_v,
        f"{limits.v_read_max_v:g} V and {limits.v_program_max_v:g} V",
    )
    one = limits.v_read_max_v * limits.g_max_s
    yield Finding(
        "a cell can be read within the line current",
        one <= limits.i_line_max_a,
        f"{one:g} of {limits.i_line_max_a:g} A",
    )
    pulse = limits.v_program_max_v * limits.g_max_s
    yield Finding(
        "a cell can be written within the line current",
        pulse <= limits.i_line_max_a,
        f"{pulse:g} of {limits.i_line_max_a:g} A",
    )
    watchdog = first.watchdog_s
    yield Finding(
        "it has a watchdog",
        True if watchdog else None,
        f"{watchdog:g} s" if watchdog else "none: it is armed only on demand",
    )
    pulse_s = first.pulse_s
    yield Finding(
        "it says how long a pulse takes",
        None if pulse_s is None else True,
        "it does not: tiles are written whole" if pulse_s is None else f"{pulse_s:g} s",
    )


def _safe(rig: Rig) -> Iterator[Finding]:
    status = rig.status() if isinstance(rig, Ownable) else None
    if status is not None and status.owner is not None and not status.mine:
        yield Finding(
            "it grounds its lines and confirms it", None, f"busy, owned by {status.owner}"
        )
        return
    rig.safe()
    yield Finding("it grounds its lines and confirms it", True, "confirmed")
    rig.safe()
    yield Finding("grounding twice does no harm", True, "confirmed")
    rig.identify()
    yield Finding("it answers after grounding", True, "answered")


def _reading(guarded: GuardedRig, tile: int) -> Iterator[Finding]:
    identity, limits = guarded.identify(), guarded.limits
    zero = guarded.read(tile, np.zeros(identity.limits.rows))
    yield Finding(
        "one current per column", zero.shape == (identity.limits.columns,), f"shape {zero.shape}"
    )
    most = float(np.abs(zero).max())
    yield Finding(
        "no current without voltage",
        most <= ZERO_SHARE * limits.i_line_max_a,
        f"at most {most:.3g} A at 0 V",
    )
    v = _few_rows(identity, guarded, tile)
    full, again, half = guarded.read(tile, v), guarded.read(tile, v), guarded.read(tile, v / 2)
    scale = float(np.abs(full).max()) or limits.i_line_max_a
    yield Finding(
        "a read shows something", bool(np.abs(full).max() > 0), f"up to {np.abs(full).max():.3g} A"
    )
    worst = float(np.abs(full - again).max()) / scale
    yield Finding(
        "two reads agree",
        worst <= NOISE_SHARE,
        f"within {100 * worst:.1f} % of the largest current",
    )
    worst = float(np.abs(full - 2 * half).max()) / scale
    yield Finding(
        "half the voltage, half the current",
        worst <= 2 * NOISE_SHARE,
        f"within {100 * worst:.1f} %",
    )
    negative = guarded.read(tile, -v)
    worst = float(np.abs(full + negative).max()) / scale
    yield Finding(
        "the sign of the voltage is that of the current",
        worst <= 2 * NOISE_SHARE,
        f"within {100 * worst:.1f} %",
    )
    rest = float(np.abs(guarded.read(tile, np.zeros_like(v))).max())
    yield Finding(
        "nothing is left on the lines",
        rest <= ZERO_SHARE * limits.i_line_max_a,
        f"{rest:.3g} A at 0 V",
    )


def _few_rows(identity: Identity, guarded: GuardedRig, tile: int) -> Floats:
    """So many usable rows at half of the limit that no line can carry more than a quarter of its
    own.
    """
    limits = guarded.limits
    rows = np.flatnonzero(identity.usable[tile].any(axis=1))
    volts = limits.v_read_max_v / 2
    most_rows = max(1, int(limits.i_line_max_a / (4 * volts * limits.g_max_s)))
    v = np.zeros(identity.limits.rows)
    v[rows[:most_rows]] = volts
    return v


def _programming(guarded: GuardedRig, maps: TargetMaps) -> Iterator[Finding]:
    target = np.asarray(maps.siemens[0])
    began = time.monotonic()
    reply = guarded.program(0, target)
    took_s = time.monotonic() - began
    touched = target != UNTOUCHED
    yield Finding("it is sent", reply.sent, "sent" if reply.sent else "a dry run")
    share = float(reply.ok[touched].mean())
    yield Finding(
        "cells reach what is asked",
        share >= FEWEST_REACHED,
        f"{100 * share:.2f} % of {touched.sum()} cells",
    )
    most = int(reply.pulses.max())
    kept = most <= guarded.limits.pulses_per_cell
    yield Finding(
        "no cell takes more pulses than allowed",
        kept,
        f"at most {most} of {guarded.limits.pulses_per_cell}",
    )
    alone = int(reply.pulses[~touched].sum())
    yield Finding("cells that are left alone get no pulse", alone == 0, f"{alone} pulses")
    errors = np.abs(reply.g_siemens - target)[touched & reply.ok]
    worst = float(errors.max()) if errors.size else 0.0
    span = guarded.identify().limits.g_max_s
    yield Finding(
        "its own word on what it reached is true to the mask",
        worst <= span / 4,
        f"worst {worst:.3g} S",
    )
    pulse_s = guarded.identify().pulse_s
    said_s = SLACK_S + int(reply.pulses.sum()) * (pulse_s or 0.0)
    yield Finding(
        "a write takes no longer than it says",
        None if pulse_s is None else took_s <= said_s,
        f"{took_s:.3g} s" if pulse_s is None else f"{took_s:.3g} s, at most {said_s:.3g} s",
    )
    seen = _seen(guarded, target)
    yield from _readings(seen, reply.g_siemens, touched)
    if guarded.corrections_left >= touched.sum():
        yield from _following(guarded, target, seen)
    if touched.sum() < _usable_cells(guarded):
        return  # what the other cells are, nobody knows
    v = _few_rows(guarded.identify(), guarded, 0)
    amperes, expected = guarded.read(0, v), v @ reply.g_siemens
    worst = float(np.abs(amperes - expected).max() / max(float(np.abs(expected).max()), 1e-30))
    yield Finding(
        "reads show what was written", worst <= 3 * NOISE_SHARE, f"within {100 * worst:.1f} %"
    )


def _usable_cells(guarded: GuardedRig) -> int:
    """Usable cells of the first tile."""
    return int(guarded.identify().usable[0].sum())


def _seen(guarded: GuardedRig, target: Floats) -> Floats:
    """Conductances of the touched cells of a few rows, each row read alone; NaN elsewhere."""
    limits, shape = guarded.limits, target.shape
    volts = min(limits.v_read_max_v, limits.i_line_max_a / (2 * shape[1] * limits.g_max_s))
    touched, seen = target != UNTOUCHED, np.full(shape, np.nan)
    for row in np.flatnonzero(touched.any(axis=1))[:MOST_ROWS]:
        amperes = guarded.read(0, np.where(np.arange(shape[0]) == row, volts, 0.0))
        seen[row, touched[row]] = amperes[touched[row]] / volts
    return seen


def _readings(seen: Floats, g: Floats, touched: Bools) -> Iterator[Finding]:
    looked = touched & np.isfinite(seen)
    largest = max(float(g[looked].max()), 1e-30)
    near = np.abs(seen - g)[looked] <= NOISE_SHARE * largest
    yield Finding(
        "each cell reads as it was written",
        float(near.mean()) >= FEWEST_REACHED,
        f"{near.sum()} of {near.size} cells, row by row",
    )
    scale = float(seen[looked].sum()) / max(float(g[looked].sum()), 1e-30)
    yield Finding(
        "readings have the scale of what was written",
        abs(scale - 1) <= SCALE_SHARE,
        f"{100 * scale:.1f} % of it",
    )


def _following(guarded: GuardedRig, target: Floats, before: Floats) -> Iterator[Finding]:
    touched = target != UNTOUCHED
    ends = float(target[touched].min()) + float(target[touched].max())
    other = np.where(touched, ends - target, UNTOUCHED)
    reply = guarded.program(0, other)
    after = _seen(guarded, target)
    looked = touched & np.isfinite(after) & (np.abs(other - target) > 0)
    asked, moved = (other - target)[looked], (after - before)[looked]
    follow = np.abs(moved - asked) <= FOLLOW_SHARE * np.abs(asked)
    yield Finding(
        "cells follow when they are written again",
        follow.size > 0 and float(follow.mean()) >= FEWEST_REACHED,
        f"{follow.sum()} of {follow.size} cells",
    )
    yield from _readings(after, reply.g_siemens, touched)


def _guarded_from_errors(what: str, checks: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """The findings up to the first error, which is one itself."""
    findings: list[Finding] = []
    try:
        for finding in checks():
            findings.append(finding)
    except VsafsmError as error:
        findings.append(Finding(f"{what} works", False, f"{type(error).__name__}: {error}"))
    return findings
