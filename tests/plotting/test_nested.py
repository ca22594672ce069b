"""Statecharts as trees of boxes, read back from what Graphviz makes of them: each state, transition
and output is there, boxes lie in boxes as states do, and no arrow goes through a state.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import vsafsm
from vsafsm.cli import main
from vsafsm.plotting import nested
from vsafsm.plotting.graphviz import is_there, rendered
from vsafsm.plotting.nested import nested_graph
from vsafsm.statecharts import History, State, Statechart, Transition, explore
from vsafsm.statecharts.parts import Output, actions_of, transitions_of, walk

from ..statecharts.charts import drawn

ROOT = Path(__file__).parents[2]
CHARTS = ("junction", "robot_arm", "wake_word")
ALL = "histories guards data raises eventless finals several internal times deep part"
needs_dot = pytest.mark.skipif(not is_there(), reason="Graphviz is not installed")


def laid_out(text: str) -> dict[str, Any]:
    """What Graphviz makes of a text; it has nothing to say about it."""
    ran = subprocess.run(["dot", "-Tjson"], input=text.encode(), capture_output=True)
    if ran.returncode:
        ran = subprocess.run(
            ["dot", "-Gnewrank=true", "-Tjson"],
            input=text.encode(),
            capture_output=True,
            check=True,
        )
    assert not ran.stderr.decode()
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def plain(label: str) -> str:
    """The text of a label."""
    return html.unescape(
        re.sub(r"<br[^>]*>", " ", re.sub(r"</?(font|table|tr|td)[^>]*>", "", label))
    )


def chart_of(name: str) -> Statechart:
    return vsafsm.load_chart(ROOT / "specs" / f"{name}.yaml")


def is_whole(chart: Statechart, found: dict[str, Any]) -> None:
    labels = [plain(each["label"]) for each in found["objects"] if "label" in each]
    told = " ".join([*labels, *(plain(each.get("label", "")) for each in found.get("edges", []))])
    for node in chart.nodes.values():
        if isinstance(node, State) and node.id != chart.states[0].id:
            assert any(label.split(" ")[0] == node.called for label in labels)
            assert all(output in told for output in node.outputs)
    histories = [each for each in chart.nodes.values() if isinstance(each, History)]
    assert sum(label in ("H", "H*") for label in labels) == len(histories)
    outputs = {each.name for each in actions_of(chart.root) if isinstance(each, Output)}
    events = {event for _, each in transitions_of(chart.root) for event in each.events}
    assert all(name in told for name in outputs)
    assert all(event in told or event.startswith("done.") for event in events)
    ways = {(source.id, each.targets) for source, each in transitions_of(chart.root)}
    joins = sum(len(targets) for _, targets in ways if len(targets) > 1)
    bars = sum(len(targets) > 1 for _, targets in ways)
    arrows = [e for e in found.get("edges", []) if e.get("style") != "invis"]
    tails = [found["objects"][e["tail"]]["name"] for e in arrows if e.get("dir") != "back"]
    firsts = [tail for tail in tails if tail.startswith("i")]
    defaults = sum(len(each.targets) for each in histories)
    singles = sum(len(targets) == 1 for _, targets in ways)
    assert len(arrows) - len(firsts) == singles + bars + joins + defaults


@needs_dot
@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6))
def test_a_chart_is_drawn_whole(seed: int) -> None:
    chart = drawn(seed, ALL)
    is_whole(chart, laid_out(nested_graph(chart)))


@needs_dot
@pytest.mark.parametrize("seed", [4594, 487730])
def test_charts_whose_ranks_graphviz_cannot_find_are_drawn(seed: int) -> None:
    """Graphviz 2.43 breaks off with "trouble in init_rank" where it ranks as it usually does."""
    assert b"<svg" in rendered(nested_graph(drawn(seed, ALL)), ".svg")


@needs_dot
@pytest.mark.parametrize(
    "path",
    [
        *(f"specs/{name}.yaml" for name in CHARTS),
        *(f"tests/data/charts/{n}" for n in ("arm.transitions", "kettle.xstate", "player.sismic")),
    ],
)
def test_boxes_lie_in_boxes_and_no_arrow_goes_through_a_state(path: str) -> None:
    chart = vsafsm.load_chart(ROOT / path)
    found = laid_out(nested_graph(chart))
    is_whole(chart, found)
    number = {node.id: i for i, (node, _) in enumerate(walk(chart.root))}
    boxes = {each["name"]: box(each) for each in found["objects"] if "bb" in each or "pos" in each}
    for node, around in walk(chart.root):
        inner = boxes.get(f"cluster_{number[node.id]}", boxes.get(f"s{number[node.id]}"))
        outer = None if around is None else boxes.get(f"cluster_{number[around.id]}")
        if inner is not None and outer is not None:
            assert (inner[:2] > outer[:2]).all()
            assert (inner[2:] < outer[2:]).all()
    states = {each: at for each, at in boxes.items() if each.startswith("s")}
    for edge in found["edges"]:
        ends = {found["objects"][edge[end]]["name"] for end in ("tail", "head")}
        for at in points(edge["pos"]):
            for state, (left, low, right, high) in states.items():
                inside = left < at[0] < right and low < at[1] < high
                assert not inside or state in ends, (ends, state)


@needs_dot
@pytest.mark.parametrize("path", sorted(Path("tests/data/charts").iterdir()), ids=str)
def test_labels_cover_frames_and_keep_off_their_own_arrows(path: Path) -> None:
    """A white area comes before the text of each label; the curve of the arrow does not meet it."""
    for edge in laid_out(nested_graph(vsafsm.load_chart(path)))["edges"]:
        if not any(each["op"] == "T" for each in edge.get("_ldraw_", [])):
            continue
        kinds = [each["op"] for each in edge["_ldraw_"]]
        assert kinds.index("P") < kinds.index("T")
        (area,) = (np.array(each["points"]) for each in edge["_ldraw_"] if each["op"] == "P")
        assert next(e["color"] for e in edge["_ldraw_"] if e["op"] == "C") == "#ffffff"
        curve = points(edge["pos"])
        inside = (curve > area.min(0)) & (curve < area.max(0))
        assert not inside.all(1).any(), edge["label"]


def box(each: dict[str, Any]) -> np.ndarray:
    """Left, lower, right and upper end, in points."""
    if "bb" in each:
        return np.array(each["bb"].split(","), float)
    middle = np.array(each["pos"].split(","), float)
    half = 36 * np.array([float(each["width"]), float(each["height"])])
    return np.concatenate([middle - half, middle + half])


def points(pos: str) -> np.ndarray:
    """Points on the cubic curves of an arrow."""
    knots = [np.array(p.split(","), float) for p in pos.split() if p[0] not in "es"]
    share = np.linspace(0, 1, 30)[:, None]
    return np.concatenate(
        [
            (1 - share) ** 3 * a
            + 3 * (1 - share) ** 2 * share * b
            + 3 * (1 - share) * share**2 * c
            + share**3 * d
            for a, b, c, d in zip(knots[::3], knots[1::3], knots[2::3], knots[3::3], strict=False)
        ]
    )


@needs_dot
@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=12))
@example("]")
@example("]]>")
@settings(deadline=None, max_examples=25)
def test_any_name_is_text_for_graphviz(name: str) -> None:
    around = State(name, (State("another state", transitions=(Transition((name,), (name,)),)),))
    found = laid_out(nested_graph(Statechart("m", (around,))))
    (frame,) = [each for each in found["objects"] if each["name"].startswith("cluster")]
    assert plain(frame["label"]).strip() == name
    assert name in [plain(each.get("label", "")).strip() for each in found["edges"]]


# ---- as it is typed


@needs_dot
@pytest.mark.parametrize("name", CHARTS)
def test_the_active_states_of_a_configuration_are_lit_up(name: str, tmp_path: Path) -> None:
    found = explore(chart_of(name))
    spec, output = str(ROOT / "specs" / f"{name}.yaml"), tmp_path / "m.svg"
    state = found.names[-1]
    assert main(["draw", spec, "-o", str(output), "--state", state]) == 0
    lit = re.findall(r"<title>s(\d+)</title>\s*<path fill=\"#ffe2a8\"", output.read_text())
    ids = [node.id for node, _ in walk(found.chart.root)]
    assert {ids[int(each)] for each in lit} == set(found.leaves(state))


@needs_dot
@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_a_chart_is_drawn_as_a_tree_or_flat(
    suffix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, output = str(ROOT / "specs" / "robot_arm.yaml"), str(tmp_path / f"m.{suffix}")
    assert main(["draw", spec, "-o", output]) == 0
    assert main(["draw", spec, "-o", output, "--flat"]) == 0
    flat = len(vsafsm.load(spec).reachable)
    assert capsys.readouterr().out == (
        f"wrote {output}: a chart of 8 states\nwrote {output}: {flat} states\n"
    )


def test_without_graphviz_it_says_what_is_drawn(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    spec, output = str(ROOT / "specs" / "wake_word.yaml"), str(tmp_path / "m.svg")
    assert main(["draw", spec, "-o", output]) == 0
    assert "the flat machine; boxes in boxes need Graphviz" in capsys.readouterr().err


def test_an_unknown_state_of_a_chart_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec, output = str(ROOT / "specs" / "robot_arm.yaml"), tmp_path / "m.svg"
    assert main(["draw", spec, "-o", str(output), "--state", "redy"]) == 2
    assert 'did you mean "ready"' in capsys.readouterr().err
    assert not output.exists()


def test_a_chart_too_large_to_draw_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nested, "MOST_STATES", 5)
    with pytest.raises(vsafsm.VsafsmError, match="too many to draw; expected at most 5"):
        nested_graph(chart_of("robot_arm"))
