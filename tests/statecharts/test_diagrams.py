"""Random charts, drawn as diagrams and read back: they do what the chart does, and what
python-statemachine makes of it.
"""

from __future__ import annotations

import pytest
from statemachine.engines.sync import SyncEngine

from vsafsm.equivalence import distinguishing_word
from vsafsm.errors import SpecError
from vsafsm.formats.mermaid import read_mermaid
from vsafsm.formats.plantuml import read_plantuml
from vsafsm.statecharts import flatten

from .charts import drawn, word_for
from .diagrams import Diagram, for_diagrams
from .test_oracles import in_document_order, loaded, remembers_from_inside

PLANTUML = "histories guards data eventless finals deep part"
MERMAID = "guards data eventless deep part"


def compared(seed: int, mermaid: bool) -> int:
    """Number of states of a machine that came back; 0 where the chart goes on for ever."""
    chart = for_diagrams(drawn(seed, MERMAID if mermaid else PLANTUML), seed)
    try:
        machine = flatten(chart, most=3000)
    except SpecError:
        return 0
    read = read_mermaid if mermaid else read_plantuml
    found = read(Diagram(chart, mermaid).text(), "drawn").machine
    assert distinguishing_word(machine, found) is None
    assert len(found.states) == len(machine.states)
    return len(found.states)


@pytest.mark.parametrize("mermaid", [True, False])
def test_random_charts_come_back(mermaid: bool) -> None:
    sizes = [compared(seed, mermaid) for seed in range(60)]
    assert sum(map(bool, sizes)) > 30
    assert max(sizes) > 30


@pytest.mark.slow
@pytest.mark.parametrize("mermaid", [True, False])
@pytest.mark.parametrize("first", range(0, 1000, 250))
def test_a_thousand_charts_come_back(mermaid: bool, first: int) -> None:
    assert sum(bool(compared(seed, mermaid)) for seed in range(first, first + 250)) > 120


@pytest.mark.parametrize("mermaid", [True, False])
def test_python_statemachine_runs_them_alike(
    mermaid: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SyncEngine, "_select_transitions", in_document_order)
    ran = 0
    for seed in range(40):
        chart = for_diagrams(drawn(seed, MERMAID if mermaid else PLANTUML), seed, times=False)
        if remembers_from_inside(chart):
            continue
        try:
            read = read_mermaid if mermaid else read_plantuml
            machine = read(Diagram(chart, mermaid).text(), "drawn").machine
        except SpecError:
            continue
        oracle = loaded(chart)
        state, told = machine.initial, len(oracle.model.trace)
        for event in word_for(chart, seed, 40):
            oracle.send(event)
            taken = machine.transition(state, event)
            outputs = dict.fromkeys(list(oracle.model.trace)[told:])
            assert [each for each in taken.outputs if each != "accept"] == [*outputs]
            state, told = taken.to, len(oracle.model.trace)
            ran += 1
            if not oracle._engine.running:
                break
    assert ran > 200
