"""Diagrams of states in Mermaid and PlantUML: small cases after the documentation of both, with
answers by hand; and what is written, read back.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsafsm import errors as e
from vsafsm.equivalence import distinguishing_word
from vsafsm.formats import formats, read
from vsafsm.machine import Machine, Transition

from .conftest import machines

CHARTS = Path(__file__).parents[1] / "data" / "charts"
BOTH = pytest.mark.parametrize("name", ["mermaid", "plantuml"])


def text_of(name: str, body: str) -> str:
    return f"stateDiagram-v2\n{body}\n" if name == "mermaid" else f"@startuml\n{body}\n@enduml\n"


def machine_of(name: str, body: str) -> Machine:
    return formats()[name].read(text_of(name, body), "d").machine


def ran(machine: Machine, word: str) -> list[tuple[str, tuple[str, ...]]]:
    """The states that a word reaches, each with what is put out on the way."""
    trace = machine.run(word.split())
    return list(zip(trace.states[1:], trace.outputs, strict=True))


def states(name: str, body: str, word: str) -> list[str]:
    return [state for state, _ in ran(machine_of(name, body), word)]


# ---- arrows and labels


@BOTH
def test_a_lamp(name: str) -> None:
    lamp = machine_of(name, "[*] --> off\noff --> on : press / click, light\non --> off : press")
    assert (lamp.states, lamp.inputs, lamp.initial) == (("off", "on"), ("press",), "off")
    assert ran(lamp, "press press") == [("on", ("click", "light")), ("off", ())]


@BOTH
@pytest.mark.parametrize(
    ("label", "word", "outputs"),
    [
        ("go", "go", ()),
        ("go,run", "run", ()),
        ("go, run / x", "run", ("x",)),
        ("go/x,y z", "go", ("x", "y z")),
        ("go [in(a)] / x", "go", ("x",)),
        ("go[not in(b)]", "go", ()),
        ("go [else]", "go", ()),
        ("go /", "go", ()),
        ("press(1): x", "press(1):~x", ()),
        (r"press\nhard / very\nloud", "press~hard", ("very loud",)),
        ("after 2 s / x", "tick", ("x",)),
        ("after(2s), go", "go", ()),
        ("after(2s), go", "tick", ()),
        ("afternoon, after dark", "after~dark", ()),
    ],
)
def test_labels(name: str, label: str, word: str, outputs: tuple[str, ...]) -> None:
    machine = machine_of(name, f"[*] --> a\na --> b : {label}\nb --> b : other")
    taken = machine.transition("a", word.replace("~", " "))
    assert (taken.to, taken.outputs) == ("b", outputs)


@BOTH
def test_a_guard_that_does_not_hold_leaves_the_event_to_the_next(name: str) -> None:
    body = (
        "[*] --> a : / n = 0\na --> c : go [else] / last\na --> b : go [n > 0]\n"
        "a --> a : up / n = 1\n"
    )
    assert ran(machine_of(name, body), "go")[-1] == ("c", ("last",))
    assert states(name, body, "up go")[-1].startswith("b")


@BOTH
def test_escapes_are_part_of_names(name: str) -> None:
    comma, slash = ("#44;", "#47;") if name == "mermaid" else ("<U+002C>", "&#47;")
    machine = machine_of(
        name, f'state "a{slash}b" as a\n[*] --> a\na --> c : x{comma}y / p{slash}q'
    )
    assert machine.states == ("a/b", "c")
    assert machine.inputs == ("x,y",)
    assert machine.transition("a/b", "x,y").outputs == ("p/q",)


def test_arrows_of_plantuml() -> None:
    body = (
        "[*] -> a\na -up-> b : 1\nb -[#red,dashed]-> c : 2\nd <-left- c : 3\nd -[hidden]-> a\n"
        "d --right--> a : 4\na ---> e : 5"
    )
    assert states("plantuml", body, "1 2 3 4 5") == ["b", "c", "d", "a", "e"]


# ---- what says nothing


def test_what_mermaid_only_draws() -> None:
    text = (
        "---\nconfig:\n  theme: dark\ntitle: door\n---\n%%{init: {}}%%\nstateDiagram\n"
        "direction LR\naccTitle: a --> b\n%% a --> c : x\nclassDef red fill:#f00\n[*] --> a:::red\n"
        "note right of a : a --> d\nnote left of a\n  a --> e : x\nend note\na --> b : go\n"
        "a : a text --> with an arrow\nclass a,b red\nb\n"
    )
    machine = formats()["mermaid"].read(text, "d").machine
    assert (machine.name, machine.states) == ("door", ("a", "b"))


def test_what_plantuml_only_draws() -> None:
    text = (
        "words before\n@startuml first\n' a --> c : x\n/' a --> d\n '/ !theme plain\n"
        "skinparam backgroundColor red\nskinparam state {\n  a b\n  c {\n  }\n}\nscale 2\n"
        "<style>\na --> x\n</style>\ntitle\na --> y\nend title\nlegend left\na --> z\nend legend\n"
        "hide empty description\nstate a #red-blue ##[dashed]green : text\n[*] --> a\n"
        'note "a --> b" as N\nnote left : text\nnote on link\n a --> e\nendnote\na --> b : go\n'
        "@enduml\nwords behind\n"
    )
    machine = formats()["plantuml"].read(text, "d").machine
    assert (machine.name, machine.states) == ("first", ("a", "b"))


# ---- states inside states


@BOTH
def test_a_nested_state_ends_and_its_arrow_without_label_is_taken(name: str) -> None:
    body = (
        "[*] --> first\nfirst --> second\nstate first {\n[*] --> one\none --> two : go\n"
        "two --> [*] : go / bye\n}\nsecond --> [*] : stop"
    )
    machine = machine_of(name, body)
    assert ran(machine, "go go stop") == [
        ("first.two", ()),
        ("second", ("bye",)),
        ("end", ("accept",)),
    ]


@BOTH
def test_keyboard_locks_are_regions(name: str) -> None:
    body = (
        "[*] --> active\nstate active {\n[*] --> numOff\nnumOff --> numOn : num\n"
        "numOn --> numOff : num\n--\n[*] --> capsOff\ncapsOff --> capsOn : caps\n"
        "capsOn --> capsOff : caps\n}"
    )
    assert states(name, body, "num caps num")[-1] == "1.numOff|2.capsOn"


@BOTH
def test_regions_of_the_whole_diagram(name: str) -> None:
    body = "[*] --> a\na --> b : x\n--\n[*] --> c\nc --> d : x [in(a)]"
    assert states(name, body, "x x") == ["1.b|2.d", "1.b|2.d"]


@BOTH
def test_a_state_lies_where_it_is_declared_or_else_named_first(name: str) -> None:
    body = (
        "[*] --> x\nx --> inner : a\nstate x {\n[*] --> lone\nlone --> y : b\nstate inner\n}\n"
        "y --> x : c"
    )
    assert machine_of(name, body).states == ("x.lone", "x.y", "x.inner")
    assert machine_of(name, "state y\n" + body).states == ("y", "x.lone", "x.inner")


@BOTH
def test_entry_exit_do_and_inner_transitions(name: str) -> None:
    body = (
        "[*] --> a\na --> b : go / on the way\nb --> a : go\na : exit / left\n"
        "b : Entry / came, in\nb : do/ hum\nb : tap [in(b)] / tick\nb : on/off, mind the gap\n"
        "a --> a : again\n"
    )
    machine = machine_of(name, body)
    assert machine.outputs_of("b") == ("hum",)
    assert ran(machine, "again go tap go") == [
        ("a", ("left",)),
        ("b", ("left", "on the way", "came", "in", "hum")),
        ("b", ("tick", "hum")),
        ("a", ()),
    ]
    assert machine.inputs == ("go", "again", "tap")


@BOTH
def test_a_choice(name: str) -> None:
    body = (
        "state c <<choice>>\n[*] --> a : / n = 0\na --> c : go\nc --> low : [n < 1]\n"
        "c --> high : [else] / top\na --> a : up [n < 2] / n += 1\nhigh --> a : back / n = 0\n"
        "low --> a : back / n = 0"
    )
    machine = machine_of(name, body)
    assert ran(machine, "go")[-1] == ("low", ())
    assert [state.partition("[")[0] for state, _ in ran(machine, "up go")] == ["a", "high"]


def test_the_choice_of_mermaid_s_documentation() -> None:
    body = (
        "state if_state <<choice>>\n[*] --> IsPositive : / n = 0\nIsPositive --> if_state : check\n"
        "IsPositive --> IsPositive : down / n = -1\nif_state --> False: if n < 0\n"
        "if_state --> True : if n >= 0"
    )
    machine = machine_of("mermaid", body)
    assert ran(machine, "check")[-1][0] == "True"
    assert ran(machine, "down check")[-1][0] == "False"


@BOTH
def test_a_fork_and_a_join(name: str) -> None:
    body = (
        "state f <<fork>>\nstate j <<join>>\n[*] --> idle\nidle --> f : go / start\n"
        "state both {\na --> b : left\n--\nc --> d : right\n}\nf --> a\nf --> c : / forked\n"
        "b --> j\nd --> j : / joined\nj --> idle : / done"
    )
    assert ran(machine_of(name, body), "go right left") == [
        ("both.1.a|both.2.c", ("start", "forked")),
        ("both.1.a|both.2.d", ()),
        ("idle", ("joined", "done")),
    ]


def test_histories_of_plantuml() -> None:
    body = (
        "[*] --> off\nstate on {\n[*] --> am\nam --> fm : band\nstate fm {\n[*] --> low\n"
        "low --> high : up\n}\noff --> [H] : back\n}\noff --> on[H*] : deep\non --> off : power\n"
    )
    assert states("plantuml", body, "back")[-1] == "on.am"
    assert states("plantuml", body, "deep band up power back")[-1] == "on.fm.low"
    word = "deep band up power deep"
    assert states("plantuml", body, word)[-1].startswith("on.fm.high")
    default = body + "on[H] --> fm : / hello\n"
    assert ran(machine_of("plantuml", default), "back")[-1] == ("on.fm.low", ("hello",))


def test_ends_and_starts_with_names_in_plantuml() -> None:
    body = (
        "state s <<start>>\nstate e <<end>>\ns --> a\na --> e : go\na --> h : x\nstate h <<warm>>"
    )
    assert ran(machine_of("plantuml", body), "go") == [("e", ("accept",))]


def test_a_time_out_in_milliseconds() -> None:
    chart = formats()["mermaid"].chart
    assert chart is not None
    found = chart("stateDiagram-v2\n[*] --> a\na --> b : after(500ms)\nb --> a : after 2 s", "d")
    assert found.period == Fraction(1, 2)


@pytest.mark.parametrize("name", ["lift.mermaid", "radio.puml"])
def test_diagrams_with_everything(name: str) -> None:
    reading = read(CHARTS / name)
    assert not reading.warnings
    machine = reading.machine
    if name == "lift.mermaid":
        word = "call tick tick tick knock close open call"
        expected = ["ding, dong", "hum", "motor on"]
        last = "busy.1.on the way|busy.2.closed[floor=2]"
    else:
        word = "power band up power resume power pair left right"
        expected = ["hiss", "green", "dark", "click", "click", "both"]
        expected += ["pairing", "pairing", "joined"]
        last = "Off{On[H]: is on.Am, On[H*]: is on.Am.high}"
    trace = machine.run(word.split())
    assert trace.states[-1] == last
    told = [output for outputs in trace.outputs for output in outputs]
    assert told[: len(expected)] == expected


# ---- warnings


@BOTH
def test_warnings(name: str) -> None:
    body = "[*] --> a : begin\na --> b : go\na : enrty / x\nb --> a : back"
    found = formats()[name].read(text_of(name, body), "d").warnings
    assert [each.partition(" ")[0] for each in found] == ["d:2:13:", "d:4:5:"]
    assert "not waited for" in found[0]
    assert 'did you mean "entry"' in found[1]


# ---- what is refused

REFUSED = [
    ("a --> b : [x", "3:11", '"[" is not closed'),
    ("a --> b : go [in(a)] x", "3:22", 'expected "/" and outputs'),
    ("a --> b : go,,stop", "3:14", "an event is missing"),
    ("a --> b : *", "3:11", '"*" is no event here'),
    ("a --> b : go / x,", "3:18", "an output is missing"),
    ("a --> b : after(3 s", "3:16", '"(" is not closed'),
    ("a --> b : after(3)", "3:17", "without a unit"),
    ("a --> b : go / n = 1", "3:16", 'unknown variable "n"'),
    ("a => b", "3:3", 'did you mean "-->"'),
    ("a --> b go", "3:9", 'expected ":" and a label'),
    ("a -->", "3:6", "expected a state"),
    ("sate b {", "3:1", 'did you mean "state"'),
    ("}", "3:1", '"}" closes nothing'),
    ("state b {", "3:7", '"{" is not closed'),
    ('state "b as c', "3:7", "a quote is not closed"),
    ("state b <<chioce>>", "3:9", 'did you mean "choice"'),
    ("state b\nstate c {\nstate b\n}", "5:7", "declared twice (first in line 3)"),
    ("state b {\n[*] --> c\n--\n}\na --> b : go", "5:1", "has no states"),
    ("[*] --> b", "3:1", 'another arrow from "[*]" is in line 2'),
    ("a --> b\na --> c", "4:1", "expected events or guards that tell them apart"),
    ("a --> b : go [else]\na --> c : go", "3:11", "tell them apart"),
    ("a --> b : go\nstate b {\nc --> d : x\n}", "3:7", 'tells where "b" starts'),
    ("state b <<choice>>\na --> b : go\nb --> c : stop", "5:11", "expected it on the arrows"),
    ("state b <<fork>>\na --> b : go\nb --> c : stop\nb --> d", "5:11", "has an event"),
    ("state b <<fork>>\na --> b : go\nb --> c\nb --> d", "4:7", "are not in different regions"),
    ("state b <<fork>>\na --> b : go", "3:7", "leads nowhere"),
    ("state b <<fork>>\na --> b : go\nb --> b", "4:7", "on two ways"),
    ("state b <<join>>\na --> b\nc --> b\nb --> d", "3:7", "different regions"),
    ("state b <<join>>\na --> b : go\nb --> d", "4:1", "expected outputs alone"),
    ("state b <<choice>> {\nstate c\n}", "3:7", "has states inside"),
    ("a : go / defer", "3:5", "is deferred"),
    ("a : / beep", "3:5", "has no event"),
    ("a : do / n = 1", "3:10", 'is set behind "do"'),
    ("a --> b\nstate a {\n[*] --> c\n}", "3:1", "which is never done"),
    ("a --> b : [in(q)]", "3:11", 'unknown state "q"'),
]


@BOTH
@pytest.mark.parametrize(("body", "place", "told"), REFUSED)
def test_what_is_refused(name: str, body: str, place: str, told: str) -> None:
    body = "[*] --> a\n" + body
    with pytest.raises(e.SpecError) as caught:
        machine_of(name, body)
    assert told in caught.value.message
    assert str(caught.value).startswith(f"d:{place}: ")


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("mermaid", "", 'd:1:1: there is no diagram; expected "stateDiagram-v2"'),
        ("mermaid", "graph LR\na-->b", "a graph; expected"),
        ("mermaid", "stateDiagram-v2\n[*] --> a\na --> [H] : go", "d:3:7: "),
        (
            "mermaid",
            "stateDiagram-v2\nnote left of a\na --> b",
            "d:2:1: what begins here has no end",
        ),
        ("mermaid", "stateDiagram-v2\n[*] --> a : / x", 'd:2:15: output "x" comes before'),
        ("plantuml", "@startuml\n!include x\n@enduml", 'd:2:1: "!include" is for the preprocessor'),
        ("plantuml", "@startuml\n@enduml\n@startuml\n@enduml", 'd:3:1: "@startuml" cannot stand'),
        ("plantuml", "@startumll\n@enduml", 'did you mean "@startuml"'),
        ("plantuml", "/' never\n[*] --> a", "d:1:1: a comment has no end"),
        ("plantuml", "[*] --> a\nstate b <<entryPoint>>", "d:2:9: <<entryPoint>> enters a state"),
        ("plantuml", "[*] --> a\nlone", 'd:2:1: "lone" stands alone'),
        ("plantuml", "[*] --> a\na --> [H] : go", "d:2:7: "),
        ("plantuml", "[*] --> a\na --> a[H] : go", 'd:2:7: state "a" has no states inside'),
    ],
)
def test_what_one_of_them_refuses(name: str, text: str, told: str) -> None:
    with pytest.raises(e.SpecError) as caught:
        formats()[name].read(text, "d")
    assert told in str(caught.value)


@BOTH
def test_depth_and_length_have_bounds(name: str) -> None:
    deep = "".join(f"state s{i} {{\n" for i in range(5000))
    with pytest.raises(e.TooLargeError, match="deeper than 64 levels"):
        machine_of(name, deep)
    with pytest.raises(e.TooLargeError, match="a line is longer"):
        machine_of(name, "a --> b : " + "x" * 200_000)
    forks = "".join(f"state f{i} <<fork>>\nf{i} --> f{i + 1}\n" for i in range(90))
    chain = f"[*] --> a\na --> f0 : go\n{forks}f90 --> f90 : x"
    assert states(name, chain, "go") == ["f90"]
    for many in (chain.replace("f9 --> f10", "f9 --> f10\n" * 200), chain * 40):
        with pytest.raises(e.SpecError):
            machine_of(name, many)


# ---- there and back


@BOTH
def test_every_machine_comes_back_with_its_names(name: str) -> None:
    chosen = formats()[name]

    @settings(max_examples=150, deadline=None)
    @given(machines(options=False))
    def check(machine: Machine) -> None:
        found = chosen.read(chosen.write(machine), "m").machine
        assert (found.name, found.states) == (machine.name, machine.states)
        assert {*found.inputs} == {*machine.inputs}
        assert distinguishing_word(machine, found) is None

    check()


@BOTH
@given(
    label=st.text(
        st.sampled_from(" ,/[]#;&<>:-{}=+*~'\"\\|%!@()ab"), min_size=1, max_size=8
    ).filter(lambda label: label == label.strip() and label != "*"),
    keyword=st.sampled_from(
        ["", "after 3 s", "after(1s)", "if ", "else", "entry /", "do / ", "--"]
    ),
)
@settings(max_examples=200, deadline=None)
def test_signs_and_keywords_in_names_mean_nothing(name: str, label: str, keyword: str) -> None:
    odd = (keyword + label).strip()
    table = ((Transition("another", (odd,)),), (Transition(odd, ("x", "y")),))
    machine = Machine(odd, (odd, "another"), (odd,), odd, table, ((odd,), ()))
    found = formats()[name].read(formats()[name].write(machine), "m").machine
    assert (found.states, found.inputs, found.name) == ((odd, "another"), (odd,), odd)
    assert found.table == machine.table
    assert found.moore == machine.moore
