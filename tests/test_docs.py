"""What the documentation says is what happens: its snippets, commands, outputs and messages are
run.
"""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import vsafsm
from vsafsm.backend import Backend
from vsafsm.cli import main
from vsafsm.discovery import find
from vsafsm.errors import RequirementError, SessionError
from vsafsm.formats import read
from vsafsm.formats.yaml import read_yaml
from vsafsm.machine import Machine
from vsafsm.proof import prove
from vsafsm.statecharts import flatten

pytestmark = pytest.mark.usefixtures("usual_tolerances")

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CLOCKED = DOCS / "examples" / "clocked"
Capture = pytest.CaptureFixture[str]


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def without_numbers(text: str) -> str:
    """Margins and sizes may move with the compiler; what stands around them may not."""
    return re.sub(r"\d+(\.\d+)?(e[-+]\d+)?", "#", text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own folder to work in, with ``specs`` in it."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def clocked(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Backend:
    """The worked example, found through the entry point of its own pyproject, as if it were
    installed.
    """
    site = tmp_path_factory.mktemp("site")
    shutil.copy(CLOCKED / "vsafsm_clocked.py", site)
    (entry,) = re.findall(
        r'entry-points\."vsafsm.backends"\]\n(.+)\n', page("docs/examples/clocked/pyproject.toml")
    )
    info = site / "vsafsm_clocked-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vsafsm-clocked\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[vsafsm.backends]\n{entry.replace(chr(34), '')}\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "vsafsm_clocked", raising=False)
    return find("clocked")


# ---- statecharts of other tools


@pytest.mark.parametrize(
    ("name", "change", "word", "last"),
    [
        ("arm.transitions", None, "go faster tick arrive close", "work.grip.shut|work.lamp"),
        ("screen.sismic", ("notify('dark')", "beep()"), "touch tick touch", "active[touches=0]"),
        (
            "kettle.xstate",
            ('"actions": "click"', '"guard": "full"'),
            "press boils press press",
            "on.keeping",
        ),
        (
            "gate.mermaid",
            None,
            "card push card lamp button tick card push code push card",
            "alarm",
        ),
    ],
)
def test_charts_of_other_tools(
    name: str, change: tuple[str, str] | None, word: str, last: str, folder: Path
) -> None:
    text = page("docs/spec-format.md")
    language = {".sismic": "yaml", ".mermaid": "text"}.get(Path(name).suffix, "json")
    (chart,) = blocks(text[text.index(f"`{name}`") :], language)[:1]
    Path(name).write_text(chart, encoding="utf-8")
    reading = read(name)
    assert not reading.warnings
    assert reading.machine.run(word.split()).states[-1] == last
    if change:
        Path(name).write_text(chart.replace(*change), encoding="utf-8")
        with pytest.raises(vsafsm.VsafsmError) as caught:
            read(name)
        assert f"\n{caught.value}\n" in text


# ---- snippets and commands


@pytest.mark.parametrize("name", ["README.md", "docs/quick-start.md"])
def test_python_snippets_run(name: str, folder: Path, capsys: Capture) -> None:
    specs = blocks(page(name), "yaml")
    (folder / "lamp.yaml").write_text(specs[0])
    snippets = blocks(page(name), "python")
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, name, "exec"), {"__name__": "__main__"})
        printed = capsys.readouterr().out
        for comment in re.findall(r"print\(\w+\)  # (.+; did you mean.+)", snippet):
            assert comment in printed


def test_the_first_two_commands_stand_alone_each_on_one_line() -> None:
    first, second = blocks(page("README.md"), "bash")[:2]
    assert first.count("\n") == second.count("\n") == 1
    assert page("README.md").count("```", 0, page("README.md").index(second)) == 3


def test_the_readme_shows_what_its_first_command_prints(capsys: Capture, folder: Path) -> None:
    first = blocks(page("README.md"), "bash")[0]
    assert main(shlex.split(first.rpartition("/bin/vsafsm ")[2])) == 0
    printed = without_numbers(capsys.readouterr().out)
    assert printed == without_numbers(blocks(page("README.md"), "text")[0])
    assert printed == without_numbers(blocks(page("docs/index.md"), "text")[0])


def test_the_quick_start_can_be_typed_as_it_stands(folder: Path, capsys: Capture) -> None:
    text = page("docs/quick-start.md")
    (folder / "lamp.yaml").write_text(blocks(text, "yaml")[0])
    printed = ""
    for line in "".join(blocks(text, "bash")[1:]).splitlines():
        if line.startswith("echo"):
            continue
        assert main(shlex.split(line)[1:]) == 0, line
        printed += capsys.readouterr().out
    for shown in blocks(text, "text"):
        assert without_numbers(shown) in without_numbers(printed)


def test_the_guide_s_machine_can_be_typed_as_it_stands(folder: Path, capsys: Capture) -> None:
    text = page("docs/guide/your-machine.md")
    (folder / "door.yaml").write_text(blocks(text, "yaml")[0])
    first, second = blocks(text, "bash")
    for line in first.splitlines():
        assert main(shlex.split(line)[1:]) == 0, line
    assert without_numbers(blocks(text, "text")[0]) in without_numbers(capsys.readouterr().out)
    for line in second.splitlines():
        few = ["--noise", "additive:0", "--trials", "1"] if " report " in line else []
        assert main([*shlex.split(line)[1:], *few]) == 0, line


@pytest.mark.parametrize("name", ["deploy", "how-sure"])
def test_commands_of_the_guide_run(name: str, folder: Path, capsys: Capture) -> None:
    for line in "".join(blocks(page(f"docs/guide/{name}.md"), "bash")).splitlines():
        assert main(shlex.split(line)[1:]) == 0, line
    if name == "how-sure":
        assert "in 189 of 189 draws (0.980 to 1.000)" in capsys.readouterr().out


def test_commands_of_the_gallery_are_those_that_draw_the_pictures(
    benchmark_script: Callable[[str], ModuleType],
) -> None:
    """Those of ``benchmarks/pictures.py``, where specs are read from ``specs``."""
    commands: dict[str, str] = benchmark_script("pictures").COMMANDS
    drawn = {" ".join(text.replace("specs/", "").split()) for text in commands.values()}
    text = " ".join(page("docs/guide/gallery.md").split())
    shown = re.findall(r"`vsafsm ((?:plot|draw|sweep|yield|info) .+?) (?:-o|--picture) \S+`", text)
    assert len(shown) >= 12
    for each in shown:
        known = each.replace(" -o table.csv", "")
        assert any(command.startswith(known) for command in drawn), each


@pytest.mark.slow
def test_frames_of_the_guide_go_into_the_world(folder: Path, capsys: Capture) -> None:
    pytest.importorskip("sklearn.datasets")
    text = page("docs/guide/into-the-world.md")
    shutil.copy(DOCS / "examples" / "senses" / "keypad_lock.yaml", folder)
    record, live = blocks(text, "python")
    exec(compile(record, "record", "exec"), {})
    for lines, shown in zip(blocks(text, "bash"), blocks(text, "text"), strict=True):
        for line in lines.splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
        assert without_numbers(capsys.readouterr().out) == without_numbers(shown)
    exec(compile(live, "live", "exec"), {})
    assert capsys.readouterr().out == "the door is open\n"


def test_commands_of_the_reference_run(folder: Path, capsys: Capture) -> None:
    shutil.copy("specs/turnstile.yaml", ".")
    (folder / "word.txt").write_text("coin push\n")
    lines = "".join(blocks(page("docs/command-line.md"), "bash")).splitlines()
    assert main(["convert", "turnstile.yaml", "machine.txt", "--to", "kiss2"]) == 0
    order = sorted(
        (line for line in lines if line.startswith("vsafsm")),
        key=lambda line: " compile " not in line,
    )
    for line in order:
        assert main(shlex.split(line)[1:]) == 0, line


def test_a_train_of_the_reference_prints_what_it_shows(folder: Path, capsys: Capture) -> None:
    section = page("docs/command-line.md").partition("### Inputs with times\n")[2]
    assert main(shlex.split(blocks(section, "console")[0])[2:]) == 0
    assert capsys.readouterr().out == blocks(section, "text")[0]


@pytest.mark.parametrize(
    ("heading", "arguments"),
    [
        ("run", ["run", "t.yaml", "coin", "push"]),
        ("compile", ["compile", "t.yaml", "-o", "t.npz"]),
        ("prove", ["prove", "t.yaml"]),
        ("info", ["info", "t.yaml"]),
        ("backends", ["backends"]),
    ],
)
def test_json_objects_are_those_of_the_reference(
    heading: str, arguments: list[str], folder: Path, capsys: Capture
) -> None:
    shutil.copy("specs/turnstile.yaml", "t.yaml")
    section = page("docs/command-line.md").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert main([*arguments, "--json"]) == 0
    assert (
        json.loads(capsys.readouterr().out).keys() == json.loads(blocks(section, "json")[0]).keys()
    )


def test_links_inside_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page("README.md")):
        assert (ROOT / target).exists(), target


# ---- the proof


def test_the_walk_by_hand_finds_what_the_page_shows(
    folder: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["emit", "specs/turnstile.yaml", "-o", "files"]) == 0
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["walk.py", "files"])
    runpy.run_path(str(DOCS / "examples" / "walk.py"))
    assert capsys.readouterr().out in blocks(page("docs/proof.md"), "text")


def test_the_failure_bound_prints_what_the_page_shows(folder: Path, capsys: Capture) -> None:
    runpy.run_path(str(DOCS / "examples" / "bound.py"))
    printed = without_numbers(capsys.readouterr().out)
    assert printed in map(without_numbers, blocks(page("docs/proof.md"), "text"))


def test_any_order_prints_what_the_page_shows(folder: Path, capsys: Capture) -> None:
    text = page("docs/proof.md").partition("## Any order of updates")[2]
    shutil.copy("specs/turnstile.yaml", ".")
    assert main(shlex.split(blocks(text, "console")[0])[2:]) == 1
    shown = list(map(without_numbers, blocks(text, "text")))
    printed = without_numbers(capsys.readouterr().out)
    assert re.sub("(# )+", "# ", printed) == re.sub("(# )+", "# ", shown[0])
    exec(compile(blocks(text, "python")[0], "proof.md", "exec"), {"__name__": "__main__"})
    assert without_numbers(capsys.readouterr().out) == shown[1]


# ---- the spec format

CHARTS = "docs/statecharts.md"

GOOD = """machine: turnstile
initial: locked
inputs: [coin, push]
states:
  locked:
    transitions: {coin: unlocked}
  unlocked:
    transitions: {push: locked}
"""
GATE = """.i 2
.o 1
.p 3
.r a
-1 a b 0
-0 a a 0
0- b a 1
.e
"""
ENDS = blocks(page("docs/spec-format.md"), "xml")[0]
BAD_YAML = [
    GOOD.replace("inputs:", "imputs:"),
    GOOD.replace("coin: unlocked", "coin: unlokced"),
    GOOD.replace("initial: locked\n", ""),
    GOOD + "initial: unlocked\n",
    GOOD + "  locked: {}\n",
    GOOD.replace("{coin: unlocked}", "{coin: unlocked, coin: locked}"),
    GOOD + "compile: {bitss: 8}\n",
    GOOD + "compile: {bits: 99}\n",
    GOOD.replace("[coin, push]", "coin"),
    GOOD.replace("coin: unlocked", "coin: [unlocked]"),
    GOOD.replace("coin: unlocked", "coins: unlocked"),
    GOOD + "unlisted: error\n",
    "machine: m\ninitial: a\nstates:\n  a: {}\n",
    "",
    GOOD.replace("    transitions: {push", "\ttransitions: {push"),
    GOOD.replace("{coin: unlocked}", "&t {coin: unlocked}"),
    GOOD.replace("{coin: unlocked}", "{coin: unlocked, *: locked}"),
    "machine: " + "[" * 50,
    GOOD.replace("turnstile", "\udcfcbung"),
    GOOD + "  broken: {}\n",
    GOOD.replace("initial: locked", "initial locked"),
    GOOD.replace("push: locked", "push:locked"),
    GOOD.replace("push: locked", "push: {to: locked, if: paid}"),
    GOOD.replace("{push: locked}", "{push: {to: locked, outputs: [click, click]}}"),
    GOOD.replace("coin, push", "coin, push, kick"),
    GOOD + "".join(f"  s{n}:\n" for n in range(9)),
]
BAD_KISS2 = [
    GATE.replace("-0 a a 0", "1- a a 0"),
    GATE.replace("0- b a 1", "0- b"),
    GATE.replace("-1 a b 0", "-11 a b 0"),
    GATE.replace("-1 a b 0", "-2 a b 0"),
    GATE.replace(".r a", ".r c"),
    GATE.replace(".i 2\n", ""),
    GATE.replace(".o 1", ".q 1"),
    GATE.replace(".p 3", ".p 4"),
]


def _with(transition: str) -> str:
    """The automaton of the page with a transition more."""
    return ENDS.replace(
        "  </automaton>", f"    <transition>{transition}</transition>\n  </automaton>"
    )


BAD_JFLAP = [
    _with("<from>1</from><to>0</to><read>y</read>"),
    _with("<from>0</from><to>0</to><read>a</read>"),
    ENDS.replace("<read>[x-z]</read>", "<read/>"),
    ENDS.replace("<initial/>", ""),
    ENDS.replace("<final/>", "<final/><initial/>"),
    ENDS.replace('id="1"', 'id="0"'),
    ENDS.replace("<to>1</to><read>ab", "<to>2</to><read>ab"),
    ENDS.replace("<final/>", "<finl/>"),
    ENDS.replace("<type>fa", "<type>pda"),
    "<!DOCTYPE structure>\n" + ENDS,
    ENDS[:200],
]


def _diagram(*lines: str) -> str:
    return "\n".join(["stateDiagram-v2", "    [*] --> locked", *lines]) + "\n"


BAD_MERMAID = [
    "flowchart TD\n    a --> b\n",
    _diagram().replace("diagram", "diagramm").replace("Diagram", "Diagramm"),
    _diagram("    locked -> opened : card"),
    _diagram("    locked --> opened : card", "    sate opened {"),
    _diagram("    locked --> opened : card [in(opened)"),
    _diagram("    locked --> opened : card [tries < 3]"),
    _diagram("    locked --> opened : after 5 sec"),
    _diagram("    locked --> opened : card", "    locked --> alarm : card"),
    _diagram("    state checked <<chioce>>"),
    _diagram(
        "    locked --> opened : card", "    state opened {", "      dark", "      bright", "    }"
    ),
    _diagram(
        "    locked --> opened : card",
        "    opened --> locked",
        "    state opened {",
        "      [*] --> dark",
        "    }",
    ),
    _diagram("    locked --> opened : card", "    state opened {", "      [*] --> dark"),
    _diagram("    opened --> [H] : card"),
]


LAMP = blocks(page("docs/statecharts.md"), "yaml")[0]
BAD_CHARTS = [
    LAMP.replace("    initial: bright\n", ""),
    LAMP.replace("initial: bright", "initial: brigt"),
    LAMP.replace("press: on", "press: soft.on"),
    LAMP.replace("      soft:", "      bright:"),
    LAMP.replace("states:\n      bright:", "entyr: [click]\n    states:\n      bright:"),
    LAMP.replace("dim: soft", "dim: {to: soft, if: in(bright) and}"),
    LAMP.replace("dim: soft", "dim: {to: soft, if: in(bigrht)}"),
    LAMP.replace("dim: soft", "dim: {to: soft, set: {dims: 1}}"),
    LAMP.replace("dim: soft", "dim: {set: {dims: dims + 1}}") + "data: {dims: 0..2}\n",
    LAMP.replace("dim: soft", "dim: {set: {dims: 3}}") + "data: {dims: 0..2}\n",
    LAMP + "data: {dims: 2}\n",
    LAMP.replace("3 s", "0 s"),
    LAMP.replace("3 s", "3"),
    LAMP.replace("3 s", "3 sec"),
    LAMP + "clock: 2 s\n",
    LAMP + "clock: 1 s\nclock: 2 s\n",
    LAMP + "clock: 0.01 ms\n",
    LAMP.replace("press: on", "press: last").replace(
        "      soft:", "      last: {history: deep}\n      soft:"
    ),
    LAMP.replace("press: on", "tick: on"),
    LAMP.replace("      soft:\n", "      soft:\n        always: bright\n").replace(
        "[light, fan]", "[light, fan]\n        always: soft"
    ),
    LAMP + "      unused: {}\n",
]


def said(source: str, text: str) -> list[str]:
    """What reading a spec says."""
    Path(source).write_bytes(text.encode("utf-8", "surrogateescape"))
    try:
        return list(read(source).warnings)
    except vsafsm.VsafsmError as error:
        return [str(error)]


def test_every_message_is_known_word_for_word_and_pages_show_some(folder: Path) -> None:
    found = [message for bad in BAD_YAML for message in said("turnstile.yaml", bad)]
    found += [message for bad in BAD_KISS2 for message in said("gate.kiss2", bad)]
    found += [message for bad in BAD_MERMAID for message in said("gate.mmd", bad)]
    found += [message for bad in BAD_JFLAP for message in said("ends.jff", bad)]
    found += [message for bad in BAD_CHARTS for message in said("lamp.yaml", bad)]
    known = page("tests/data/messages.txt").splitlines()
    assert sorted(found) == sorted(known)
    for name in ("docs/spec-format.md", CHARTS):
        shown = re.findall(r"^\| `([\w.]+:\d+:\d+: .*?)` \|$", page(name), re.MULTILINE)
        assert shown
        assert set(shown) <= set(known)


def test_the_chart_of_the_readme_does_what_it_shows(folder: Path, capsys: Capture) -> None:
    text = page("README.md")
    Path("lamp.yaml").write_text(next(b for b in blocks(text, "yaml") if "lamp" in b))
    command, _, shown = next(b for b in blocks(text, "console") if "lamp" in b).partition("\n")
    assert main(shlex.split(command)[2:]) == 0
    assert without_numbers(capsys.readouterr().out) == without_numbers(shown)


def test_the_charts_of_the_page_do_what_it_shows(folder: Path, capsys: Capture) -> None:
    text = page(CHARTS)
    for spec in blocks(text, "yaml"):
        machine = read_yaml(spec, "chart.yaml").machine
        Path(f"{machine.name}.yaml").write_text(spec)
        assert flatten(vsafsm.load_chart(f"{machine.name}.yaml")) == machine
    for block in blocks(text, "console"):
        command, _, shown = block.partition("\n")
        assert main(shlex.split(command)[2:]) == 0
        assert without_numbers(capsys.readouterr().out) == without_numbers(shown)
    (snippet,), (shown,) = blocks(text, "python"), blocks(text, "text")
    exec(compile(snippet, CHARTS, "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out == shown


@pytest.mark.slow
def test_the_page_on_systems_does_what_it_shows(folder: Path, capsys: Capture) -> None:
    text = page("docs/systems.md")
    for spec in blocks(text, "yaml"):
        (name,) = re.findall(r"^machine: (.+)$", spec, re.MULTILINE)
        Path(f"{name}.yaml").write_text(spec)
    for console in blocks(text, "console"):
        for line in re.findall(r"^\$ (.+)$", console, re.MULTILINE):
            assert main(shlex.split(line)[1:]) == 0
        shown = re.sub(r"^\$ .+\n", "", console, flags=re.MULTILINE)
        assert without_numbers(capsys.readouterr().out) == without_numbers(shown)
    names: dict[str, object] = {"__name__": "__main__"}
    for snippet, printed in zip(blocks(text, "python"), blocks(text, "text"), strict=True):
        exec(compile(snippet, "docs/systems.md", "exec"), names)
        assert without_numbers(capsys.readouterr().out) == without_numbers(printed)


def test_the_specs_of_the_page_and_of_the_readme_are_the_turnstile(folder: Path) -> None:
    turnstile = vsafsm.load("specs/turnstile.yaml")
    for name in ("README.md", "docs/spec-format.md"):
        assert read_yaml(blocks(page(name), "yaml")[0], name).machine == turnstile


def test_the_kiss2_file_of_the_page_has_the_inputs_it_says(folder: Path) -> None:
    text = page("docs/spec-format.md")
    Path("gate.kiss2").write_text(next(block for block in blocks(text, "text") if ".i 2" in block))
    assert vsafsm.load("gate.kiss2").inputs == ("01", "11", "00", "10")


def test_the_automaton_of_the_page_has_the_inputs_it_says(folder: Path) -> None:
    Path("ends.jff").write_text(ENDS)
    machine = vsafsm.load("ends.jff")
    assert machine.inputs == ("a", "b", "x", "y", "z")
    assert machine.states == ("start", "end", "start.a", "trap")


# ---- the worked example of a backend


@pytest.fixture
def turnstile() -> Machine:
    return vsafsm.load(ROOT / "specs" / "turnstile.yaml")


def test_the_example_is_found_listed_and_run(
    clocked: Backend, folder: Path, capsys: Capture, turnstile: Machine
) -> None:
    assert clocked.name in {
        listing.name for listing in vsafsm.backends() if listing.unavailable is None
    }
    text = page("docs/writing-a-backend.md")
    for block in blocks(text, "console")[1:]:
        assert main(shlex.split(block)[2:]) == 0
        assert without_numbers(capsys.readouterr().out) in map(
            without_numbers, blocks(text, "text")
        )
    for snippet in blocks(text, "python"):
        exec(compile(snippet, "writing-a-backend.md", "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(
    "name", ["traffic_light", pytest.param("tcp_connection", marks=pytest.mark.slow)]
)
def test_the_example_does_what_the_reference_does(clocked: Backend, name: str) -> None:
    machine = vsafsm.load(ROOT / "specs" / f"{name}.yaml")
    program = vsafsm.compile(machine, target="clocked")
    word = (machine.inputs * 4)[::-1]
    with vsafsm.open(program, backend="clocked") as ours, vsafsm.open(program) as reference:
        for symbol, state in zip(word, machine.run(word).states[1:], strict=True):
            assert ours.send(symbol) == reference.send(symbol) == state
            assert ours.outputs == reference.outputs
            assert (ours.activity == reference.activity).all()
        assert ours.counts == reference.counts
        assert ours.reset() == machine.initial
    assert prove(machine, clocked.lower(program)).holds


def test_the_example_refuses_what_it_cannot_do(clocked: Backend, turnstile: Machine) -> None:
    with pytest.raises(RequirementError, match='target="clocked"'):
        vsafsm.open(vsafsm.compile(turnstile, bits=12), backend="clocked")
    program = vsafsm.compile(turnstile, target="clocked")
    with pytest.raises(RequirementError, match=r'did you mean "tick_us"'):
        vsafsm.open(program, backend="clocked", tick_as=1.0)
    attempts: list[Callable[[], object]] = [
        lambda: vsafsm.open(program, backend="clocked", tick_us=0.0),
        lambda: vsafsm.open(program, backend="clocked").send("coin", hold=1.0),
        lambda: vsafsm.open(program, backend="clocked").rest(-1),
    ]
    for attempt in attempts:
        with pytest.raises(SessionError, match="expected"):
            attempt()


def test_the_example_takes_inputs_with_times(clocked: Backend, turnstile: Machine) -> None:
    program = vsafsm.compile(turnstile, target="clocked")
    with vsafsm.open(program, backend="clocked", tick_us=2.5) as session:
        event = session.pace.hold + session.pace.gap
        train = [(0, "coin"), (event - 2.5, "push"), (event, "push"), (3 * event, "coin")]
        found = session.play(train)
        assert [each.time for each in found.dropped] == [event - 2.5]
        assert found.states == ("locked", "unlocked", "locked", "unlocked")


def test_the_example_writes_and_counts_its_synapses(
    clocked: Backend, turnstile: Machine, tmp_path: Path
) -> None:
    program = vsafsm.compile(turnstile, target="clocked")
    clocked.emit(program, tmp_path)
    lists = json.loads((tmp_path / "synapses.json").read_text())
    described = clocked.describe(program)
    assert (described["neurons"], described["synapses"]) == (
        program.network.neurons,
        sum(map(len, lists)),
    )
    assert all(program.network.weights[i, j] == w for j, sent in enumerate(lists) for i, w in sent)


# ---- Brian2


@pytest.mark.slow
def test_the_commands_of_the_brian2_page_print_what_it_shows(folder: Path, capsys: Capture) -> None:
    text = page("docs/brian2.md")
    lines = [line[2:] for line in "".join(blocks(text, "console")).splitlines()]
    printed = ""
    for line in lines:
        if line.startswith("vsafsm"):
            assert main(shlex.split(line)[1:]) == 0, line
            printed += capsys.readouterr().out
    assert without_numbers(blocks(text, "text")[0]) in without_numbers(printed)
    assert (folder / "run.png").stat().st_size > 10_000
    assert (folder / "turnstile_brian2" / "run.py").is_file()


@pytest.mark.slow
def test_the_snippets_of_the_brian2_page_run(folder: Path, capsys: Capture) -> None:
    found = blocks(page("docs/brian2.md"), r" \{ .python \}")
    one, draws = (text for text in found if "program" in text)
    exec(compile(one + draws, "brian2.md", "exec"), {"__name__": "__main__"})
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "unlocked"
    assert printed[1].startswith("unlocked ")
    assert "synaptic_operations" in printed[2]
    assert printed[3:] == ["['locked', 'unlocked', 'locked']"] * 20


def test_a_machine_wired_into_a_network_of_one_s_own(folder: Path, capsys: Capture) -> None:
    shown = next(each for each in blocks(page("docs/brian2.md"), "text") if "reader" in each)
    runpy.run_path(str(DOCS / "examples" / "wired.py"))
    assert capsys.readouterr().out == shown


# ---- large machines, and several


@pytest.mark.parametrize("name", ["scale", "systems"])
def test_pages_print_what_they_show(name: str, folder: Path, capsys: Capture) -> None:
    text = page(f"docs/{name}.md")
    exec(compile(blocks(text, "python")[0], f"{name}.md", "exec"), {})
    assert capsys.readouterr().out == blocks(text, "text")[0]


# ---- senses


@pytest.mark.slow
def test_the_page_on_senses_does_what_it_shows(folder: Path, capsys: Capture) -> None:
    """But for digits: another torch trains another classifier."""
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    text = page("docs/senses.md")
    exec(compile(blocks(text, "python")[0], "senses.md", "exec"), {})
    shutil.copy(ROOT / "docs" / "examples" / "senses" / "keypad_lock.yaml", ".")
    capsys.readouterr()
    for line in blocks(text, "bash")[0].splitlines():
        assert main(shlex.split(line)[1:]) == 0, line
    shown = without_numbers(blocks(text, "text")[0])
    assert without_numbers(capsys.readouterr().out) == shown
    exec(compile(blocks(text, "python")[1], "senses.md", "exec"), {})
    assert 0.6 < float(capsys.readouterr().out) < 1


@pytest.mark.slow
def test_the_page_on_senses_recovers_what_it_says(folder: Path, capsys: Capture) -> None:
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    text = page("docs/senses.md")
    exec(compile(blocks(text, "python")[0], "senses.md", "exec"), {})
    section = text.partition("## Recovery of images\n")[2].partition("\n## ")[0]
    for line in blocks(section, "bash")[0].splitlines():
        assert main(shlex.split(line)[1:]) == 0, line
    assert (folder / "few.png").stat().st_size > 10_000
    capsys.readouterr()
    exec(compile(blocks(section, "python")[0], "senses.md", "exec"), {})
    before, after = map(float, capsys.readouterr().out.split())
    assert after < 0.6 * before


# ---- recipes


def test_the_page_on_recipes_does_what_it_shows(folder: Path, capsys: Capture) -> None:
    """But for what is suggested: another Optuna may draw other trials."""
    pytest.importorskip("optuna", reason="optuna is not installed")
    pytest.importorskip("torch", reason="torch is not installed")
    text = page("docs/recipes.md")
    Path("fab.yaml").write_text(blocks(text, "yaml")[0], encoding="utf-8")
    for line in blocks(text, "bash")[0].splitlines():
        assert main(shlex.split(line)[1:]) == 0, line
    found, shown = capsys.readouterr().out.splitlines(), blocks(text, "text")[0].splitlines()
    assert found[:5] == shown[:5]
    assert [line.split()[:2] for line in found[5:7]] == [line.split()[:2] for line in shown[5:7]]
    assert [line.split()[:4] for line in found[9:]] == [line.split()[:4] for line in shown[9:]]
