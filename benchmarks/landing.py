"""The pictures of the landing page: the playground after some inputs, light and dark, in a headless
Chromium.

    python benchmarks/landing.py docs/playground.html docs
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

WORD = ("request", "timer", "timer", "request", "timer", "timer", "timer", "timer")


def draw(page: Path, folder: Path) -> None:
    """Write ``playground-light.png`` and ``playground-dark.png``."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playing:
        browser = playing.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        for scheme in ("light", "dark"):
            shown = browser.new_page(viewport={"width": 1100, "height": 900}, color_scheme=scheme)
            shown.goto(page.resolve().as_uri())
            for symbol in WORD:
                shown.get_by_role("button", name=symbol, exact=True).click()
            shown.mouse.move(0, 0)
            shown.evaluate("document.activeElement.blur()")
            shown.wait_for_timeout(500)
            box = _box(shown, ".two")
            shown.set_viewport_size({"width": 1100, "height": int(box["y"] + box["height"] + 20)})
            graph = _box(shown, ".drawing")
            shown.screenshot(
                path=folder / f"playground-{scheme}.png",
                clip={**box, "height": graph["height"]},
            )
        browser.close()


def _box(page: Any, selector: str) -> Any:
    """Where the first of some elements lies. Raises `RuntimeError` where there is none."""
    found = page.locator(selector).first.bounding_box()
    if found is None:
        raise RuntimeError(f'the page shows no "{selector}"')
    return found


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
