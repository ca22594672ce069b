"""From a statechart to what a reader gives back: its flat machine, and what is doubtful in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsafsm.errors import Location
from vsafsm.formats import Reading, summarised
from vsafsm.statecharts import Statechart, explore


def chart_reading(chart: Statechart, warnings: tuple[str, ...] = ()) -> Reading:
    """The machine whose states are the configurations of `chart`, with what is doubtful in it.

    Raises
    ------
    SpecError
        As `vsafsm.statecharts.flatten`.
    """
    found = explore(chart)

    def place(state: str) -> Location:
        return chart.nodes[state].place or Location(chart.name)

    machine = found.machine
    flaw = f'never reached from "{machine.initial}"'
    unreached = summarised(found.never_active, place, "state", flaw)
    start = _initial_warning(found.initial_outputs, chart.place or Location(chart.name))
    return Reading(machine, (*warnings, *start, *unreached))


def _initial_warning(outputs: Sequence[str], place: Location) -> Iterator[str]:
    if outputs:
        shown = ", ".join(f'"{each}"' for each in outputs[:5])
        yield (
            f"{place}: what is put out before the first input ({shown}) counts where a transition"
            " puts it out, and not at the start"
        )
