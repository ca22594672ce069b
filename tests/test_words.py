"""The pages have the field's words, not private ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/**/*.md")
UNITS = "cell|code|device|draw|input|neuron|point|state|step|synapse|transition|weight"
PRIVATE = {
    r"bears?|bore|borne": "tolerates",
    r"(?<!to the )(?<!on the )right": "correct",
    r"comes? before (?:it|them|those|this)": "overrides",
    r"held against|hold \w+ against|holds \w+ against": "compared with",
    r"disturb\w*|undisturbed": "noisy, or perturbed",
    r"puts? out": "outputs, or emits",
    r"w[io]ns? back": "restores",
    r"weight steps?": "LSB",
    rf"(?<!many )(?:{UNITS})s an? (?:{UNITS})": "per",
    r"cells of before": "the earlier cells",
    r"self-made": "of one's own",
}
"""Words and what stands in their place."""


def prose(text: str) -> str:
    """A page without its code."""
    text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "`", text)


@pytest.mark.parametrize(
    "name", [str(path.relative_to(ROOT)) for each in PAGES for path in sorted(ROOT.glob(each))]
)
def test_no_private_word_is_used(name: str) -> None:
    text = prose((ROOT / name).read_text(encoding="utf-8"))
    found = [
        f'"{hit[0]}" in "{text[max(hit.start() - 40, 0) : hit.end() + 30]}": say {better}'
        for words, better in PRIVATE.items()
        for hit in re.finditer(rf"\b(?:{words})\b", text, re.IGNORECASE)
    ]
    assert not found, "\n".join(found)


def test_the_check_finds_words_in_prose_and_leaves_code_alone() -> None:
    assert prose("a `right` b\n```text\nright\n```\nc") == "a ` b\n\nc"
    assert all(re.compile(words) for words in PRIVATE)
    assert re.search(rf"\b(?:{next(iter(PRIVATE))})\b", "it bears noise")
