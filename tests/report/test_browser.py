"""The page in a real browser: it loads from disk alone, and steps through inputs as the interpreter
does.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vsafsm.compiler import compile_machine
from vsafsm.formats import load
from vsafsm.lowering import REST
from vsafsm.network import Network
from vsafsm.plotting.steps import follow
from vsafsm.program import Program
from vsafsm.report.frames import Seen
from vsafsm.report.page import page
from vsafsm.sense.data import Frames

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
SPECS = Path(__file__).parents[2] / "specs"
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
        first = int(shown.page.locator("#step").get_attribute("max"))
        shown.page.keyboard.press("1")
        assert shown.told("found") == "unlocked"
        shown.page.wait_for_timeout(900)
        shown.page.locator("#step").fill(str(first + 1))
        assert re.match(rf"step {first + 1} of \d+: input coin held", shown.told("told"))
        assert shown.page.locator("#bars i").count() >= 1
        shown.page.locator("#play").click()
        shown.page.wait_for_timeout(1900)
        assert len(shown.told("word").split()) >= 3
        shown.page.locator("#play").click()
        assert shown.told("play") == "play a random word"
        assert "proven correct for every input word" in shown.told("standing")
        assert shown.messages == []


@pytest.mark.parametrize("name", [*sorted(path.stem for path in SPECS.glob("*.yaml")), "modules"])
def test_a_thousand_random_steps_are_the_networks(browser: Any, tmp_path: Path, name: str) -> None:
    """Bit for bit, under masks that change at any step."""
    machine = load(SPECS / f"{'junction' if name == 'modules' else name}.yaml")
    options = {"layout": "modules"} if name == "modules" else {}
    network = (program := compile_machine(machine, tolerate="none", **options)).network
    (tmp_path / "page.html").write_text(page(program, noise=("additive:0",), draws=1))
    rng = np.random.default_rng(2)
    # Masks are held for some steps, so that many activities are near codes.
    masks = np.repeat(rng.integers(len(machine.inputs) + 1, size=400), rng.integers(1, 6, 400))
    masks = masks[:1000]
    expected = follow(network, _start(network), [REST, *masks.tolist()])
    with Shown(browser, tmp_path / "page.html") as shown:
        found = shown.page.evaluate("masks => vsafsm.trace(masks)", masks.tolist())
        assert found == [np.flatnonzero(row).tolist() for row in expected.activity[1:]]
        decoded = shown.page.evaluate(
            "given => given.map(([neurons, mask]) => vsafsm.decode(neurons, mask))",
            [[found[n], int(masks[n])] for n in range(1000)],
        )
        assert decoded == expected.decoded[1:].tolist()
    assert any(found)


def _start(network: Network) -> Any:
    return network.code_activities([network.start]).bits(network.neurons)[0]


def test_a_network_is_broken_and_repaired(browser: Any, pages: dict[str, Path]) -> None:
    with Shown(browser, pages["vending_machine"]) as shown:

        def take(count: int) -> int:
            """Inputs that are taken correctly, of so many."""
            for n in range(count):
                shown.page.locator("#inputs button").nth(n % 3).click()
            told = shown.told("standing")
            correct, all_ = re.findall(r"(\d+) of (\d+) inputs correct", told)[0]
            assert int(all_) == count
            return int(correct)

        assert take(6) == 6
        for name, little, much in (("noise", "0.5", "4"), ("missing", "5", "80")):
            shown.page.locator(f"#{name}").fill(little)
            assert shown.told("standing").startswith("Disturbed")
            assert take(6) == 6
            shown.page.locator(f"#{name}").fill(much)
            assert take(9) < 9
            shown.page.locator("#repair").click()
            assert shown.told("standing").startswith("As compiled: proven")
        shown.page.locator("#share").fill("20")
        assert take(6) == 6
        shown.page.locator("#repair").click()
        box = shown.page.locator("#neurons").bounding_box()
        shown.page.mouse.move(box["x"] + 3, box["y"] + 3)
        shown.page.mouse.down()
        for row in range(3):
            at = box["y"] + box["height"] * (row + 0.5) / 12
            shown.page.mouse.move(box["x"] + 3, at, steps=4)
            shown.page.mouse.move(box["x"] + box["width"] - 3, at, steps=200)
        shown.page.mouse.up()
        assert int(shown.told("removed").split()[0]) > 40
        assert take(6) < 6
        shown.page.locator("#repair").click()
        assert shown.told("removed").startswith("0 of")
        assert take(6) == 6
        assert shown.messages == []


def test_frames_are_played(browser: Any, programs: dict[str, Program], tmp_path: Path) -> None:
    machine = programs["turnstile"].machine
    values = np.random.default_rng(0).random((3, 4, 4))
    seen = Seen(Frames(values, ("a", "b", "c")), ("coin", "push", "push"))
    text = page(programs["turnstile"], noise=("additive:0",), draws=1, seen=seen)
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    with Shown(browser, tmp_path / "page.html") as shown:
        shown.page.locator("button.frame").nth(0).click()
        assert shown.told("found") == machine.run(("coin",)).states[-1]
        assert shown.page.locator("button.frame.seen").count() == 1
        grey = shown.page.evaluate(
            "() => { const c = document.querySelector('canvas[data-frame]');"
            " return Array.from(c.getContext('2d').getImageData(0, 0, 4, 4).data)"
            ".filter((_, i) => i % 4 === 0); }"
        )
        low, high = values.min(), values.max()
        assert grey == np.rint(255 * (values[0] - low) / (high - low)).ravel().tolist()
        shown.page.locator("#watch").click()
        shown.page.wait_for_timeout(3600)
        assert shown.told("word") == "word: coin push push"
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
