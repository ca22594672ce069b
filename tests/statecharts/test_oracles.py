"""Random charts, event by event, against python-statemachine, sismic and transitions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from sismic.exceptions import ConflictingTransitionsError, NonDeterminismError
from sismic.interpreter import Interpreter
from sismic.io.datadict import import_from_dict
from statemachine import StateChart as Oracle
from statemachine.engines.sync import SyncEngine
from statemachine.io import load as load_statechart
from statemachine.orderedset import OrderedSet
from transitions.extensions import HierarchicalMachine

from vsafsm.errors import SpecError
from vsafsm.statecharts import History, State, Statechart
from vsafsm.statecharts.parts import transitions_of, walk
from vsafsm.statecharts.semantics import Semantics

from .charts import (
    as_scxml,
    as_sismic,
    as_transitions,
    drawn,
    for_transitions,
    with_one_transition_for_each_event,
    word_for,
)

ALL = "histories guards data raises eventless finals several internal deep part"
SISMIC = "histories guards data raises eventless times"


def in_document_order(self: SyncEngine, trigger: object, predicate: object) -> OrderedSet:
    """As python-statemachine selects transitions, but for what it has on its list: "TODO: sorted by
    document order".
    """
    atomic = [state for state in self.sm.configuration if state.is_atomic]
    found = OrderedSet()
    for state in sorted(atomic, key=lambda state: state.document_order):
        transition = self._first_transition_that_matches(state, trigger, predicate)
        if transition is not None:
            found.add(transition)
    return self._filter_conflicting_transitions(found)


@pytest.fixture(autouse=True)
def _document_order(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(SyncEngine, "_select_transitions", in_document_order)
    return


def loaded(chart: Statechart) -> Oracle:
    """The chart in python-statemachine, which numbers states level by level, mended."""
    machine = load_statechart(as_scxml(chart, trace=True), format="scxml")
    numbers = {name: i for i, name in enumerate(chart.nodes)}
    pending = list(machine.states)
    while pending:
        state = pending.pop()
        state.document_order = numbers[state.id]
        pending += state.states
    return machine()


def remembers_from_inside(chart: Statechart) -> bool:
    """Whether a transition leads to the history of a state around its own. Appendix D then enters
    states anew that it has not left; python-statemachine and sismic leave them first.
    """
    parents = {node.id: parent for node, parent in walk(chart.root)}
    for state, each in transitions_of(chart.root):
        around, parent = {state.id}, parents[state.id]
        while parent is not None:
            around.add(parent.id)
            parent = parents[parent.id]
        for target in each.targets:
            its = parents[target]
            if isinstance(chart.nodes[target], History) and its is not None and its.id in around:
                return True
    return False


def check_python_statemachine(chart: Statechart, word: list[str]) -> int:
    """Number of events that both ran alike."""
    semantics = Semantics(chart)
    try:
        now, outputs = semantics.start()
    except SpecError:
        return 0  # it goes on by itself for ever
    oracle = loaded(chart)
    told: list[str] = []
    inward = remembers_from_inside(chart)
    for i, event in enumerate(["", *word]):
        if event:
            try:
                now, outputs = semantics.step(now, event)
            except SpecError:
                return i
            oracle.send(event)
        told += [output for output in outputs if output not in ("accept", "ring", "blink")]
        if semantics.ended(now):
            return i
        assert {state.id for state in oracle.configuration} == {*semantics.active(now)}
        assert list(oracle.model.trace) == told or inward, (i, event)
        if not oracle._engine.running:
            return i  # as it does when a parallel state at the top is done; SCXML goes on
    return len(word)


def check_sismic(chart: Statechart, word: list[str]) -> int:
    """Number of events that both ran alike, up to one that sismic refuses as ambiguous."""
    states = tuple(map(with_one_transition_for_each_event, chart.states))
    states = tuple(map(with_regions_left_alone, states))
    chart = replace(chart, states=states, inner_rules_out=True)
    semantics = Semantics(chart)
    try:
        now, outputs = semantics.start()
    except SpecError:
        return 0
    oracle = Interpreter(import_from_dict(as_sismic(chart)))
    inward = remembers_from_inside(chart)
    told: list[str] = []
    oracle.attach(lambda event: told.append(event.name) if " " in event.name else None)
    for i, event in enumerate(["", *word]):
        told.clear()
        if event:
            try:
                now, outputs = semantics.step(now, event)
            except SpecError:
                return i
        if event == chart.tick:
            oracle.clock.time += 1
        elif event:
            oracle.queue(event)
        try:
            oracle.execute(1000)
        except (NonDeterminismError, ConflictingTransitionsError):
            return i
        assert {*oracle.configuration} - {"root"} == {*semantics.active(now)}
        ours = [output for output in outputs if " " in output]
        put_out = sorted(each for each in told if each.split()[0] in WAYS)
        assert put_out == sorted(ours) or inward, (i, event)
    return len(word)


WAYS = ("in", "out", "do")


def with_regions_left_alone(state: State) -> State:
    """As sismic has it: a transition inside a region leaves nothing else of the parallel state."""
    return replace(
        state,
        children=tuple(
            with_regions_left_alone(child) if isinstance(child, State) else child
            for child in state.children
        ),
        transitions=tuple(replace(each, leaves="region") for each in state.transitions),
    )


@pytest.mark.parametrize("first", range(0, 40, 20))
def test_sismic_runs_random_charts_alike(first: int) -> None:
    for seed in range(first, first + 20):
        chart = drawn(seed, SISMIC)
        check_sismic(chart, word_for(chart, seed, 30))


def check_transitions(chart: Statechart, word: list[str]) -> int:
    """Number of events that both ran alike."""
    states = tuple(map(with_one_transition_for_each_event, chart.states))
    chart = for_transitions(replace(chart, states=states))
    semantics = Semantics(chart)
    now, _ = semantics.start()
    oracle = HierarchicalMachine(
        **as_transitions(chart), auto_transitions=False, ignore_invalid_triggers=True
    )
    for i, event in enumerate(["", *word]):
        if event:
            now, _ = semantics.step(now, event)
            if semantics.ended(now):
                return i
            if event in oracle.events:
                with contextlib.suppress(ValueError):  # what it says of regions inside regions
                    oracle.trigger(event)  # where nothing takes the event
        leaves = [each.rpartition("_")[2] for each in flat(oracle.state)]
        assert sorted(leaves) == sorted(semantics.leaves(now)), (i, event)
    return len(word)


def flat(states: str | list[object]) -> list[str]:
    """The states of a configuration of transitions, which nests lists."""
    if isinstance(states, str):
        return [states]
    return [each for state in states for each in flat(state)]  # type: ignore[arg-type]


@pytest.mark.parametrize("first", range(0, 60, 30))
def test_transitions_runs_random_charts_alike(first: int) -> None:
    for seed in range(first, first + 30):
        chart = drawn(seed, "")
        check_transitions(chart, word_for(chart, seed, 30))


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_python_statemachine_runs_random_charts_alike(first: int) -> None:
    for seed in range(first, first + 10):
        chart = drawn(seed, ALL)
        check_python_statemachine(chart, word_for(chart, seed, 30))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1000, 50))
@pytest.mark.parametrize(
    ("check", "constructs"),
    [(check_python_statemachine, ALL), (check_sismic, SISMIC), (check_transitions, "")],
)
def test_a_thousand_charts_run_alike(
    check: Callable[[Statechart, list[str]], int], constructs: str, first: int
) -> None:
    ran = 0
    for seed in range(first, first + 50):
        chart = drawn(seed, constructs)
        ran += check(chart, word_for(chart, seed, 200))
    assert ran > 1000
