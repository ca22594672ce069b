"""The playground of the site is a page of this version's command, of the machine that it shows:

vsafsm report specs/traffic_light.yaml -o docs/playground.html --trials 100
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from vsafsm.formats import load
from vsafsm.version import __version__

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "vsafsm" / "report"


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / "docs" / "playground.html").read_text(encoding="utf-8")


def test_it_has_the_script_and_the_style_of_this_version(page: str) -> None:
    assert (REPORT / "playground.js").read_text(encoding="utf-8") in page
    template = (REPORT / "page.html").read_text(encoding="utf-8")
    (style,) = re.findall(r"<style>.*</style>", template, re.DOTALL)
    assert style in page
    assert f'content="vsafsm {__version__}"' in page
    assert "proven correct for every input word" in page


def test_its_network_is_that_of_the_example(page: str) -> None:
    machine = load(ROOT / "specs" / "traffic_light.yaml")
    (text,) = re.findall(r'id="network">(.*?)</script>', page, re.DOTALL)
    network = json.loads(text)
    assert set(network["states"]) == set(machine.states)
    assert network["inputs"] == list(machine.inputs)
    for state, row in zip(network["states"], network["delta"], strict=True):
        assert [network["states"][to] for to in row] == [
            machine.transition(state, symbol).to for symbol in machine.inputs
        ]


def test_it_is_small_and_loads_nothing(page: str) -> None:
    assert len(page.encode()) < 400_000
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert "@import" not in page


def test_the_landing_page_leads_to_it() -> None:
    landing = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    assert landing.count("(playground.html)") >= 2
    for picture in re.findall(r"\]\(([\w-]+\.png)", landing):
        assert (ROOT / "docs" / picture).is_file()
