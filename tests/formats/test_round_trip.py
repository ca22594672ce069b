"""What a format writes, it reads back as an equivalent machine; and names that it cannot hold it
refuses, and takes once they are renamed.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.equivalence import distinguishing_word
from vsafsm.formats import formats
from vsafsm.formats.renaming import renaming
from vsafsm.machine import Machine, Transition

from .conftest import machines

WRITTEN = [name for name in formats() if name != "regex"]
MEANING = re.split(
    r"\s*\n|   ",
    r"""
*   **   [*]   [H]   [H*]   -   --   ---   -->   |   ||   ~   #   //   /   '   +   ++   &   !   ?
@   %%   \   \n   .   ..   .*   a.*   :::   =   {}   tick   wait   wait:4s   after   after 3 s
after(3 s)   idle   always   else   if   entry   exit   do   state   note   end   end note
end state   start   init   direction   hide   skinparam   class   classDef   style   click   title
legend   choice   fork   join   history   initial   final   parallel   root   ROOT   regions
accept   done   done.state.s   error   error.execution   In   in('s')   on   off   graph   digraph
subgraph   node   edge   strict   __start   label   shape   null   true   false   yes   no   NaN
.inf   1   -1   1e3   0x1   1.0   1_0   2026-12-01   1:30   <<   <<choice>>   !!str   name
states   to   from   set   x   any   ANY   epsilon   ε   λ   ϵ   lambda   event   trigger   guard
raise   .i   .e   .end   0   as   s0   s1   q0   as s0   target   reflexive   internal
xstate.init   xstate.after.3.s   xstate.done.state.s   xstate.stop   @startuml   @enduml
constructor   __proto__   toString   #s1   .s1   a, b   a / b   a [b]   a=1   a:b   &#42;   #42;
&lt;   &amp;   <U+002A>   <b>a</b>   ${a}   $a   `   "   <!--   -->x
""".strip(),
)
"""Names that have a meaning of their own in some format, or look like one; three spaces apart."""
plain = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True)


def there_and_back(name: str, machine: Machine) -> None:
    chosen = formats()[name]
    renamed = renaming(machine, chosen.fits)
    if renamed.size:
        with pytest.raises(e.NotExpressibleError, match="or vsafsm convert --rename"):
            chosen.write(machine)
    text = chosen.write(renamed.applied(machine))
    found = renamed.inverse().applied(chosen.read(text, "m").machine)
    assert distinguishing_word(machine, found) is None
    assert len(found.states) == len(machine.states)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("kind", ["states", "inputs", "outputs"])
def test_names_with_a_meaning_are_names(name: str, kind: str) -> None:
    plain = tuple(f"p{i}" for i in range(3 if kind == "inputs" else len(MEANING)))
    states = tuple(MEANING) if kind == "states" else plain
    inputs = tuple(MEANING) if kind == "inputs" else plain[:2]
    outputs = tuple(MEANING) if kind == "outputs" else plain
    if name in ("kiss2", "blif"):  # which read a class of cubes as an input per cube
        inputs = tuple(each for each in inputs if "|" not in each)
    rows = [
        tuple(
            Transition(states[(i + j % 2 + 1) % len(states)], (output,)) for j in range(len(inputs))
        )
        for i, output in enumerate(outputs[: len(states)])
    ]
    moore = tuple((output,) for output in outputs[-len(states) :])
    there_and_back(name, Machine("m", states, inputs, states[0], tuple(rows), moore))


@pytest.mark.parametrize("name", WRITTEN)
@given(data=st.data())
@settings(deadline=None, max_examples=20)
def test_names_with_a_meaning_are_told_apart(name: str, data: st.DataObject) -> None:
    machine = data.draw(machines(st.sampled_from(MEANING), options=False))
    assume(name not in ("kiss2", "blif") or not any("|" in each for each in machine.inputs))
    there_and_back(name, machine)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("names", ["plain", "any"])
@given(data=st.data())
@settings(deadline=None, max_examples=80)
def test_there_and_back(name: str, names: str, data: st.DataObject) -> None:
    machine: Machine = data.draw(
        machines(plain, options=False) if names == "plain" else machines(options=False)
    )
    # KISS2 reads a class of several cubes as an input per cube; its own test compares those.
    assume(name not in ("kiss2", "blif") or not any("|" in each for each in machine.inputs))
    there_and_back(name, machine)
