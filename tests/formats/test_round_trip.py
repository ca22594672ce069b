"""What a format writes, it reads back as an equivalent machine; and names that it cannot hold it
refuses, and takes once they are renamed.
"""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.equivalence import distinguishing_word
from vsafsm.formats import formats
from vsafsm.formats.renaming import renaming
from vsafsm.machine import Machine

from .conftest import machines

WRITTEN = [name for name in formats() if name != "regex"]
plain = st.from_regex(r"[a-z][a-z0-9_-]{0,5}", fullmatch=True)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("names", ["plain", "any"])
@given(data=st.data())
@settings(deadline=None, max_examples=80)
def test_there_and_back(name: str, names: str, data: st.DataObject) -> None:
    chosen = formats()[name]
    machine: Machine = data.draw(
        machines(plain, options=False) if names == "plain" else machines(options=False)
    )
    # KISS2 reads a class of several cubes as an input per cube; its own test compares those.
    assume(name not in ("kiss2", "blif") or not any("|" in each for each in machine.inputs))
    renamed = renaming(machine, chosen.fits)
    if renamed.size:
        with pytest.raises(e.NotExpressibleError, match="or vsafsm convert --rename"):
            chosen.write(machine)
    text = chosen.write(renamed.applied(machine))
    found = renamed.inverse().applied(chosen.read(text, "m").machine)
    assert distinguishing_word(machine, found) is None
    assert len(found.states) == len(machine.states)
