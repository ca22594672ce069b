"""Random charts, event by event, against python-statemachine, sismic and transitions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from statemachine import StateChart as Oracle
from statemachine.engines.sync import SyncEngine
from statemachine.io import load as load_statechart
from statemachine.orderedset import OrderedSet

from vsafsm.errors import SpecError
from vsafsm.statecharts import History, Statechart
from vsafsm.statecharts.parts import transitions_of, walk
from vsafsm.statecharts.semantics import Semantics

from .charts import as_scxml, drawn, word_for

ALL = "histories guards data raises eventless finals several internal"


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
    states anew that it has not left, and python-statemachine leaves them first.
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
    return len(word)


@pytest.mark.parametrize("first", range(0, 40, 10))
def test_python_statemachine_runs_random_charts_alike(first: int) -> None:
    for seed in range(first, first + 10):
        chart = drawn(seed, ALL)
        check_python_statemachine(chart, word_for(chart, seed, 30))


@pytest.mark.slow
@pytest.mark.parametrize("first", range(0, 1000, 50))
def test_python_statemachine_runs_a_thousand_charts_alike(first: int) -> None:
    for seed in range(first, first + 50):
        chart = drawn(seed, ALL)
        check_python_statemachine(chart, word_for(chart, seed, 200))
