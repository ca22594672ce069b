"""What others cite and install names one version, and files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from vsafsm.version import __version__

ROOT = Path(__file__).parents[1]


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == __version__
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## (\d+\.\d+\.\d+) - (\d{4}-\d{2}-\d{2})$", changes, re.MULTILINE)
    assert released[0] == (__version__, citation["date-released"])
    assert f"version = {{{__version__}}}" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_citation_has_what_its_schema_requires() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation.keys() >= {"message", "title", "authors"}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for reference in citation["references"]:
        assert reference.keys() >= {"type", "title", "authors"}
        assert f"{{{reference.get('doi', reference['url'])}}}" in readme
        for author in reference["authors"]:
            assert f"{author['family-names']}, {author['given-names']}" in readme
