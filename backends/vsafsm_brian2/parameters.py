"""What can be set: cell and synapse parameters, realism, and how to run. Units stand in the names;
no Brian2 here.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from vsafsm.backend import Option
from vsafsm.errors import OptionError, did_you_mean
from vsafsm.finite import finite, shown
from vsafsm.machine import Clock, Machine
from vsafsm.requirements import Requirements
from vsafsm_brian2.errors import ContractWarning

HOLD_MS, GAP_MS = 40.0, 100.0
"""The contract at speed 1: from this hold and this gap on, every transition measured in the
benchmark was correct. Times `speed`, a hold may be shorter.
"""
MOST_SPEED = 4.0
USUAL_SPEED_MS = 60.0
"""From this hold on, cells are of speed 1 by default. For less they are faster than the contract
asks for, so that outputs are read from enough spikes.
"""
TARGETS = ("numpy", "cython", "cpp_standalone")
SYNAPSES = ("current", "conductance")
SIGNS = ("mixed", "dale")
Settings = TypeVar("Settings")


def setting(
    default: Any,
    unit: str,
    text: str,
    least: float = 0.0,
    most: float = math.inf,
    above: bool = False,
) -> Any:
    """A field with its unit, its meaning and its range; `above` leaves `least` itself out."""
    return field(
        default=default, metadata={"unit": unit, "help": text, "range": (least, most, above)}
    )


@dataclass(frozen=True)
class Parameters:
    """The leaky integrate-and-fire cells and their synapses; one set for all machines.

    The six that a user may want to vary come first. The rheobase of a cell is 150 pA. No `speed`
    is a speed of 1.

    Raises
    ------
    OptionError
        If a value is out of range.
    """

    strength_pa: float = setting(
        3200.0, "pA", "synaptic strength J: one LSB is 2 J / (k scale)", above=True
    )
    inhibition_gain: float = setting(
        0.8, "", "global inhibition, as a multiple of the program's own gain", above=True
    )
    bias_pa: float = setting(300.0, "pA", "tonic bias current of every cell")
    tau_syn_ms: float = setting(16.5, "ms", "synaptic time constant", above=True)
    tau_mem_ms: float = setting(11.0, "ms", "membrane time constant", above=True)
    refractory_ms: float = setting(10.0, "ms", "refractory time")
    speed: float | None = setting(
        None,
        "",
        "cells and synapses so many times faster (default: what hold_ms takes, 1 from"
        f" {USUAL_SPEED_MS:g} ms on)",
        0.1,
        MOST_SPEED,
    )
    dt_ms: float = setting(0.5, "ms", "time step of the simulation", 0.01, 1.0)
    inhibitory_cells: int = setting(
        0, "", "spiking inhibitory cells in place of the graded pool, 0 for none", most=100_000
    )
    synapses: str = setting("current", "", f"what a synapse adds: {', '.join(SYNAPSES)}")
    signs: str = setting(
        "mixed", "", "signs of a cell's weights: mixed, or dale, where partners send negative ones"
    )

    def __post_init__(self) -> None:
        check(self)
        check_choice("synapses", self.synapses, SYNAPSES)
        check_choice("signs", self.signs, SIGNS)

    @property
    def at_speed(self) -> Parameters:
        """The same cells at speed 1, with the time constants that they have."""
        speed = 1.0 if self.speed is None else self.speed
        return replace(
            self,
            tau_syn_ms=self.tau_syn_ms / speed,
            tau_mem_ms=self.tau_mem_ms / speed,
            refractory_ms=self.refractory_ms / speed,
            speed=1.0,
        )

    def for_hold(self, hold_ms: float) -> Parameters:
        """The same cells, as fast as a hold takes where no speed is given.

        Raises
        ------
        OptionError
            If the hold is shorter than any that was measured, and no speed is given.
        """
        return self if self.speed is not None else replace(self, speed=speed_of(hold_ms))


@dataclass(frozen=True)
class Realism:
    """What real tissue and circuits add, drawn once after compilation with nothing retuned. None by
    default.

    Raises
    ------
    OptionError
        If a value is out of range.
    """

    mismatch: float = setting(
        0.0, "coefficient of variation", "lognormal spread of each parameter below", most=2.0
    )
    mismatch_threshold: float | None = setting(
        None, "coefficient of variation", "of threshold above rest", most=2.0
    )
    mismatch_tau_mem: float | None = setting(
        None, "coefficient of variation", "of the membrane time constant", most=2.0
    )
    mismatch_tau_syn: float | None = setting(
        None, "coefficient of variation", "of the synaptic time constant", most=2.0
    )
    mismatch_refractory: float | None = setting(
        None, "coefficient of variation", "of the refractory time", most=2.0
    )
    mismatch_bias: float | None = setting(
        None, "coefficient of variation", "of the tonic bias", most=2.0
    )
    noise_pa: float = setting(
        0.0, "pA", "standard deviation of a current noise of 5 ms correlation time"
    )
    delay_ms: float = setting(0.0, "ms", "delay of recurrent synapses; the pool acts at once")
    delay_jitter_ms: float = setting(0.0, "ms", "uniform spread added to each recurrent delay")
    weight_noise: float = setting(
        0.0, "standard deviations of the weights", "Gaussian noise added to every weight"
    )
    missing: float = setting(
        0.0,
        "share",
        "of recurrent synapses, and of those to the inhibitory pool, missing",
        most=0.95,
    )
    input_jitter_ms: float = setting(
        0.0, "ms", "standard deviation of the time of each input spike"
    )

    def __post_init__(self) -> None:
        check(self)

    def spread(self, parameter: str) -> float:
        """Coefficient of variation of a cell parameter (threshold, tau_mem, tau_syn, refractory,
        bias).
        """
        own: float | None = getattr(self, f"mismatch_{parameter}")
        return self.mismatch if own is None else own


REQUIREMENTS = Requirements(
    bits=8,
    folded=False,
    least_margin=0.4,
    rule="small",
    headroom=4.0,
    density=2 / 11,
    tolerance=3.0,
)
"""What a program has to be, measured in ``benchmarks/brian2_figures.py``."""

SIZES = {"usual": REQUIREMENTS, "tolerant": replace(REQUIREMENTS, headroom=10.0, tolerance=6.0)}
"""What a program is sized for, by the option ``size``: ``tolerant`` has some six times the
synapses.
"""


@dataclass(frozen=True)
class Sizing:
    """What a machine is compiled for; a network that runs does not depend on it.

    Raises
    ------
    OptionError
        If the size is unknown.
    """

    size: str = setting(
        "usual",
        "",
        "neurons that compile takes: usual, or tolerant of half of the synapses missing",
    )

    def __post_init__(self) -> None:
        check_choice("size", self.size, tuple(SIZES))


@dataclass(frozen=True)
class RunSettings:
    """How long inputs are held, and what computes the network.

    Raises
    ------
    OptionError
        If a value is out of range, or the target unknown.
    """

    hold_ms: float = setting(
        80.0,
        "ms",
        f"how long an input is held, from {HOLD_MS / MOST_SPEED:g} on; cells are faster for less"
        f" than {USUAL_SPEED_MS:g}",
        above=True,
    )
    gap_ms: float = setting(
        120.0, "ms", f"rest after each input (contract: {GAP_MS:g})", above=True
    )
    tick_ms: float | None = setting(
        None,
        "ms",
        "what a period of the machine's clock lasts in the simulation (default: its own, but in"
        " words known in advance ticks come one after another)",
        above=True,
    )
    codegen: str = setting("numpy", "", f"Brian2's code generation target: {', '.join(TARGETS)}")
    build_dir: str | None = setting(
        None,
        "",
        "existing folder in which cpp_standalone builds and leaves what need not be built again",
    )
    draw_seed: int = setting(0, "", "seed of realism and noise", most=2**31 - 1)

    def __post_init__(self) -> None:
        check(self)
        check_choice("codegen", self.codegen, TARGETS)
        if self.build_dir is not None and not Path(self.build_dir).is_dir():
            raise OptionError(f'build_dir is "{self.build_dir}"; expected an existing folder')


def speed_of(hold_ms: float) -> float:
    """How fast cells are for a hold: 1 from `USUAL_SPEED_MS` on, and more for less.

    Raises
    ------
    OptionError
        If the hold is shorter than any that was measured.

    Examples
    --------
    >>> speed_of(80.0), speed_of(20.0), speed_of(10.0)
    (1.0, 3.0, 4.0)
    """
    if hold_ms < HOLD_MS / MOST_SPEED:
        raise OptionError(
            f"hold_ms is {hold_ms:g}; expected at least {HOLD_MS / MOST_SPEED:g} ms, the shortest"
            " hold at which transitions were measured correct, or a speed of your own as well"
        )
    return min(MOST_SPEED, max(1.0, USUAL_SPEED_MS / hold_ms))


def check_contract(hold_ms: float, gap_ms: float, speed: float | None = None) -> None:
    """Warn of an input or a gap that is shorter than the contract at a speed, 1 by default."""
    least_hold = HOLD_MS / max(1.0, speed or 1.0)
    for name, duration, least in (("hold", hold_ms, least_hold), ("gap", gap_ms, GAP_MS)):
        if duration < least:
            warnings.warn(
                f"a {name} of {duration:g} ms is shorter than the {least:g} ms of the contract"
                f" (hold {least_hold:g} ms, gap {GAP_MS:g} ms), from which on every measured"
                " transition was correct",
                ContractWarning,
                stacklevel=3,
            )


def tick_period_ms(clock: Clock, running: RunSettings) -> Fraction:
    """What a period of a clock lasts in the simulation.

    Raises
    ------
    OptionError
        If that is less than a tick takes.
    """
    given = running.tick_ms
    period = clock.seconds * 1000 if given is None else Fraction(given).limit_denominator(10**9)
    hold, gap = running.hold_ms, running.gap_ms
    if period < hold + gap:
        what = "the clock" if given is None else "tick_ms"
        raise OptionError(
            f"the period of {what} is {float(period):g} ms, and a tick takes {hold + gap:g} ms (a"
            f" hold of {hold:g} ms, a gap of {gap:g} ms); expected tick_ms of at least"
            f" {hold + gap:g}, or less of hold_ms and gap_ms"
        )
    return period


def check_ticks(machine: Machine, running: RunSettings) -> None:
    """Raise `OptionError` where a period is given that is too short, or for no clock."""
    if running.tick_ms is None:
        return
    if machine.clock is None:
        raise OptionError(
            f'tick_ms is {running.tick_ms:g}, and machine "{machine.name}" has no clock; expected a'
            " machine with one, or no tick_ms"
        )
    tick_period_ms(machine.clock, running)


def check_delay(realism: Realism, parameters: Parameters) -> None:
    """Raise `OptionError` where a delay is shorter than a time step: it would be none."""
    if 0 < realism.delay_ms < parameters.dt_ms:
        raise OptionError(
            f"delay_ms is {realism.delay_ms:g}; expected at least the time step of"
            f" {parameters.dt_ms:g} ms"
        )


def check_choice(name: str, value: str, known: tuple[str, ...]) -> None:
    """Raise `OptionError` where a word is none of those that are known."""
    if value not in known:
        raise OptionError(
            f'{name} is "{value}"; expected one of: {", ".join(known)}{did_you_mean(value, known)}'
        )


def check(settings: Any) -> None:
    """Raise `OptionError` where a number is out of its field's range."""
    for each in fields(settings):
        value = getattr(settings, each.name)
        least, most, above = each.metadata["range"]
        if value is None or isinstance(value, str):
            continue
        whole = each.type in ("int", int)
        inside = (
            isinstance(value, Integral if whole else Real)
            and not isinstance(value, bool)
            and least <= value <= most
        )
        if not inside or finite(value) is None or (above and value == least):
            limits = f"{'above' if above else 'of at least'} {shown(least)}" + (
                f", at most {shown(most)}" if most < math.inf else ""
            )
            kind, unit = "whole number" if whole else "number", each.metadata["unit"] or "no unit"
            raise OptionError(f"{each.name} is {value!r}; expected a {kind} {limits} ({unit})")


def options() -> tuple[Option, ...]:
    """Every setting as an option of the backend."""
    found = []
    for group in (Sizing, RunSettings, Parameters, Realism):
        hints = get_type_hints(group)
        for each in fields(group):
            kind = next(
                k for k in (int, str, float) if k in (hints[each.name], *get_args(hints[each.name]))
            )
            found.append(
                Option(each.name, kind, each.default, each.metadata["unit"], each.metadata["help"])
            )
    return tuple(found)


def taken(group: type[Settings], values: Mapping[str, object]) -> Settings:
    """The settings of a group from options that may hold those of others as well."""
    names = {each.name for each in fields(group)}  # type: ignore[arg-type]
    return group(**{name: value for name, value in values.items() if name in names})
