"""Names and texts of any length are read and written in time that grows with their length: no
regular expression over them tries the same text again and again.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm.errors import NotExpressibleError, VsafsmError
from vsafsm.formats import formats
from vsafsm.formats.yaml import read_yaml, write_yaml
from vsafsm.machine import Machine, Transition
from vsafsm.noise import parse_noise
from vsafsm.options import Options

SECONDS = 5
LONGEST = 20_000
FORMATS = sorted(formats())
DIAGRAM_LINES = [
    "{}",
    "[*] --> a : {}",
    'state "{}" as b',
    "state b {}",
    "a{} --> b",
    "a : entry / {}",
]

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="needs SIGALRM")


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what runs longer; regular expressions look for signals too."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


signs = st.sampled_from(list("!?(){}[]<>.,:;/|\\'\"&*+-=~^$%@# _"))
pieces = st.one_of(
    st.integers(20, 300).map("a".__mul__),
    st.integers(20, 300).map("7".__mul__),
    st.integers(10, 100).map("word_".__mul__),
    st.integers(5, 60).map("two words ".__mul__),
    st.tuples(signs, st.integers(20, 200)).map(lambda pair: pair[0] * pair[1]),
    st.text(signs, max_size=3),
)
long_names = (
    st.tuples(st.lists(pieces, min_size=1, max_size=4).map("".join), signs)
    .map(lambda pair: (pair[0][:500] + pair[1]).strip())
    .filter(lambda name: len(name) >= 60)
)
HARD = [
    *("0" * LONGEST + end for end in ("x", ".", ".x", "e", "e5x")),
    *("a" * LONGEST + end for end in ("!", "-", " !")),
    *("a " * (LONGEST // 2) + end for end in ("!", "-")),
    *(sign * LONGEST for sign in "[{(<\\&-_|/:'\"#,;.*+"),
    *(sign * (LONGEST // 4) for sign in ("<a: ", "&a;", "[a]", "{1}", "a:b ", "/* ", "<!-- ")),
    "a" + " " * LONGEST + "b",
]


def machine_named(name: str) -> Machine:
    return Machine(name, (name,), (name,), name, ((Transition(name, (name,)),),), ((name,),))


def survive(format_name: str, name: str) -> None:
    chosen = formats()[format_name]
    with at_most(SECONDS):
        try:
            text = chosen.write(machine_named(name))
        except NotExpressibleError:
            return
        with contextlib.suppress(VsafsmError):
            chosen.read(text, "m")


@pytest.mark.parametrize("name", FORMATS)
def test_long_names_are_written_and_read_at_once(name: str) -> None:
    @settings(deadline=None, max_examples=60)
    @given(long_names)
    def check(long: str) -> None:
        survive(name, long)

    check()


@pytest.mark.slow
@pytest.mark.parametrize("hard", HARD, ids=lambda text: f"{text[:4]}..{text[-3:]}")
@pytest.mark.parametrize("name", FORMATS)
def test_very_long_names_and_texts_are_read_at_once(name: str, hard: str) -> None:
    if hard == hard.strip() and hard.isprintable():
        survive(name, hard)
    if name == "regex":  # a state per character: merging them takes longer than reading
        hard = hard[:200] + hard[-3:]
    wrapped = {
        "dot": ["digraph {{ a -> b [label={}] }}", "digraph {{ a -> b [label=<{}>] }}", "{}"],
        "kiss2": [".i 1\n.o 1\n0 a {} 1\n", "{}"],
        "yaml": ["machine: {}\ninitial: a\nstates: {{}}\n", "a: b\n{}\nc: d\n", "{}"],
        "mermaid": [f"stateDiagram-v2\n{each}\n" for each in DIAGRAM_LINES],
        "plantuml": [f"{each}\n" for each in DIAGRAM_LINES],
        "sismic": ["statechart: {{name: {}}}", "{}"],
    }
    chosen = formats()[name]
    for text in wrapped.get(name, ["{}"]):
        with at_most(SECONDS), contextlib.suppress(VsafsmError):
            chosen.read(text.format(hard), "m")


@pytest.mark.parametrize("hard", HARD, ids=lambda text: f"{text[:4]}..{text[-3:]}")
@pytest.mark.parametrize(
    "read",
    [
        lambda text: Options().with_({"margin": text}),
        lambda text: Options().with_({"seed": text}),
        parse_noise,
        lambda text: parse_noise(f"additive:{text}"),
    ],
)
def test_options_and_noise_are_read_at_once(read: Callable[[str], object], hard: str) -> None:
    with at_most(SECONDS), contextlib.suppress(VsafsmError):
        read(hard)


def test_the_time_limit_stops_what_backtracks() -> None:
    import re

    with pytest.raises(TimeoutError), at_most(0.2):
        re.fullmatch(r"\w+([ -]?\w+)*", "a" * 40 + "!")


@pytest.mark.parametrize("length", [60, 500, LONGEST])
@pytest.mark.parametrize("end", ["!", "-", " -x!", "..", "(2)"])
def test_a_long_name_comes_back_whole(length: int, end: str) -> None:
    machine = machine_named(("word_" * length)[:length] + end)
    with at_most(SECONDS):
        assert read_yaml(write_yaml(machine), "m").machine == machine
