"""The page as a text: whole, alone, always the same; names are text wherever they stand."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from vsafsm.compiler import compile_machine
from vsafsm.errors import NoiseError, SweepError
from vsafsm.formats import load
from vsafsm.noise import Additive
from vsafsm.program import Program
from vsafsm.report.curves import curves
from vsafsm.report.page import page
from vsafsm.sweeps.plan import Trials, subject
from vsafsm.sweeps.trial import outcomes

pytest.importorskip("jinja2")
FEW = {"noise": ("additive:0:1:1",), "draws": 3}
VOID = {"meta", "link", "input", "br"}


class Reader(HTMLParser):
    """Elements that are opened and closed in order, what they refer to, and their text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.text: list[str] = []
        self.scripts = 0
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.links += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "data")
        ]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_a_page_is_whole_and_refers_to_nothing(program: Program) -> None:
    text = page(program, **FEW)
    found = Reader(text)
    assert found.links == ["data:,"]
    assert found.scripts == 2
    assert not re.search(r"https?:|url\(|@import|<img|<iframe", text)


def test_names_are_text_wherever_they_stand(programs: dict[str, Program]) -> None:
    program = programs["odd"]
    found = Reader(page(program, **FEW))
    told = "".join(found.text)
    for name in (*program.machine.states, *program.machine.inputs, program.machine.name):
        assert name in told
    assert "49" not in [text.strip() for text in found.text]


def test_the_network_comes_back(programs: dict[str, Program]) -> None:
    text = page(programs["odd"], **FEW)
    (told,) = re.findall(
        r'<script type="application/json" id="network">(.*?)</script>', text, re.DOTALL
    )
    assert json.loads(told)["states"] == list(programs["odd"].network.states)


def test_the_same_program_gives_the_same_page(program: Program) -> None:
    assert page(program, **FEW) == page(program, **FEW)
    assert page(program, **FEW) != page(program, **FEW, seed=1)


def test_a_page_tells_what_the_proof_found(programs: dict[str, Program]) -> None:
    program = programs["turnstile"]
    text, proof = page(program, **FEW), program.prove()
    assert "proven correct for every input word" in text
    assert f"<b>{proof.contract.hold_steps} steps</b>" in text
    assert f"{proof.margin:.3f} units" in text
    assert program.content_hash in text
    refuted = page(programs["unproven"], **FEW)
    assert "not proven" in refuted
    assert "proven right" not in refuted


def test_curves_are_what_trials_give(programs: dict[str, Program]) -> None:
    program = programs["turnstile"]
    (curve,) = curves(program, program.prove(), ("additive:1:2:1",), 12, 5)
    found = outcomes(subject(program, "reference"), Additive(1), Trials(words=0, seed=5), range(12))
    assert [row.noise for row in curve.rows] == ["additive:1", "additive:2"]
    assert curve.rows[0].correct == sum(each.pairs == 4 for each in found)
    assert curve.rows[0].failure_bound is not None


def test_every_kind_of_noise_has_a_chart(programs: dict[str, Program]) -> None:
    text = page(
        programs["turnstile"],
        noise=("additive:0:1:1", "missing:0.1", "stuck:0:0.1:0.1,at=minimum"),
        draws=2,
    )
    assert text.count('<svg class="chart"') == 3
    assert text.count('<polyline class="bound"') == 1


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"draws": 0}, SweepError),
        ({"noise": ("additive:2:1:1",)}, SweepError),
        ({"noise": ("x:1",)}, NoiseError),
    ],
)
def test_what_cannot_be_measured_is_refused(
    programs: dict[str, Program], given: dict[str, object], error: type
) -> None:
    with pytest.raises(error, match="expected"):
        page(programs["turnstile"], **{**FEW, **given})


def test_regions_of_a_chart_stand_apart() -> None:
    program = compile_machine(load("specs/wake_word.yaml"))
    text = page(program, **FEW)
    tables = json.loads(re.findall(r'id="network">(.*?)</script>', text)[0])
    assert tables["headings"] == ["talk", "microphone", "more"]
    for state, cells in zip(tables["states"], tables["cells"], strict=True):
        talk, microphone, more = cells
        assert state == f"talk.{talk}|microphone.{microphone}{more}"
