"""``vsafsm draw``: drawings and Mermaid text, read back without knowing how they were written."""

from __future__ import annotations

import html
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsafsm.cli import main
from vsafsm.examples import examples
from vsafsm.formats import load
from vsafsm.formats.mermaid import escaped, mermaid
from vsafsm.machine import Machine, Transition


def read_back(text: str) -> tuple[str, dict[str, str], set[tuple[str, str, str]]]:
    """The initial state, names by alias, and transitions with their labels."""
    shown = {alias: name for name, alias in re.findall(r'^ +state "(.*)" as (\w+)$', text, re.M)}
    names = {alias: plain(told) for alias, told in shown.items()}
    edges = re.findall(r"^ +(\w+) --> (\w+) : (.*)$", text, re.M)
    (initial,) = re.findall(r"^ +\[\*\] --> (\w+)$", text, re.M)
    return names[initial], names, {(names[a], names[b], plain(told)) for a, b, told in edges}


def plain(text: str) -> str:
    return html.unescape(re.sub(r"#(\d+);", r"&#\1;", text))


@pytest.mark.parametrize("name", sorted(examples()))
def test_mermaid_text_has_the_whole_machine(name: str) -> None:
    machine = load(f"specs/{name.removesuffix('.yaml')}.yaml")
    initial, names, edges = read_back(mermaid(machine, machine.reachable))
    assert initial == machine.initial
    assert sorted(names.values()) == sorted(machine.reachable)
    expected = set()
    for state in machine.reachable:
        for symbol in machine.inputs:
            taken = machine.transition(state, symbol)
            told = f" / {', '.join(taken.outputs)}" if taken.outputs else ""
            expected.add((state, taken.to, symbol + told))
    assert edges == expected


@given(
    name=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cn", "Cs", "Zl", "Zp"]),
        min_size=1,
        max_size=20,
    )
)
def test_any_name_comes_back_and_means_nothing(name: str) -> None:
    found = escaped(name)
    assert plain(found) == name
    assert not set(re.sub(r"#\d+;", "", found)) & set('"#;:<>&{}[]()|`/,=')
    assert "\n" not in found


def test_a_state_can_be_lit_up() -> None:
    table = ((Transition("on"),), (Transition("off"),))
    machine = Machine("lamp", ("off", "on"), ("press",), "off", table, ((), ()))
    assert "class s1 now" in mermaid(machine, machine.states, "on")
    assert "class" not in mermaid(machine, machine.states)


# ---- as it is typed


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    shutil.copy("specs/turnstile.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    return "turnstile.yaml"


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf", "mmd"])
def test_a_machine_is_drawn(spec: str, suffix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", spec, "-o", f"m.{suffix}"]) == 0
    assert capsys.readouterr().out == f"wrote m.{suffix}: 2 states\n"
    before = Path(f"m.{suffix}").read_bytes()
    assert main(["draw", spec, "-o", f"m.{suffix}", "--state", "unlocked"]) == 0
    assert Path(f"m.{suffix}").read_bytes() != before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "m.svg", "--state", "unloked"], 'did you mean "unlocked"'),
        (["-o", "m.bmp"], "ends in .png, .pdf, .svg, .mmd"),
        (["-o", "nowhere/m.mmd"], "cannot write"),
    ],
)
def test_bad_input_is_told(
    spec: str, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", spec, *arguments]) == 2
    assert told in capsys.readouterr().err
    assert sorted(path.name for path in Path().iterdir()) == ["turnstile.yaml"]


def test_a_machine_too_large_to_draw_is_refused(
    spec: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = "".join(f"  s{x}: {{transitions: {{go: s{(x + 1) % 5000}}}}}\n" for x in range(5000))
    Path("large.yaml").write_text(f"machine: m\ninitial: s0\nstates:\n{lines}")
    assert main(["draw", "large.yaml", "-o", "large.png"]) == 2
    told = "5000 reachable states, too many to draw; expected at most 300"
    assert told in capsys.readouterr().err
    assert not Path("large.png").exists()
    assert main(["draw", "large.yaml", "-o", "large.mmd"]) == 0
