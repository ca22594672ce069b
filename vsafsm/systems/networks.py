"""The networks of a chart that says ``networks: separate``: one for each region, with counters in
place of long waits where they cost less.
"""

from __future__ import annotations

from contextlib import suppress

from vsafsm.errors import NotExpressibleError, TooLargeError
from vsafsm.machine import Machine
from vsafsm.statecharts.chart import Statechart
from vsafsm.statecharts.flattening import MOST_CONFIGURATIONS, flatten
from vsafsm.statecharts.parts import State
from vsafsm.systems.exchange import EndlessError
from vsafsm.systems.regions import system_of
from vsafsm.systems.system import System
from vsafsm.systems.waits import is_counter, timeless, with_counters

MOST_COMPARED = 20_000
"""Most configurations of two systems that are compared."""


def networks_of(chart: Statechart, most: int = MOST_CONFIGURATIONS) -> System:
    """A machine for each region of a chart, or for the whole of one without regions, and counters
    for long waits.

    Counters stand where they are predicted to cost fewer synapses. They tell a region that its time
    is over a few rounds after the tick. Where this could make a difference, because regions tell
    each other something at a tick, there are counters only if all configurations, at most
    `MOST_COMPARED`, show that it makes none.

    Parameters
    ----------
    chart
    most
        Most configurations of each machine.

    Raises
    ------
    NotExpressibleError
        If something but raised events passes between regions; with its place.
    SpecError
        As `vsafsm.statecharts.flatten` does.

    Examples
    --------
    >>> from fractions import Fraction
    >>> from vsafsm.statecharts import State, Statechart, Transition
    >>> out = Transition((), ("off",), after=Fraction(100))
    >>> on = State("on", transitions=(out,))
    >>> off = State("off", transitions=(Transition(("press",), ("on",)),))
    >>> [each.name for each in networks_of(Statechart("lamp", (off, on))).machines]
    ['lamp']
    >>> lamp = Statechart("lamp", (off, on), clock=Fraction(1))
    >>> [each.name for each in networks_of(lamp).machines]
    ['lamp', 'lamp digit 0', 'lamp digit 1', 'lamp digit 2']
    """
    if _has_regions(chart):
        apart = system_of(chart, most)
    else:
        apart = System(chart.name, (flatten(chart, most),))
    parts = [_with_counters(each) for each in apart.machines]
    counted = System(
        apart.name,
        tuple(machine for each in parts for machine in each.machines),
        frozenset().union(*(each.inner for each in parts)),
    )
    if not counted.inner or not _told_at_ticks(apart) or _same(apart, counted):
        return counted
    return apart


def _with_counters(machine: Machine) -> System:
    try:
        return with_counters(machine, f"{machine.name} ")
    except NotExpressibleError:  # it would hear an output of its own: it keeps its chains
        return System(machine.name, (machine,))


def _has_regions(chart: Statechart) -> bool:
    first = chart.states[0]
    return len(chart.states) == 1 and isinstance(first, State) and first.kind == "parallel"


def _told_at_ticks(system: System) -> bool:
    """Whether some machine puts out at a tick what a machine takes."""
    if system.clock is None:
        return False
    tick = system.clock.symbol
    ticked = [machine for machine in system.machines if tick in machine.inputs]
    return any(
        name in system.takers
        for machine in ticked
        for state in machine.states
        for name in machine.transition(state, tick).outputs
    )


def _same(apart: System, counted: System) -> bool:
    """Whether counters make no difference to states and outputs, after any word."""
    regions = [n for n, machine in enumerate(counted.machines) if not is_counter(machine)]

    start = (apart.initial, counted.initial)
    seen, queue = {start}, [start]
    with suppress(EndlessError, TooLargeError):
        for one, other in queue:
            if len(seen) > MOST_COMPARED or apart.moore(one) != counted.moore(other):
                return False
            for symbol in apart.inputs:
                (after, put), (its, told) = apart.react(one, symbol), counted.react(other, symbol)
                if [timeless(its[n]) for n in regions] != [*map(timeless, after)]:
                    return False
                if {*told} - counted.inner != {*put}:
                    return False
                if (after, its) not in seen:
                    seen.add((after, its))
                    queue.append((after, its))
        return True
    return False
