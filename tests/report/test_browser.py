"""The page in a real browser: it loads from disk alone, and steps through inputs as the interpreter
does.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm.program import Program
from vsafsm.report.page import page

api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
NAMES = ("turnstile", "vending_machine", "working_memory", "odd", "unproven")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(
    programs: dict[str, Program], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name in NAMES:
        text = page(programs[name], noise=("additive:0:1:0.5", "missing:0:0.1:0.1"), draws=4)
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.html" for name in NAMES}


class Shown:
    """A page in a window, with all that it complained of and asked for."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, scheme: str = "light") -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme
        )
        self.page = self.context.new_page()
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("dialog", lambda dialog: self.messages.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *details: object) -> None:
        self.context.close()

    def told(self, name: str) -> str:
        return str(self.page.locator(f"#{name}").text_content())


@pytest.mark.parametrize("name", NAMES)
def test_a_page_loads_from_disk_alone(browser: Any, pages: dict[str, Path], name: str) -> None:
    with Shown(browser, pages[name]) as shown:
        shown.page.wait_for_timeout(200)
        assert shown.messages == []
        assert [url for url in shown.requests if not url.startswith("data:")] == [
            pages[name].as_uri()
        ]


@pytest.mark.parametrize("name", NAMES[:4])
def test_stepping_through_inputs_shows_the_interpreters_states(
    browser: Any, pages: dict[str, Path], programs: dict[str, Program], name: str
) -> None:
    machine = programs[name].machine
    word = np.random.default_rng(0).integers(len(machine.inputs), size=25).tolist()
    expected = machine.run([machine.inputs[a] for a in word])
    with Shown(browser, pages[name]) as shown:
        assert (shown.told("found"), shown.told("expected")) == (machine.initial, machine.initial)
        for n, a in enumerate(word):
            shown.page.locator("#inputs button").nth(a).click()
            assert shown.told("found") == shown.told("expected") == expected.states[n + 1]
            assert shown.told("outputs") == (", ".join(expected.outputs[n]) or "(none)")
            lit = shown.page.locator(".node.lit title")
            assert lit.text_content() == expected.states[n + 1]
        assert shown.told("word") == "word: " + " ".join(machine.inputs[a] for a in word)
        shown.page.locator("#reset").click()
        assert shown.told("found") == machine.initial
        assert shown.messages == []


def test_keys_and_the_slider_and_playing_work(browser: Any, pages: dict[str, Path]) -> None:
    with Shown(browser, pages["turnstile"]) as shown:
        shown.page.keyboard.press("1")
        assert shown.told("found") == "unlocked"
        shown.page.wait_for_timeout(900)
        shown.page.locator("#step").fill("1")
        assert shown.told("told").startswith("step 1 of 4: input coin held")
        assert shown.page.locator("#bars i").count() >= 1
        shown.page.locator("#play").click()
        shown.page.wait_for_timeout(1400)
        assert len(shown.told("word").split()) >= 3
        shown.page.locator("#play").click()
        assert shown.told("play") == "play a random word"
        assert shown.messages == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
@pytest.mark.parametrize("name", ["working_memory", "odd"])
def test_nothing_sticks_out(
    browser: Any, pages: dict[str, Path], name: str, width: int, scheme: str
) -> None:
    with Shown(browser, pages[name], width, scheme) as shown:
        assert shown.page.evaluate("document.documentElement.scrollWidth") <= width
        ground = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


def test_a_network_that_goes_wrong_is_shown_to(
    browser: Any, pages: dict[str, Path], programs: dict[str, Program]
) -> None:
    proof = programs["unproven"].prove()
    assert proof.counterexample is not None
    machine = programs["unproven"].machine
    with Shown(browser, pages["unproven"]) as shown:
        for symbol in proof.counterexample.word:
            shown.page.locator("#inputs button").nth(machine.inputs.index(symbol)).click()
        wrong = shown.page.locator("#found.differs")
        assert wrong.count() == 1 or proof.counterexample.timings
        assert shown.messages == []
