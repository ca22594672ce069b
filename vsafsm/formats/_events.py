"""From states with entry and exit actions and transitions on events to a machine: what statechart
libraries share.

What an action puts out is an output of the transition that runs it: exit actions of the state that
is left, then the transition's own, then entry actions of the state that is entered. An event that
no transition of a state takes leaves it where it is. Hierarchy, guards, time and code have no place
in a machine: readers refuse them, naming the construct.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from vsafsm.errors import (
    BadNameError,
    Location,
    NotExpressibleError,
    NotImportableError,
    SpecError,
    SyntaxSpecError,
    TooLargeError,
    UnknownStateError,
    did_you_mean,
)
from vsafsm.formats import (
    MAX_TRANSITIONS,
    NameRule,
    Reading,
    name_from,
    unreachable_warnings,
)
from vsafsm.formats.renaming import RENAME, names_of
from vsafsm.machine import Machine, Outputs, Transition, check_name, listed


@dataclass(frozen=True)
class Action:
    """What entering, leaving or a transition puts out; `heard` where the machine itself would take
    it for an event.
    """

    output: str
    location: Location
    heard: bool = False


@dataclass(frozen=True)
class Arc:
    """On one of `events`, from the state that has it to `target`; ``None`` stays inside, without
    leaving or entering.

    `takes` tells whether the arc takes an event.
    """

    events: tuple[str, ...]
    target: str | None
    before: tuple[Action, ...]
    after: tuple[Action, ...]
    location: Location
    target_location: Location
    takes: Callable[[str], bool]


@dataclass(frozen=True)
class State:
    """A state, its arcs in the order in which they are tried, and what entering and leaving it put
    out.
    """

    name: str
    location: Location
    arcs: tuple[Arc, ...] = ()
    entry: tuple[Action, ...] = ()
    exit: tuple[Action, ...] = ()


def reading(
    name: str,
    source: str,
    states: Sequence[State],
    initial: tuple[str, Location] | None,
    warnings: Sequence[str] = (),
) -> Reading:
    """The machine of these states; without `initial` it starts in the first.

    Raises
    ------
    SpecError
        One of its subclasses, with the place, if they make none.
    """
    by_name = _named(states, source)
    events = _events(states, source)
    if len(states) * len(events) > MAX_TRANSITIONS:
        raise TooLargeError(
            f"the machine has more than {MAX_TRANSITIONS} transitions", Location(source)
        )
    start = states[0].name if initial is None else known(initial[0], by_name, initial[1])
    _check_actions(states, events)
    for state in states:
        for arc in state.arcs:
            if arc.target is not None:
                known(arc.target, by_name, arc.target_location)
    table = tuple(tuple(_transition(state, event, by_name) for event in events) for state in states)
    machine = Machine(
        name_from(name, PurePath(source).stem, "machine"),
        tuple(by_name),
        events,
        start,
        table,
        ((),) * len(states),
    )
    messages = (*warnings, *_initial_warning(by_name[start]), *_shadowed(states))
    return Reading(
        machine, (*messages, *unreachable_warnings(machine, lambda s: by_name[s].location))
    )


def known(name: str, states: Iterable[str], place: Location) -> str:
    """`name`, if it is a state's; raises `UnknownStateError`."""
    if name not in states:
        hint = did_you_mean(name, states)
        raise UnknownStateError(
            f'unknown state "{name[:80]}"; expected {listed(list(states))}{hint}', place
        )
    return name


def named(kind: str, name: str, place: Location) -> str:
    """`name`, if it can name a `kind`; raises `BadNameError` with the place."""
    try:
        return check_name(kind, name)
    except BadNameError as error:
        raise BadNameError(error.message, place) from None


def refused(construct: str, why: str, place: Location) -> NotImportableError:
    """The error for what a machine has no place for."""
    return NotImportableError(f"{construct} {why}; expected a statechart without code", place)


def _named(states: Sequence[State], source: str) -> dict[str, State]:
    found: dict[str, State] = {}
    for state in states:
        if state.name in found:
            line = found[state.name].location.line
            raise BadNameError(
                f'state "{state.name}" is declared twice (first in line {line})', state.location
            )
        found[named("state", state.name, state.location)] = state
    if not found:
        raise SyntaxSpecError("there is no state; expected at least one", Location(source))
    return found


def _events(states: Sequence[State], source: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for state in states:
        for arc in state.arcs:
            found.update(dict.fromkeys(named("input", event, arc.location) for event in arc.events))
    if not found:
        raise SpecError("no transition names an event; expected at least one", Location(source))
    return tuple(found)


def _check_actions(states: Sequence[State], events: tuple[str, ...]) -> None:
    """Refuse a machine that would go on by itself: one that is sent an event that it takes."""
    taken: dict[str, bool] = {}  # whether some arc takes what an action sends
    for state in states:
        actions = [*state.entry, *state.exit]
        actions += [action for arc in state.arcs for action in (*arc.before, *arc.after)]
        for action in actions:
            named("output", action.output, action.location)
            if action.heard and action.output not in taken:
                taken[action.output] = any(
                    arc.takes(action.output) for each in states for arc in each.arcs
                )
            if action.heard and taken[action.output]:
                raise NotImportableError(
                    f'event "{action.output}" is sent by the machine to itself, and taken; expected'
                    " one that no transition takes, or that is sent elsewhere",
                    action.location,
                )


def _transition(state: State, event: str, states: dict[str, State]) -> Transition:
    arc = next((arc for arc in state.arcs if arc.takes(event)), None)
    if arc is None:
        return Transition(state.name)
    if arc.target is None:
        return Transition(state.name, _outputs(arc.before, arc.after))
    entered = states[arc.target]
    return Transition(entered.name, _outputs(arc.before, state.exit, entered.entry, arc.after))


def _outputs(*groups: tuple[Action, ...]) -> Outputs:
    return tuple(dict.fromkeys(action.output for group in groups for action in group))


def _initial_warning(start: State) -> Iterator[str]:
    if start.entry:
        yield (
            f'{start.entry[0].location}: what state "{start.name}" puts out when it is entered'
            " counts where a transition enters it, and not at the start"
        )


def _shadowed(states: Sequence[State]) -> Iterator[str]:
    for state in states:
        for i, arc in enumerate(state.arcs):
            if arc.events and all(
                any(before.takes(event) for before in state.arcs[:i]) for event in arc.events
            ):
                yield (
                    f'{arc.location}: this transition of state "{state.name}" is never taken: one'
                    " before it is"
                )


# ---- writing


def written(machine: Machine) -> Iterator[tuple[str, list[tuple[str, str | None, Outputs]]]]:
    """For each state what each input does: (input, target, outputs), the Moore outputs of the
    target among them.

    A transition that stays without outputs has the target ``None``.
    """
    for state, row in zip(machine.states, machine.table, strict=True):
        found: list[tuple[str, str | None, Outputs]] = []
        for event, taken in zip(machine.inputs, row, strict=True):
            outputs = tuple(dict.fromkeys(taken.outputs + machine.outputs_of(taken.to)))
            found.append((event, taken.to if taken.to != state or outputs else None, outputs))
        yield state, found


def check_names(machine: Machine, format_name: str, fits: NameRule, expected: str) -> None:
    """Raise `NotExpressibleError` for the first name that does not fit."""
    for kind, names in names_of(machine).items():
        for name in names:
            if not fits(kind, name):
                raise NotExpressibleError(
                    f'{format_name} has no way to write the {kind} "{name[:80]}"; {expected},'
                    f" or {RENAME}"
                )
