"""What must not grow with the square of a machine: counted, not timed."""

from __future__ import annotations

import difflib
import gc
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.equivalence import distinguishing_word
from vsafsm.errors import MOST_COMPARED, PlotError, UnknownStateError, did_you_mean
from vsafsm.formats import MOST_NAMED, dot, location_at
from vsafsm.formats.dot import read_dot
from vsafsm.garbage import collector_paused
from vsafsm.lowering import lower
from vsafsm.machine import Machine, Transition
from vsafsm.plotting.geometry import MOST_STATES, geometry


def counter(states: int, last: str = "last") -> Machine:
    """Counts up to its last state, which stays and puts out."""
    names = tuple(f"state_{x}" for x in range(states))
    following = [*names[1:], names[-1]]
    table = tuple((Transition(to),) for to in following)
    return Machine("m", names, ("up",), names[0], table, ((),) * (states - 1) + ((last,),))


def test_an_unknown_name_among_many_is_compared_with_few(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    real = difflib.get_close_matches

    def counted(name: str, names: Sequence[str], **rest: Any) -> list[str]:
        compared.append(len(names))
        return real(name, names, **rest)

    monkeypatch.setattr(difflib, "get_close_matches", counted)
    with pytest.raises(UnknownStateError, match='did you mean "state_2345"') as caught:
        counter(20_000).state_index("stat_2345")
    assert compared == [MOST_COMPARED]
    assert len(str(caught.value)) < 300


NAMES = [f"{kind}_{x}" for kind in ("wait", "load", "move") for x in range(MOST_COMPARED)]


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(NAMES), st.integers(0, 8), st.sampled_from(["", "x", "é"]), st.booleans())
def test_the_nearest_of_many_is_as_near_as_any(
    name: str, at: int, letter: str, instead: bool
) -> None:
    at = min(at, len(name) - 1)
    misspelt = name[:at] + letter + name[at + instead :]
    hint = did_you_mean(misspelt, NAMES)
    nearest = difflib.get_close_matches(misspelt, NAMES, n=1)[0]
    ratio = difflib.SequenceMatcher(None, hint.split('"')[1], misspelt).ratio()
    assert ratio == difflib.SequenceMatcher(None, nearest, misspelt).ratio()


def test_only_places_that_are_named_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[int] = []

    def counted(text: str, index: int, source: str) -> object:
        places.append(index)
        return location_at(text, index, source)

    monkeypatch.setattr(dot, "location_at", counted)
    lost = "".join(f"lost{x} -> lost{x} [label=a];" for x in range(1000))
    again = "".join(f'lost{x} -> lost{x} [label="b{x}"];' for x in range(1000))
    found = read_dot(f"strict digraph {{ s -> s [label=a]; {lost} {again} }}", "m.dot")
    assert len(found.warnings) == MOST_NAMED + 2
    assert "995 more labels" in found.warnings[MOST_NAMED]
    assert "1000 states are never reached" in found.warnings[-1]
    assert len(places) < 20


def test_a_long_word_tells_long_counters_apart() -> None:
    assert distinguishing_word(counter(3000), counter(3000, "other")) == ("up",) * 2999


def test_targets_are_found_once() -> None:
    lowered = lower(counter(5))
    assert lowered.targets is lowered.targets
    assert len(lowered.targets) == 5


def test_machines_that_nobody_could_read_are_not_drawn() -> None:
    large = counter(MOST_STATES + 1)
    with pytest.raises(PlotError, match=f"{MOST_STATES + 1} reachable states"):
        geometry(large)
    assert large._repr_html_() == f"<p>&lt;Machine m: states {MOST_STATES + 1}, inputs 1&gt;</p>"


def test_a_value_in_an_error_is_cut_short() -> None:
    with pytest.raises(Exception, match="expected a mapping") as caught:
        Machine.from_dict({"transitions": [["a", "b"]] * 10_000})
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_is_as_it_was_after_a_pause(on: bool) -> None:
    was_on = gc.isenabled()
    try:
        gc.enable() if on else gc.disable()
        with collector_paused():
            assert not gc.isenabled()
        assert gc.isenabled() == on
    finally:
        gc.enable() if was_on else gc.disable()
